"""TF-IDF: how telling the symbols of the present are."""

from __future__ import annotations

import math
from collections.abc import Mapping

from kato.engine.event import Symbol
from kato.engine.exact import mean
from kato.engine.explanation import Explanation, count


def tfidf_score(counts: Mapping[Symbol, int], members: Mapping[Symbol, int], patterns: int) -> float:
    """
    Mean over the distinct symbols of the present of q · (log2(U / pmf) + 1).

    Args:
        counts: Occurrences in the present.
        members: Patterns that hold each symbol, at least 1.
        patterns: Patterns of the node.

    Source: docs/metrics.md#tfidf_score

    >>> tfidf_score({"a": 1, "b": 1}, {"a": 1, "b": 1}, 1)
    0.5
    """
    length = sum(counts.values())
    return mean([(n / length) * (math.log2(patterns / members[symbol]) + 1) for symbol, n in counts.items()])


def explain_tfidf_score(counts: Mapping[Symbol, int], members: Mapping[Symbol, int], patterns: int) -> Explanation:
    """The score and its counts."""
    parts = [count(patterns, "patterns in the node")]
    for symbol, n in counts.items():
        parts += [
            count(n, f"{symbol!r} in the present"),
            count(members[symbol], f"patterns that hold {symbol!r}"),
        ]
    return Explanation(
        tfidf_score(counts, members, patterns), "tfidf_score = mean of q · (log2(U / pmf) + 1)", tuple(parts)
    )
