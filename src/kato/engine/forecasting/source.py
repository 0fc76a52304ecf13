"""What a forecast needs of a node: answered by the plain definition, and by the kernel with the same bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kato.engine.event import Event, Symbol
from kato.engine.forecasting.electing import Voter
from kato.engine.forecasting.question import Question

Mix = tuple[tuple[int, int], ...]
"""(number in the menu, how often it counts), by number."""

Learned = tuple[int, str, tuple[Event, ...], int]
"""A pattern's place in the order first learned, its name, events and frequency. Places ascend, with gaps or without."""

ON_BALLOT = 8
"""Symbols that each way of voting brings onto the ballots: what can still win in a mix."""
MOST_TIED = 64
"""Where so many would be brought, as several tie for the last place, those that tie are not."""


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
class Vote:
    """One position that votes for a symbol."""

    name: str
    """Of the pattern, bare."""
    events: tuple[Event, ...]
    """Of the pattern."""
    position: int
    """Events of the pattern before what it votes for."""
    share: float
    """What it adds to the symbol's share."""


@dataclass(frozen=True, slots=True)
class Votes:
    """All that speaks for one symbol."""

    best: tuple[Vote, ...]
    """By what they add, then pattern, then position; at most as many as asked for."""
    others: int
    """Further positions."""
    others_share: float
    """What those add together."""


@dataclass(frozen=True, slots=True)
class Ballots:
    """What the ways of voting say to one question of the self-test."""

    symbols: tuple[Symbol, ...]
    """Those with the largest shares by each way, and those that were right and have a share by any; ascending."""
    shares: tuple[tuple[float, ...], ...]
    """Per profile of the menu, the share of each of these symbols."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The pattern most similar to a memory: the first that a prediction by similarity would select."""

    name: str
    similarity: float
    """2 · longest common subsequence / (length of the pattern + length of the memory), 0 to 1."""


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
    nearest: Nearest | None
    """The pattern most similar to it; None where none shares a symbol with it."""


class Source(Protocol):
    """One state of a node, as forecasts ask it."""

    def tally(self, question: Question, mix: Mix, repeat: float, most: int) -> Tally:
        """The vote by a mix of profiles, and the `most` best symbols of it."""
        ...

    def attributed(
        self, question: Question, mix: Mix, repeat: float, symbols: Sequence[Symbol], most: int
    ) -> Mapping[Symbol, Votes]:
        """Who votes for each of some different symbols in such a vote; the `most` positions that add most to each."""
        ...

    def ballots(self, question: Question, right: frozenset[Symbol]) -> Ballots:
        """What each profile of the menu says."""
        ...

    def electorate(self, question: Question) -> Sequence[Voter]:
        """Who votes, in order."""
        ...

    def heard(self, question: Question) -> int:
        """Symbols of those who vote: what a question costs to ask."""
        ...

    @property
    def everybody_votes(self) -> bool:
        """Whether all patterns vote in every question, but for what it leaves out."""
        ...

    def members(self, symbol: Symbol) -> int:
        """How many patterns hold a symbol."""
        ...

    @property
    def patterns(self) -> int:
        """Patterns of the node."""
        ...

    def smallest(self, most: int) -> Sequence[Learned]:
        """The patterns with the smallest names, ascending."""
        ...

    def familiarity(self, question: Question) -> Familiarity:
        """How much of the memory is known."""
        ...
