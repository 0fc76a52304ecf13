"""Who says so: the positions behind a symbol's share, with what each adds to it and what it was heard for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kato.engine.event import Event, Symbol
from kato.engine.forecasting.choosing import Choice
from kato.engine.forecasting.question import Question, present
from kato.engine.forecasting.source import Source, Vote

VOICES = 10
"""Positions named per symbol; the others are summed up."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One position that votes for a symbol."""

    name: str
    """Of the pattern, bare."""
    events: tuple[Event, ...]
    position: int
    """Events of the pattern before what it votes for."""
    matched: tuple[tuple[int, int, Event], ...]
    """(event of the pattern, events back in the memory, the memory's event), newest first: what it was heard for."""
    share: float
    """What it adds to the symbol's share."""


@dataclass(frozen=True, slots=True)
class Voices:
    """All that speaks for one symbol."""

    best: tuple[Voice, ...]
    """By what they add, then pattern, then position; at most VOICES."""
    others: int
    """Further positions."""
    others_share: float
    """What those add together."""


Places = Mapping[Symbol, Sequence[int]]
"""Symbol of the memory → the events of a pattern that hold it, ascending."""


def explain(source: Source, question: Question, choice: Choice, symbols: Sequence[Symbol]) -> dict[Symbol, Voices]:
    """Who speaks for each of some different symbols; what all add up to is its share, but for rounding."""
    told = source.attributed(question, choice.mix, choice.repeat, symbols, VOICES)
    memory = present(question)
    known: dict[str, Places] = {}

    def voice(vote: Vote) -> Voice:
        places = known.get(vote.name)
        if places is None:
            places = known[vote.name] = _places(vote.events, memory)
        return Voice(vote.name, vote.events, vote.position, _matched(places, vote.position, question), vote.share)

    return {
        symbol: Voices(tuple(voice(vote) for vote in votes.best), votes.others, votes.others_share)
        for symbol, votes in told.items()
    }


def _places(events: Sequence[Event], memory: frozenset[Symbol]) -> Places:
    found: dict[Symbol, list[int]] = {}
    for place, event in enumerate(events):
        for symbol in memory.intersection(event):
            found.setdefault(symbol, []).append(place)
    return found


def _matched(places: Places, position: int, question: Question) -> tuple[tuple[int, int, Event], ...]:
    """For every step of the memory the event of the pattern that is nearest to where it is expected, the earlier of two."""
    matched = []
    for back, step in enumerate(question.steps):
        expected = position - 1 - back
        around: list[int] = []
        for symbol in step.symbols:
            found = places.get(symbol, ())
            before = bisect_left(found, position)
            above = bisect_left(found, expected, 0, before)
            around += found[max(above - 1, 0) : min(above + 1, before)]
        if around:
            matched.append((min(around, key=lambda place: (abs(place - expected), place)), back, step.event))
    return tuple(matched)
