"""Forecasts from the kernel: the plain definition's answers, to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from kato.engine.event import Symbol
from kato.engine.forecasting.electing import EVERYBODY, MOST_TOKENS, MOST_VOTERS, Voter
from kato.engine.forecasting.profiles import GENERAL, MENU, SHAPES
from kato.engine.forecasting.question import WINDOW, Question
from kato.engine.forecasting.resembling import BY, SETTINGS, memory_of, nearest
from kato.engine.forecasting.source import (
    MOST_TIED,
    ON_BALLOT,
    Ballots,
    Familiarity,
    Learned,
    Mix,
    Nearest,
    Tally,
    Vote,
    Votes,
)
from kato.engine.forecasting.standing import FURTHEST
from kato.engine.forecasting.voting import FLOOR
from kato.engine.matching import _kernel
from kato.engine.metrics.weighted import LEAST


def _menu() -> tuple[Any, ...]:
    """The constants of the definition, which the kernel has none of its own of."""
    shapes = [(shape.rarity, shape.fading, shape.displacement) for shape in SHAPES]
    profiles = [
        (p.shape, p.power, p.suffix, p.ending, p.best_only, p.affinity, p.affinity_after, p.order, p.escape, p.closing)
        for p in MENU
    ]
    return shapes, profiles, GENERAL, FURTHEST, FLOOR, (WINDOW, EVERYBODY, MOST_VOTERS, MOST_TOKENS)


def _told(question: Question) -> tuple[Any, ...]:
    return [(step.event, step.symbols) for step in question.steps], question.horizon, question.left_out, question.before


def _ranked(shares: list[tuple[Symbol, float]]) -> list[tuple[Symbol, float]]:
    return sorted(shares, key=lambda entry: (-entry[1], entry[0]))


class KernelSource:
    """One state of a node."""

    def __init__(self, kernel: _kernel.View) -> None:
        self._kernel = kernel
        self._votes = kernel.forecasting()
        self._menu = _menu()

    def tally(self, question: Question, mix: Mix, repeat: float, most: int) -> Tally:
        """The vote by a mix of profiles."""
        shares, symbols, entropy, voters = self._votes.tally(_told(question), self._menu, mix, repeat, most)
        return Tally(tuple(_ranked(shares)[:most]), symbols, entropy, voters)

    def attributed(
        self, question: Question, mix: Mix, repeat: float, symbols: Sequence[Symbol], most: int
    ) -> dict[Symbol, Votes]:
        """Who votes for each of some symbols."""
        voters, told = self._votes.attributed(_told(question), self._menu, mix, repeat, symbols, most)
        return {
            symbol: Votes(
                tuple(Vote(*voters[number][1:3], position, share) for number, position, share in best),
                others,
                others_share,
            )
            for symbol, (best, others, others_share) in zip(symbols, told, strict=True)
        }

    def ballots(self, question: Question, right: frozenset[Symbol]) -> Ballots:
        """What each profile of the menu says."""
        symbols, shares = self._votes.ballots(_told(question), self._menu, right, ON_BALLOT, MOST_TIED)
        order = sorted(range(len(symbols)), key=symbols.__getitem__)
        return Ballots(
            tuple(symbols[number] for number in order),
            tuple(tuple(found[number] for number in order) for found in shares),
        )

    def electorate(self, question: Question) -> Sequence[Voter]:
        """Who votes, in order."""
        return [
            Voter(name, events, frequency, frozenset(symbol for event in events for symbol in event), slot)
            for slot, name, events, frequency in self._kernel.elect(_told(question), self._menu)
        ]

    def heard(self, question: Question) -> int:
        """Symbols of those who vote."""
        return self._kernel.heard(_told(question), self._menu)

    @property
    def everybody_votes(self) -> bool:
        """Whether all patterns vote in every question."""
        return self._kernel.everybody_votes(self._menu)

    def members(self, symbol: Symbol) -> int:
        """How many patterns hold a symbol."""
        facts = self._kernel.symbol(symbol)
        return 0 if facts is None else facts[1]

    @property
    def patterns(self) -> int:
        """Patterns of the node."""
        return self._kernel.patterns

    def smallest(self, most: int) -> Sequence[Learned]:
        """The patterns with the smallest names; slots are given in the order first learned."""
        return self._kernel.smallest(most)

    def familiarity(self, question: Question) -> Familiarity:
        """How much of the memory is known."""
        symbols = tuple(dict.fromkeys(symbol for step in question.steps for symbol in step.symbols))
        row = [symbol for step in reversed(question.steps) for symbol in step.symbols]
        pairs = tuple(dict.fromkeys(reversed(list(pairwise(row)))))
        unseen, transitions, together = self._kernel.familiarity(_told(question), symbols, pairs)
        return Familiarity(
            tuple(symbols[number] for number in unseen),
            tuple(pairs[number] for number in transitions),
            len(pairs),
            together,
            len(symbols),
            self._nearest(question),
        )

    def _nearest(self, question: Question) -> Nearest | None:
        memory = memory_of(question)
        if not memory:
            return None
        found = self._kernel.members(memory, SETTINGS, BY, None, LEAST)
        return nearest((told[1:] for told in found), question)
