"""The answer: what comes next, how likely, on whose word."""

from __future__ import annotations

from dataclasses import dataclass

from kato.engine.event import Symbol
from kato.engine.forecasting.calibrating import read
from kato.engine.forecasting.choosing import Choice
from kato.engine.forecasting.novelty import Novelty, novelty, threshold
from kato.engine.forecasting.question import Question
from kato.engine.forecasting.source import Source


@dataclass(frozen=True, slots=True)
class Entry:
    """One symbol that may come."""

    symbol: Symbol
    probability: float
    """How often a symbol of this rank and share was right."""
    share: float
    """Of the vote."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What comes next."""

    entries: tuple[Entry, ...]
    """Largest share first, ties by symbol."""
    unknown: float
    """Probability that nothing comes that any pattern heard has there: none of what the node knows."""
    entropy: float
    """Of the shares, bits."""
    symbols: int
    """How many symbols have a share."""
    voters: int
    """Patterns heard."""
    novelty: Novelty
    choice: Choice

    def novel_above(self, alarms: float) -> float | None:
        """The threshold of novelty for a false-alarm rate; None before a self-test."""
        return threshold(self.choice.novelties, alarms)


def forecast(source: Source, question: Question, choice: Choice, limit: int) -> Forecast:
    """
    What a node says to a question.

    The best symbol's probability is read from the first curve, every other one's from the second, and is at most that of the
    one before it. An empty memory is answered by how things go on in general.
    """
    tally = source.tally(question, choice.mix, choice.repeat, max(1, limit))
    entries: list[Entry] = []
    for symbol, share in tally.best:
        curve = choice.others if entries else choice.first
        probability = read(curve, share)
        if entries:
            probability = min(probability, entries[-1].probability)
        entries.append(Entry(symbol, probability, share))
    best = entries[0].share if entries else 0.0
    unknown = read(choice.unknown, 1.0 - best) if choice.unknown else float(not entries)
    known = novelty(source.familiarity(question))
    return Forecast(tuple(entries[:limit]), unknown, tally.entropy, tally.symbols, tally.voters, known, choice)
