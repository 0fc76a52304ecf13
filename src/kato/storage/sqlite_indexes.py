"""
Whether the indexes of sessions say what their rows say, looked at when a file is opened.

A damaged index hides rows: a session that lives could not be found. An index is sound if its entries, in the order in which it
holds them, ascend, and are those that the rows make; then every search in it finds what is there. That is one pass over each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kato.errors import StoredDataCorrupt

_INDEXES = (
    ("session", "sqlite_autoindex_session_1", ("session_id",), ""),
    ("session", "session_by_creation", ("created_at", "session_id"), ""),
    ("session", "session_by_node", ("node_id", "created_at", "session_id"), ""),
    ("session", "session_by_expiry", ("expires_at", "session_id"), ""),
    ("session", "session_by_owner", ("owner", "created_at", "session_id"), "WHERE owner IS NOT NULL"),
    ("ended", "ended_by_time", ("forget_at", "session_id"), ""),
)
"""Table, index, what the index orders by, which rows it holds."""


def check_indexes(connection: sqlite3.Connection, path: Path) -> None:
    """
    Compare them; costs some microseconds per session.

    Raises:
        StoredDataCorrupt: An index is not that of its table. The sentence names `path`, for whoever starts the program.
    """
    for table, index, columns, condition in _INDEXES:
        told = ", ".join(columns)
        # The checksum stands in no index. Without it SQLite reads a table that has no row ids from an index even so.
        rows = connection.execute(f"SELECT {told}, checksum FROM {table} NOT INDEXED {condition}")
        by_rows = _summed(row[:-1] for row in rows)
        entries = connection.execute(f"SELECT {told} FROM {table} INDEXED BY {index} {condition}")
        if _summed(_ascending(entries)) != by_rows:
            raise StoredDataCorrupt(
                f"{path}: the index {index} does not say what the {table} table says; `kato repair` makes it again"
            )


def _summed(rows: Iterable[tuple[Any, ...]]) -> tuple[int, int]:
    """How many rows, and a sum over them that does not depend on their order."""
    count = total = 0
    for row in rows:
        count += 1
        total += hash(row)
    return count, total


def _ascending(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """The rows as long as each is beyond the one before it."""
    before: tuple[Any, ...] | None = None
    for row in rows:
        if before is not None and not _is_beyond(row, before):
            return
        before = row
        yield row


def _is_beyond(row: tuple[Any, ...], before: tuple[Any, ...]) -> bool:
    try:
        return row > before
    except TypeError:  # damage can turn a value into one of another type
        return False
