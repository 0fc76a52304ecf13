"""
Predicting and learning in process: the native engine, and the plain one beside it in the same run.

    python benchmarks/engine.py                       # 1,000 to 100,000 patterns of every workload
    python benchmarks/engine.py --million             # 1,000,000 too
    python benchmarks/engine.py --only-ten-million    # 10,000,000 patterns of 15 symbols in this one process

Workloads: A ten events of 1-3 symbols, vocabulary of 10,000; B fifteen one-symbol events, 30,000; C as A with a vocabulary of
100; D 200 one-symbol events, 10,000. Questions: windows of 4 events of a learned pattern with a fifth of the symbols replaced,
single symbols, about 30 tokens; threshold 0.1, ensemble 300, 100 predictions returned. Times of questions are processor
milliseconds of this process, so that other processes disturb them less; rates are by the clock.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from workloads import WORKLOADS, Source, Workload

from kato.engine.event import Event
from kato.engine.knowledge import Change, View
from kato.engine.matching.index import NativeKnowledge
from kato.engine.matching.plain import PlainKnowledge
from kato.engine.matching.view import NativeView
from kato.engine.metrics.weighted import LEAST
from kato.engine.settings import EngineSettings

SETTINGS = EngineSettings()
_INSERTS = 2000
_MEBIBYTE = 2**20


def timed(ask: Callable[[tuple[Event, ...]], object], questions: Sequence[tuple[Event, ...]]) -> list[float]:
    """Processor milliseconds of each question in this thread, ascending."""
    times = []
    for question in questions:
        started = time.thread_time()
        ask(question)
        times.append((time.thread_time() - started) * 1000)
    return sorted(times)


def share(times: Sequence[float], part: float) -> float:
    """What this part of the values is below."""
    return times[min(len(times) - 1, int(len(times) * part))]


def spread(times: Sequence[float]) -> str:
    """The middle and the 95th percentile."""
    return f"p50 {share(times, 0.5):7.2f}  p95 {share(times, 0.95):7.2f} ms"


def filled(source: Source, size: int) -> tuple[NativeKnowledge, float]:
    """(a node with that many patterns, seconds without the making of the patterns)."""
    engine = NativeKnowledge()
    started, apart = time.perf_counter(), source.seconds
    engine.load(source.patterns(size), {}, size)
    while engine.tend():
        pass
    return engine, time.perf_counter() - started - (source.seconds - apart)


def native_view(engine: NativeKnowledge) -> NativeView:
    """The present state; it is the kernel's."""
    view = engine.savable()
    assert view is not None
    return view


def stages(view: NativeView, questions: Sequence[tuple[Event, ...]]) -> str:
    """Where the middle question's time goes, stage by stage, and what reading the potentials costs besides."""
    told = [view.kernel.stages(question, SETTINGS, "quality", None, LEAST, None) for question in questions]
    parts = {name: sorted(each[name] / 1e6 for each in told) for name in told[0]}

    def read(question: tuple[Event, ...]) -> float:
        answer = view.predict(question, SETTINGS)
        started = time.thread_time()
        len(answer.future_potentials)
        return (time.thread_time() - started) * 1000

    parts["potentials, if read"] = sorted(map(read, questions[:50]))
    return "  ".join(f"{name} {share(times, 0.5):.2f}/{share(times, 0.95):.2f}" for name, times in parts.items())


def two_threads(view: View, questions: Sequence[tuple[Event, ...]]) -> float:
    """Questions per second of two threads over those of one."""

    def ask_all() -> None:
        for question in questions:
            len(view.predict(question, SETTINGS).ranked)

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


def inserted(engine: NativeKnowledge, source: Source, questions: Sequence[tuple[Event, ...]]) -> str:
    """
    Patterns learned one at a time, a view made after each, while a thread merges and another goes on predicting.

    The longest insert is told by this thread's processor time and by the clock, which others on the machine stretch.
    """
    fresh = list(source.patterns(_INSERTS))
    finished = threading.Event()
    beside: list[float] = []

    def merge() -> None:
        while not finished.wait(0.001):
            engine.tend()

    def predict() -> None:
        while not finished.is_set():
            beside.extend(timed(lambda question: engine.view().predict(question, SETTINGS).ranked, questions[:10]))

    helpers = [threading.Thread(target=merge), threading.Thread(target=predict)]
    for helper in helpers:
        helper.start()
    own, clock = [], []
    began = time.perf_counter()
    for number, pattern in enumerate(fresh, engine.sequence + 1):
        started, spent = time.perf_counter(), time.thread_time()
        engine.apply([Change(number, "learn", None, pattern)])
        engine.view()
        own.append((time.thread_time() - spent) * 1000)
        clock.append((time.perf_counter() - started) * 1000)
    rate = len(fresh) / (time.perf_counter() - began)
    finished.set()
    for helper in helpers:
        helper.join()
    return (
        f"inserted beside predictions {rate:,.0f}/s, longest {max(own):.2f} ms of processor, {max(clock):.2f} ms by the clock; "
        f"predictions meanwhile {spread(sorted(beside))}"
    )


def beside_plain(plain: View, native: View, questions: Sequence[tuple[Event, ...]], middle: float) -> str:
    """The plain engine's middle time, over the native one's, and whether the two answer alike."""
    judged = share(timed(lambda question: plain.predict(question, SETTINGS).ranked, questions), 0.5)
    same = all(plain.predict(each, SETTINGS) == native.predict(each, SETTINGS) for each in questions[:3])
    return f"  plain {judged:8.1f} ms = {judged / middle:,.0f} x  {'equal' if same else 'DIFFERENT'}"


def reopened(view: NativeView, question: tuple[Event, ...]) -> str:
    """Seconds to save a state, and from its file to the first answer."""
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "index")
        started = time.perf_counter()
        view.save(path, b"")
        saved = time.perf_counter()
        again = NativeKnowledge()
        again.open(path)
        answer = again.view().predict(question, SETTINGS)
        opened = time.perf_counter()
        size = Path(path).stat().st_size
        if answer != view.predict(question, SETTINGS):
            raise SystemExit("the answer from the file is another one")
        return (
            f"saved in {saved - started:.2f} s ({size / _MEBIBYTE:.0f} MiB), "
            f"first answer from the file after {opened - saved:.2f} s"
        )


def measure(workload: Workload, size: int, seed: int, plain_up_to: int) -> None:
    """The lines of the table for one workload and size."""
    source = Source(workload, seed)
    native, seconds = filled(source, size)
    view = native_view(native)
    head = f"{workload.name} {size:>10,}"
    cost = native.cost
    print(f"{head}  filled at {size / seconds:,.0f}/s  index {cost.index / size:.1f} bytes a pattern", flush=True)
    plain = None
    if size <= plain_up_to:
        plain = PlainKnowledge()
        plain.load(Source(workload, seed).patterns(size), {}, size)
    for kind, count in (("4 events", 300), ("1 symbol", 100), ("30 tokens", 100)):
        questions = source.questions(kind, count)
        times = timed(lambda question: view.predict(question, SETTINGS).ranked, questions)
        examined = sorted(view.predict(question, SETTINGS).examined / size for question in questions)
        line = (
            f"{head}  {kind:<9}  {spread(times)}  evaluated {share(examined, 0.5):7.2%} / {share(examined, 0.95):7.2%}"
        )
        if plain is not None:
            line += beside_plain(plain.view(), view, questions[:5], share(times, 0.5))
        print(line, flush=True)
        print(f"{head}  {kind:<9}  p50/p95 ms: {stages(view, questions)}", flush=True)
    windows = source.questions("4 events", 100)
    print(f"{head}  two threads {two_threads(view, windows):.2f} x one;  {reopened(view, windows[0])}", flush=True)
    print(f"{head}  {inserted(native, source, windows)}", flush=True)


def measure_ten_million(seed: int) -> None:
    """Ten million patterns of fifteen symbols in one process, and what it takes."""
    size = 10_000_000
    source = Source(WORKLOADS["B"], seed)
    started = time.perf_counter()
    native, seconds = filled(source, size)
    clock = time.perf_counter() - started
    view = native_view(native)
    print(f"B {size:,}  filled at {size / seconds:,.0f}/s, {clock:.0f} s with the making of the patterns", flush=True)
    print(
        f"B {size:,}  index {native.cost.index / size:.1f} bytes a pattern, process at most {peak():,.0f} MiB",
        flush=True,
    )
    for kind, count in (("4 events", 100), ("1 symbol", 30), ("30 tokens", 30)):
        questions = source.questions(kind, count)
        times = timed(lambda question: view.predict(question, SETTINGS).ranked, questions)
        examined = sorted(view.predict(question, SETTINGS).examined / size for question in questions)
        print(f"B {size:,}  {kind:<9}  {spread(times)}  evaluated {share(examined, 0.5):.3%}", flush=True)
        print(f"B {size:,}  {kind:<9}  p50/p95 ms: {stages(view, questions[:30])}", flush=True)
    print(f"B {size:,}  process at most {peak():,.0f} MiB", flush=True)


def peak() -> float:
    """Mebibytes that this process held at its largest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=list(WORKLOADS))
    parser.add_argument("--million", action="store_true", help="1,000,000 patterns too; D, 200 symbols each, apart")
    parser.add_argument("--only-ten-million", action="store_true", help="nothing but 10,000,000 patterns of 15 symbols")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--plain-up-to", type=int, default=10_000, help="sizes at which the plain engine is asked too")
    asked = parser.parse_args()
    print(f"seed {asked.seed}, machine load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    if asked.only_ten_million:
        measure_ten_million(asked.seed)
        return
    for name in asked.workloads:
        sizes = [*asked.sizes, 1_000_000] if asked.million and name != "D" else asked.sizes
        for size in sizes:
            measure(WORKLOADS[name], size, asked.seed, asked.plain_up_to)
    print(f"machine load {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
