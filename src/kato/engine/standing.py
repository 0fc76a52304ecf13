"""Where something stands in an order, and what decided between it and its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from kato.engine.measuring import Match
from kato.engine.prediction import Prediction
from kato.engine.ranking import (
    RANKING_TIES,
    SELECTION_TIES,
    ranking_order,
    ranking_value,
    selection_key_name,
    selection_order,
    selection_value,
)

T = TypeVar("T", Match, Prediction)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What stands next to it."""

    name: str
    value: float
    """By which both are ordered."""
    decided_by: str
    """The first key in which the two differ."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A place in an order."""

    place: int
    """From 1, the best."""
    size: int
    """How many there are in all."""
    key: str
    value: float
    above: Neighbour | None
    """The one that just beat it."""
    below: Neighbour | None
    """The one that it just beat."""


def selection_standing(ordered: Sequence[Match], place: int, rank_sort_algo: str) -> Standing:
    """Where the match at an index stands among matches in order of selection."""
    keys = (selection_key_name(rank_sort_algo), *SELECTION_TIES)
    return _standing(ordered, place, keys, selection_value, selection_order, rank_sort_algo)


def ranking_standing(ordered: Sequence[Prediction], place: int, rank_sort_algo: str) -> Standing:
    """Where the prediction at an index stands among predictions in ranking order."""
    keys = (rank_sort_algo, *RANKING_TIES)
    return _standing(ordered, place, keys, ranking_value, ranking_order, rank_sort_algo)


def _standing(
    ordered: Sequence[T],
    place: int,
    keys: tuple[str, ...],
    value: Callable[[T, str], float],
    order: Callable[[T, str], tuple[Any, ...]],
    algorithm: str,
) -> Standing:
    own = order(ordered[place], algorithm)

    def neighbour(index: int) -> Neighbour | None:
        if not 0 <= index < len(ordered):
            return None
        other = ordered[index]
        pairs = zip(keys, own, order(other, algorithm), strict=True)
        return Neighbour(other.name, value(other, algorithm), next(key for key, mine, its in pairs if mine != its))

    mine = value(ordered[place], algorithm)
    return Standing(place + 1, len(ordered), keys[0], mine, neighbour(place - 1), neighbour(place + 1))
