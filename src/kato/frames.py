"""
Answers as tables: one row per prediction, pattern or symbol, for pandas, polars, or anything that takes dictionaries.

`rows` needs nothing; `to_pandas` and `to_polars` need the extras of these names: `pip install kato[pandas]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas
    import polars

Answer = Mapping[str, Any] | Iterable[Mapping[str, Any]]
"""What a client answered, or any of the lists in it: predictions, patterns, symbols."""

_LEFT_OUT = {"metrics", "explanation", "type"}
"""Members of a prediction that say again what others say, or are trees."""
_NESTED = {"pattern", "pattern_data"}
"""Members of a pattern that say again what `data` says."""


def rows(answer: Answer) -> list[dict[str, Any]]:
    """
    The rows of an answer, in its order.

    Args:
        answer: Of get_predictions (one row per prediction, a column per metric), list_patterns or iterate_patterns (one per
            pattern), get_symbol_stats (one per symbol) or get_affinities (one per symbol and emotive); or a list out of one.

    Raises:
        ValueError: It holds none of these.

    >>> rows({"symbols": {"tea": {"name": "tea", "frequency": 2, "pattern_member_frequency": 1}}})
    [{'name': 'tea', 'frequency': 2, 'pattern_member_frequency': 1}]
    """
    if not isinstance(answer, Mapping):
        return [_row(each) for each in answer]
    if "predictions" in answer:
        return [_row(each) for each in answer["predictions"]]
    if "patterns" in answer:
        return [_row(each) for each in answer["patterns"]]
    if "symbols" in answer and isinstance(answer["symbols"], Mapping):
        return [dict(each) for each in answer["symbols"].values()]
    if "affinities" in answer:
        return [
            {"name": symbol, "emotive": emotive, "affinity": value}
            for symbol, felt in answer["affinities"].items()
            for emotive, value in felt.items()
        ]
    told = ", ".join(sorted(map(str, answer))[:10])
    raise ValueError(f"There are no predictions, patterns or symbols in an answer with the members {told or '(none)'}")


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    gone = _LEFT_OUT if "potential" in entry else _NESTED if "data" in entry else frozenset()
    return {name: value for name, value in entry.items() if name not in gone}


def to_pandas(answer: Answer) -> pandas.DataFrame:
    """The rows as a pandas DataFrame; sequences and emotives stay lists and dictionaries in their cells."""
    import pandas

    return pandas.DataFrame(rows(answer))


def to_polars(answer: Answer) -> polars.DataFrame:
    """
    The rows as a polars DataFrame.

    Sequences are lists of lists; what has other names in each row (emotives, metadata, anomalies) is JSON text.
    """
    import json

    import polars

    ragged = {"emotives", "metadata", "anomalies"}
    flat = [
        {name: json.dumps(value, ensure_ascii=False) if name in ragged else value for name, value in row.items()}
        for row in rows(answer)
    ]
    return polars.DataFrame(flat, infer_schema_length=None)
