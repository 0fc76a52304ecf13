"""Answers that predict."""

from __future__ import annotations

from collections.abc import Mapping

from kato.wire.answers import NUMBERS
from kato.wire.schemas.parts import (
    A_NAME,
    AT,
    EMOTIVES,
    EVENT,
    EVENTS,
    FOLDED,
    IN_SESSION,
    NODE,
    PATTERN_ID,
    Schema,
    answer,
    boolean,
    constant,
    integer,
    listed,
    mapping,
    named,
    nullable,
    number,
    record,
    text,
)

_MEANING: Mapping[str, str] = {
    "similarity": "Likeness of the whole pattern and the memory.",
    "evidence": "How much of the pattern was observed.",
    "confidence": "How much of the present was observed.",
    "snr": "What the pattern explains against what it does not, -1 to 1.",
    "fragmentation": "Into how many blocks the match falls apart.",
    "entropy": "Information in the present, in bits.",
    "normalized_entropy": "The same over the symbols of the present.",
    "global_normalized_entropy": "The same over all symbols of the node.",
    "itfdf_similarity": "Distance to what the ensemble shares.",
    "tfidf_score": "How characteristic the matched symbols are.",
    "confluence": "How unlikely the present is by chance.",
    "predictive_information": "What the future tells of the past within the ensemble.",
    "potential": "The ranking number that sums up the others.",
    "bayesian_prior": "Share of the pattern's frequency in the ensemble.",
    "bayesian_likelihood": "Likelihood of the memory given the pattern.",
    "bayesian_posterior": "Probability of the pattern given the memory.",
    "pattern_probability": "Share of the pattern's frequency in the node.",
    "weighted_strength": "Strength of the emotive that weights; 0 without `affinity_emotive`.",
    "weighted_similarity": "Similarity under the emotive's weights; null without `affinity_emotive`.",
    "weighted_evidence": "Evidence under the emotive's weights; null without `affinity_emotive`.",
    "weighted_confidence": "Confidence under the emotive's weights; null without `affinity_emotive`.",
    "weighted_snr": "SNR under the emotive's weights; null without `affinity_emotive`.",
}
_MAY_BE_NULL = {"weighted_similarity", "weighted_evidence", "weighted_confidence", "weighted_snr"}
_NUMBERS: dict[str, Schema] = {
    name: nullable(number(_MEANING[name], 0.5)) if name in _MAY_BE_NULL else number(_MEANING[name], 0.5)
    for name in NUMBERS
}
_FREQUENCY = integer("How often the pattern was learned.", minimum=1)

METRICS = record("All numbers once more, with `frequency`.", {**_NUMBERS, "frequency": _FREQUENCY})
ANOMALY = record(
    "A symbol read as another.",
    {
        "observed": text("As observed.", "kettel"),
        "expected": text("As learned.", "kettle"),
        "similarity": number("Their likeness.", 0.83),
    },
)
TREE: Schema = record(
    "A number, what it means, and what it was made of.",
    {
        "value": {"type": ["number", "null"], "description": "The number.", "examples": [0.5]},
        "reason": text("What it means.", "matched symbols / symbols of the present"),
        "parts": listed(named("Explanation"), "The numbers it was made of.", examples=[[]]),
    },
)
_NEIGHBOUR = record(
    "What stands next to it.",
    {
        "pattern_name": PATTERN_ID,
        "value": number("By which both are ordered.", 1.5),
        "decided_by": text("The first key in which they differ.", "potential"),
    },
)
STANDING: Schema = record(
    "A place in an order: the selection of the ensemble, or the ranking within it.",
    {
        "place": integer("From 1, the best.", minimum=1),
        "of": integer("How many there are.", 12, minimum=1),
        "key": text("The number by which they are ordered.", "potential"),
        "value": number("That number.", 1.5),
        "above": {"anyOf": [_NEIGHBOUR, {"type": "null"}], "description": "The one that just beat it."},
        "below": {"anyOf": [_NEIGHBOUR, {"type": "null"}], "description": "The one that it just beat."},
    },
)
_POSITION = nullable(integer("From 0; null where it is not there.", 0))
ALIGNMENT = listed(
    record(
        "A symbol of the pattern, of the memory, or of both.",
        {
            "kind": constant("What it is.", "past", "match", "fuzzy", "missing", "extra", "future"),
            "stm_position": _POSITION,
            "stm_event": _POSITION,
            "pattern_position": _POSITION,
            "pattern_event": _POSITION,
            "observed": nullable(text("The symbol of the memory.", "kettle")),
            "expected": nullable(text("The symbol of the pattern.", "kettle")),
            "likeness": nullable(number("Of the two, 1 for the same symbol.", 1.0)),
        },
    ),
    "Every symbol of pattern and memory, each once, in reading order. Positions are over all symbols.",
)
PROVENANCE: Schema = record(
    "What made the pattern what it is.",
    {
        "entries": listed(named("HistoryEntry"), "The newest first, at most 10."),
        "has_more": boolean("Whether there are older ones."),
        "next_cursor": nullable(text("Goes on in the node's history of this pattern.", "WzEyXQ")),
        "total": integer("How many there are, counted up to 10,000.", 3),
        "total_is_exact": boolean("Whether there are just so many."),
    },
)
EXPLANATION = record(
    "How a prediction came about.",
    {
        "rank": integer("Its place, from 1.", minimum=1),
        "blocks": listed(
            record(
                "An unbroken run of matches.",
                {
                    "pattern_start": integer("Position in the pattern's symbols.", 0),
                    "stm_start": integer("Position in the memory's symbols.", 0),
                    "length": integer("Symbols.", 2),
                },
            ),
            "In order.",
        ),
        "terms": record(
            "What enters `potential`.",
            {
                name: nullable(number("A term.", 0.5))
                for name in ("evidence", "confidence", "snr", "itfdf_similarity", "phi")
            },
        ),
        "metrics": mapping(named("Explanation"), "Each number as a tree.", key="confidence"),
        "alignment": ALIGNMENT,
        "selection": named("Standing"),
        "ranking": named("Standing"),
        "provenance": named("Provenance"),
    },
    optional=("provenance",),
)
PREDICTION = record(
    "A pattern, as it lies on the short-term memory.",
    {
        "type": constant("Always the same.", "prototypical"),
        "name": text("The pattern's bare name.", A_NAME, pattern="^[0-9a-f]{40}$"),
        "pattern_name": PATTERN_ID,
        "frequency": _FREQUENCY,
        "length": integer("Symbols in the pattern.", 3, minimum=1),
        "matches": listed(text("A symbol.", "kettle"), "Symbols of the memory that were aligned, as observed."),
        "past": listed(EVENT, "The pattern before the match."),
        "present": listed(EVENT, "The pattern from the first match to the last."),
        "future": listed(EVENT, "The pattern after the match."),
        "missing": listed(EVENT, "Expected and not observed: one list per event of the present."),
        "extras": listed(EVENT, "Observed and not expected: one list per event of the memory."),
        "anomalies": listed(ANOMALY, "Symbols that were read as others."),
        "sequence": listed(EVENT, "The whole pattern."),
        "emotives": EMOTIVES,
        "metadata": FOLDED,
        **_NUMBERS,
        "metrics": METRICS,
        "explanation": EXPLANATION,
    },
    optional=("explanation",),
)
_SUPPORT: dict[str, Schema] = {
    "total_potential": number("Sum of the supporters' potential.", 1.5),
    "prediction_count": integer("Supporters."),
    "patterns": listed(text("A bare name.", A_NAME), "Up to 100 supporters, best first."),
}
FUTURE_POTENTIAL = record(
    "One future of the ensemble and what speaks for it.",
    {
        "future": EVENTS,
        "aggregate_potential": number("Potential of its supporters, summed up.", 1.5),
        "supporting_patterns": integer("How many they are."),
        "total_weighted_frequency": number("Their frequencies, weighted.", 1.5),
        "symbol": nullable(text("The first symbol of its first event.", "tea")),
        **_SUPPORT,
    },
)
SYMBOL_POTENTIAL = record(
    "One symbol of the ensemble's futures and what speaks for it.",
    {"symbol": text("The symbol.", "tea"), **_SUPPORT},
)
PREDICTED: dict[str, Schema] = {
    "predictions": listed(named("Prediction"), "In ranking order."),
    "future_potentials": listed(named("FuturePotential"), "The most potential first."),
    "symbol_potentials": listed(named("SymbolPotential"), "The most potential first."),
}
PREDICTIONS = answer(
    {
        **PREDICTED,
        "count": integer("How many predictions."),
        **IN_SESSION,
        "time": integer("Observations so far."),
        "unique_id": nullable(text("The observation they are for.", "obs-1")),
        "explain": record(
            "How they came about.",
            {
                "patterns_considered": integer("Patterns of the node."),
                "patterns_matched": integer("Those that passed threshold and filters."),
                "ensemble_size": integer("Those that ensemble quantities are taken over."),
                "returned": integer("Those in the answer."),
                "filters": listed(
                    record("A filter.", {"name": text("Its name.", "length"), "passed": integer("Matches after it.")}),
                    "In the order they were applied.",
                ),
                "settings": named("Configuration"),
            },
        ),
    },
    about="What comes next.",
    optional=("explain",),
)
_OUTCOMES = ("predicted", "beyond_limit", "beyond_ensemble", "filtered", "below_threshold")
EXPLAINED = answer(
    {
        "pattern_name": PATTERN_ID,
        "name": text("Its bare name.", A_NAME, pattern="^[0-9a-f]{40}$"),
        "outcome": constant(
            "What becomes of it: `beyond_limit` is in the ensemble and ranks behind `max_predictions`, `beyond_ensemble` "
            "matches and is not among the best, `filtered` and `below_threshold` do not match.",
            *_OUTCOMES,
        ),
        "matched": boolean("Whether it passed all checks."),
        "sentence": text("The outcome in words.", "It is prediction 1 of 4"),
        "checks": listed(
            record(
                "A condition of a match.",
                {
                    "name": text("`similarity`, `aligned`, or a filter.", "similarity"),
                    "passed": boolean("Whether it holds."),
                    "sentence": text("Why.", "similarity 0.8 is at least recall_threshold 0.1"),
                },
            ),
            "All of them, in order.",
        ),
        "similarity": named("Explanation"),
        "alignment": ALIGNMENT,
        "selection": nullable(named("Standing")),
        "prediction": nullable(named("Prediction")),
        "pattern": named("Pattern"),
        "provenance": named("Provenance"),
        "sequence": integer("The newest change that was known."),
        "config": named("Configuration"),
        **NODE,
        **AT,
    },
    about="What becomes of the pattern, and why.",
    optional=("at",),
)
