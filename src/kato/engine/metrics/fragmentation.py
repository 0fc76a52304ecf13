"""Fragmentation and φ: in how many runs the matches lie."""

from __future__ import annotations

from kato.engine.explanation import Explanation, count


def fragmentation(blocks: int) -> int:
    """
    Breaks between runs of matches: blocks − 1; −1 when nothing aligned.

    Source: docs/metrics.md#fragmentation

    >>> fragmentation(3), fragmentation(0)
    (2, -1)
    """
    return blocks - 1


def phi(blocks: int) -> float:
    """
    One over the blocks; 0 when nothing aligned.

    Source: docs/metrics.md#phi

    >>> phi(2), phi(0)
    (0.5, 0.0)
    """
    return 1 / blocks if blocks else 0.0


def explain_fragmentation(blocks: int) -> Explanation:
    """The fragmentation and its count."""
    return Explanation(fragmentation(blocks), "fragmentation = blocks − 1", (count(blocks, "blocks"),))


def explain_phi(blocks: int) -> Explanation:
    """φ and its count."""
    return Explanation(phi(blocks), "phi = 1 / blocks", (count(blocks, "blocks"),))
