"""Probability of a symbol: the share of the node's patterns that hold it."""

from __future__ import annotations

from kato.engine.event import Symbol
from kato.engine.explanation import Explanation, count


def probability(members: int, patterns: int) -> float:
    """
    p = pmf / U; 0–1, and 0 for a symbol that no pattern holds.

    Source: docs/metrics.md#probability

    >>> probability(1, 4), probability(0, 0)
    (0.25, 0.0)
    """
    return members / patterns if members else 0.0


def explain_probability(symbol: Symbol, members: int, patterns: int) -> Explanation:
    """The probability and its counts."""
    parts = (count(members, f"patterns that hold {symbol!r}"), count(patterns, "patterns in the node"))
    return Explanation(probability(members, patterns), f"p({symbol!r}) = pmf / U", parts)
