"""
How probabilities follow from shares on the whole: a smooth curve of three numbers, which some hundred questions tell well enough
where a step for every few of them would follow chance.

Beta calibration (Kull, Silva Filho and Flach, 2017): ln odds = level + low · ln share − high · ln(1 − share). With (0, 1, 1) a
probability is the share; that is what little evidence is drawn to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CLOSEST = 1e-6
"""Shares nearer to 0 or 1 than this count as this, so that their logarithms exist."""
IDENTITY = (0.0, 1.0, 1.0)
PULL = 0.3
"""How much it costs to leave IDENTITY: half of this times each number's squared distance, in nats of all questions together. Far
from it is where a share of some hundredths is right half the time, as among many words."""
HALVINGS = 30
"""How often a step that makes it worse is halved, before it counts as none."""

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Group:
    """Questions of neighbouring shares."""

    share: float
    """Their mean, 0 to 1."""
    counts: float
    """How many, as often as each counts."""
    right: float
    """Of those, how many were right."""


def seen_by(share: float) -> Vector:
    """What the three numbers are multiplied by."""
    held = min(max(share, CLOSEST), 1.0 - CLOSEST)
    return 1.0, math.log(held), -math.log(1.0 - held)


def probability(numbers: Vector, share: float) -> float:
    """What a trend says of a share, strictly between 0 and 1 but for rounding."""
    odds = _dot(numbers, seen_by(share))
    return 1.0 / (1.0 + math.exp(-odds)) if odds >= 0 else math.exp(odds) / (1.0 + math.exp(odds))


def trend(groups: Sequence[Group]) -> Vector:
    """The likeliest (level, low, high) of some groups, drawn to IDENTITY; by Newton's method."""
    numbers, cost = IDENTITY, _cost(IDENTITY, groups)
    while True:
        step = _step(numbers, groups)
        tried = (_minus(numbers, step, 1.0 / (1 << halving)) for halving in range(HALVINGS))
        better = next(((costs, each) for each in tried if (costs := _cost(each, groups)) < cost), None)
        if better is None:
            return numbers
        cost, numbers = better


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def _minus(numbers: Vector, step: Vector, part: float) -> Vector:
    level, low, high = (number - part * each for number, each in zip(numbers, step, strict=True))
    return level, low, high


def _cost(numbers: Vector, groups: Sequence[Group]) -> float:
    """−ln likelihood, and what it costs to leave IDENTITY."""
    losses = []
    for group in groups:
        odds = _dot(numbers, seen_by(group.share))
        # ln(1 + e^odds), without overflow
        losses.append(group.counts * (max(odds, 0.0) + math.log1p(math.exp(-abs(odds)))) - group.right * odds)
    away = math.fsum((number - one) ** 2 for number, one in zip(numbers, IDENTITY, strict=True))
    return math.fsum(losses) + PULL / 2 * away


def _step(numbers: Vector, groups: Sequence[Group]) -> Vector:
    """Newton's step: the slope of the cost, by how much it bends."""
    slope = [PULL * (number - one) for number, one in zip(numbers, IDENTITY, strict=True)]
    bend = [[PULL * (row == column) for column in range(3)] for row in range(3)]
    for group in groups:
        by = seen_by(group.share)
        chance = probability(numbers, group.share)
        for row in range(3):
            slope[row] += by[row] * (group.counts * chance - group.right)
            for column in range(3):
                bend[row][column] += by[row] * by[column] * group.counts * chance * (1.0 - chance)
    return _solved(bend, slope)


def _solved(matrix: list[list[float]], right: list[float]) -> Vector:
    """The solution of three equations, by elimination; the matrix is positive definite, so that no row need be exchanged."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for pivot in range(3):
        for row in range(pivot + 1, 3):
            factor = rows[row][pivot] / rows[pivot][pivot]
            rows[row] = [a - factor * b for a, b in zip(rows[row], rows[pivot], strict=True)]
    third = rows[2][3] / rows[2][2]
    second = (rows[1][3] - rows[1][2] * third) / rows[1][1]
    first = (rows[0][3] - rows[0][1] * second - rows[0][2] * third) / rows[0][0]
    return first, second, third
