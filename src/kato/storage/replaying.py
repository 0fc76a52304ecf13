"""
Repeating a log: the same operations, done again, give the same rows and the same hashes.

What is checked, repaired or brought in from an export is repeated by the code that wrote it the first time.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Iterator

from kato.engine.event import Event
from kato.engine.pattern import pattern_name
from kato.errors import KATOError, StoredDataCorrupt
from kato.storage import records, sqlite_reading
from kato.storage.interface import Learn, LogEntry, Operation, Transaction
from kato.storage.sqlite_writing import NodeTables

_GROUP = 1000
"""Rows repeated at once: enough that lookups are shared, few enough to be no burden on memory."""


def repeat(connection: sqlite3.Connection, node_id: str, entries: Iterable[LogEntry]) -> None:
    """
    Do again what the log rows of a node tell, on a node that stands where the first of them began.

    Args:
        connection: In a transaction that the caller ends; the tables are there.
        entries: Consecutive, and sound by their hashes.

    Raises:
        StoredDataCorrupt: A row cannot be repeated, or gives another hash than it did the first time.
    """
    tables = NodeTables(connection)
    for group in _grouped(entries):
        first, last = group[0], group[-1]
        try:
            operations = tuple(_operations(connection, node_id, group))
            tables.apply(Transaction(first.at, node_id, operations, session_id=first.session_id, actor=first.actor))
        except (KATOError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
            raise StoredDataCorrupt(
                f"The log of node {node_id[:200]!r} cannot be repeated at sequence {first.sequence} to {last.sequence}"
            ) from error
        row = connection.execute("SELECT head, hash FROM node WHERE node_id = ?", (node_id,)).fetchone()
        if row != (last.sequence, last.hash):
            raise StoredDataCorrupt(
                f"The log of node {node_id[:200]!r}, repeated, differs between sequence {first.sequence} "
                f"and {last.sequence}"
            )


def _grouped(entries: Iterable[LogEntry]) -> Iterator[list[LogEntry]]:
    """Rows that one transaction can repeat: alike in all but what they do, and none after a forgetting."""
    group: list[LogEntry] = []
    for entry in entries:
        forgets = entry.operation in {"forget", "forget_all", "undo"}  # an undoing may forget
        if group and (forgets or len(group) == _GROUP or _facts(group[0]) != _facts(entry)):
            yield group
            group = []
        group.append(entry)
        if forgets:
            yield group
            group = []
    if group:
        yield group


def _facts(entry: LogEntry) -> tuple[int, str | None, str | None]:
    return entry.at, entry.session_id, entry.actor


def _operations(connection: sqlite3.Connection, node_id: str, group: list[LogEntry]) -> Iterator[Operation]:
    learned: dict[str, tuple[Event, ...]] = {}

    def events_of(name: str) -> tuple[Event, ...]:
        """The events of the first learned of the patterns of a name: a stored one, or else one of this group."""
        if name in learned:
            return learned[name]
        pattern = sqlite_reading.find_pattern(connection, node_id, name)
        if pattern is None:
            raise KeyError(name)
        return learned.setdefault(name, pattern.events)

    for entry in group:
        operation = records.replayed(entry, events_of)
        if isinstance(operation, Learn):
            name = pattern_name(operation.events)
            if name not in learned:
                stored = sqlite_reading.find_pattern(connection, node_id, name)
                learned[name] = stored.events if stored is not None else operation.events
        yield operation
