"""
Who votes: the patterns most like the memory, so that a forecast costs no more on a large node than on a middling one.

A pattern's rank follows from which of the memory's symbols it holds, wherever: the newest event counts more than all older
ones together, the next more than all before it, and so on. Ties are broken by name, which is a digest, so that among equals the
choice is as good as drawn by lot, and always the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from kato.engine.event import Event, Symbol
from kato.engine.forecasting.question import WINDOW, Question

EVERYBODY = 8192
"""Patterns of a node up to which all of them vote."""
MOST_VOTERS = 512
"""Patterns that vote in a larger node."""
MOST_TOKENS = 2**20
"""Symbols that vote, at most. Bounds of an electorate, so that a forecast takes milliseconds however large the node."""


@dataclass(frozen=True, slots=True)
class Voter:
    """A pattern that is heard."""

    name: str
    events: tuple[Event, ...]
    frequency: int
    """Learnings that count, at least 1."""
    symbols: frozenset[Symbol]
    place: int = field(default=0, compare=False)
    """In the order in which patterns were first learned: lower ones came before."""


def marks(question: Question) -> dict[Symbol, int]:
    """What each symbol of the memory adds to a pattern's rank: 2^(WINDOW - 1 - d) at its newest place, d events back."""
    found: dict[Symbol, int] = {}
    for back, step in enumerate(question.steps):
        for symbol in step.symbols:
            found.setdefault(symbol, 1 << (WINDOW - 1 - back))
    return found


def without(voters: Iterable[Voter], left_out: tuple[Event, ...] | None) -> list[Voter]:
    """The voters as if one learning of a pattern had not been."""
    heard = []
    for voter in voters:
        frequency = voter.frequency - (voter.events == left_out)
        if frequency:
            heard.append(replace(voter, frequency=frequency))
    return heard


def everybody_votes(voters: Sequence[Voter]) -> bool:
    """Whether all of them are within the bounds of an electorate, whatever is asked."""
    return len(voters) <= EVERYBODY and sum(len(event) for voter in voters for event in voter.events) <= MOST_TOKENS


def elect(voters: Iterable[Voter], question: Question) -> list[Voter]:
    """The electorate: by rank, then name, until one more would pass a bound; the first is always heard."""
    worth = marks(question)

    def rank(voter: Voter) -> int:
        return sum(worth[symbol] for symbol in voter.symbols & worth.keys())

    everybody = tuple(voters)
    most = MOST_VOTERS if len(everybody) > EVERYBODY else EVERYBODY
    heard = without(everybody, question.left_out)
    if question.before is not None:
        heard = [voter for voter in heard if voter.place < question.before]
    ordered = sorted(heard, key=lambda voter: (-rank(voter), voter.name, voter.events))
    elected: list[Voter] = []
    tokens = 0
    for voter in ordered[:most]:
        tokens += sum(map(len, voter.events))
        if elected and tokens > MOST_TOKENS:
            break
        elected.append(voter)
    return elected
