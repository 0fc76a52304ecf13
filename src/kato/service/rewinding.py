"""
An earlier state of a node, made from a later one: what changed in between is put back.

It costs what is about the patterns that changed in between, not what there is in all, and gives what repeating the whole log
gives. Where that cannot be told from so little, None is the answer, and the log is to be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence

from kato.engine.event import Symbol
from kato.engine.knowledge import Change, Knowledge, View
from kato.storage.folding import vector_symbols
from kato.storage.interface import Storage
from kato.storage.recollecting import Difference, few_differences, recollect_name

_ASKED = 20
"""Patterns that are asked at most for the components of one vector."""


def rewound(storage: Storage, node_id: str, later: Knowledge, sequence: int) -> Knowledge | None:
    """
    What a node knew after the change of that sequence.

    Args:
        later: What it knew later; it is left as it is.
    """
    state = later.fork()
    found = few_differences(storage, node_id, sequence, state.sequence)
    if found is None:
        return None
    # First what comes back, then what goes: a vector whose holders change is held throughout.
    found.sort(key=lambda each: each.before is None)
    state.rewind([Change(0, "undo", each.after, each.before, each.vectors) for each in found], sequence)
    return state if _knows_vectors(storage, node_id, state.view(), found, sequence) else None


def _knows_vectors(storage: Storage, node_id: str, view: View, found: Sequence[Difference], sequence: int) -> bool:
    """
    Whether the components that are known of vectors are those that were.

    A vector that no pattern held then is gone with its holders. One that a changed pattern brought has been put back. One that an
    unchanged pattern brought was known then and has been held since. Anything else takes the whole log to tell: a symbol can be
    observed by its name, without components, and get them from another pattern later.
    """
    told = {symbol for each in found for symbol in each.vectors}
    symbols: dict[Symbol, None] = dict.fromkeys(
        symbol for each in found for symbol in vector_symbols(each.pattern.events) if symbol not in told
    )
    return all(view.symbol(symbol) is None or _brought(storage, node_id, view, symbol, sequence) for symbol in symbols)


def _brought(storage: Storage, node_id: str, view: View, symbol: Symbol, sequence: int) -> bool:
    """Whether one of the patterns that hold a vector brought its components."""
    page = view.list_patterns("name", None, _ASKED, symbol)
    return any(symbol in recollect_name(storage, node_id, pattern.name, sequence).vectors for pattern in page.patterns)
