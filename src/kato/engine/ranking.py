"""
The one place where order is decided: which matches make the ensemble, and in which order predictions are shown.

Every order is total: after all numbers the pattern's name decides, and after the name (which two contents could share)
its events.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

from kato.engine.event import Event
from kato.engine.prediction import Prediction

_SELECTED_BY = {
    "similarity": "similarity",
    "bayesian_likelihood": "similarity",
    "frequency": "frequency",
    "bayesian_prior": "frequency",
    "bayesian_posterior": "similarity_by_frequency",
    "evidence": "evidence",
    "confidence": "confidence",
    "snr": "snr",
    "fragmentation": "fragmentation",
    "weighted_similarity": "weighted_similarity",
    "weighted_evidence": "weighted_evidence",
    "weighted_confidence": "weighted_confidence",
    "weighted_snr": "weighted_snr",
}


class Selectable(Protocol):
    """What selection needs to know of a match."""

    @property
    def name(self) -> str:
        """The pattern's bare name."""
        ...

    @property
    def events(self) -> tuple[Event, ...]:
        """The pattern's events."""
        ...

    @property
    def frequency(self) -> int:
        """How often it was learned."""
        ...

    @property
    def similarity(self) -> float:
        """Its similarity."""
        ...

    @property
    def quality(self) -> float:
        """Its quality q."""
        ...


def selection_key_name(rank_sort_algo: str) -> str:
    """The number by which the ensemble is chosen for a ranking; `quality` unless the ranking has one of its own."""
    return _SELECTED_BY.get(rank_sort_algo, "quality")


def _fragments(value: float) -> float:
    """Fragmentation as something to be large: few breaks first, nothing aligned (−1) last."""
    return -value if value >= 0 else -math.inf


SELECTION_TIES = ("quality", "similarity", "frequency", "name", "events")
"""What decides between matches of one value, in this order; after them the events, where two contents share a name."""
RANKING_TIES = ("potential", "similarity", "frequency", "name", "events")
"""The same of predictions."""


def selection_value(match: Selectable, rank_sort_algo: str) -> float:
    """The number by which a match is selected."""
    by = selection_key_name(rank_sort_algo)
    if by == "similarity_by_frequency":
        return match.similarity * match.frequency
    value: float = getattr(match, by)
    return value


def selection_order(match: Selectable, rank_sort_algo: str) -> tuple[Any, ...]:
    """Sorts ascending into selection order: best first, ties by quality, similarity, frequency, then name."""
    value = selection_value(match, rank_sort_algo)
    if rank_sort_algo == "fragmentation":
        value = _fragments(value)
    return (-value, -match.quality, -match.similarity, -match.frequency, match.name, match.events)


def ranking_value(prediction: Prediction, rank_sort_algo: str) -> float:
    """The number by which a prediction is ranked."""
    value: float = (
        prediction.frequency if rank_sort_algo == "frequency" else getattr(prediction.metrics, rank_sort_algo)
    )
    return value


def ranking_order(prediction: Prediction, rank_sort_algo: str) -> tuple[Any, ...]:
    """Sorts ascending into ranking order: best first, ties by potential, similarity, frequency, then name."""
    metrics, value = prediction.metrics, ranking_value(prediction, rank_sort_algo)
    if rank_sort_algo == "fragmentation":
        value = _fragments(value)
    return (
        -value,
        -metrics.potential,
        -metrics.similarity,
        -prediction.frequency,
        prediction.name,
        prediction.events,
    )
