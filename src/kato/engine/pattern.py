"""
Patterns: learned sequences of events, and how their names follow from their content.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from kato.engine.event import Event
from kato.engine.exact import mean

PREFIX = "PTRN|"
_NAME = re.compile(r"[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A learned sequence of events. The events are its identity; the name follows from them."""

    name: str
    """40 lower-case hexadecimal digits."""
    events: tuple[Event, ...]
    frequency: int = 1
    """How often it was learned; at least 1."""
    emotives: tuple[Mapping[str, float], ...] = ()
    """The newest emotive dictionaries gathered with its learnings, oldest first."""
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Key → sorted distinct texts; keys by code point."""
    affinity: Mapping[str, Fraction] = field(default_factory=dict)
    """Emotive → exact sum, over its learnings, of the mean gathered at each; names by code point."""

    @property
    def length(self) -> int:
        """Symbols in all events, repetitions counted."""
        return sum(map(len, self.events))


def pattern_name(events: Sequence[Event]) -> str:
    """
    The name of a sequence of events: SHA-1 over Python's `str()` of the list of lists.

    >>> pattern_name([("a",), ("b",), ("c",)])
    'b98534b32c1d7489d4ce1a48724aa65aeecbdba9'
    """
    return hashlib.sha1(_as_python_writes(events).encode(), usedforsecurity=False).hexdigest()


def _as_python_writes(events: Sequence[Event]) -> str:
    """
    `str()` of the list of lists.

    Python looks at every character of every symbol to write it. Joining gives the same text in half the time where
    there is nothing to escape: only printable characters, no backslash, and no quotes but those put between symbols.
    """
    joined = "'], ['".join(map("', '".join, events))
    between = 2 * (sum(map(len, events)) - 1)
    if joined.isprintable() and "\\" not in joined and joined.count("'") == between and all(events):
        return f"[['{joined}']]"
    return str(list(map(list, events)))


def bare_name(text: str) -> str | None:
    """
    A pattern id without prefix and in lower case; None if it is none.

    >>> bare_name("PTRN|B98534B32C1D7489D4CE1A48724AA65AEECBDBA9")
    'b98534b32c1d7489d4ce1a48724aa65aeecbdba9'
    """
    name = text.removeprefix(PREFIX)
    return name.lower() if _NAME.fullmatch(name) else None


def metadata_text(value: Any) -> str:
    """
    A metadata value as text.

    >>> [metadata_text(value) for value in ("as is", True, None, 1.0, {"b": [1, "é"], "a": None})]
    ['as is', 'True', 'None', '1.0', '{"a":null,"b":[1,"é"]}']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return repr(value)


def folded(gathered: Sequence[Mapping[str, Any]], onto: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Metadata objects united with what a pattern has: per key the sorted distinct texts, keys by code point."""
    if not gathered:
        return dict(onto)
    texts = {key: set(held) for key, held in onto.items()}
    for metadata in gathered:
        for key, value in metadata.items():
            texts.setdefault(key, set()).add(metadata_text(value))
    return {key: tuple(sorted(texts[key])) for key in sorted(texts)}


def emotive_means(gathered: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean per emotive over the dictionaries that have it, by name."""
    names = sorted({name for emotives in gathered for name in emotives})
    return {name: mean([emotives[name] for emotives in gathered if name in emotives]) for name in names}


def _felt(gathered: Sequence[Mapping[str, float]], onto: Mapping[str, Fraction]) -> dict[str, Fraction]:
    if not gathered:
        return dict(onto)
    sums = dict(onto)
    for name, value in emotive_means(gathered).items():
        sums[name] = sums.get(name, Fraction(0)) + Fraction(value)
    return {name: sums[name] for name in sorted(sums)}


def new_pattern(
    events: tuple[Event, ...],
    emotives: Sequence[Mapping[str, float]] = (),
    metadata: Sequence[Mapping[str, Any]] = (),
    persistence: int = 5,
    *,
    name: str | None = None,
) -> Pattern:
    """
    A pattern learned for the first time.

    Args:
        persistence: Emotive dictionaries it keeps, at least 1.
        name: Its name, where it has been computed already.
    """
    if not emotives and not metadata:
        return Pattern(name or pattern_name(events), events)
    return Pattern(
        name=name or pattern_name(events),
        events=events,
        frequency=1,
        emotives=tuple(emotives[-persistence:]),
        metadata=folded(metadata, {}),
        affinity=_felt(emotives, {}),
    )


def learned_again(
    pattern: Pattern,
    emotives: Sequence[Mapping[str, float]] = (),
    metadata: Sequence[Mapping[str, Any]] = (),
    persistence: int = 5,
) -> Pattern:
    """The pattern after one more learning."""
    if not emotives and not metadata:
        kept = pattern.emotives[-persistence:]
        return Pattern(pattern.name, pattern.events, pattern.frequency + 1, kept, pattern.metadata, pattern.affinity)
    return Pattern(
        pattern.name,
        pattern.events,
        frequency=pattern.frequency + 1,
        emotives=(*pattern.emotives, *emotives)[-persistence:],
        metadata=folded(metadata, pattern.metadata),
        affinity=_felt(emotives, pattern.affinity),
    )


def edited(
    pattern: Pattern,
    *,
    frequency: int | None = None,
    emotives: Sequence[Mapping[str, float]] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Pattern:
    """
    The pattern with parts replaced; None leaves a part.

    Affinities stay: they tell what was felt, not what is kept.
    """
    return replace(
        pattern,
        frequency=pattern.frequency if frequency is None else frequency,
        emotives=pattern.emotives if emotives is None else tuple(emotives),
        metadata=pattern.metadata if metadata is None else folded([metadata], {}),
    )
