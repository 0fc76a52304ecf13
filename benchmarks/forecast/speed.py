"""
How long a forecast takes on a large node, and how long the node takes to find out which ways of voting work.

    python benchmarks/forecast/speed.py --patterns 1000000

Patterns of 15 symbols of 30,000, by Zipf's law, drawn with a seed; each question is the beginning of one of them, of one to eight
events. Times are of the processor, so that what else runs on the machine does not count.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workloads import WORKLOADS, Source

from kato.engine.forecasting.choosing import Choice, Effort, choose
from kato.engine.forecasting.forecast import forecast
from kato.engine.forecasting.question import Kind, ask
from kato.engine.matching.index import NativeKnowledge


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patterns", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--no-choosing", action="store_true", help="ask by the untested mix alone")
    asked = parser.parse_args()
    made = Source(WORKLOADS["B"], asked.seed)
    engine = NativeKnowledge()
    engine.load(made.patterns(asked.patterns), {}, asked.patterns)
    while engine.tend():
        pass
    source = engine.view().forecasting()
    chance = random.Random(asked.seed)
    memories = [events[: chance.randint(1, 8)] for events in chance.choices(made.kept, k=asked.questions)]
    choices = {"untested mix": Choice(Kind(), 0)}
    if not asked.no_choosing:
        started = time.process_time()
        choice = choose(source, Kind(), 0, Effort())
        assert choice is not None
        print(f"self-test: {time.process_time() - started:.1f} s of the processor, {choice.tested} questions")
        choices["chosen mix"] = choice
    for name, choice in choices.items():
        times = []
        for memory in memories:
            started = time.process_time()
            forecast(source, ask(memory, choice.kind), choice, 10)
            times.append(time.process_time() - started)
        times.sort()
        middle, high = (1000 * times[int(len(times) * part)] for part in (0.5, 0.95))
        mix = " + ".join(f"{way} x{count}" for way, count in choice.names)
        print(f"{asked.patterns} patterns, {name} ({mix}): p50 {middle:.1f} ms, p95 {high:.1f} ms")


if __name__ == "__main__":
    main()
