"""How log rows are found by the pattern they are about, and that none of them is missed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import Any, Literal

from kato.errors import StoredDataCorrupt
from kato.storage import records
from kato.storage.interface import LogEntry
from kato.storage.schema import log_id, sequence_of
from kato.storage.sqlite_absence import SUBJECT, WHOLE_SUBJECT
from kato.storage.sqlite_indexes import summed
from kato.storage.sqlite_nodes import NodeRow, read_node_row
from kato.storage.sqlite_reading import LOG_COLUMNS

_BY_ROWS = f"SELECT {SUBJECT}, id FROM log NOT INDEXED"
_BY_INDEX = f"SELECT {SUBJECT}, id FROM log INDEXED BY log_by_subject ORDER BY {SUBJECT}, id"
"""The index holds both, in this order: SQLite reads them from it and sorts nothing."""


def read_history(
    connection: sqlite3.Connection,
    node_id: str,
    name: str | None,
    after: int,
    before: int | None,
    newest_first: bool,
    limit: int,
) -> list[LogEntry]:
    """
    Log rows with after < sequence < before; with a name only those about patterns of that name, or about all.

    Raises:
        StoredDataCorrupt: A row is not what was written after the row before it.
    """
    node = read_node_row(connection, node_id)
    if node is None:
        return []
    found: list[LogEntry] = []
    while len(found) < limit:
        wanted = limit - len(found)
        rows = _rows(connection, node, name, after, before, newest_first, wanted)
        found += [entry for entry in rows if _is_about(entry, name)]
        if len(rows) < wanted:
            break
        after, before = (after, rows[-1].sequence) if newest_first else (rows[-1].sequence, before)
    return found


def read_rows_about(
    connection: sqlite3.Connection, node_id: str, names: Sequence[str], after: int, before: int, limit: int
) -> list[LogEntry]:
    """
    Log rows with after < sequence < before about patterns of any of some names, ascending.

    Args:
        names: Not more than SQLite takes parameters; some hundreds.

    Raises:
        StoredDataCorrupt: A row is not what was written after the row before it.
    """
    node = read_node_row(connection, node_id)
    wanted = set(names)
    subjects = {name.encode()[:16] for name in wanted}
    condition = f"{SUBJECT} IN ({','.join('?' * len(subjects))}) AND"
    found: list[LogEntry] = []
    while node is not None and len(found) < limit:
        lacking = limit - len(found)
        rows = _found(connection, node, ((condition, tuple(subjects)),), after, before, "ASC", lacking)
        found += [entry for entry in rows if records.subject_of(entry.payload) in wanted]
        if len(rows) < lacking:
            break
        after = rows[-1].sequence
    return found


def _check_whole(node: NodeRow, found: Sequence[LogEntry], first: int, last: int, limit: int, *, newest: bool) -> None:
    """Whether rows that should be all from one sequence to another, as far as the limit goes, are."""
    due = range(first, last + 1)
    due = due[::-1][:limit] if newest else due[:limit]
    for sequence, entry in zip_longest(due, (entry.sequence for entry in found)):
        if sequence != entry:
            lacking = sequence if sequence is not None else last + 1
            raise StoredDataCorrupt(
                f"The log of node {node.node_id[:200]!r} lacks sequence {lacking}, or has rows beyond its end; restore a backup"
            )


def _rows(
    connection: sqlite3.Connection,
    node: NodeRow,
    name: str | None,
    after: int,
    before: int | None,
    newest_first: bool,
    limit: int,
) -> list[LogEntry]:
    """The same, with rows about names that begin alike: a damaged name must not leave a row out before its hash is looked at."""
    entries = _found(connection, node, _beginning(name), after, before, "DESC" if newest_first else "ASC", limit)
    if name is None:
        last = min(node.head, before - 1) if before is not None else node.head
        _check_whole(node, entries, after + 1, last, limit, newest=newest_first)
    return entries


def _found(
    connection: sqlite3.Connection,
    node: NodeRow,
    conditions: _Conditions,
    after: int,
    before: int | None,
    direction: Literal["ASC", "DESC"],
    limit: int,
) -> list[LogEntry]:
    """The first rows that one of some conditions finds, each seen to be what was written after the row before it."""
    low = log_id(node.number, after)
    high = log_id(node.number, before) if before is not None else log_id(node.number + 1, 0)
    found: list[tuple[Any, ...]] = []
    for where, values in conditions:
        found += connection.execute(
            f"SELECT {LOG_COLUMNS}, (SELECT hash FROM log AS former WHERE former.id = log.id - 1) FROM log "
            f"WHERE {where} id > ? AND id < ? ORDER BY id {direction} LIMIT ?",
            (*values, low, high, limit),
        )
    found.sort(key=lambda each: each[0], reverse=direction == "DESC")
    entries = []
    for key, *rest, former in found[:limit]:
        entry = LogEntry(node.node_id, sequence_of(key), *rest)
        records.check_chain(node.node_id, former or records.GENESIS, [entry], after=entry.sequence - 1)
        entries.append(entry)
    return entries


def _is_about(entry: LogEntry, name: str | None) -> bool:
    return name is None or records.subject_of(entry.payload) in (name or None, None)


def count_history(connection: sqlite3.Connection, node_id: str, name: str, before: int | None, most: int) -> int:
    """How many rows `read_history` has for a name, counted up to `most`."""
    node = read_node_row(connection, node_id)
    if node is None:
        return 0
    span = log_id(node.number, 0), log_id(node.number, before) if before is not None else log_id(node.number + 1, 0)

    def counted(conditions: Iterable[tuple[str, tuple[bytes, ...]]]) -> int:
        query = "SELECT count(*) FROM (SELECT 1 FROM log WHERE {} id > ? AND id < ? LIMIT ?)"
        return sum(
            connection.execute(query.format(where), (*values, *span, most)).fetchone()[0]
            for where, values in conditions
        )

    beginning = counted(_beginning(name))
    if beginning != counted(_whole(name)):  # two names begin alike, or a row is damaged
        return len(read_history(connection, node_id, name, 0, before, True, most))
    return min(beginning, most)


def check_subjects(connection: sqlite3.Connection, go_on: Callable[[], None]) -> None:
    """
    Whether the index of log rows by pattern has every row and nothing else: one pass over the rows, and one over it.

    Its entries ascend and are those that the rows make, so every search in it finds what is there.

    Args:
        go_on: Is called now and then, and raises where that is to end.

    Raises:
        StoredDataCorrupt: It has not.
    """
    by_rows = summed(connection.execute(_BY_ROWS), ascending=False, go_on=go_on)
    if summed(connection.execute(_BY_INDEX), ascending=True, go_on=go_on) != by_rows:
        raise StoredDataCorrupt(
            "The index that finds the log's rows by their pattern is damaged; `kato repair` makes it again"
        )


_Conditions = tuple[tuple[str, tuple[bytes, ...]], ...]
_ABOUT_ALL = (f"{SUBJECT} = ? AND", (b"",))


def _beginning(name: str | None) -> _Conditions:
    """Conditions that together find the rows about all names that begin like one, each row once."""
    if not name:
        return (("", ()),) if name is None else (_ABOUT_ALL,)
    return ((f"{SUBJECT} = ? AND", (name.encode()[:16],)), _ABOUT_ALL)


def _whole(name: str) -> _Conditions:
    """The same for that name alone."""
    whole = name.encode()
    return ((f"{SUBJECT} = ? AND {WHOLE_SUBJECT} = ? AND", (whole[:16], whole)), _ABOUT_ALL)
