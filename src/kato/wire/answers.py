"""
Values as the JSON objects that travel: what every answer of http-api.md looks like.

Only shapes live here. The functions take the engine's and the service's values and return dictionaries of plain JSON
values; members that exist twice for compatible clients are doubled here and nowhere else, but for `native/json_answers.cpp`: it
writes predictions as these functions would have them encoded, and tests compare the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from kato.wire.encoding import Written, encode_answer

if TYPE_CHECKING:
    from kato.engine.explaining import Explained
    from kato.engine.explanation import Explanation
    from kato.engine.pattern import Pattern
    from kato.engine.prediction import Prediction, Predictions
    from kato.engine.standing import Neighbour, Standing
    from kato.engine.token_alignment import AlignedToken

Json = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NUMBERS = (
    "similarity",
    "evidence",
    "confidence",
    "snr",
    "fragmentation",
    "entropy",
    "normalized_entropy",
    "global_normalized_entropy",
    "itfdf_similarity",
    "tfidf_score",
    "confluence",
    "predictive_information",
    "potential",
    "bayesian_prior",
    "bayesian_likelihood",
    "bayesian_posterior",
    "pattern_probability",
    "weighted_strength",
    "weighted_similarity",
    "weighted_evidence",
    "weighted_confidence",
    "weighted_snr",
)
"""The numbers of a prediction, in the order they are written."""
# An answer has a hundred predictions and may have a thousand potentials: their members are taken out all at once.
_NUMBERS = attrgetter(*NUMBERS)
_FUTURE = attrgetter(
    "future", "aggregate_potential", "supporting_patterns", "total_weighted_frequency", "total_potential", "patterns"
)
_SYMBOL = attrgetter("symbol", "total_potential", "prediction_count", "patterns")


def time_text(microseconds: int) -> str:
    """ISO-8601 in UTC with six decimals and Z."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{_second_text(seconds)}.{rest:06d}Z"


@lru_cache(maxsize=64)
def _second_text(seconds: int) -> str:
    # What is told of one moment, a log line of every request among it, is told of the same few seconds.
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def pattern_id(name: str) -> str:
    """A pattern's name as shown by learn, pattern and batch answers."""
    return f"PTRN|{name}"


def node(node_id: str) -> Json:
    """The members that name a node."""
    return {"node_id": node_id, "kb_id": node_id}


def in_session(session_id: str, node_id: str) -> Json:
    """The members that name a session and its node."""
    return {"session_id": session_id, "node_id": node_id, "processor_id": node_id}


def prediction(value: Prediction, explanation: Json | None = None) -> Json:
    """One prediction."""
    metrics = value.metrics
    numbers = dict(zip(NUMBERS, _NUMBERS(metrics), strict=True))
    document: Json = {
        "type": "prototypical",
        "name": value.name,
        "pattern_name": pattern_id(value.name),
        "frequency": value.frequency,
        "length": value.length,
        "matches": value.matches,
        "past": value.past,
        "present": value.present,
        "future": value.future,
        "missing": value.missing,
        "extras": value.extras,
        "anomalies": [
            {"observed": each.observed, "expected": each.expected, "similarity": each.similarity}
            for each in value.anomalies
        ],
        "sequence": value.events,
        "emotives": dict(value.emotives),
        "metadata": {key: list(texts) for key, texts in value.metadata.items()},
        **numbers,
        "metrics": {**numbers, "frequency": value.frequency},
    }
    if explanation is not None:
        document["explanation"] = explanation
    return document


def prediction_explanation(value: Prediction, rank: int) -> Json:
    """Where a prediction stands, how it is aligned, and the terms of its potential."""
    metrics = value.metrics
    weighted = metrics.weighted_evidence is not None
    return {
        "rank": rank,
        "blocks": [
            {"pattern_start": block.pattern_start, "stm_start": block.memory_start, "length": block.length}
            for block in value.blocks
        ],
        "terms": {
            "evidence": metrics.weighted_evidence if weighted else metrics.evidence,
            "confidence": metrics.weighted_confidence if weighted else metrics.confidence,
            "snr": metrics.weighted_snr if weighted else metrics.snr,
            "itfdf_similarity": metrics.itfdf_similarity,
            "phi": metrics.phi,
        },
    }


def predictions(
    value: Predictions,
    explained: Mapping[Any, Explained] | None = None,
    provenance: Callable[[str], Json] | None = None,
) -> list[Json]:
    """
    All predictions in rank order.

    Args:
        explained: By their events how they came about; then each tells it.
        provenance: What is told of how a pattern of a bare name was learned.
    """
    if explained is None:
        return [prediction(each) for each in value.ranked]
    return [
        prediction(each, full_explanation(each, rank, explained[each.events], provenance))
        for rank, each in enumerate(value.ranked, start=1)
    ]


def predicted(value: Predictions) -> Json:
    """The predictions and both lists of potentials; written already, where the engine can do that."""
    written = value.written(_annotations)
    if written is None:
        return {"predictions": predictions(value), **potentials(value)}
    return dict(zip(("predictions", "future_potentials", "symbol_potentials"), map(Written, written), strict=True))


def _annotations(emotives: Mapping[str, float], metadata: Mapping[str, Sequence[str]]) -> bytes:
    """The members `emotives` and `metadata` of a prediction's object, without its braces."""
    return encode_answer(
        {"emotives": dict(emotives), "metadata": {key: list(texts) for key, texts in metadata.items()}}
    )[1:-1]


def full_explanation(
    value: Prediction, rank: int, explained: Explained, provenance: Callable[[str], Json] | None
) -> Json:
    """Everything about how a prediction came about."""
    document: Json = {
        **prediction_explanation(value, rank),
        "metrics": {name: explanation_tree(tree) for name, tree in explained.metrics.items()},
        "alignment": [aligned_token(token) for token in explained.alignment],
        "selection": standing(explained.selection),
        "ranking": standing(explained.ranking),
    }
    return document if provenance is None else {**document, "provenance": provenance(value.name)}


def aligned_token(value: AlignedToken) -> Json:
    """One token of an alignment."""
    return {
        "kind": value.kind,
        "stm_position": value.memory_position,
        "stm_event": value.memory_event,
        "pattern_position": value.pattern_position,
        "pattern_event": value.pattern_event,
        "observed": value.observed,
        "expected": value.expected,
        "likeness": value.likeness,
    }


def standing(value: Standing) -> Json:
    """A place in an order, and its neighbours."""

    def neighbour(found: Neighbour | None) -> Json | None:
        if found is None:
            return None
        return {"pattern_name": pattern_id(found.name), "value": found.value, "decided_by": found.decided_by}

    return {
        "place": value.place,
        "of": value.size,
        "key": value.key,
        "value": value.value,
        "above": neighbour(value.above),
        "below": neighbour(value.below),
    }


def explanation_tree(value: Explanation) -> Json:
    """A number, what it means, and the numbers it was made of."""
    return {
        "value": value.value,
        "reason": value.reason,
        "parts": [explanation_tree(part) for part in value.parts],
    }


def potentials(value: Predictions) -> Json:
    """Both lists of potentials: of the futures of the ensemble, and of the symbols among them."""
    return {
        "future_potentials": [
            {
                "future": future,
                "aggregate_potential": aggregate,
                "supporting_patterns": supporters,
                "total_weighted_frequency": frequency,
                "symbol": future[0][0] if future else None,
                "total_potential": total,
                "prediction_count": supporters,
                "patterns": patterns,
            }
            for future, aggregate, supporters, frequency, total, patterns in map(_FUTURE, value.future_potentials)
        ],
        "symbol_potentials": [
            {"symbol": symbol, "total_potential": total, "prediction_count": count, "patterns": patterns}
            for symbol, total, count, patterns in map(_SYMBOL, value.symbol_potentials)
        ],
    }


def pattern_record(value: Pattern) -> Json:
    """The pattern record, with the stored emotives as a list of dictionaries, oldest first."""
    events = value.events
    return {
        "name": pattern_id(value.name),
        "pattern_name": pattern_id(value.name),
        "pattern_data": events,
        "data": events,
        "length": value.length,
        "frequency": value.frequency,
        "emotives": [dict(emotives) for emotives in value.emotives],
        "metadata": {key: list(texts) for key, texts in value.metadata.items()},
    }


def pattern_answer(value: Pattern, node_id: str) -> Json:
    """One pattern as GET /pattern/{id} shows it: emotives by name, and the record inside."""
    record = pattern_record(value)
    by_name: dict[str, list[float]] = {}
    for emotives in value.emotives:
        for name, amount in emotives.items():
            by_name.setdefault(name, []).append(amount)
    return {"pattern": {**record, "status": "okay", "emotives": by_name, "pattern": record}, **node(node_id)}


def emotive_profile(gathered: Sequence[Mapping[str, float]]) -> dict[str, list[list[float | None]]]:
    """Name → one one-element list per emotive dictionary gathered, [None] where it lacks the name."""
    names = sorted({name for emotives in gathered for name in emotives})
    return {name: [[emotives.get(name)] for emotives in gathered] for name in names}


def events(value: Iterable[Iterable[str]]) -> list[list[str]]:
    """Events as lists."""
    return [list(event) for event in value]


def bulk_learned(name: str | None, frequency: int) -> Json:
    """What became of one of many sequences; no name when it had fewer than two symbols."""
    if name is None:
        return {"status": "insufficient_data", "pattern_name": "", "frequency": 0, "is_new": False}
    return {"status": "learned", "pattern_name": pattern_id(name), "frequency": frequency, "is_new": frequency == 1}
