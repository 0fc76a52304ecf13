"""
Sums that are rounded once.

A sum over symbols, patterns or learnings must not depend on their order (docs/metrics.md#sums), so it is the exact sum,
rounded to the nearest double. A result beyond the range of doubles is the largest finite one.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from fractions import Fraction

_LARGEST = sys.float_info.max


def to_float(value: Fraction) -> float:
    """The nearest double; the largest finite one, with its sign, beyond their range. Never −0."""
    try:
        return float(value) + 0.0
    except OverflowError:
        return _LARGEST if value > 0 else -_LARGEST


def total(values: Iterable[float]) -> float:
    """
    The exactly rounded sum of finite numbers.

    >>> total([0.1] * 10), total([1e308, 1e308, -1e308])
    (1.0, 1e+308)
    """
    numbers = [float(value) for value in values]
    try:
        return math.fsum(numbers) + 0.0
    except OverflowError:
        # fsum gives up where a partial sum leaves the range, even if the whole does not.
        return to_float(sum(map(Fraction, numbers), Fraction(0)))


def mean(values: Sequence[float]) -> float:
    """
    The exactly rounded sum over the count; 0 for no values.

    >>> mean([1.0, 2.0]), mean([1.7e308, 1.7e308]), mean([])
    (1.5, 1.7e+308, 0.0)
    """
    if not values:
        return 0.0
    try:
        return math.fsum(values) / len(values) + 0.0
    except OverflowError:
        exact = sum(map(Fraction, values), Fraction(0))
    try:
        # Only a partial sum left the range, which depends on the order; the mean must not.
        return float(exact) / len(values) + 0.0
    except OverflowError:
        return to_float(exact / len(values))
