"""
Why a prediction is what it is: how it lies on the memory token by token, every metric as a tree of what it was made of, down to
counts in the memory, and where it stands among the others.

The trees are built by the functions beside each formula, from the same match and the same ensemble that the values
came from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kato.engine.alignment import flat
from kato.engine.event import Event
from kato.engine.explanation import Explanation, count
from kato.engine.measuring import Ensemble, Match, Node, ensemble_of
from kato.engine.members import Members
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
from kato.engine.prediction import Prediction
from kato.engine.settings import EngineSettings
from kato.engine.standing import Standing, ranking_standing, selection_standing
from kato.engine.token_alignment import AlignedToken, token_alignment

Trees = dict[str, Explanation]


@dataclass(frozen=True, slots=True)
class Explained:
    """How one prediction came about."""

    prediction: Prediction
    alignment: tuple[AlignedToken, ...]
    metrics: Mapping[str, Explanation]
    """Each number as a tree of what it was made of."""
    selection: Standing
    """Among the ensemble, by which it was chosen for it."""
    ranking: Standing
    """Among the ensemble, in the order in which predictions are returned."""


def explain(
    members: Members,
    ranked: Sequence[Prediction],
    shown: Sequence[int],
    events: Sequence[Event],
    node: Node,
    settings: EngineSettings,
) -> dict[tuple[Event, ...], Explained]:
    """
    How some predictions came about, by their pattern's events, in ranking order.

    Only these, and those that stand next to them in order of selection, are compared with the memory.

    Args:
        members: The ensemble.
        ranked: The predictions of all its members, in ranking order.
        shown: Indices of those to explain, ascending.
        events: The memory as observed.
        node: Knows the symbols of the memory and of what is explained.
    """
    algorithm = settings.rank_sort_algo
    ensemble = ensemble_of([(each.frequency, each.metrics.similarity, each.future) for each in ranked])
    unit = "symbols" if settings.use_token_matching else "characters"
    found: dict[tuple[Event, ...], Explained] = {}
    for rank in shown:
        prediction = ranked[rank]
        place = members.places[prediction.events]
        match = members[place]
        found[match.events] = Explained(
            prediction,
            token_alignment(match.events, events, match.blocks, match.likeness),
            _trees(match, flat(prediction.present), prediction.future, node, ensemble, unit),
            selection_standing(members, place, algorithm),
            ranking_standing(ranked, rank, algorithm),
        )
    return found


def explained(ranked: Sequence[Prediction], settings: EngineSettings, only: tuple[Event, ...] | None) -> list[int]:
    """Indices of those to explain: those that are returned; or one member alone, wherever it ranks, if it is one."""
    if only is None:
        return list(range(min(settings.max_predictions, len(ranked))))
    return [rank for rank, prediction in enumerate(ranked) if prediction.events == only]


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
