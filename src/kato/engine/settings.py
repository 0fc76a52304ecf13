"""
The settings of a session: one table of keys, and how overrides become a checked configuration.

The table is what the documentation, the HTTP description and the checks are made of. Values are JSON values.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kato.errors import InvalidSettings

RANKINGS = (
    "potential",
    "similarity",
    "evidence",
    "confidence",
    "snr",
    "fragmentation",
    "frequency",
    "normalized_entropy",
    "global_normalized_entropy",
    "itfdf_similarity",
    "confluence",
    "predictive_information",
    "bayesian_posterior",
    "bayesian_prior",
    "bayesian_likelihood",
    "tfidf_score",
    "weighted_similarity",
    "weighted_evidence",
    "weighted_confidence",
    "weighted_snr",
)
FILTERS = ("length", "jaccard", "minhash", "bloom", "rapidfuzz")
INDEXERS = ("VI", "LSH", "ANNOY", "FAISS")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """One checked configuration, handed in with each call. The keys are described in `KEYS`."""

    recall_threshold: float = 0.1
    max_predictions: int = 100
    rank_sort_algo: str = "potential"
    ensemble_size: int = 300
    use_token_matching: bool = True
    fuzzy_token_threshold: float = 0.0
    affinity_emotive: str | None = None
    process_predictions: bool = True
    sort_symbols: bool = True
    max_pattern_length: int = 0
    stm_mode: str = "CLEAR"
    persistence: int = 5
    filter_pipeline: tuple[str, ...] = ()
    length_min_ratio: float = 0.5
    length_max_ratio: float = 2.0
    jaccard_threshold: float = 0.3
    jaccard_min_overlap: int = 2
    minhash_threshold: float = 0.7
    minhash_bands: int = 20
    minhash_rows: int = 5
    minhash_num_hashes: int = 100
    bloom_false_positive_rate: float = 0.01
    max_candidates_per_stage: int = 100_000
    enable_filter_metrics: bool = True
    indexer_type: str = "VI"
    vector_neighbors: int = 3
    vector_max_distance: float | None = None
    vector_metric: str = "euclidean"
    vector_dim: int | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its name, default, rule as a sentence without subject, and what it governs."""

    name: str
    default: Any
    rule: str
    accepts: Callable[[Any], bool]
    governs: str
    nullable: bool = False
    schema: Mapping[str, Any] | None = None
    """JSON Schema of its values."""


def _is_number(value: Any) -> bool:
    # False for infinities and not-a-number, and for integers that no double comes near.
    return (type(value) is int or type(value) is float) and abs(value) <= sys.float_info.max


def _number(name: str, default: float, low: float, high: float | None, governs: str) -> Key:
    rule = f"must be a number from {low:g} to {high:g}" if high is not None else f"must be a number of at least {low:g}"
    schema: dict[str, Any] = {"type": "number", "minimum": low}
    if high is not None:
        schema["maximum"] = high
    top = math.inf if high is None else high
    return Key(name, default, rule, lambda value: _is_number(value) and low <= value <= top, governs, schema=schema)


def _integer(
    name: str, default: int | None, low: int, high: int | None, governs: str, *, nullable: bool = False
) -> Key:
    rule = f"must be an integer from {low} to {high}" if high is not None else f"must be an integer of at least {low}"
    schema: dict[str, Any] = {"type": ["integer", "null"] if nullable else "integer", "minimum": low}
    if high is not None:
        schema["maximum"] = high

    def accepts(value: Any) -> bool:
        return type(value) is int and low <= value and (high is None or value <= high)

    return Key(name, default, rule + (" or null" if nullable else ""), accepts, governs, nullable, schema)


def _boolean(name: str, default: bool, governs: str) -> Key:
    return Key(
        name,
        default,
        "must be true or false",
        lambda value: type(value) is bool,
        governs,
        schema={"type": "boolean"},
    )


def _choice(name: str, default: str, choices: tuple[str, ...], governs: str) -> Key:
    rule = "must be one of " + ", ".join(choices)
    schema = {"type": "string", "enum": list(choices)}
    return Key(name, default, rule, lambda value: type(value) is str and value in choices, governs, schema=schema)


def _is_pipeline(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(type(name) is str and name in FILTERS for name in value)


KEYS: tuple[Key, ...] = (
    _number("recall_threshold", 0.1, 0, 1, "least similarity of a match"),
    _integer("max_predictions", 100, 1, 10_000, "length of `predictions`"),
    _choice("rank_sort_algo", "potential", RANKINGS, "ranking"),
    _integer("ensemble_size", 300, 0, 1_000_000, "matches that ensemble quantities are taken over; 0 = all"),
    _boolean("use_token_matching", True, "token or character similarity"),
    _number("fuzzy_token_threshold", 0.0, 0, 1, "likeness at which a misspelt token is read as another; 0 = off"),
    Key(
        "affinity_emotive",
        None,
        "must be a string or null",
        lambda value: type(value) is str,
        "emotive whose affinity weights the metrics",
        nullable=True,
        schema={"type": ["string", "null"]},
    ),
    _boolean("process_predictions", True, "false: observations give no predictions"),
    _boolean("sort_symbols", True, "whether the strings of an event are sorted"),
    _integer("max_pattern_length", 0, 0, None, "events at which the memory is learned by itself; 0 = never"),
    Key(
        "stm_mode",
        "CLEAR",
        "must be a string: CLEAR or ROLLING",
        lambda value: type(value) is str,
        "what remains after auto-learning",
        schema={"type": "string"},
    ),
    _integer("persistence", 5, 1, 100, "emotive dictionaries a pattern keeps when this session learns it"),
    Key(
        "filter_pipeline",
        [],
        "must be a list of " + ", ".join(FILTERS),
        _is_pipeline,
        "further conditions on matches",
        schema={"type": "array", "items": {"type": "string", "enum": list(FILTERS)}},
    ),
    _number("length_min_ratio", 0.5, 0, 1, "filter `length`"),
    _number("length_max_ratio", 2.0, 1, None, "filter `length`"),
    _number("jaccard_threshold", 0.3, 0, 1, "filter `jaccard`"),
    _integer("jaccard_min_overlap", 2, 1, None, "filter `jaccard`"),
    _number("minhash_threshold", 0.7, 0, 1, "filter `minhash`"),
    _integer("minhash_bands", 20, 1, 100, "signature layout; never a result"),
    _integer("minhash_rows", 5, 1, 20, "signature layout; never a result"),
    _integer("minhash_num_hashes", 100, 10, 2000, "must equal bands x rows; follows them when not given"),
    _number("bloom_false_positive_rate", 0.01, 0.0001, 0.1, "size of an internal filter; never a result"),
    _integer("max_candidates_per_stage", 100_000, 100, None, "a stage leaving more is logged; never a result"),
    _boolean("enable_filter_metrics", True, "counts per filter in `explain` and the log"),
    _choice("indexer_type", "VI", INDEXERS, "vector search: VI exact, the others may approximate"),
    _integer("vector_neighbors", 3, 0, 100, "learned neighbours added to a vector's event"),
    Key(
        "vector_max_distance",
        None,
        "must be a number greater than 0 or null",
        lambda value: _is_number(value) and value > 0,
        "neighbours must be nearer",
        nullable=True,
        schema={"type": ["number", "null"], "exclusiveMinimum": 0},
    ),
    _choice("vector_metric", "euclidean", ("euclidean", "cosine"), "distance of vectors"),
    _integer("vector_dim", None, 1, 16_384, "the only dimension this session accepts; null = any", nullable=True),
)
BY_NAME: Mapping[str, Key] = {key.name: key for key in KEYS}
DEFAULTS: Mapping[str, Any] = {key.name: key.default for key in KEYS}


def split_unknown(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """(the keys that are settings, the names of the others in the order given)."""
    known = {name: value for name, value in given.items() if name in BY_NAME}
    return known, [name for name in given if name not in BY_NAME]


def merge_overrides(old: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """
    Overrides after a change, by name. None removes one, except where None is a value of its own.

    >>> merge_overrides({"recall_threshold": 0.5}, {"recall_threshold": None, "vector_dim": None})
    {'vector_dim': None}
    """
    merged = dict(old)
    for name, value in given.items():
        if value is None and not BY_NAME[name].nullable:
            merged.pop(name, None)
        else:
            merged[name] = value
    return dict(sorted(merged.items()))


def shown(value: Any) -> str:
    """A value as an error sentence shows it: JSON-like, cut short."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def resolve(
    overrides: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
) -> tuple[EngineSettings, dict[str, Any], list[str]]:
    """
    The configuration that follows from overrides over defaults.

    Args:
        overrides: Known keys with JSON values.
        defaults: Keys whose default differs from `DEFAULTS`.

    Returns:
        The settings; the same as a JSON object with every key in table order, itself valid input; warnings.

    Raises:
        InvalidSettings: Names every bad key. The check is on the configuration that would result.
    """
    given = {**(defaults or {}), **overrides}
    values = {**DEFAULTS, **given}
    errors: dict[str, str] = {}
    warnings: list[str] = []
    for key in KEYS:
        value = values[key.name]
        if (value is None and key.nullable) or key.accepts(value):
            continue
        errors[key.name] = f"{key.rule}, got {shown(value)}"
    if "stm_mode" not in errors and values["stm_mode"] not in {"CLEAR", "ROLLING"}:
        warnings.append(f"stm_mode {shown(values['stm_mode'])} is not known and was read as CLEAR")
        values["stm_mode"] = "CLEAR"
    if "minhash_bands" not in errors and "minhash_rows" not in errors:
        # A number of hashes that follows from a layout may be given back, also where it is beyond the range of its own.
        product = values["minhash_bands"] * values["minhash_rows"]
        if given.get("minhash_num_hashes") is None:
            values["minhash_num_hashes"] = product
        elif type(values["minhash_num_hashes"]) is int and values["minhash_num_hashes"] == product:
            errors.pop("minhash_num_hashes", None)
        elif "minhash_num_hashes" not in errors:
            errors["minhash_num_hashes"] = (
                f"must equal minhash_bands x minhash_rows, which is {product}, got {values['minhash_num_hashes']}"
            )
    ranking = values["rank_sort_algo"]
    if (
        "rank_sort_algo" not in errors
        and "affinity_emotive" not in errors
        and ranking.startswith("weighted_")
        and values["affinity_emotive"] is None
    ):
        errors["rank_sort_algo"] = f"must have affinity_emotive set to be a weighted ranking, got {shown(ranking)}"
    if errors:
        raise InvalidSettings(errors)
    effective = {key.name: values[key.name] for key in KEYS}
    effective["filter_pipeline"] = list(values["filter_pipeline"])
    settings = EngineSettings(**{**effective, "filter_pipeline": tuple(values["filter_pipeline"])})
    return settings, effective, warnings
