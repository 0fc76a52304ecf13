"""Entropies of the present: how surprising its symbols are, among themselves and in the node."""

from __future__ import annotations

import math
from collections.abc import Mapping

from kato.engine.event import Symbol
from kato.engine.exact import total
from kato.engine.explanation import Explanation, count


def entropy(counts: Mapping[Symbol, int]) -> float:
    """
    −Σ q log2 q over the symbols of the present, q the share of each; bits, at least 0.

    Source: docs/metrics.md#entropy

    >>> entropy({"alpha": 1, "beta": 1})
    1.0
    """
    length = sum(counts.values())
    return total(-(n / length) * math.log2(n / length) for n in counts.values())


def normalized_entropy(counts: Mapping[Symbol, int], symbols: int) -> float:
    """
    The same with the number of symbols of the node as base; 0 when there is at most one.

    Source: docs/metrics.md#normalized_entropy

    >>> round(normalized_entropy({"alpha": 1, "beta": 1}, 3), 5)
    0.63093
    """
    if symbols <= 1:
        return 0.0
    length = sum(counts.values())
    base = math.log2(symbols)
    return total(-(n / length) * (math.log2(n / length) / base) for n in counts.values())


def global_normalized_entropy(probabilities: Mapping[Symbol, float], symbols: int) -> float:
    """
    −Σ p log_V p over the distinct symbols of the present, p the share of the node's patterns that hold each.

    0 when the node has at most one symbol; an unknown symbol (p = 0) adds nothing.

    Source: docs/metrics.md#global_normalized_entropy

    >>> global_normalized_entropy({"a": 1.0}, 3)
    0.0
    """
    if symbols <= 1:
        return 0.0
    base = math.log2(symbols)
    return total(-p * (math.log2(p) / base) for p in probabilities.values() if p > 0)


def explain_entropy(counts: Mapping[Symbol, int]) -> Explanation:
    """The entropy and the count of each symbol."""
    return Explanation(entropy(counts), "entropy = −Σ q log2 q over the present", _counted(counts))


def explain_normalized_entropy(counts: Mapping[Symbol, int], symbols: int) -> Explanation:
    """The normalized entropy, the count of each symbol, and the base."""
    parts = (*_counted(counts), count(symbols, "symbols in the node, the base"))
    return Explanation(normalized_entropy(counts, symbols), "normalized_entropy = −Σ q log_V q", parts)


def explain_global_normalized_entropy(shares: Mapping[Symbol, Explanation], symbols: int) -> Explanation:
    """The global entropy, the probability of each symbol, and the base."""
    parts = (*shares.values(), count(symbols, "symbols in the node, the base"))
    value = global_normalized_entropy({symbol: share.value for symbol, share in shares.items()}, symbols)
    return Explanation(value, "global_normalized_entropy = −Σ p log_V p", parts)


def _counted(counts: Mapping[Symbol, int]) -> tuple[Explanation, ...]:
    return (
        count(sum(counts.values()), "symbols in the present"),
        *(count(n, f"{symbol!r} in the present") for symbol, n in counts.items()),
    )
