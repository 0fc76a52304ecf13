"""
Predicting and learning in process: the native engine, and the plain one beside it in the same run.

    python benchmarks/engine.py                     # 1,000 to 100,000 patterns
    python benchmarks/engine.py --sizes 1000000     # one size; 10000000 needs about 4 GiB

Workloads: A ten events of 1-3 symbols, vocabulary of 10,000; B fifteen one-symbol events, 30,000; C as A with a vocabulary of
100; D 200 events. Vocabularies follow Zipf's law. A question is a window of events of a learned pattern in which a fifth of the
symbols are replaced; threshold 0.1, ensemble 300, 100 predictions returned. Times are processor milliseconds of this process.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kato.engine.event import Event
from kato.engine.knowledge import Change, Knowledge, View
from kato.engine.matching.index import NativeKnowledge
from kato.engine.matching.plain import PlainKnowledge
from kato.engine.pattern import Pattern
from kato.engine.settings import EngineSettings

SETTINGS = EngineSettings()


@dataclass(frozen=True)
class Workload:
    """What patterns look like."""

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
    """Seeded patterns and questions of one workload."""

    def __init__(self, workload: Workload, seed: int) -> None:
        self._workload = workload
        self._numbers = np.random.default_rng(seed)
        self._chance = random.Random(seed)
        shares = 1 / np.arange(1, workload.vocabulary + 1)
        self._cumulated = np.cumsum(shares / shares.sum())
        self._symbols = [f"s{number}" for number in range(workload.vocabulary)]
        self.kept: list[tuple[Event, ...]] = []
        """Some of the patterns, to ask about."""

    def symbols(self, count: int) -> list[str]:
        """That many symbols."""
        drawn = np.searchsorted(self._cumulated, self._numbers.random(count))
        return [self._symbols[min(number, len(self._symbols) - 1)] for number in drawn]

    def patterns(self, count: int) -> Iterator[Pattern]:
        """Distinct enough patterns; their names are made up, as content is not looked up here."""
        for number in range(count):
            sizes = self._numbers.integers(1, self._workload.widest + 1, self._workload.events)
            drawn = iter(self.symbols(int(sizes.sum())))
            events = tuple(tuple(sorted(next(drawn) for _ in range(size))) for size in sizes)
            if number % max(1, count // 2000) == 0:
                self.kept.append(events)
            yield Pattern(hashlib.sha1(f"{number}".encode(), usedforsecurity=False).hexdigest(), events)

    def question(self, window: int) -> tuple[Event, ...]:
        """A window of a learned pattern with a fifth of its symbols replaced."""
        events = self._chance.choice(self.kept)
        start = self._chance.randrange(max(1, len(events) - window))
        noise = iter(self.symbols(100))
        return tuple(
            tuple(sorted(next(noise) if self._chance.random() < 0.2 else symbol for symbol in event))
            for event in events[start : start + window]
        )


def timed(ask: Callable[[tuple[Event, ...]], object], questions: Sequence[tuple[Event, ...]]) -> list[float]:
    """Processor milliseconds of each question, ascending."""
    times = []
    for question in questions:
        started = time.process_time()
        ask(question)
        times.append((time.process_time() - started) * 1000)
    return sorted(times)


def middle(times: Sequence[float], share: float = 0.5) -> float:
    """The time that this share of the times is below."""
    return times[min(len(times) - 1, int(len(times) * share))]


def loaded(engine: Knowledge, source: Source, size: int) -> float:
    """Seconds that filling an engine takes, making the patterns apart."""
    patterns = list(source.patterns(size))
    started = time.perf_counter()
    engine.load(patterns, {}, size)
    while engine.tend():
        pass
    return time.perf_counter() - started


def two_threads(view: View, questions: Sequence[tuple[Event, ...]]) -> float:
    """Questions per second of two threads over those of one."""

    def ask_all() -> None:
        for question in questions:
            view.predict(question, SETTINGS)

    rates = []
    for count in (1, 2):
        threads = [threading.Thread(target=ask_all) for _ in range(count)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rates.append(count * len(questions) / (time.perf_counter() - started))
    return rates[1] / rates[0]


def inserted(engine: Knowledge, source: Source, size: int, question: tuple[Event, ...]) -> tuple[float, float]:
    """(patterns per second one at a time, with a view after each; the longest of them in milliseconds)."""
    longest = 0.0
    fresh = [
        Pattern(hashlib.sha1(f"x{number}".encode(), usedforsecurity=False).hexdigest(), each.events)
        for number, each in enumerate(source.patterns(2000))
    ]
    started = time.perf_counter()
    for number, pattern in enumerate(fresh, size + 1):
        before = time.process_time()
        engine.apply([Change(number, "learn", None, pattern)])
        longest = max(longest, (time.process_time() - before) * 1000)
        engine.view()
    rate = len(fresh) / (time.perf_counter() - started)
    engine.view().predict(question, SETTINGS)
    return rate, longest


def measure(workload: Workload, size: int, seed: int, plain_up_to: int) -> None:
    """One line of the table for each kind of question."""
    source = Source(workload, seed)
    native = NativeKnowledge()
    seconds = loaded(native, source, size)
    view = native.view()
    head = f"{workload.name} {size:>9,}"
    print(f"{head}  build {size / seconds:>10,.0f}/s  {native.size_bytes / size:6.1f} bytes/pattern")
    plain = None
    if size <= plain_up_to:
        plain = PlainKnowledge()
        twin = Source(workload, seed)
        loaded(plain, twin, size)
    for label, window, count in (("window of 4 events", 4, 300), ("one symbol", 0, 100), ("30 tokens", 30, 100)):
        if window == 30:
            width = (workload.widest + 1) / 2
            questions = [source.question(max(1, round(30 / width))) for _ in range(count)]
        elif window == 0:
            questions = [((source.kept[number][0][0],),) for number in range(count)]
        else:
            questions = [source.question(window) for _ in range(count)]
        times = timed(lambda question: view.predict(question, SETTINGS), questions)
        examined = sorted(view.predict(question, SETTINGS).examined for question in questions)
        line = f"{head}  {label:<18}  p50 {middle(times):8.2f}  p95 {middle(times, 0.95):8.2f} ms"
        line += f"  evaluated p50 {examined[len(examined) // 2] / size:7.2%}"
        if plain is not None:
            judged = timed(lambda question: plain.view().predict(question, SETTINGS), questions[:5])
            same = all(plain.view().predict(each, SETTINGS) == view.predict(each, SETTINGS) for each in questions[:3])
            line += f"  plain p50 {middle(judged):9.1f} ms = {middle(judged) / middle(times):6.0f} x"
            line += "  equal" if same else "  DIFFERENT"
        print(line, flush=True)
    print(f"{head}  two threads {two_threads(view, [source.question(4) for _ in range(100)]):.2f} x one")
    rate, longest = inserted(native, source, size, source.question(4))
    print(f"{head}  one at a time, a view after each: {rate:,.0f} patterns/s, longest {longest:.2f} ms", flush=True)


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=list(WORKLOADS))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--plain-up-to", type=int, default=10_000, help="sizes at which the plain engine is measured too"
    )
    asked = parser.parse_args()
    print(f"seed {asked.seed}, machine load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    for name in asked.workloads:
        for size in asked.sizes:
            measure(WORKLOADS[name], size, asked.seed, asked.plain_up_to)


if __name__ == "__main__":
    main()
