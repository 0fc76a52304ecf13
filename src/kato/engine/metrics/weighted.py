"""The four measures of a match with symbols weighted by how they felt (affinity)."""

from __future__ import annotations

from kato.engine.explanation import Explanation

LEAST = 0.01
"""Added to every weight, so that a symbol nothing was felt about still counts a little (docs/metrics.md#affinity)."""


def weight(affinity: float, frequency: int) -> float:
    """
    |affinity| / frequency + 0.01; 0.01 for an unknown symbol (frequency 0).

    >>> weight(-1.0, 2), weight(0.0, 0)
    (0.51, 0.01)
    """
    return (abs(affinity) / frequency if frequency else 0.0) + LEAST


def weighted_similarity(matches: float, memory: float, pattern: float) -> float:
    """
    2·Σw(matches) / (Σw(memory) + Σw(pattern)).

    Source: docs/metrics.md#weighted_similarity
    """
    # Halves are exact, and their sum stays within the range of doubles where the sum may not.
    return matches / (memory / 2 + pattern / 2)


def weighted_evidence(matches: float, pattern: float) -> float:
    """
    Σw(matches) / Σw(pattern).

    Source: docs/metrics.md#weighted_evidence
    """
    return matches / pattern


def weighted_confidence(matches: float, present: float) -> float:
    """
    Σw(matches) / Σw(present).

    Source: docs/metrics.md#weighted_confidence
    """
    return matches / present


def weighted_snr(matches: float, extras: float) -> float:
    """
    Σw(matches) / (Σw(matches) + Σw(extras)).

    Source: docs/metrics.md#weighted_snr
    """
    return (matches / 2) / (matches / 2 + extras / 2)


def explain_ratio(name: str, value: float, **sums: float) -> Explanation:
    """One of the four and the sums of weights it was made of."""
    parts = tuple(Explanation(amount, f"Σ weights of the {of}") for of, amount in sums.items())
    return Explanation(value, f"{name}, symbols weighted by affinity", parts)
