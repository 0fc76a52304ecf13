"""Aggregate potential of a future: its share of all that speaks for any future."""

from __future__ import annotations

from kato.engine.explanation import Explanation, count


def aggregate_potential(weight: float, whole: float) -> float:
    """
    A = W / ΣW, where W = Σ f · similarity over the members of the ensemble with that future; 0 if ΣW is 0.

    Source: docs/metrics.md#future_potentials

    >>> aggregate_potential(1.5, 2.0)
    0.75
    """
    return weight / whole if whole else 0.0


def explain_aggregate_potential(weight: float, whole: float, supporters: int) -> Explanation:
    """The potential and what it was made of."""
    return Explanation(
        aggregate_potential(weight, whole),
        "A = W / ΣW",
        (
            Explanation(
                weight,
                "W = Σ f · similarity over the members of the ensemble with this future",
                (count(supporters, "members with this future"),),
            ),
            Explanation(whole, "ΣW over all futures"),
        ),
    )
