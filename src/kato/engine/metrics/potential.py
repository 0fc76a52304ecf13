"""Potential: the number predictions are ranked by, unless another is asked for."""

from __future__ import annotations

from kato.engine.explanation import Explanation


def quality(evidence: float, confidence: float, snr: float, phi: float) -> float:
    """
    (evidence + confidence) · snr + φ: what a match is worth before anything is known of the others.

    >>> quality(0.5, 0.5, 1.0, 1.0)
    2.0
    """
    return (evidence + confidence) * snr + phi


def potential(evidence: float, confidence: float, snr: float, itfdf: float, phi: float) -> float:
    """
    (evidence + confidence) · snr + itfdf + φ.

    Source: docs/metrics.md#potential

    >>> potential(0.5, 0.5, 1.0, 1.0, 1.0)
    3.0
    """
    return (evidence + confidence) * snr + itfdf + phi


def explain_potential(
    evidence: Explanation, confidence: Explanation, snr: Explanation, itfdf: Explanation, phi: Explanation
) -> Explanation:
    """The potential and its terms."""
    return Explanation(
        potential(evidence.value, confidence.value, snr.value, itfdf.value, phi.value),
        "potential = (evidence + confidence) · snr + itfdf_similarity + phi",
        (evidence, confidence, snr, itfdf, phi),
    )
