"""The four measures of a match with symbols weighted by how they felt (affinity)."""

from __future__ import annotations

from collections.abc import Mapping

from kato.engine.event import Symbol
from kato.engine.explanation import Explanation, count

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


def explain_weight(symbol: Symbol, affinity: float, frequency: int) -> Explanation:
    """The weight of one symbol and what it was made of."""
    parts = (
        Explanation(affinity, f"what was felt about {symbol!r}, summed over its learnings"),
        count(frequency, f"times {symbol!r} was learned"),
    )
    return Explanation(weight(affinity, frequency), f"w({symbol!r}) = |affinity| / frequency + {LEAST}", parts)


def explain_sum(
    of: str, amount: float, counts: Mapping[Symbol, int], weights: Mapping[Symbol, Explanation]
) -> Explanation:
    """A sum of weights: each distinct symbol's weight, and how often it is counted."""
    parts = tuple(
        Explanation(weights[symbol].value, f"weight of {symbol!r}", (weights[symbol], count(n, "times, in the " + of)))
        for symbol, n in counts.items()
    )
    return Explanation(amount, f"Σ weights of the {of}", parts)


def explain_weighted_similarity(matches: Explanation, memory: Explanation, pattern: Explanation) -> Explanation:
    """The weighted similarity and its sums."""
    return Explanation(
        weighted_similarity(matches.value, memory.value, pattern.value),
        "weighted_similarity = 2 · matches / (memory + pattern)",
        (matches, memory, pattern),
    )


def explain_weighted_evidence(matches: Explanation, pattern: Explanation) -> Explanation:
    """The weighted evidence and its sums."""
    value = weighted_evidence(matches.value, pattern.value)
    return Explanation(value, "weighted_evidence = matches / pattern", (matches, pattern))


def explain_weighted_confidence(matches: Explanation, present: Explanation) -> Explanation:
    """The weighted confidence and its sums."""
    value = weighted_confidence(matches.value, present.value)
    return Explanation(value, "weighted_confidence = matches / present", (matches, present))


def explain_weighted_snr(matches: Explanation, extras: Explanation) -> Explanation:
    """The weighted signal-to-noise ratio and its sums."""
    value = weighted_snr(matches.value, extras.value)
    return Explanation(value, "weighted_snr = matches / (matches + extras)", (matches, extras))
