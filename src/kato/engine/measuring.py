"""
From matches to predictions: what the ensemble says of each of its members.

Whoever found the matches, the numbers are made here from counts, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kato.engine.alignment import Alignment, Block, align, flat
from kato.engine.event import Event, Symbol
from kato.engine.exact import total
from kato.engine.filtering import Measured
from kato.engine.knowledge import Totals
from kato.engine.metrics.aggregate_potential import aggregate_potential
from kato.engine.metrics.bayesian import posterior, prior
from kato.engine.metrics.confluence import chance, confluence
from kato.engine.metrics.entropy import entropy, global_normalized_entropy, normalized_entropy
from kato.engine.metrics.itfdf import cosine, itfdf_similarity
from kato.engine.metrics.potential import potential
from kato.engine.metrics.predictive_information import predictive_information
from kato.engine.metrics.probability import probability
from kato.engine.metrics.tfidf import tfidf_score
from kato.engine.pattern import Pattern, emotive_means
from kato.engine.prediction import (
    Anomaly,
    FuturePotential,
    Metrics,
    Prediction,
    Predictions,
    SymbolPotential,
)
from kato.engine.ranking import ranking_order
from kato.engine.settings import EngineSettings

_NAMED = 100
"""Patterns named per potential."""


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern as it lies on the memory: what depends on these two alone."""

    pattern: Pattern
    tokens: tuple[Symbol, ...]
    read: tuple[Symbol, ...]
    """The flat memory as this pattern reads it."""
    likeness: Mapping[int, float]
    """At positions of the memory read differently: how alike the two tokens are."""
    blocks: tuple[Block, ...]
    similarity: float
    compared: tuple[int, int, int]
    """What similarity was made of: common, pattern, memory; in tokens, or in characters."""
    aligned: int
    evidence: float
    confidence: float
    snr: float
    fragmentation: int
    phi: float
    weighted_similarity: float | None
    weighted_evidence: float | None
    weighted_confidence: float | None
    weighted_snr: float | None
    weight_sums: tuple[float, float, float, float, float]
    """Σ weights of matches, extras, memory, pattern, present; zeros without affinity."""
    quality: float
    present_span: tuple[int, int]
    """Where the present begins and ends in the flat pattern."""
    facts: Measured

    @property
    def name(self) -> str:
        """The pattern's bare name."""
        return self.pattern.name

    @property
    def events(self) -> tuple[Event, ...]:
        """The pattern's events."""
        return self.pattern.events

    @property
    def frequency(self) -> int:
        """How often the pattern was learned."""
        return self.pattern.frequency


@dataclass(frozen=True, slots=True)
class Node:
    """What the measures need to know of the whole node."""

    totals: Totals
    members: Mapping[Symbol, int]
    """Patterns that hold each symbol."""
    felt: Callable[[Symbol], tuple[float, int]] | None = None
    """A symbol's affinity for the emotive that weights the metrics, and its frequency; None where none does."""

    def probabilities(self, symbols: Iterable[Symbol]) -> dict[Symbol, float]:
        """For each symbol the share of patterns that hold it; 0 for an unknown one."""
        return {symbol: probability(self.members.get(symbol, 0), self.totals.patterns) for symbol in symbols}


@dataclass(frozen=True, slots=True)
class Support:
    """What speaks for one future."""

    weight: float
    """W, Σ f · similarity of the members that have it."""
    aggregate_potential: float
    """A, its share of the W of all futures."""
    supporters: int


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What the members of the ensemble share."""

    frequency: int
    """F, the sum of their frequencies."""
    evidence: float
    """Σ similarity · prior."""
    support: Mapping[tuple[Event, ...], Support]
    """By future; no entry for the empty one."""
    whole: float
    """ΣW over all futures."""
    size: int


def ensemble_of(members: Sequence[tuple[int, float, tuple[Event, ...]]]) -> Ensemble:
    """
    The quantities of an ensemble. Sums are exactly rounded, so the order of its members does not matter.

    Args:
        members: (frequency, similarity, future) each.
    """
    whole_frequency = sum(frequency for frequency, _, _ in members)
    evidence = total(similarity * prior(frequency, whole_frequency) for frequency, similarity, _ in members)
    weights: dict[tuple[Event, ...], list[float]] = {}
    for frequency, similarity, future in members:
        if future:
            weights.setdefault(future, []).append(frequency * similarity)
    sums = {future: total(values) for future, values in weights.items()}
    whole = total(sums.values())
    support = {
        future: Support(weight, aggregate_potential(weight, whole), len(weights[future]))
        for future, weight in sums.items()
    }
    return Ensemble(whole_frequency, evidence, support, whole, len(members))


def measure(
    matches: Sequence[Match],
    events: Sequence[Event],
    node: Node,
    settings: EngineSettings,
) -> Predictions:
    """
    The predictions of an ensemble.

    Args:
        matches: The ensemble's members, in any order.
        events: The memory as observed.
    """
    alignments = [align(match.events, events, match.blocks) for match in matches]
    ensemble = ensemble_of(
        [
            (match.frequency, match.similarity, alignment.future)
            for match, alignment in zip(matches, alignments, strict=True)
        ]
    )
    members = [
        _prediction(match, alignment, events, node, ensemble)
        for match, alignment in zip(matches, alignments, strict=True)
    ]
    members.sort(key=lambda member: ranking_order(member, settings.rank_sort_algo))
    return Predictions(
        ranked=tuple(members[: settings.max_predictions]),
        future_potentials=_future_potentials(members, ensemble),
        symbol_potentials=_symbol_potentials(members),
        considered=node.totals.patterns,
        ensemble_size=len(members),
        examined=node.totals.patterns,
    )


def _prediction(
    match: Match, alignment: Alignment, events: Sequence[Event], node: Node, ensemble: Ensemble
) -> Prediction:
    present = flat(alignment.present)
    counts, observed = Counter(present), Counter(match.read)
    probabilities = node.probabilities(counts)
    weighted = match.weighted_evidence is not None
    cos = cosine(observed, counts, {**probabilities, **node.probabilities(observed)})
    itfdf = itfdf_similarity(cos, match.frequency, ensemble.frequency)
    of_prior = prior(match.frequency, ensemble.frequency)
    support = ensemble.support[alignment.future].aggregate_potential if alignment.future else 0.0
    entering = (match.evidence, match.confidence, match.snr)
    if weighted:
        assert match.weighted_evidence is not None
        assert match.weighted_confidence is not None
        assert match.weighted_snr is not None
        entering = (match.weighted_evidence, match.weighted_confidence, match.weighted_snr)
    metrics = Metrics(
        similarity=match.similarity,
        evidence=match.evidence,
        confidence=match.confidence,
        snr=match.snr,
        fragmentation=match.fragmentation,
        phi=match.phi,
        entropy=entropy(counts),
        normalized_entropy=normalized_entropy(counts, node.totals.symbols),
        global_normalized_entropy=global_normalized_entropy(probabilities, node.totals.symbols),
        itfdf_similarity=itfdf,
        tfidf_score=tfidf_score(counts, node.members, node.totals.patterns),
        confluence=confluence(
            match.frequency, node.totals.frequency, chance([probabilities[symbol] for symbol in present])
        ),
        predictive_information=predictive_information(match.similarity, match.frequency, ensemble.frequency, support),
        potential=potential(*entering, itfdf, match.phi),
        bayesian_prior=of_prior,
        bayesian_likelihood=match.similarity,
        bayesian_posterior=posterior(match.similarity, of_prior, ensemble.evidence),
        pattern_probability=of_prior,
        weighted_strength=match.similarity * of_prior,
        weighted_similarity=match.weighted_similarity,
        weighted_evidence=match.weighted_evidence,
        weighted_confidence=match.weighted_confidence,
        weighted_snr=match.weighted_snr,
    )
    return Prediction(
        name=match.name,
        events=match.events,
        frequency=match.frequency,
        length=len(match.tokens),
        matches=alignment.matches,
        past=alignment.past,
        present=alignment.present,
        future=alignment.future,
        missing=alignment.missing,
        extras=alignment.extras,
        anomalies=_anomalies(match, flat(events)),
        emotives=emotive_means(match.pattern.emotives),
        metadata=match.pattern.metadata,
        blocks=match.blocks,
        metrics=metrics,
    )


def _anomalies(match: Match, observed: Sequence[Symbol]) -> tuple[Anomaly, ...]:
    if not match.likeness:
        return ()
    positions = sorted(block.memory_start + step for block in match.blocks for step in range(block.length))
    return tuple(
        Anomaly(observed[position], match.read[position], match.likeness[position])
        for position in positions
        if position in match.likeness
    )


def _future_potentials(members: Sequence[Prediction], ensemble: Ensemble) -> tuple[FuturePotential, ...]:
    supporters: dict[tuple[Event, ...], list[Prediction]] = {}
    for member in members:
        if member.future:
            supporters.setdefault(member.future, []).append(member)
    found = [
        FuturePotential(
            future=future,
            aggregate_potential=ensemble.support[future].aggregate_potential,
            supporting_patterns=len(group),
            total_weighted_frequency=ensemble.support[future].weight,
            total_potential=total(member.metrics.potential for member in group),
            patterns=tuple(member.name for member in group[:_NAMED]),
        )
        for future, group in supporters.items()
    ]
    found.sort(key=lambda each: (-each.aggregate_potential, -each.supporting_patterns, each.future))
    return tuple(found)


def _symbol_potentials(members: Sequence[Prediction]) -> tuple[SymbolPotential, ...]:
    supporters: dict[Symbol, list[Prediction]] = {}
    for member in members:
        for symbol in dict.fromkeys(flat(member.future)):
            supporters.setdefault(symbol, []).append(member)
    found = [
        SymbolPotential(
            symbol=symbol,
            total_potential=total(member.metrics.potential for member in group),
            prediction_count=len(group),
            patterns=tuple(member.name for member in group[:_NAMED]),
        )
        for symbol, group in supporters.items()
    ]
    found.sort(key=lambda each: (-each.total_potential, each.symbol))
    return tuple(found)
