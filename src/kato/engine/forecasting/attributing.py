"""
Whose a share is: what each position adds to it, by definition.

The ways of voting that give a symbol a share own its mixed share as often as they count, and each position the part of it that
it has in the way's votes for the symbol.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from kato.engine.event import Symbol
from kato.engine.forecasting.profiles import GENERAL, MENU, Profile
from kato.engine.forecasting.question import Question, present
from kato.engine.forecasting.source import Mix, Vote, Votes
from kato.engine.forecasting.standing import Standing
from kato.engine.forecasting.voting import (
    Shares,
    affinities,
    coefficients,
    contexts,
    counted,
    heard,
    inclined,
    mixed,
    shares,
)


def attributed(
    stand: Sequence[Standing], question: Question, mix: Mix, repeat: float, symbols: Sequence[Symbol], most: int
) -> dict[Symbol, Votes]:
    """Who votes for each of some symbols; of the positions the `most` that add most."""
    ways = [(MENU[number], times, shares(MENU[number], stand, question)) for number, times in mix]
    whole = mixed([(found, times) for _, times, found in ways], present(question), repeat)
    if not whole:
        whole = shares(MENU[GENERAL], stand, question)
        ways = [(MENU[GENERAL], 1, whole)]
    added: dict[Symbol, dict[int, float]] = {symbol: {} for symbol in symbols}
    owners = {symbol: sum(times for _, times, found in ways if symbol in found) for symbol in symbols}
    for profile, times, found in ways:
        cast = _cast(profile, stand, question, found, symbols)
        for symbol, worths in cast.items():
            votes, parts = math.fsum(worth for _, worth in worths), added[symbol]
            for at, worth in worths:
                part = whole.get(symbol, 0.0) * (times / owners[symbol]) * (worth / votes)
                if part > 0:
                    parts[at] = parts.get(at, 0.0) + part
    return {symbol: _votes(parts, stand, most) for symbol, parts in added.items()}


def _cast(
    profile: Profile, stand: Sequence[Standing], question: Question, found: Shares, symbols: Sequence[Symbol]
) -> dict[Symbol, list[tuple[int, float]]]:
    """(number of the standing, its vote above 0) under one way of voting, for each of the symbols that it gives a share."""
    affinity = affinities(stand, question.closing, profile.affinity_after)
    cast: dict[Symbol, list[tuple[int, float]]] = {symbol: [] for symbol in symbols if symbol in found}
    for at, weight in _weights(profile, stand):
        for symbol in stand[at].targets:
            if symbol in cast:
                worth = inclined(profile, weight, affinity[symbol])
                if worth > 0:
                    cast[symbol].append((at, worth))
    return cast


def _weights(profile: Profile, stand: Sequence[Standing]) -> Iterator[tuple[int, float]]:
    """(number of the standing, what it gives each of its targets) under one way of voting."""
    if not profile.order:
        places = {id(standing): at for at, standing in enumerate(stand)}
        yield from ((places[id(standing)], worth) for standing, worth in heard(profile, stand))
        return
    looked_at = contexts(profile)
    counts = [counted(stand, context) for context in looked_at]
    worth = coefficients(profile, [(sum(each.values()), len(each)) for each in counts])
    for at, standing in enumerate(stand):
        each = math.fsum(
            one
            for (level, ends), one in zip(looked_at, worth, strict=True)
            if standing.suffix >= level and (standing.at_end or not ends)
        )
        yield at, standing.voter.frequency * each


def _votes(parts: dict[int, float], stand: Sequence[Standing], most: int) -> Votes:
    ordered = sorted(parts.items(), key=lambda part: (-part[1], stand[part[0]].voter.name, part[0]))
    best = tuple(
        Vote(stand[at].voter.name, stand[at].voter.events, stand[at].position, share) for at, share in ordered[:most]
    )
    return Votes(best, len(ordered) - len(best), math.fsum(share for _, share in ordered[most:]))
