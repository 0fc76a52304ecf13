"""Confluence: how often the pattern was learned, and how unlikely its present is by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kato.engine.event import Symbol
from kato.engine.explanation import Explanation, count


def chance(probabilities: Sequence[float]) -> float:
    """The product of the symbols' probabilities, in the order of the present, each occurrence."""
    product = 1.0
    for probability in probabilities:
        product *= probability
    return product


def confluence(frequency: int, node_frequency: int, by_chance: float) -> float:
    """
    f / Σf · (1 − chance); 0–1.

    Source: docs/metrics.md#confluence

    >>> confluence(1, 2, 0.25)
    0.375
    """
    return frequency / node_frequency * (1 - by_chance)


def explain_chance(present: Sequence[Symbol], shares: Mapping[Symbol, Explanation]) -> Explanation:
    """The product and its factors, in the order of the present."""
    factors = tuple(shares[symbol] for symbol in present)
    return Explanation(chance([factor.value for factor in factors]), "chance = Π p over the present", factors)


def explain_confluence(frequency: int, node_frequency: int, by_chance: Explanation) -> Explanation:
    """The confluence and what it was made of."""
    return Explanation(
        confluence(frequency, node_frequency, by_chance.value),
        "confluence = f / Σf · (1 − chance)",
        (
            count(frequency, "times the pattern was learned"),
            count(node_frequency, "frequencies of the whole node, summed"),
            by_chance,
        ),
    )
