"""What an operation makes of a pattern, and of the vectors a node knows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from kato.engine.event import Event, Symbol
from kato.engine.pattern import Pattern, edited, learned_again, new_pattern
from kato.storage.interface import Edit, Learn

VECTOR_PREFIX = "VCTR|"


def learned(operation: Learn, before: Pattern | None, name: str) -> Pattern:
    """The pattern after a learning."""
    if before is None:
        return new_pattern(operation.events, operation.emotives, operation.metadata, operation.persistence, name=name)
    return learned_again(before, operation.emotives, operation.metadata, operation.persistence)


def changed(operation: Edit, before: Pattern) -> Pattern:
    """The pattern after an edit."""
    return edited(before, frequency=operation.frequency, emotives=operation.emotives, metadata=operation.metadata)


def vector_symbols(events: Sequence[Event], text: str | None = None) -> list[Symbol]:
    """
    The distinct symbols of the events that have the form of a vector's name, in order of appearance.

    Args:
        text: The events as JSON, where that has been made already: JSON escapes nothing of what such names begin with.
    """
    if VECTOR_PREFIX not in ("".join(chain.from_iterable(events)) if text is None else text):
        return []  # nearly always; one search in one text costs a fraction of asking every symbol
    found = dict.fromkeys(symbol for event in events for symbol in event if symbol.startswith(VECTOR_PREFIX))
    return list(found)
