"""Confidence: how complete the present is."""

from __future__ import annotations

from kato.engine.explanation import Explanation, count


def confidence(matches: int, present_length: int) -> float:
    """
    Matches over the present's symbols; 0–1, and 0 for an empty present.

    Source: docs/metrics.md#confidence

    >>> confidence(2, 4), confidence(0, 0)
    (0.5, 0.0)
    """
    return matches / present_length if present_length else 0.0


def explain_confidence(matches: int, present_length: int) -> Explanation:
    """The confidence and its counts."""
    parts = (count(matches, "matches"), count(present_length, "symbols in the present"))
    return Explanation(confidence(matches, present_length), "confidence = matches / present", parts)
