"""
Whether an index says what its rows say; for the indexes of sessions, looked at when a file is opened.

A damaged index hides rows: a session that lives could not be found. An index is sound if its entries, in the order in which it
holds them, ascend, and are those that the rows make; then every search in it finds what is there. That is one pass over each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from itertools import islice
from operator import lt
from pathlib import Path
from typing import Any

from kato.errors import StoredDataCorrupt

_AT_ONCE = 2000
"""Rows that are read between two looks at whether to go on, and at other threads."""
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
        by_rows = summed((row[:-1] for row in rows), ascending=False)
        entries = connection.execute(f"SELECT {told} FROM {table} INDEXED BY {index} {condition}")
        if summed(entries, ascending=True) != by_rows:
            raise StoredDataCorrupt(
                f"{path}: the index {index} does not say what the {table} table says; `kato repair` makes it again"
            )


def summed(
    rows: Iterable[tuple[Any, ...]], *, ascending: bool, go_on: Callable[[], None] | None = None
) -> tuple[int, int]:
    """
    How many rows, and a sum over them that does not depend on their order.

    Args:
        ascending: Only as far as each is beyond the one before it.
        go_on: Is called now and then, and raises where that is to end.
    """
    count = total = 0
    left, last = iter(rows), list[tuple[Any, ...]]()
    while some := list(islice(left, _AT_ONCE)):
        if go_on is not None:
            go_on()
        if ascending and not _ascend(last + some):
            break
        count, total = count + len(some), total + sum(map(hash, some))
        last = some[-1:]
    return count, total


def _ascend(rows: list[tuple[Any, ...]]) -> bool:
    try:
        return all(map(lt, rows, rows[1:]))
    except TypeError:  # damage can turn a value into one of another type
        return False
