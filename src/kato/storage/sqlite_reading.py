"""How nodes, their patterns and their logs are read. Every function sees one moment: its connection is in a transaction."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kato.engine.event import Event, Symbol, Vector, vector_name
from kato.engine.pattern import Pattern
from kato.errors import StoredDataCorrupt
from kato.storage import records
from kato.storage.interface import LogEntry, NodeInfo
from kato.storage.schema import log_id, node_of, sequence_of
from kato.storage.sqlite_absence import check_absent
from kato.storage.sqlite_nodes import NODE_COLUMNS, checked_node_row, read_node_row

PATTERN_COLUMNS = "node, name, events, length, frequency, emotives, metadata, affinity, checksum"
_FETCH = 1000
"""Rows taken from SQLite at a time: enough that the call costs nothing, few enough to be no burden."""
LOG_COLUMNS = "id, at, operation, session_id, actor, payload, hash"


def unpack_vector(content: bytes) -> Vector:
    """Components out of little-endian doubles."""
    return struct.unpack(f"<{len(content) // 8}d", content)


# --- patterns ---


def read_checked(
    node_id: str, row: Sequence[Any], known: Mapping[str, tuple[Event, ...]] = MappingProxyType({})
) -> Pattern:
    """
    A pattern out of its row (PATTERN_COLUMNS); `known` as for `records.read_pattern`.

    Raises:
        StoredDataCorrupt: The row is not what was written.
    """
    _, name, events, _, frequency, emotives, metadata, affinity, checksum = row
    try:
        is_sound = records.checksum(*row[:-1]) == checksum
    except (TypeError, AttributeError):
        is_sound = False  # damage can turn a value into one of another type
    if not is_sound:
        raise pattern_damaged(node_id, name)
    return records.read_pattern(name.hex(), events, frequency, emotives, metadata, affinity, known)


def pattern_damaged(node_id: str, name: object) -> StoredDataCorrupt:
    """The error for a row that is not what was written; `name` is what stands for its name there."""
    told = name.hex() if isinstance(name, bytes) else repr(name)[:40]
    return StoredDataCorrupt(f"Pattern {told} of node {node_id[:200]!r} is damaged; restore a backup")


def find_pattern(connection: sqlite3.Connection, node_id: str, name: str) -> Pattern | None:
    """The first learned of the patterns of a name, by the index of names alone."""
    key = records.name_key(name)
    if key is None:
        return None
    row = connection.execute(
        f"SELECT {PATTERN_COLUMNS} FROM pattern "
        "WHERE node = (SELECT id FROM node WHERE node_id = ?) AND name = ? ORDER BY id LIMIT 1",
        (node_id, key),
    ).fetchone()
    return read_checked(node_id, row) if row else None


def read_pattern(connection: sqlite3.Connection, node_id: str, name: str) -> Pattern | None:
    """
    The first learned of the patterns of a name.

    Raises:
        StoredDataCorrupt: It is not what was written, or hidden.
    """
    pattern = find_pattern(connection, node_id, name)
    if pattern is None and records.name_key(name) is not None:
        row = read_node_row(connection, node_id)
        if row is not None:
            check_absent(connection, row.number, node_id, [name])
    return pattern


# --- patterns and vectors of a node ---


def read_patterns(connection: sqlite3.Connection, node_id: str) -> Iterator[Pattern]:
    """A node's patterns in the order first learned, by the caller's own transaction."""
    number = connection.execute("SELECT id FROM node WHERE node_id = ?", (node_id,)).fetchone()
    for row in connection.execute(f"SELECT {PATTERN_COLUMNS} FROM pattern WHERE node = ? ORDER BY id", number or (0,)):
        yield read_checked(node_id, row)


@dataclass(frozen=True, slots=True)
class HeldVector:
    """A vector's row."""

    holders: int
    """Patterns that hold its name."""
    components: Vector | None
    """None until they are known."""


def read_vectors(
    connection: sqlite3.Connection, number: int, node_id: str, condition: str = "", parameters: Sequence[Any] = ()
) -> dict[Symbol, HeldVector]:
    """
    The vectors of a node, those that a condition on their rows picks.

    Raises:
        StoredDataCorrupt: The components of one are not what was written.
    """
    rows = connection.execute(
        f"SELECT name, holders, components FROM vector WHERE node = ? {condition}", (number, *parameters)
    )
    vectors: dict[Symbol, HeldVector] = {}
    for name, holders, content in rows:
        try:
            components = unpack_vector(content) if content is not None else None
            is_sound = components is None or vector_name(components) == name
        except (TypeError, struct.error):
            is_sound = False
        if not is_sound:
            raise StoredDataCorrupt(f"Vector {name} of node {node_id[:200]!r} is damaged; restore a backup")
        vectors[name] = HeldVector(holders, components)
    return vectors


# --- nodes and logs ---


def read_info(connection: sqlite3.Connection, node_id: str) -> NodeInfo | None:
    """Facts about one node."""
    row = read_node_row(connection, node_id)
    return row.info if row is not None else None


def read_infos(connection: sqlite3.Connection, after: str, limit: int) -> list[NodeInfo]:
    """Nodes by id."""
    rows = connection.execute(
        f"SELECT {NODE_COLUMNS} FROM node WHERE node_id > ? ORDER BY node_id LIMIT ?", (after, limit)
    )
    return [checked_node_row(row).info for row in rows]


def read_log(connection: sqlite3.Connection, node_id: str, after: int, limit: int) -> list[LogEntry]:
    """Log rows by sequence."""
    row = connection.execute("SELECT id FROM node WHERE node_id = ?", (node_id,)).fetchone()
    return read_log_of(connection, row[0], node_id, after, limit) if row is not None else []


def read_log_of(connection: sqlite3.Connection, number: int, node_id: str, after: int, limit: int) -> list[LogEntry]:
    """Log rows of the node of a number, by sequence."""
    rows = connection.execute(
        f"SELECT {LOG_COLUMNS} FROM log WHERE id > ? AND id < ? ORDER BY id LIMIT ?",
        (log_id(number, after), log_id(number + 1, 0), limit),
    )
    return [LogEntry(node_id, sequence_of(key), *rest) for key, *rest in rows]


def verify_log(connection: sqlite3.Connection, node_id: str) -> None:
    """
    Recompute a node's hash chain.

    Raises:
        StoredDataCorrupt: Names the first sequence that is missing or not what was written.
    """
    row = read_node_row(connection, node_id)
    if row is None:
        return
    previous, sequence = records.GENESIS, 0
    while page := read_log(connection, node_id, sequence, _FETCH):
        previous = records.check_chain(node_id, previous, page, after=sequence)
        sequence = page[-1].sequence
    if (row.head, row.hash) != (sequence, previous):
        raise log_ends(node_id, sequence, row.head)


def patterns_are(node_id: str, found: int, expected: int) -> StoredDataCorrupt:
    """The error for a node that has another number of patterns than its row says."""
    return StoredDataCorrupt(
        f"Node {node_id[:200]!r} has {found} patterns where {expected} were stored; restore a backup"
    )


def log_ends(node_id: str, found: int, expected: int) -> StoredDataCorrupt:
    """The error for a log that ends at another sequence than the node's row says."""
    return StoredDataCorrupt(
        f"The log of node {node_id[:200]!r} ends at {found}, not as stored at {expected}; restore a backup"
    )


def check_nodes(connection: sqlite3.Connection, path: Path) -> None:
    """
    Whether every node is who its log says, and can be found: a lost name would look like a node that never learned.

    Costs two log rows per node: the hash of the newest one holds the node's id. A log that ends elsewhere than it should
    is told when that node is loaded.

    Raises:
        StoredDataCorrupt: The sentence names `path`, for it is read by whoever starts the program.
    """
    advice = "restore a backup, or see what `kato verify` and `kato repair` can tell and do"
    numbers = set()
    for row in connection.execute(f"SELECT {NODE_COLUMNS} FROM node NOT INDEXED"):
        try:
            node = checked_node_row(row)
        except StoredDataCorrupt as error:
            raise StoredDataCorrupt(f"{path}: {error.message}") from error
        number, node_id, head = node.number, node.node_id, node.head
        numbers.add(number)
        rows = read_log_of(connection, number, node_id, max(0, head - 2), 3)
        is_sound = connection.execute("SELECT id FROM node WHERE node_id = ?", (node_id,)).fetchone() == (number,)
        if is_sound and [entry.sequence for entry in rows] in ([1], [head - 1, head]):
            before = rows[-2].hash if len(rows) > 1 else records.GENESIS
            try:
                is_sound = records.check_chain(node_id, before, rows[-1:], after=head - 1) == node.hash
            except StoredDataCorrupt:
                is_sound = False
        if not is_sound:
            raise StoredDataCorrupt(f"{path}: node {node_id!r:.200} is not the one whose log this is; {advice}")
    try:
        unknown = next((number for number in logged_numbers(connection) if number not in numbers), None)
    except StoredDataCorrupt as error:
        raise StoredDataCorrupt(f"{path}: {error.message}") from error
    if unknown is not None:
        raise StoredDataCorrupt(f"{path}: the log has rows of a node {unknown} that is not there; {advice}")


def logged_numbers(connection: sqlite3.Connection) -> Iterator[int]:
    """
    The numbers of the nodes that have log rows, ascending.

    Raises:
        StoredDataCorrupt: The rows do not ascend. SQLite finds a place by the keys above the rows and believes what stands there,
            so that a damaged key would send this back to where it was.
    """
    beyond = -1
    while True:
        (newest,) = connection.execute("SELECT min(id) FROM log WHERE id > ?", (beyond,)).fetchone()
        if newest is None:
            return
        if newest <= beyond:
            raise StoredDataCorrupt(
                f"The log's rows do not ascend: {newest} is found behind {beyond}; restore a backup"
            )
        yield node_of(newest)
        beyond = log_id(node_of(newest) + 1, 0) - 1
