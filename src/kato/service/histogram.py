"""How often values fell under each of some bounds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


class Histogram:
    """
    Counts values by size.

    Args:
        bounds: Ascending; a value counts under the first bound it does not exceed.

    >>> sizes = Histogram((1, 10))
    >>> for size in (1, 2, 3, 11):
    ...     sizes.add(size)
    >>> sizes.cumulative(), sizes.count, sizes.total
    ([1, 3, 4], 4, 17)
    """

    __slots__ = ("_counts", "bounds", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.total: float = 0
        self._counts = [0] * (len(bounds) + 1)

    def add(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[int]:
        """Values up to each bound, and all of them."""
        return list(accumulate(self._counts))

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self._counts)
