"""Signal-to-noise ratio: what the pattern explains against what it does not."""

from __future__ import annotations

from kato.engine.explanation import Explanation, count


def snr(matches: int, extras: int) -> float:
    """
    (2·matches − extras) / (2·matches + extras); from −1 (all noise) to 1 (all signal), 0 when both are 0.

    Source: docs/metrics.md#snr

    >>> snr(1, 3), snr(0, 0)
    (-0.2, 0.0)
    """
    if not matches and not extras:
        return 0.0
    return (2 * matches - extras) / (2 * matches + extras) + 0.0


def explain_snr(matches: int, extras: int) -> Explanation:
    """The ratio and its counts."""
    parts = (count(matches, "matches"), count(extras, "extras"))
    return Explanation(snr(matches, extras), "snr = (2 · matches − extras) / (2 · matches + extras)", parts)
