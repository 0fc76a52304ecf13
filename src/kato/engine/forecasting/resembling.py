"""Which pattern a memory resembles most, as predictions measure it (docs/metrics.md#similarity)."""

from __future__ import annotations

from collections.abc import Iterable

from kato.engine.alignment import flat
from kato.engine.event import Event
from kato.engine.forecasting.question import Question
from kato.engine.forecasting.source import Nearest
from kato.engine.matching.comparing import Known, compare
from kato.engine.pattern import Pattern
from kato.engine.ranking import selection_order
from kato.engine.settings import EngineSettings

BY = "similarity"
SETTINGS = EngineSettings(recall_threshold=1e-9, ensemble_size=2, max_predictions=1, rank_sort_algo=BY)
"""All that share a symbol with the memory, the two best of them: one may be left out."""


def memory_of(question: Question) -> tuple[Event, ...]:
    """What is compared: the events that are looked at, oldest first, each symbol once."""
    return tuple(step.symbols for step in reversed(question.steps))


def nearest(told: Iterable[tuple[str, tuple[Event, ...], int]], question: Question) -> Nearest | None:
    """
    The first in order of selection by similarity, but for the one left out if that was its only learning.

    Args:
        told: (name, events, frequency) of patterns.
    """
    memory = flat(memory_of(question))
    if not memory:
        return None
    matches = []
    for name, events, frequency in told:
        if events == question.left_out and frequency == 1:
            continue
        tokens = flat(events)
        match = compare(Known(Pattern(name, events, frequency), tokens, frozenset(tokens)), memory, SETTINGS, None)
        if match is not None:
            matches.append(match)
    best = min(matches, key=lambda match: selection_order(match, BY), default=None)
    return None if best is None else Nearest(best.name, best.similarity)
