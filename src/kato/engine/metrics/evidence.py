"""Evidence: how much of the pattern has been observed."""

from __future__ import annotations

from kato.engine.explanation import Explanation, count


def evidence(matches: int, pattern_length: int) -> float:
    """
    Matches over the pattern's symbols; 0–1.

    Source: docs/metrics.md#evidence

    >>> evidence(1, 4)
    0.25
    """
    return matches / pattern_length


def explain_evidence(matches: int, pattern_length: int) -> Explanation:
    """The evidence and its counts."""
    parts = (count(matches, "matches"), count(pattern_length, "symbols in the pattern"))
    return Explanation(evidence(matches, pattern_length), "evidence = matches / pattern", parts)
