"""What is measured: seeded patterns of four kinds, and questions about them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kato.engine.event import Event
from kato.engine.pattern import Pattern

_AT_ONCE = 2000
"""Patterns are drawn in such numbers."""


@dataclass(frozen=True)
class Workload:
    """What patterns look like. Symbols follow Zipf's law over the vocabulary."""

    name: str
    events: int
    widest: int
    vocabulary: int


WORKLOADS = {
    each.name: each
    for each in (
        Workload("A", 10, 3, 10_000),
        Workload("B", 15, 1, 30_000),
        Workload("C", 10, 3, 100),
        Workload("D", 200, 1, 10_000),
    )
}


class Source:
    """Patterns and questions of one workload, the same for the same seed."""

    def __init__(self, workload: Workload, seed: int) -> None:
        self._workload = workload
        self._numbers = np.random.default_rng(seed)
        self._chance = random.Random(seed)
        shares = 1 / np.arange(1, workload.vocabulary + 1)
        self._cumulated = np.cumsum(shares / shares.sum())
        self._symbols = [f"s{number}" for number in range(workload.vocabulary)]
        self._alone = [(symbol,) for symbol in self._symbols]
        self.kept: list[tuple[Event, ...]] = []
        """Some of the patterns, to ask about."""
        self.seconds = 0.0
        """Spent on making patterns, not on what is done with them."""

    def _draw(self, count: int) -> list[int]:
        drawn = np.searchsorted(self._cumulated, self._numbers.random(count))
        return np.minimum(drawn, len(self._symbols) - 1).tolist()

    def patterns(self, count: int) -> Iterator[Pattern]:
        """As many patterns, made as they are asked for; names are made up, as content is not looked up here."""
        keep = max(1, count // 2000)
        for first in range(0, count, _AT_ONCE):
            started = time.perf_counter()
            some = self._some(min(_AT_ONCE, count - first))
            self.seconds += time.perf_counter() - started
            for number, pattern in enumerate(some, first):
                if number % keep == 0:
                    self.kept.append(pattern.events)
                yield pattern

    def _some(self, count: int) -> list[Pattern]:
        names = self._numbers.bytes(20 * count).hex()
        per = self._workload.events
        made = []
        if self._workload.widest == 1:
            drawn = self._draw(count * per)
            contents = (
                tuple(self._alone[symbol] for symbol in drawn[at : at + per]) for at in range(0, count * per, per)
            )
        else:
            sizes = self._numbers.integers(1, self._workload.widest + 1, count * per).tolist()
            flow = iter(self._draw(sum(sizes)))
            contents = (
                tuple(tuple(sorted(self._symbols[next(flow)] for _ in range(size))) for size in sizes[at : at + per])
                for at in range(0, count * per, per)
            )
        for number, events in enumerate(contents):
            made.append(Pattern(names[40 * number : 40 * number + 40], events))
        return made

    def window(self, events: int) -> tuple[Event, ...]:
        """As many events of a learned pattern, a fifth of the symbols replaced."""
        content = self._chance.choice(self.kept)
        start = self._chance.randrange(max(1, len(content) - events))
        noise = iter(self._draw(events * self._workload.widest))
        return tuple(
            tuple(sorted(self._symbols[next(noise)] if self._chance.random() < 0.2 else symbol for symbol in event))
            for event in content[start : start + events]
        )

    def questions(self, kind: str, count: int) -> list[tuple[Event, ...]]:
        """Questions of a kind: "4 events", "30 tokens" or "1 symbol"."""
        if kind == "1 symbol":
            return [((self._chance.choice(self.kept)[0][0],),) for _ in range(count)]
        events = 4 if kind == "4 events" else max(1, round(30 / ((self._workload.widest + 1) / 2)))
        return [self.window(events) for _ in range(count)]
