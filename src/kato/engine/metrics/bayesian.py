"""Prior and posterior of a pattern within the ensemble."""

from __future__ import annotations

from kato.engine.explanation import Explanation, count


def prior(frequency: int, ensemble_frequency: int) -> float:
    """
    f / F: the pattern's share of the ensemble's frequencies.

    Source: docs/metrics.md#bayesian_prior

    >>> prior(1, 4)
    0.25
    """
    return frequency / ensemble_frequency


def posterior(similarity: float, prior_: float, evidence: float) -> float:
    """
    similarity · prior / evidence, the evidence being the sum of that over the ensemble; 0 if it is 0.

    Source: docs/metrics.md#bayesian_posterior

    >>> posterior(0.5, 0.5, 0.5), posterior(0.0, 0.5, 0.0)
    (0.5, 0.0)
    """
    return similarity * prior_ / evidence if evidence else 0.0


def explain_prior(frequency: int, ensemble_frequency: int) -> Explanation:
    """The prior and its counts."""
    parts = (
        count(frequency, "times the pattern was learned"),
        count(ensemble_frequency, "frequencies of the ensemble, summed"),
    )
    return Explanation(prior(frequency, ensemble_frequency), "prior = f / F", parts)


def explain_posterior(similarity: Explanation, prior_: Explanation, evidence: float, members: int) -> Explanation:
    """The posterior and what it was made of; `members` is how many the ensemble has."""
    whole = Explanation(evidence, "Σ similarity · prior over the ensemble", (count(members, "members"),))
    value = posterior(similarity.value, prior_.value, evidence)
    return Explanation(value, "posterior = similarity · prior / Σ", (similarity, prior_, whole))
