"""What a forecast needs of a node: answered by the plain definition, and by the kernel with the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kato.engine.event import Event, Symbol
from kato.engine.forecasting.electing import Voter
from kato.engine.forecasting.question import Question

Mix = tuple[tuple[int, int], ...]
"""(number in the menu, how often it counts), by number."""

ON_BALLOT = 1 / 16
"""A ballot lists symbols with at least this part of the best one's share: what can still win in a mix."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The counted vote."""

    best: tuple[tuple[Symbol, float], ...]
    """(symbol, share), largest share first, ties by symbol; as many as asked for."""
    symbols: int
    """How many symbols have a share."""
    entropy: float
    """Of all shares, bits."""
    voters: int
    """Patterns heard."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one way of voting says to one question of the self-test."""

    shares: tuple[tuple[Symbol, float], ...]
    """The largest, ties by symbol: those of at least ON_BALLOT of the largest."""
    target: float
    """The largest share of a symbol that was right; 0 if none had one."""


@dataclass(frozen=True, slots=True)
class Familiarity:
    """How much of a memory is known."""

    unseen: tuple[Symbol, ...]
    """Its symbols that no pattern holds, newest first."""
    unseen_transitions: tuple[tuple[Symbol, Symbol], ...]
    """Its pairs of adjacent symbols that are adjacent in no pattern, newest first."""
    transitions: int
    """Its different pairs of adjacent symbols."""
    together: int
    """Most of its different symbols that one pattern holds."""
    symbols: int
    """Its different symbols."""


class Source(Protocol):
    """One state of a node, as forecasts ask it."""

    def tally(self, question: Question, mix: Mix, repeat: float, most: int) -> Tally:
        """The vote by a mix of profiles, and the `most` best symbols of it."""
        ...

    def ballots(self, question: Question, right: frozenset[Symbol]) -> tuple[Ballot, ...]:
        """What each profile of the menu says, in the menu's order."""
        ...

    def electorate(self, question: Question) -> Sequence[Voter]:
        """Who votes, in order."""
        ...

    def members(self, symbol: Symbol) -> int:
        """How many patterns hold a symbol."""
        ...

    @property
    def patterns(self) -> int:
        """Patterns of the node."""
        ...

    def smallest(self, most: int) -> Sequence[tuple[str, tuple[Event, ...], int]]:
        """(name, events, frequency) of the patterns with the smallest names, ascending."""
        ...

    def familiarity(self, question: Question) -> Familiarity:
        """How much of the memory is known."""
        ...
