"""
Why a prediction is what it is: how it lies on the memory token by token, every metric as a tree of what it was made of, down to
counts in the memory, and where it stands among the others.

The trees are built by the functions beside each formula, from the same match and the same ensemble that the values
came from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kato.engine.alignment import align, flat
from kato.engine.event import Event
from kato.engine.explanation import Explanation, count
from kato.engine.measuring import Ensemble, Match, Node, ensemble_of, measure
from kato.engine.metrics.aggregate_potential import explain_aggregate_potential
from kato.engine.metrics.bayesian import explain_posterior, explain_prior
from kato.engine.metrics.confidence import explain_confidence
from kato.engine.metrics.confluence import explain_chance, explain_confluence
from kato.engine.metrics.entropy import (
    explain_entropy,
    explain_global_normalized_entropy,
    explain_normalized_entropy,
)
from kato.engine.metrics.evidence import explain_evidence
from kato.engine.metrics.fragmentation import explain_fragmentation, explain_phi
from kato.engine.metrics.itfdf import explain_cosine, explain_itfdf_similarity
from kato.engine.metrics.potential import explain_potential
from kato.engine.metrics.predictive_information import explain_predictive_information
from kato.engine.metrics.probability import explain_probability
from kato.engine.metrics.similarity import explain_similarity
from kato.engine.metrics.snr import explain_snr
from kato.engine.metrics.tfidf import explain_tfidf_score
from kato.engine.metrics.weighted import (
    explain_sum,
    explain_weight,
    explain_weighted_confidence,
    explain_weighted_evidence,
    explain_weighted_similarity,
    explain_weighted_snr,
)
from kato.engine.ranking import selection_order
from kato.engine.settings import EngineSettings
from kato.engine.standing import Standing, ranking_standing, selection_standing
from kato.engine.token_alignment import AlignedToken, token_alignment

Trees = dict[str, Explanation]


@dataclass(frozen=True, slots=True)
class Explained:
    """How one prediction came about."""

    alignment: tuple[AlignedToken, ...]
    metrics: Mapping[str, Explanation]
    """Each number as a tree of what it was made of."""
    selection: Standing
    """Among the ensemble, by which it was chosen for it."""
    ranking: Standing
    """Among the ensemble, in the order in which predictions are returned."""


def explain(
    matches: Sequence[Match],
    events: Sequence[Event],
    node: Node,
    settings: EngineSettings,
    only: tuple[Event, ...] | None = None,
) -> dict[tuple[Event, ...], Explained]:
    """
    How the predictions that are returned came about, by their pattern's events, in ranking order.

    Args:
        matches: All members of the ensemble, as given to `measuring.measure`.
        events: The memory as observed.
        only: Of this member alone, wherever it ranks; of none where it is no member.
    """
    algorithm = settings.rank_sort_algo
    selected = sorted(matches, key=lambda match: selection_order(match, algorithm))
    places = {match.events: place for place, match in enumerate(selected)}
    alignments = [align(match.events, events, match.blocks) for match in selected]
    ensemble = ensemble_of(selected, alignments)
    ranked = measure(selected, events, node, replace(settings, max_predictions=max(1, len(selected)))).ranked
    unit = "symbols" if settings.use_token_matching else "characters"
    found: dict[tuple[Event, ...], Explained] = {}
    for rank, prediction in enumerate(ranked):
        if rank >= settings.max_predictions if only is None else prediction.events != only:
            continue
        place = places[prediction.events]
        match, alignment = selected[place], alignments[place]
        found[match.events] = Explained(
            token_alignment(match.events, events, match.blocks, match.likeness),
            _trees(match, flat(alignment.present), alignment.future, node, ensemble, unit),
            selection_standing(selected, place, algorithm),
            ranking_standing(ranked, rank, algorithm),
        )
    return found


def _trees(
    match: Match,
    present: Sequence[str],
    future: tuple[Event, ...],
    node: Node,
    ensemble: Ensemble,
    unit: str,
) -> Trees:
    counts, observed = Counter(present), Counter(match.read)
    shares = {
        symbol: explain_probability(symbol, node.members.get(symbol, 0), node.totals.patterns)
        for symbol in (*counts, *(symbol for symbol in observed if symbol not in counts))
    }
    of_present = {symbol: shares[symbol] for symbol in counts}
    frequency, whole = match.frequency, ensemble.frequency
    blocks = len(match.blocks)
    similarity = explain_similarity(*match.compared, unit)
    prior = explain_prior(frequency, whole)
    itfdf = explain_itfdf_similarity(explain_cosine(observed, counts, shares), frequency, whole)
    trees: Trees = {
        "similarity": similarity,
        "evidence": explain_evidence(match.aligned, len(match.tokens)),
        "confidence": explain_confidence(match.aligned, len(present)),
        "snr": explain_snr(match.aligned, len(match.read) - match.aligned),
        "fragmentation": explain_fragmentation(blocks),
        "phi": explain_phi(blocks),
        "entropy": explain_entropy(counts),
        "normalized_entropy": explain_normalized_entropy(counts, node.totals.symbols),
        "global_normalized_entropy": explain_global_normalized_entropy(of_present, node.totals.symbols),
        "itfdf_similarity": itfdf,
        "tfidf_score": explain_tfidf_score(counts, node.members, node.totals.patterns),
        "confluence": explain_confluence(frequency, node.totals.frequency, explain_chance(present, shares)),
        "predictive_information": explain_predictive_information(
            similarity, frequency, whole, _support(future, ensemble)
        ),
        "bayesian_prior": prior,
        "bayesian_likelihood": similarity,
        "bayesian_posterior": explain_posterior(similarity, prior, ensemble.evidence, ensemble.size),
        "pattern_probability": prior,
        "weighted_strength": Explanation(
            similarity.value * prior.value, "weighted_strength = similarity · prior", (similarity, prior)
        ),
    }
    weighted = _weighted(match, present, node)
    entering: Mapping[str, Explanation] = {name.removeprefix("weighted_"): tree for name, tree in weighted.items()}
    terms = {**trees, **entering}
    trees["potential"] = explain_potential(terms["evidence"], terms["confidence"], terms["snr"], itfdf, trees["phi"])
    return {**trees, **weighted}


def _support(future: tuple[Event, ...], ensemble: Ensemble) -> Explanation:
    if not future:
        return count(0, "events in the future")
    support = ensemble.support[future]
    return explain_aggregate_potential(support.weight, ensemble.whole, support.supporters)


def _weighted(match: Match, present: Sequence[str], node: Node) -> Trees:
    if node.felt is None:
        return {}
    observed, learned = Counter(match.read), Counter(match.tokens)
    weights = {symbol: explain_weight(symbol, *node.felt(symbol)) for symbol in (*learned, *observed)}
    in_blocks = Counter(match.read[block.memory_start + step] for block in match.blocks for step in range(block.length))
    of_matches, of_extras, of_memory, of_pattern, of_present = match.weight_sums
    matches = explain_sum("matches", of_matches, in_blocks, weights)
    extras = explain_sum("extras", of_extras, observed - in_blocks, weights)
    memory = explain_sum("memory", of_memory, observed, weights)
    pattern = explain_sum("pattern", of_pattern, learned, weights)
    of_the_present = explain_sum("present", of_present, Counter(present), weights)
    return {
        "weighted_similarity": explain_weighted_similarity(matches, memory, pattern),
        "weighted_evidence": explain_weighted_evidence(matches, pattern),
        "weighted_confidence": explain_weighted_confidence(matches, of_the_present),
        "weighted_snr": explain_weighted_snr(matches, extras),
    }
