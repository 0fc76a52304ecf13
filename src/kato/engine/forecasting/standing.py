"""How the positions of the electorate lie on the memory: what every way of voting starts from."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kato.engine.event import Event, Symbol
from kato.engine.forecasting.electing import Voter
from kato.engine.forecasting.profiles import SHAPES, Shape
from kato.engine.forecasting.question import Question, ahead

FURTHEST = 63
"""Displacements beyond this count as this."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One position of a voter: what stood before it is compared with the memory, what comes there is voted for."""

    voter: Voter
    position: int
    """Events of the pattern before it."""
    suffix: int
    """Events right before it that equal the memory's newest, one by one."""
    at_end: bool
    """Whether the pattern ends within the horizon; of the last event, whether it is the one that comes next."""
    evidence: tuple[float, ...]
    """Per shape; 0 where no symbol of the memory stood before."""
    targets: tuple[Symbol, ...]
    """What the pattern holds there within the horizon, once each."""


def idf(members: int, patterns: int) -> float:
    """Rarity of a symbol that so many of the node's patterns hold: ln((U + 1) / (pmf + ½))."""
    return math.log((patterns + 1) / (members + 0.5))


def displacement(places: Sequence[int], position: int, back: int) -> int | None:
    """
    How far the nearest of a symbol's places before the position is from where it is expected; None for no place.

    The places ascend, so the nearest is one of the two between which the expected one would stand.
    """
    before = bisect_left(places, position)
    expected = position - (back + 1)
    above = bisect_left(places, expected, 0, before)
    around = places[max(above - 1, 0) : min(above + 1, before)]
    return min(*(abs(place - expected) for place in around), FURTHEST) if around else None


def evidence(
    shape: Shape,
    question: Question,
    found: Mapping[Symbol, Sequence[int]],
    position: int,
    rarity: Mapping[Symbol, float],
) -> float:
    """
    Σ idf(symbol)^rarity · fading^back · displacement^away over the memory's symbols found before the position.

    Args:
        found: Symbol → the events of the pattern that hold it, ascending.
    """
    sum_so_far = 0.0
    for back, step in enumerate(question.steps):
        for symbol in step.symbols:
            away = displacement(found.get(symbol, ()), position, back)
            if away is None:
                continue
            worth = rarity[symbol] if shape.rarity == 1 else rarity[symbol] * rarity[symbol]
            sum_so_far += worth * math.pow(shape.fading, back) * math.pow(shape.displacement, away)
    return sum_so_far


def suffix(events: Sequence[Event], position: int, question: Question) -> int:
    """How many events right before the position equal the memory's newest, one by one."""
    length = 0
    for step in question.steps:
        if length == position or events[position - 1 - length] != step.event:
            break
        length += 1
    return length


def standings(electorate: Sequence[Voter], question: Question, rarity: Mapping[Symbol, float]) -> list[Standing]:
    """Every position of every voter, voters in the order given, positions ascending."""
    memory = {symbol for step in question.steps for symbol in step.symbols}
    made = []
    for voter in electorate:
        found: dict[Symbol, list[int]] = {}
        for place, event in enumerate(voter.events):
            for symbol in memory.intersection(event):
                found.setdefault(symbol, []).append(place)
        for position in range(len(voter.events)):
            coming = ahead(voter.events, position, question.horizon)
            made.append(
                Standing(
                    voter,
                    position,
                    suffix(voter.events, position, question),
                    len(voter.events) - position <= question.closing,
                    tuple(evidence(shape, question, found, position, rarity) for shape in SHAPES),
                    tuple(dict.fromkeys(symbol for event in coming for symbol in event)),
                )
            )
    return made
