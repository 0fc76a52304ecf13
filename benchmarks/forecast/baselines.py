"""What a forecast is measured against. Each learns sequences and gives probabilities for the next item."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Protocol

from sequences import Sequence


class Baseline(Protocol):
    """A predictor of the next item."""

    def probabilities(self, memory: Sequence) -> Mapping[str, float]:
        """Item → probability; empty where it has no answer."""
        ...


class Constant:
    """Always the most common closing item: what a protocol gives away that asks where sequences end."""

    def __init__(self, sequences: list[Sequence], closing: int) -> None:
        counts = Counter(item for sequence in sequences for item in set(sequence[-closing:]))
        self._probabilities = {item: count / len(sequences) for item, count in counts.items()}

    def probabilities(self, memory: Sequence) -> Mapping[str, float]:
        """The same for every memory."""
        del memory
        return self._probabilities


class Markov:
    """Counts of what followed the last `order` items; of a context never seen, those of one item less."""

    def __init__(self, sequences: list[Sequence], order: int) -> None:
        self._order = order
        self._counts: dict[Sequence, Counter[str]] = defaultdict(Counter)
        for sequence in sequences:
            for position, item in enumerate(sequence):
                for length in range(min(order, position) + 1):
                    self._counts[sequence[position - length : position]][item] += 1

    def probabilities(self, memory: Sequence) -> Mapping[str, float]:
        """After the longest context that was seen."""
        for length in range(min(self._order, len(memory)), -1, -1):
            counts = self._counts.get(memory[len(memory) - length :])
            if counts:
                whole = counts.total()
                return {item: count / whole for item, count in counts.items()}
        return {}


class CompactPredictionTree:
    """The package `cpt` from PyPI; it names one item and no probability, so it is given 1."""

    def __init__(self, sequences: list[Sequence]) -> None:
        from cpt.cpt import Cpt  # optional: pip install cpt

        self._tree = Cpt()
        self._tree.fit([list(sequence) for sequence in sequences])

    def probabilities(self, memory: Sequence) -> Mapping[str, float]:
        """The item it names."""
        (found,) = self._tree.predict([list(memory)])
        return {} if found is None else {found: 1.0}
