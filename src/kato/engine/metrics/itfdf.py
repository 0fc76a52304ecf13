"""ITFDF similarity: how alike memory and present are in the symbols that many patterns share."""

from __future__ import annotations

import math
from collections.abc import Mapping

from kato.engine.event import Symbol
from kato.engine.exact import total
from kato.engine.explanation import Explanation, count


def cosine(memory: Mapping[Symbol, int], present: Mapping[Symbol, int], probabilities: Mapping[Symbol, float]) -> float:
    """
    Cosine of the symbol counts, each weighted by its share of patterns; 0–1, and 0 when a side is 0.

    Symbols of the memory outside the present count too: they turn the memory away from it.

    Args:
        probabilities: Of every symbol of either; one it lacks counts as 0.

    Source: docs/metrics.md#itfdf_similarity

    >>> round(cosine({"a": 1, "c": 1}, {"a": 1}, {"a": 0.5, "c": 0.5}), 5)
    0.70711
    """
    common = total(
        (probabilities.get(symbol, 0.0) * n) * (probabilities.get(symbol, 0.0) * present[symbol])
        for symbol, n in memory.items()
        if symbol in present
    )
    memory_square = total(_square(probabilities.get(symbol, 0.0) * n) for symbol, n in memory.items())
    present_square = total(_square(probabilities.get(symbol, 0.0) * n) for symbol, n in present.items())
    if memory_square == 0.0 or present_square == 0.0:
        return 0.0
    return min(1.0, common / math.sqrt(memory_square * present_square))


def _square(weight: float) -> float:
    return weight * weight  # rounded once; `** 2` is the C library's pow, which may differ in the last place


def itfdf_similarity(cos: float, frequency: int, ensemble_frequency: int) -> float:
    """
    1 − (1 − cos)·f / F.

    Source: docs/metrics.md#itfdf_similarity

    >>> itfdf_similarity(0.5, 1, 2)
    0.75
    """
    return 1 - (1 - cos) * frequency / ensemble_frequency


def explain_cosine(
    memory: Mapping[Symbol, int], present: Mapping[Symbol, int], shares: Mapping[Symbol, Explanation]
) -> Explanation:
    """The cosine and, for every symbol of either side, its probability and its counts."""
    parts = tuple(
        Explanation(
            share.value,
            f"weight of {symbol!r}",
            (
                share,
                count(memory.get(symbol, 0), f"{symbol!r} in the memory"),
                count(present.get(symbol, 0), f"{symbol!r} in the present"),
            ),
        )
        for symbol, share in shares.items()
    )
    value = cosine(memory, present, {symbol: share.value for symbol, share in shares.items()})
    return Explanation(value, "cosine of memory and present, symbols weighted by their share of patterns", parts)


def explain_itfdf_similarity(cos: Explanation, frequency: int, ensemble_frequency: int) -> Explanation:
    """The similarity and what it was made of."""
    return Explanation(
        itfdf_similarity(cos.value, frequency, ensemble_frequency),
        "itfdf_similarity = 1 − (1 − cos) · f / F",
        (
            cos,
            count(frequency, "times the pattern was learned"),
            count(ensemble_frequency, "frequencies of the ensemble, summed"),
        ),
    )
