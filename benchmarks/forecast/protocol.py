"""
How often the next item is foretold: the protocol of the published sequence predictors, on any file of sequences.

    python benchmarks/forecast/protocol.py clicks.dat --format pairs --minimum 6 --window 5
    python benchmarks/forecast/protocol.py text.txt --format words --minimum 4 --window 3
    python benchmarks/forecast/protocol.py text.txt --format chars --minimum 7 --window 5 --closing 2
    python benchmarks/forecast/protocol.py process        # or claims, clicks, logs: made up with a seed

The first sequences that are long enough are shuffled with a seed and cut into 14 folds. Each fold is asked about after the others
were learned: the query is the `window` items before the last `closing` ones, right is an item among those. With ends used, the
node is told that the sequence is ending (`ending=true`); with ends not used, it is asked what comes next, as anywhere. As ends
are not like any place, the same is asked at a place of each sequence drawn with the seed ("any place"): that shows whether
probabilities hold where what is asked is what the node asked itself.

Accuracy is over all queries, coverage the share that got an answer. Log-loss is −ln of the probability given to the likeliest
right item, at least one in a million; the calibration error (ECE) is that of the first item's probability over ten bins of equal
width. Beside it stands what probabilities that are exactly right would show with so many queries, by chance.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from baselines import CompactPredictionTree, Constant, Markov
from sequences import MADE, READERS, Sequence

from kato.engine.forecasting.choosing import Effort, choose
from kato.engine.forecasting.forecast import forecast
from kato.engine.forecasting.question import Kind, ask
from kato.engine.matching import choose as engine
from kato.engine.pattern import new_pattern

FOLDS = 14
ENDS = {"both": (True, False), "used": (True,), "not-used": (False,)}
LEAST = 1e-6
BINS = 10


@dataclass
class Score:
    """What one predictor did."""

    asked: int = 0
    answered: int = 0
    right: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    bins: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0, 0.0, 0.0] for _ in range(BINS)])

    def take(self, told: Mapping[str, float], best: str | None, right: frozenset[str]) -> None:
        """One query's answer: probabilities, the first item, and what was right."""
        self.asked += 1
        self.loss -= math.log(max(LEAST, min(1.0, max((told.get(item, 0.0) for item in right), default=0.0))))
        if best is None:
            return
        self.answered += 1
        self.right += best in right
        place = self.bins[min(BINS - 1, int(told[best] * BINS))]
        place[0] += 1
        place[1] += told[best]
        place[2] += best in right
        place[3] += told[best] * (1 - told[best])

    def line(self, name: str) -> str:
        """As a row of the table."""
        accuracy = self.right / self.asked
        error = math.sqrt(accuracy * (1 - accuracy) / self.asked)
        off = sum(abs(said - was) for _, said, was, _ in self.bins) / max(1, self.answered)
        # The mean of the absolute value of a normal variable is √(2/π) of its standard deviation.
        by_chance = sum(math.sqrt(2 / math.pi * max(0.0, spread)) for *_, spread in self.bins) / max(1, self.answered)
        return (
            f"{name:<22}{accuracy:8.2%} ±{error:5.2%}{self.answered / self.asked:9.1%}{self.loss / self.asked:9.3f}"
            f"{off:8.3f}{by_chance:7.3f}{1000 * self.seconds / self.asked:10.2f}"
        )


def first(told: Mapping[str, float]) -> str | None:
    """The likeliest item, ties by name."""
    return min(told, key=lambda item: (-told[item], item), default=None)


class Protocol:
    """One set of sequences, asked about in one way."""

    def __init__(
        self, sequences: list[Sequence], window: int, closing: int, effort: Effort, seed: int, ends: tuple[bool, ...]
    ) -> None:
        self._sequences = sequences
        self._ends = ends
        self._window = window
        self._closing = closing
        self._effort = effort
        self._seed = seed
        self.scores: dict[str, Score] = {}
        self.choosing = 0.0
        self.mixes: Counter[str] = Counter()
        self.folds: list[int] = []

    def restore(self, kept: Path) -> None:
        """Go on from what was kept of earlier folds."""
        told = json.loads(kept.read_text(encoding="utf-8"))
        self.scores = {name: Score(**score) for name, score in told["scores"].items()}
        self.choosing, self.mixes, self.folds = told["choosing"], Counter(told["mixes"]), told["folds"]

    def keep(self, kept: Path) -> None:
        """Write down what there is so far."""
        scores = {name: asdict(score) for name, score in self.scores.items()}
        told = {"scores": scores, "choosing": self.choosing, "mixes": self.mixes, "folds": self.folds}
        kept.write_text(json.dumps(told), encoding="utf-8")

    def fold(self, number: int, *, with_tree: bool) -> None:
        """Learn all but one fold, and ask about it."""
        count = len(self._sequences)
        low, high = count * number // FOLDS, count * (number + 1) // FOLDS
        known, asked = self._sequences[:low] + self._sequences[high:], self._sequences[low:high]
        self.folds.append(number)
        self._forecast(known, asked)
        baselines: dict[str, Callable[[], Constant | Markov | CompactPredictionTree]] = {
            "constant": lambda: Constant(known, self._closing),
            **{f"Markov, order {order}": lambda order=order: Markov(known, order) for order in range(1, 6)},
        }
        if with_tree:
            baselines["cpt (PyPI)"] = lambda: CompactPredictionTree(known)
        for name, make in baselines.items():
            baseline = make()

            def tell(memory: Sequence, baseline=baseline) -> tuple[Mapping[str, float], str | None]:
                told = baseline.probabilities(memory)
                return told, first(told)

            self._ask(name, asked, tell)
        chain = Markov(known, 1)
        self._ask(
            "Markov 1, any place",
            asked,
            lambda memory: (told := chain.probabilities(memory), first(told)),
            anywhere=True,
        )

    def _ask(
        self,
        name: str,
        asked: list[Sequence],
        tell: Callable[[Sequence], tuple[Mapping[str, float], str | None]],
        *,
        anywhere: bool = False,
    ) -> None:
        score = self.scores.setdefault(name, Score())
        chance = random.Random(self._seed)
        for sequence in asked:
            cut = len(sequence) - self._closing
            if anywhere:
                cut = chance.randint(1, len(sequence) - 1)
            started = time.process_time()
            told, best = tell(sequence[max(0, cut - self._window) : cut])
            score.seconds += time.process_time() - started
            score.take(told, best, frozenset(sequence[cut : cut + self._closing]))

    def _forecast(self, known: list[Sequence], asked: list[Sequence]) -> None:
        patterns = []
        for sequence, times in Counter(known).items():
            patterns.append(replace(new_pattern(tuple((item,) for item in sequence)), frequency=times))
        knowledge = engine(None)()
        knowledge.load(patterns, {}, len(known))
        while knowledge.tend():
            pass
        source = knowledge.view().forecasting()
        for ending in self._ends:
            kind = Kind(self._closing, ending, self._window)
            started = time.process_time()
            choice = choose(source, kind, 0, self._effort)
            self.choosing = max(self.choosing, time.process_time() - started)
            assert choice is not None
            name = f"forecast, ends {'used' if ending else 'not used'}"
            self.mixes[f"{name}: {' + '.join(f'{way} x{count}' for way, count in choice.names)}"] += 1

            def tell(memory: Sequence, kind=kind, choice=choice) -> tuple[Mapping[str, float], str | None]:
                found = forecast(source, ask(tuple((item,) for item in memory), kind), choice, 1000)
                told = {entry.symbol: entry.probability for entry in found.entries}
                return told, found.entries[0].symbol if found.entries else None

            self._ask(name, asked, tell)
            if not ending:
                self._ask("forecast, any place", asked, tell, anywhere=True)


def main() -> None:
    """Read the command line, run the protocol, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help=f"a file, or one of {', '.join(MADE)}")
    parser.add_argument("--format", choices=READERS, default="words")
    parser.add_argument("--minimum", type=int, default=6, help="items that a sequence has at least")
    parser.add_argument("--first", type=int, default=5000, help="sequences that are taken")
    parser.add_argument("--window", type=int, default=5)
    parser.add_argument("--closing", type=int, default=1)
    parser.add_argument("--folds", type=int, default=FOLDS, help="of the 14, how many are run")
    parser.add_argument("--skip", type=int, default=0, help="of the 14, how many are passed over before them")
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument(
        "--scores", type=Path, help="a file that earlier folds' scores are read from, and all are written to"
    )
    parser.add_argument("--voting", type=int, default=Effort().voting, help="questions that choose the profiles")
    parser.add_argument("--calibrating", type=int, default=Effort().calibrating, help="questions that calibrate")
    parser.add_argument("--ends", choices=ENDS, default="both", help="whether the node is told that sequences end")
    parser.add_argument("--no-cpt", action="store_true", help="leave out the package cpt, which takes long to ask")
    asked = parser.parse_args()
    if asked.source in MADE:
        found = MADE[asked.source](random.Random(asked.seed))
    else:
        found = READERS[asked.format](Path(asked.source))
    sequences = [sequence for sequence in found if len(sequence) >= asked.minimum][: asked.first]
    random.Random(asked.seed).shuffle(sequences)
    effort = Effort(asked.voting, asked.calibrating)
    protocol = Protocol(sequences, asked.window, asked.closing, effort, asked.seed, ENDS[asked.ends])
    with_tree = not asked.no_cpt and find_spec("cpt") is not None
    started = time.perf_counter()
    if asked.scores and asked.scores.exists():
        protocol.restore(asked.scores)
    for number in range(FOLDS)[asked.skip :][: asked.folds]:
        if number in protocol.folds:
            continue
        protocol.fold(number, with_tree=with_tree)
        if asked.scores:
            protocol.keep(asked.scores)
    items = {item for sequence in sequences for item in sequence}
    length = sum(map(len, sequences)) / max(1, len(sequences))
    print(f"{Path(asked.source).name}: {len(sequences)} sequences, {len(items)} items, {length:.1f} long on average")
    print(f"window {asked.window}, closing {asked.closing}, {len(protocol.folds)} of {FOLDS} folds, seed {asked.seed}")
    print(f"{'':<22}{'accuracy':>8}{'':>7}{'coverage':>9}{'log-loss':>9}{'ECE':>8}{'chance':>7}{'ms each':>10}")
    for name, score in protocol.scores.items():
        print(score.line(name))
    if not with_tree and not asked.no_cpt:
        print("cpt (PyPI): not installed")
    for mix, times in protocol.mixes.most_common(6):
        print(f"{times:>4} x {mix}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"longest self-test {protocol.choosing:.1f} s of processor time, peak memory of the process {peak:.0f} MiB, "
        f"{time.perf_counter() - started:.0f} s in all"
    )


if __name__ == "__main__":
    main()
