"""
Learned vectors and their nearest neighbours, found exactly.

Distances are computed by plain numpy per dimension; ties are broken by name, so the answer has one order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from kato.engine.event import Symbol, Vector, vector_name
from kato.engine.settings import EngineSettings

Near = tuple[tuple[Symbol, Vector], ...]


def distance(a: Sequence[float], b: Sequence[float], metric: str) -> float:
    """
    The distance of two vectors of one dimension.

    Args:
        metric: "euclidean", or "cosine" (1 − cosine of the angle; 1 when one of them is zero).

    Returns:
        At least 0; infinite where it is beyond the range of doubles.

    >>> distance([0.0, 3.0], [4.0, 0.0], "euclidean"), distance([1.0, 0.0], [0.0, 2.0], "cosine")
    (5.0, 1.0)
    """
    if metric == "euclidean":
        return math.dist(a, b)
    # Scaled first, so that squares of large and small components stay in range.
    largest_a, largest_b = max(map(abs, a)), max(map(abs, b))
    if largest_a == 0.0 or largest_b == 0.0:
        return 1.0
    x = [component / largest_a for component in a]
    y = [component / largest_b for component in b]
    product = math.fsum(p * q for p, q in zip(x, y, strict=True))
    length = math.sqrt(math.fsum(p * p for p in x)) * math.sqrt(math.fsum(q * q for q in y))
    return max(0.0, 1.0 - product / length)


def nearest_of(candidates: Mapping[Symbol, Vector], vector: Sequence[float], settings: EngineSettings) -> Near:
    """
    The nearest of the candidates, other than the vector itself: nearest first, ties by name.

    At most `vector_neighbors`, nearer than `vector_max_distance` if that is set. Candidates have the vector's
    dimension.
    """
    own = vector_name(vector)
    measured = sorted(
        (distance(vector, components, settings.vector_metric), name)
        for name, components in candidates.items()
        if name != own
    )
    limit = settings.vector_max_distance
    return tuple(
        (name, candidates[name]) for far, name in measured[: settings.vector_neighbors] if limit is None or far < limit
    )


class VectorSet:
    """
    The learned vectors of a node. Immutable once made; made anew when they change.

    A rough distance to all of one dimension is computed at once, and only those that could be among the nearest are
    measured by `distance`: rough values err by less than a part in 10⁶, which the margin covers many times over.
    """

    _MARGIN = 1e-4
    _SMALLEST = 1e-140
    """Euclidean distances below have squares near the end of the range, where rough values are too rough."""

    def __init__(self, vectors: Mapping[Symbol, Vector]) -> None:
        self.vectors = vectors
        by_dimension: dict[int, list[Symbol]] = {}
        for name in sorted(vectors):
            by_dimension.setdefault(len(vectors[name]), []).append(name)
        self._names = by_dimension
        self._matrices: dict[tuple[int, str], npt.NDArray[np.float64]] = {}

    def has_dimension(self, dimension: int) -> bool:
        """Whether any vector has that many components."""
        return dimension in self._names

    def nearest(self, vector: Sequence[float], settings: EngineSettings) -> Near:
        """The learned neighbours of a vector, as `nearest_of`."""
        names = self._names.get(len(vector), [])
        wanted = settings.vector_neighbors + 1  # the vector itself may be among them
        if len(names) <= 4 * wanted:
            return nearest_of({name: self.vectors[name] for name in names}, vector, settings)
        rough = self._rough(vector, settings.vector_metric)
        bound = float(np.partition(rough, wanted - 1)[wanted - 1])
        if settings.vector_metric == "cosine":
            bound += self._MARGIN
        else:
            bound = bound * (1 + self._MARGIN) if bound > self._SMALLEST else math.inf
        close = np.flatnonzero(rough <= bound)
        return nearest_of({names[i]: self.vectors[names[i]] for i in close}, vector, settings)

    def _rough(self, vector: Sequence[float], metric: str) -> npt.NDArray[np.float64]:
        """About the distance to each vector of its dimension, by name; infinite beyond the range of doubles."""
        matrix = self._matrices.get((len(vector), metric))
        if matrix is None:
            matrix = np.array([self.vectors[name] for name in self._names[len(vector)]], dtype=np.float64)
            if metric == "cosine":
                matrix = _directions(matrix)
            self._matrices[len(vector), metric] = matrix
        query = np.array([vector], dtype=np.float64)
        result: npt.NDArray[np.float64]
        if metric == "cosine":
            result = 1.0 - matrix @ _directions(query)[0]
        else:
            with np.errstate(over="ignore", under="ignore"):
                result = np.sqrt(((matrix - query) ** 2).sum(axis=1))
        return result


def _directions(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The rows with length 1; a row of zeros stays one. Scaled first, so that no square leaves the range of doubles."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    with np.errstate(under="ignore"):
        scaled = rows / np.where(largest == 0.0, 1.0, largest)
        lengths = np.sqrt((scaled**2).sum(axis=1, keepdims=True))
        directions: npt.NDArray[np.float64] = scaled / np.where(lengths == 0.0, 1.0, lengths)
    return directions
