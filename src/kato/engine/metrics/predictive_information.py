"""Predictive information: how much of its future's support a pattern brings."""

from __future__ import annotations

from kato.engine.explanation import Explanation, count


def predictive_information(similarity: float, frequency: int, ensemble_frequency: int, support: float) -> float:
    """
    (similarity · f / F) / A; 0 when the future is empty or nothing supports it (A = 0).

    Source: docs/metrics.md#predictive_information

    >>> predictive_information(0.8, 1, 1, 1.0)
    0.8
    """
    return similarity * frequency / ensemble_frequency / support if support else 0.0


def explain_predictive_information(
    similarity: Explanation, frequency: int, ensemble_frequency: int, support: Explanation
) -> Explanation:
    """The information and what it was made of; `support` explains A."""
    return Explanation(
        predictive_information(similarity.value, frequency, ensemble_frequency, support.value),
        "predictive_information = (similarity · f / F) / A",
        (
            similarity,
            count(frequency, "times the pattern was learned"),
            count(ensemble_frequency, "frequencies of the ensemble, summed"),
            support,
        ),
    )
