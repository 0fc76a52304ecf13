"""
Events: what was observed together, in one canonical order; and how a vector becomes a symbol.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence

Symbol = str
Event = tuple[Symbol, ...]
Vector = tuple[float, ...]


def vector_name(components: Sequence[float]) -> Symbol:
    """
    The symbol that stands for a vector: `VCTR|` and the SHA-1 of its components as little-endian doubles.

    −0.0 counts as 0.0, so that equal vectors have equal names.

    >>> vector_name([0.0]) == vector_name([-0.0])
    True
    """
    plain = [component + 0.0 for component in components]
    return "VCTR|" + hashlib.sha1(struct.pack(f"<{len(plain)}d", *plain), usedforsecurity=False).hexdigest()


def make_events(sequence: Iterable[Sequence[str]], *, sort_symbols: bool) -> tuple[Event, ...]:
    """
    The events of a sequence without vectors, as `make_event` makes each; those that hold nothing are left out.

    >>> make_events([["b", "a"], [], ["c"]], sort_symbols=True)
    (('a', 'b'), ('c',))
    """
    if not sort_symbols:
        return tuple([tuple(event) for event in sequence if event])
    return tuple([tuple(sorted(event) if len(event) > 1 else event) for event in sequence if event])


def make_event(strings: Sequence[str], vector_symbols: Sequence[Symbol], *, sort_symbols: bool) -> Event:
    """
    The event of one observation: vector symbols, sorted, then strings, sorted by code point.

    Args:
        sort_symbols: False keeps the strings in the order given. Duplicates stay either way.

    >>> make_event(["b", "a", "b"], [], sort_symbols=True)
    ('a', 'b', 'b')
    """
    ordered = sorted(strings) if sort_symbols and len(strings) > 1 else strings
    if not vector_symbols:
        return tuple(ordered)
    return (*sorted(vector_symbols), *ordered)
