"""Similarity: how much of two sequences is common to both."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from kato.engine.explanation import Explanation, count


def longest_common_subsequence(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """
    The length of the longest common subsequence.

    Bit-parallel (Hyyrö 2004): bit i of `row` is 0 where the i-th element of `a` ends a longer common subsequence than
    the element before it, so the zeros of the last row count its length.

    >>> longest_common_subsequence("abcd", "badc")
    2
    """
    places: dict[Hashable, int] = {}
    for position, element in enumerate(a):
        places[element] = places.get(element, 0) | 1 << position
    full = (1 << len(a)) - 1
    row = full
    for element in b:
        here = row & places.get(element, 0)
        row = ((row + here) | (row - here)) & full
    return len(a) - row.bit_count()


def similarity(common: int, pattern_length: int, memory_length: int) -> float:
    """
    Twice the common length over the sum of both lengths; 0–1.

    Source: docs/metrics.md#similarity

    >>> similarity(2, 3, 2)
    0.8
    """
    return 2 * common / (pattern_length + memory_length)


def explain_similarity(common: int, pattern_length: int, memory_length: int, unit: str) -> Explanation:
    """The similarity and the counts it was made of; `unit` says of what."""
    return Explanation(
        similarity(common, pattern_length, memory_length),
        "similarity = 2 · common / (pattern + memory)",
        (
            count(common, f"{unit} in the longest common subsequence"),
            count(pattern_length, f"{unit} in the pattern"),
            count(memory_length, f"{unit} in the memory"),
        ),
    )
