"""
From shares of a vote to probabilities, by what was seen in the self-test.

Questions with neighbouring shares form groups. What was right in a group, with GUESSED questions besides of which as many were
right as the `trend` of all says, is its probability; isotonic regression (pool adjacent violators; Ayer et al., 1955) makes these
rise. The curve runs straight from 0 to the first group's mean share and on from group to group, and is level beyond the last.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from kato.engine.forecasting.trend import Group, probability, trend

Observation = tuple[float, bool, int]
"""A share, whether its symbol was right, and how often the question counts."""
Curve = tuple[tuple[float, float], ...]
"""(share, probability), both ascending; empty for a curve nothing is known of."""

SMALLEST_GROUP = 25
MOST_GROUPS = 40
"""Groups are no smaller, unless there are fewer questions, and no more: narrower ones follow chance."""
GUESSED = 50
"""Questions that the trend is worth in each group: in a group of a few dozen most of what differs from it is chance, in one of
some hundred most is not."""


@dataclass(slots=True)
class _Block:
    counts: float
    right: float
    shares: float
    """Sum of the shares, each as often as its question counts."""

    @property
    def probability(self) -> float:
        return self.right / self.counts


def fit(observations: Sequence[Observation]) -> Curve:
    """The curve of some observations; those of equal shares fall into one group."""
    groups = grouped(observations)
    numbers = trend(groups)
    pooled: list[_Block] = []
    for group in groups:
        counts = group.counts + GUESSED
        right = group.right + GUESSED * probability(numbers, group.share)
        pooled.append(_Block(counts, right, group.share * counts))
        while len(pooled) > 1 and pooled[-2].right * pooled[-1].counts >= pooled[-1].right * pooled[-2].counts:
            last = pooled.pop()
            first = pooled[-1]
            pooled[-1] = _Block(first.counts + last.counts, first.right + last.right, first.shares + last.shares)
    return tuple((block.shares / block.counts, block.probability) for block in pooled)


def grouped(observations: Sequence[Observation]) -> list[Group]:
    """By share, ascending."""
    ordered = sorted(observations)
    size = max(SMALLEST_GROUP, math.ceil(len(ordered) / MOST_GROUPS))
    groups: list[Group] = []
    start = 0
    while start < len(ordered):
        stop = min(start + size, len(ordered))
        if len(ordered) - stop < size:
            stop = len(ordered)
        while stop < len(ordered) and ordered[stop][0] == ordered[stop - 1][0]:
            stop += 1
        groups.append(_group(ordered[start:stop]))
        start = stop
    return groups


def _group(observations: Sequence[Observation]) -> Group:
    counts = sum(each for _, _, each in observations)
    return Group(
        math.fsum(share * each for share, _, each in observations) / counts,
        counts,
        sum(each for _, right, each in observations if right),
    )


def read(curve: Curve, share: float) -> float:
    """The probability that belongs to a share; the share itself where there is no curve."""
    if not curve:
        return share
    after = bisect_right(curve, share, key=lambda point: point[0])
    if after == len(curve):
        return curve[-1][1]
    (left, low), (right, high) = curve[after - 1] if after else (0.0, 0.0), curve[after]
    return low + (high - low) * ((share - left) / (right - left))
