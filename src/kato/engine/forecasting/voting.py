"""
Counting votes: per profile, every symbol's share (docs/forecast.md#voting).

Sums over positions are exactly rounded, so they have no order; products and the few sums that are not are written in the order
in which they are done.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from kato.engine.event import Symbol
from kato.engine.forecasting.profiles import Profile
from kato.engine.forecasting.question import WINDOW, Question
from kato.engine.forecasting.standing import Standing

FLOOR = 3e-4
"""Share that every way of voting of a mix gives every symbol: about what is not worth telling apart."""

Shares = dict[Symbol, float]
"""Shares of the vote; they sum to 1. Empty where nobody votes."""


def weight(profile: Profile, standing: Standing) -> float:
    """A position's vote: evidence^power · suffix^events · ending · frequency; 0 for no evidence."""
    found = standing.evidence[profile.shape]
    worth = found
    for _ in range(profile.power - 1):
        worth *= found
    worth *= math.pow(profile.suffix, min(standing.suffix, WINDOW))
    if standing.at_end:
        worth *= profile.ending
    return worth * standing.voter.frequency


def heard(profile: Profile, standings: Sequence[Standing]) -> list[tuple[Standing, float]]:
    """The positions that vote, with their weights above 0; only the best of each pattern if the profile wants it so."""
    voting = [(standing, worth) for standing in standings if (worth := weight(profile, standing)) > 0]
    if not profile.best_only:
        return voting
    best: dict[int, tuple[Standing, float]] = {}
    for standing, worth in voting:
        held = best.get(id(standing.voter))
        if held is None or worth > held[1]:
            best[id(standing.voter)] = (standing, worth)
    return list(best.values())


# --- back-off ---

Context = tuple[int, bool]
"""The exact suffix of at least so many events; and whether only ends count."""


def contexts(profile: Profile) -> list[Context]:
    """From the most general to the most particular."""
    longer = range(1, profile.order + 1)
    if profile.closing == "alone":
        return [(level, True) for level in (0, *longer)]
    if profile.closing == "beside":
        return [(level, ends) for level in (0, *longer) for ends in (False, True)]
    found = [(level, False) for level in (0, *longer)]
    return found + [(level, True) for level in (0, *longer)] if profile.closing == "after" else found


def counted(standings: Sequence[Standing], context: Context) -> Counter[Symbol]:
    """What followed a context, and how often."""
    level, ends = context
    counts: Counter[Symbol] = Counter()
    for standing in standings:
        if standing.suffix >= level and (standing.at_end or not ends):
            for symbol in standing.targets:
                counts[symbol] += standing.voter.frequency
    return counts


def coefficients(profile: Profile, sizes: Sequence[tuple[int, int]]) -> list[float]:
    """
    What one occurrence is worth per context: interpolation after Witten and Bell (1991).

    The share after a context is (count + u · the share without it) / (n + u), u = escape · distinct followers.

    Args:
        sizes: (n followers, distinct ones) per context, from the most general.
    """
    worth = [0.0] * len(sizes)
    rest = 1.0
    for number in range(len(sizes) - 1, 0, -1):
        followers, distinct = sizes[number]
        if followers:
            expected = profile.escape * distinct
            worth[number] = rest / (followers + expected)
            rest *= expected / (followers + expected)
    if sizes[0][0]:
        worth[0] = rest / sizes[0][0]
    return worth


def backed_off(profile: Profile, standings: Sequence[Standing]) -> dict[Symbol, float]:
    """Votes by back-off: Σ worth · count over the contexts, from the most general."""
    counts = [counted(standings, context) for context in contexts(profile)]
    worth = coefficients(profile, [(sum(each.values()), len(each)) for each in counts])
    votes: dict[Symbol, float] = {}
    for symbol in counts[0]:
        vote = 0.0
        for each, one in zip(counts, worth, strict=True):
            vote += one * each[symbol]
        votes[symbol] = vote
    return votes


# --- shares ---


def affinities(standings: Sequence[Standing], closing_events: int, after: int = 0) -> dict[Symbol, float]:
    """
    How much each symbol of the electorate closes sequences: (closing occurrences + 2b) / (occurrences + 2).

    b is the same over all symbols together, without the twos; an occurrence closes within the last `closing_events` events. Then,
    for contexts of 1 to `after` events, (closing votes after the context + 2 · the affinity so far) / (votes after it + 2).
    """
    all_of: Counter[Symbol] = Counter()
    closing: Counter[Symbol] = Counter()
    for standing in standings:
        events = standing.voter.events
        for symbol in events[standing.position]:
            all_of[symbol] += standing.voter.frequency
            if len(events) - standing.position <= closing_events:
                closing[symbol] += standing.voter.frequency
    if not all_of:
        return {}
    base = 2 * (sum(closing.values()) / sum(all_of.values()))
    found = {symbol: (closing[symbol] + base) / (all_of[symbol] + 2) for symbol in all_of}
    for level in range(1, after + 1):
        votes, at_ends = counted(standings, (level, False)), counted(standings, (level, True))
        found = {symbol: (at_ends[symbol] + 2 * so_far) / (votes[symbol] + 2) for symbol, so_far in found.items()}
    return found


def inclined(profile: Profile, vote: float, affinity: float) -> float:
    """A vote with the symbol's affinity to ends counted in."""
    return vote * (1.0, math.sqrt(affinity), affinity)[profile.affinity]


def normalized(votes: Mapping[Symbol, float]) -> Shares:
    """Votes over their exactly rounded sum; empty if there are none above 0."""
    whole = math.fsum(votes.values())
    if not whole > 0:
        return {}
    return {symbol: vote / whole for symbol, vote in votes.items() if vote > 0}


def shares(profile: Profile, standings: Sequence[Standing], question: Question) -> Shares:
    """What one way of voting gives."""
    if profile.order:
        votes = backed_off(profile, standings)
    else:
        ballots: defaultdict[Symbol, list[float]] = defaultdict(list)
        for standing, worth in heard(profile, standings):
            for symbol in standing.targets:
                ballots[symbol].append(worth)
        votes = {symbol: math.fsum(worths) for symbol, worths in ballots.items()}
    if profile.affinity:
        affinity = affinities(standings, question.closing, profile.affinity_after)
        votes = {symbol: inclined(profile, vote, affinity[symbol]) for symbol, vote in votes.items()}
    return normalized(votes)


def mixed(ways: Sequence[tuple[Shares, int]], present: frozenset[Symbol], repeat: float) -> Shares:
    """
    Several ways of voting as one: the geometric mean of what they give a symbol, each counting as often as told.

    Every way gives every symbol FLOOR besides its share, so that none can forbid one. Ways in which nobody votes do not count,
    and symbols that none gives a share have none.

    Args:
        present: Symbols of the memory.
        repeat: What another one of them is worth.
    """
    counting = [(found, times) for found, times in ways if found]
    root = 1.0 / max(1, sum(times for _, times in counting))
    votes: dict[Symbol, float] = {}
    for symbol in {symbol for found, _ in counting for symbol in found}:
        product = 1.0
        for found, times in counting:
            for _ in range(times):
                product *= found.get(symbol, 0.0) + FLOOR
        votes[symbol] = math.pow(product, root) * (repeat if symbol in present else 1.0)
    return normalized(votes)


def entropy(found: Shares) -> float:
    """Of shares, in bits."""
    return math.fsum(-share * math.log2(share) for share in found.values()) + 0.0
