"""Who says so: the positions behind a symbol's share, with what each adds to it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from kato.engine.event import Event, Symbol
from kato.engine.forecasting.choosing import Choice
from kato.engine.forecasting.plain import present
from kato.engine.forecasting.profiles import GENERAL, MENU, Profile
from kato.engine.forecasting.question import Question
from kato.engine.forecasting.source import Mix, Source
from kato.engine.forecasting.standing import Standing, idf, standings
from kato.engine.forecasting.voting import (
    affinities,
    coefficients,
    contexts,
    counted,
    heard,
    inclined,
    mixed,
    normalized,
)

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


def explain(source: Source, question: Question, choice: Choice, symbols: Sequence[Symbol]) -> dict[Symbol, Voices]:
    """Who speaks for each of some symbols; what all add up to is its share, but for rounding."""
    rarity = {symbol: idf(source.members(symbol), source.patterns) for symbol in present(question)}
    stand = standings(source.electorate(question), question, rarity)
    parts = _parts(choice.mix, choice.repeat, stand, question) or _parts(((GENERAL, 1),), 1.0, stand, question)
    return {symbol: _voices(symbol, parts, stand, question) for symbol in symbols}


def _parts(mix: Mix, repeat: float, stand: Sequence[Standing], question: Question) -> dict[int, dict[Symbol, float]]:
    """
    Number of the standing → symbol → its part of the symbol's share, above 0.

    The ways of voting that give a symbol a share own the mixed share as often as they count, and each position its part of the
    way's vote.
    """
    ways = []
    owners: Counter[Symbol] = Counter()
    for number, times in mix:
        weights = _weights(MENU[number], stand)
        affinity = affinities(stand, question.horizon, MENU[number].affinity_after)
        cast = [
            (at, symbol, inclined(MENU[number], worth, affinity[symbol]))
            for at, worth in weights
            for symbol in stand[at].targets
        ]
        worths: defaultdict[Symbol, list[float]] = defaultdict(list)
        for _, symbol, worth in cast:
            worths[symbol].append(worth)
        votes = {symbol: math.fsum(each) for symbol, each in worths.items()}
        ways.append((normalized(votes), times, cast, votes))
        owners.update({symbol: times for symbol, vote in votes.items() if vote > 0})
    whole = mixed([(found, times) for found, times, _, _ in ways], present(question), repeat)
    parts: dict[int, dict[Symbol, float]] = {}
    for _, times, cast, votes in ways:
        for at, symbol, worth in cast:
            part = whole.get(symbol, 0.0) * (times / owners[symbol]) * (worth / votes[symbol]) if worth > 0 else 0.0
            if part > 0:
                held = parts.setdefault(at, {})
                held[symbol] = held.get(symbol, 0.0) + part
    return parts


def _weights(profile: Profile, stand: Sequence[Standing]) -> list[tuple[int, float]]:
    """(number of the standing, what it gives each of its targets) under one way of voting."""
    if not profile.order:
        places = {id(standing): at for at, standing in enumerate(stand)}
        return [(places[id(standing)], worth) for standing, worth in heard(profile, stand)]
    looked_at = contexts(profile)
    counts = [counted(stand, context) for context in looked_at]
    worth = coefficients(profile, [(sum(each.values()), len(each)) for each in counts])
    return [
        (
            at,
            standing.voter.frequency
            * math.fsum(
                one
                for (level, ends), one in zip(looked_at, worth, strict=True)
                if standing.suffix >= level and (standing.at_end or not ends)
            ),
        )
        for at, standing in enumerate(stand)
    ]


def _voices(
    symbol: Symbol, parts: dict[int, dict[Symbol, float]], stand: Sequence[Standing], question: Question
) -> Voices:
    added = [(held[symbol], at) for at, held in parts.items() if symbol in held]
    added.sort(key=lambda each: (-each[0], stand[each[1]].voter.name, stand[each[1]].position))
    best = tuple(_voice(stand[at], share, question) for share, at in added[:VOICES])
    return Voices(best, len(added) - len(best), math.fsum(share for share, _ in added[VOICES:]))


def _voice(standing: Standing, share: float, question: Question) -> Voice:
    matched = []
    for back, step in enumerate(question.steps):
        expected = standing.position - 1 - back
        places = [
            place
            for place in range(standing.position)
            if not set(step.symbols).isdisjoint(standing.voter.events[place])
        ]
        if places:
            nearest = min(places, key=lambda place: (abs(place - expected), place))
            matched.append((nearest, back, step.event))
    return Voice(standing.voter.name, standing.voter.events, standing.position, tuple(matched), share)
