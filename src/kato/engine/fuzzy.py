"""Fuzzy tokens: a misspelt token is read as the pattern's token most like it."""

from __future__ import annotations

from collections.abc import Sequence

from kato.engine.event import Symbol
from kato.engine.metrics.similarity import longest_common_subsequence


def likeness(a: Symbol, b: Symbol) -> float:
    """
    How alike two tokens are: 2 · LCS over the sum of their lengths, in characters; 0–1.

    >>> round(likeness("bannana", "banana"), 4)
    0.9231
    """
    return 2 * longest_common_subsequence(a, b) / (len(a) + len(b))


def read_as(
    memory: Sequence[Symbol], pattern: Sequence[Symbol], threshold: float
) -> tuple[tuple[Symbol, ...], dict[int, float]]:
    """
    The memory as this pattern reads it, and the likeness at every position that is read differently.

    A token that does not occur in the pattern is read as the pattern's token most like it (the first on a tie), if
    their likeness is at least `threshold` (> 0). Both sequences are flat.
    """
    known = set(pattern)
    distinct = tuple(dict.fromkeys(pattern))
    reading: dict[Symbol, tuple[Symbol, float]] = {}
    read: list[Symbol] = []
    differing: dict[int, float] = {}
    for position, token in enumerate(memory):
        if token in known:
            read.append(token)
            continue
        if token not in reading:
            reading[token] = _best(token, distinct, threshold)
        expected, like = reading[token]
        read.append(expected)
        if like:
            differing[position] = like
    return tuple(read), differing


def _best(token: Symbol, candidates: Sequence[Symbol], threshold: float) -> tuple[Symbol, float]:
    best, highest = token, 0.0
    for candidate in candidates:
        shorter, longer = sorted((len(token), len(candidate)))
        if 2 * shorter / (shorter + longer) < threshold:
            continue  # even if every character of the shorter were common
        like = likeness(token, candidate)
        if like >= threshold and like > highest:
            best, highest = candidate, like
    return best, highest
