"""
Why a prediction has its numbers: every metric as a tree of what it was made of, down to counts in the memory.

The trees are built by the functions beside each formula, from the same match and the same ensemble that the values
came from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from kato.engine.alignment import align, flat
from kato.engine.event import Event
from kato.engine.explanation import Explanation
from kato.engine.measuring import Ensemble, Match, Node, ensemble_of
from kato.engine.metrics.bayesian import explain_posterior, explain_prior
from kato.engine.metrics.confidence import explain_confidence
from kato.engine.metrics.confluence import chance, explain_confluence
from kato.engine.metrics.entropy import (
    explain_entropy,
    explain_global_normalized_entropy,
    explain_normalized_entropy,
)
from kato.engine.metrics.evidence import explain_evidence
from kato.engine.metrics.fragmentation import explain_fragmentation, explain_phi
from kato.engine.metrics.itfdf import cosine, explain_itfdf_similarity
from kato.engine.metrics.potential import explain_potential
from kato.engine.metrics.predictive_information import explain_predictive_information
from kato.engine.metrics.similarity import explain_similarity
from kato.engine.metrics.snr import explain_snr
from kato.engine.metrics.tfidf import explain_tfidf_score
from kato.engine.metrics.weighted import explain_ratio
from kato.engine.settings import EngineSettings

Trees = dict[str, Explanation]


def explain(
    matches: Sequence[Match], events: Sequence[Event], node: Node, settings: EngineSettings
) -> list[tuple[Match, Trees]]:
    """
    The trees of an ensemble's members, in the order of `matches`.

    Args:
        matches: All members, as given to `measuring.measure`.
        events: The memory as observed.
    """
    alignments = [align(match.events, events, match.blocks) for match in matches]
    ensemble = ensemble_of(matches, alignments)
    unit = "symbols" if settings.use_token_matching else "characters"
    return [
        (match, _trees(match, flat(alignment.present), alignment.future, node, ensemble, unit))
        for match, alignment in zip(matches, alignments, strict=True)
    ]


def _trees(
    match: Match,
    present: Sequence[str],
    future: tuple[Event, ...],
    node: Node,
    ensemble: Ensemble,
    unit: str,
) -> Trees:
    counts = Counter(present)
    probabilities = {symbol: node.probability(symbol) for symbol in counts}
    frequency, whole = match.frequency, ensemble.frequency
    blocks = len(match.blocks)
    similarity = explain_similarity(*match.compared, unit)
    prior = explain_prior(frequency, whole)
    itfdf = explain_itfdf_similarity(cosine(Counter(match.read), counts, probabilities), frequency, whole)
    trees: Trees = {
        "similarity": similarity,
        "evidence": explain_evidence(match.aligned, len(match.tokens)),
        "confidence": explain_confidence(match.aligned, len(present)),
        "snr": explain_snr(match.aligned, len(match.read) - match.aligned),
        "fragmentation": explain_fragmentation(blocks),
        "phi": explain_phi(blocks),
        "entropy": explain_entropy(counts),
        "normalized_entropy": explain_normalized_entropy(counts, node.totals.symbols),
        "global_normalized_entropy": explain_global_normalized_entropy(probabilities, node.totals.symbols),
        "itfdf_similarity": itfdf,
        "tfidf_score": explain_tfidf_score(counts, node.members, node.totals.patterns),
        "confluence": explain_confluence(
            frequency, node.totals.frequency, chance([probabilities[symbol] for symbol in present])
        ),
        "predictive_information": explain_predictive_information(
            similarity, frequency, whole, ensemble.support[future][1] if future else 0.0
        ),
        "bayesian_prior": prior,
        "bayesian_likelihood": similarity,
        "bayesian_posterior": explain_posterior(similarity, prior, ensemble.evidence),
        "pattern_probability": prior,
        "weighted_strength": Explanation(
            similarity.value * prior.value, "weighted_strength = similarity · prior", (similarity, prior)
        ),
    }
    weighted = _weighted(match)
    entering: Mapping[str, Explanation] = {name.removeprefix("weighted_"): tree for name, tree in weighted.items()}
    terms = {**trees, **entering}
    trees["potential"] = explain_potential(terms["evidence"], terms["confidence"], terms["snr"], itfdf, trees["phi"])
    return {**trees, **weighted}


def _weighted(match: Match) -> Trees:
    if match.weighted_similarity is None:
        return {}
    matches, extras, memory, pattern, present = match.weight_sums
    found = {
        "weighted_similarity": (match.weighted_similarity, {"matches": matches, "memory": memory, "pattern": pattern}),
        "weighted_evidence": (match.weighted_evidence, {"matches": matches, "pattern": pattern}),
        "weighted_confidence": (match.weighted_confidence, {"matches": matches, "present": present}),
        "weighted_snr": (match.weighted_snr, {"matches": matches, "extras": extras}),
    }
    return {name: explain_ratio(name, value or 0.0, **sums) for name, (value, sums) in found.items()}
