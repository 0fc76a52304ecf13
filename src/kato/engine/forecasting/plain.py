"""Forecasting by definition: every step over every pattern, as the pages of this folder tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from kato.engine.event import Event, Symbol
from kato.engine.forecasting.attributing import attributed
from kato.engine.forecasting.electing import Voter, elect, everybody_votes, without
from kato.engine.forecasting.profiles import GENERAL, MENU
from kato.engine.forecasting.question import Question, present
from kato.engine.forecasting.resembling import nearest
from kato.engine.forecasting.source import MOST_TIED, ON_BALLOT, Ballots, Familiarity, Learned, Mix, Tally, Votes
from kato.engine.forecasting.standing import Standing, idf, standings
from kato.engine.forecasting.voting import Shares, entropy, mixed, shares


def ranked(found: Shares) -> list[tuple[Symbol, float]]:
    """Symbols with their shares, largest share first, ties by symbol."""
    return sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))


def adjacent(events: Sequence[Event]) -> set[tuple[Symbol, Symbol]]:
    """Pairs of neighbours in the flat sequence of symbols."""
    return set(pairwise(symbol for event in events for symbol in event))


class PlainSource:
    """One state of a node; its voters are told in the order first learned."""

    def __init__(self, voters: Iterable[Voter], members: Mapping[Symbol, int]) -> None:
        self._voters = tuple(voters)
        self._members = members

    def tally(self, question: Question, mix: Mix, repeat: float, most: int) -> Tally:
        """The vote by a mix of profiles."""
        electorate, stand = self._standings(question)
        ways = [(shares(MENU[number], stand, question), times) for number, times in mix]
        found = mixed(ways, present(question), repeat) or shares(MENU[GENERAL], stand, question)
        return Tally(tuple(ranked(found)[:most]), len(found), entropy(found), len(electorate))

    def attributed(
        self, question: Question, mix: Mix, repeat: float, symbols: Sequence[Symbol], most: int
    ) -> dict[Symbol, Votes]:
        """Who votes for each of some symbols."""
        return attributed(self._standings(question)[1], question, mix, repeat, symbols, most)

    def ballots(self, question: Question, right: frozenset[Symbol]) -> Ballots:
        """What each profile of the menu says."""
        _, stand = self._standings(question)
        ways = [shares(profile, stand, question) for profile in MENU]
        listed = {symbol for found in ways for symbol in _leading(found)}
        listed.update(symbol for found in ways for symbol in right.intersection(found))
        symbols = tuple(sorted(listed))
        return Ballots(symbols, tuple(tuple(found.get(symbol, 0.0) for symbol in symbols) for found in ways))

    def _standings(self, question: Question) -> tuple[list[Voter], list[Standing]]:
        electorate = elect(self._voters, question)
        rarity = {symbol: idf(self.members(symbol), self.patterns) for symbol in present(question)}
        return electorate, standings(electorate, question, rarity)

    def electorate(self, question: Question) -> Sequence[Voter]:
        """Who votes, in order."""
        return elect(self._voters, question)

    def heard(self, question: Question) -> int:
        """Symbols of those who vote."""
        return sum(len(event) for voter in self.electorate(question) for event in voter.events)

    @property
    def everybody_votes(self) -> bool:
        """Whether all patterns vote in every question."""
        return everybody_votes(self._voters)

    def members(self, symbol: Symbol) -> int:
        """How many patterns hold a symbol."""
        return self._members.get(symbol, 0)

    @property
    def patterns(self) -> int:
        """Patterns of the node."""
        return len(self._voters)

    def smallest(self, most: int) -> Sequence[Learned]:
        """The patterns with the smallest names."""
        ordered = sorted(self._voters, key=lambda voter: (voter.name, voter.events))
        return [(voter.place, voter.name, voter.events, voter.frequency) for voter in ordered[:most]]

    def familiarity(self, question: Question) -> Familiarity:
        """How much of the memory is known."""
        others = without(self._voters, question.left_out)
        symbols = tuple(dict.fromkeys(symbol for step in question.steps for symbol in step.symbols))
        known = frozenset().union(*(voter.symbols for voter in others))
        events = [step.symbols for step in reversed(question.steps)]
        pairs = tuple(dict.fromkeys(reversed(list(pairwise(symbol for event in events for symbol in event)))))
        seen: set[tuple[Symbol, Symbol]] = set().union(*(adjacent(voter.events) for voter in others))
        return Familiarity(
            unseen=tuple(symbol for symbol in symbols if symbol not in known),
            unseen_transitions=tuple(pair for pair in pairs if pair not in seen),
            transitions=len(pairs),
            together=max((len(voter.symbols.intersection(symbols)) for voter in others), default=0),
            symbols=len(symbols),
            nearest=nearest(((voter.name, voter.events, voter.frequency) for voter in self._voters), question),
        )


def _leading(found: Shares) -> list[Symbol]:
    """The symbols with the ON_BALLOT largest shares, with those that tie for the last place; without them if too many do."""
    if len(found) <= ON_BALLOT:
        return list(found)
    least = sorted(found.values(), reverse=True)[ON_BALLOT - 1]
    leading = [symbol for symbol, share in found.items() if share >= least]
    return leading if len(leading) <= MOST_TIED else [symbol for symbol in leading if found[symbol] > least]
