"""
Whether a pattern that the index of names does not find is really not there.

A damaged index can hide a row, and a node would learn as new what it knows. The log tells the same by an index of its own: where
its newest row about the name leaves a pattern, the one that was not found is hidden. Damage in one place is in one of the two.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from kato.errors import StoredDataCorrupt
from kato.storage import records
from kato.storage.schema import log_id

SUBJECT, WHOLE_SUBJECT = "substr(payload, 10, 16)", "substr(payload, 10, 40)"
"""
Where the name of a row's pattern stands in its payload; a row about all patterns has nothing there. The first half of a name
finds its rows (schema.TABLES), the whole of it leaves out those of another name that begins alike.
"""
_CHUNK = 500
"""Names looked up by one statement; below SQLite's limit of parameters."""
_NEWEST = (
    f"SELECT id FROM log INDEXED BY log_by_subject WHERE {SUBJECT} = ? AND {WHOLE_SUBJECT} = ? AND id > ? AND id < ? "
    "ORDER BY id DESC LIMIT 1"
)


def check_absent(connection: sqlite3.Connection, number: int, node_id: str, names: Sequence[str]) -> None:
    """
    Whether the log agrees that a node has no pattern of these bare names.

    Costs one search in an index per name that the node has never learned, and a few more for one that it has forgotten.

    Args:
        number: The node's.

    Raises:
        StoredDataCorrupt: By the log there is one.
    """
    span = log_id(number, 0), log_id(number + 1, 0)
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        subjects = [name.encode()[:16] for name in chunk]
        marks = ",".join("?" * len(chunk))
        # Nearly always the log has none of them, which one statement tells.
        (is_any,) = connection.execute(
            f"SELECT EXISTS (SELECT 1 FROM log INDEXED BY log_by_subject WHERE {SUBJECT} IN ({marks}) AND id > ? AND id < ?)",
            (*subjects, *span),
        ).fetchone()
        if is_any:
            _check_each(connection, span, node_id, chunk)


def _check_each(connection: sqlite3.Connection, span: tuple[int, int], node_id: str, names: Sequence[str]) -> None:
    row = connection.execute(_NEWEST, (b"", b"", *span)).fetchone()
    all_forgotten = row[0] if row is not None else 0
    for name in names:
        whole = name.encode()
        found = connection.execute(_NEWEST, (whole[:16], whole, *span)).fetchone()
        if found is not None and found[0] > all_forgotten and _leaves_a_pattern(connection, found[0]):
            raise StoredDataCorrupt(
                f"Pattern {name} of node {node_id[:200]!r} is in the log and cannot be found: an index is damaged, which "
                "`kato repair` makes again"
            )


def _leaves_a_pattern(connection: sqlite3.Connection, key: int) -> bool:
    """Whether a pattern is there after the log row of a key, which is about that pattern alone."""
    row: tuple[Any, Any] = connection.execute("SELECT operation, payload FROM log WHERE id = ?", (key,)).fetchone()
    operation, payload = row
    return operation != "forget" and not (operation == "undo" and records.load(payload).get("forgotten"))
