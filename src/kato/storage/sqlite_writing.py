"""How node operations are written: patterns, vectors and the log, in one go per transaction."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kato.engine.event import Event, Symbol, Vector
from kato.engine.knowledge import Change
from kato.engine.pattern import Pattern, pattern_name
from kato.errors import PatternNotFound
from kato.storage import records
from kato.storage.folding import changed, learned, vector_symbols
from kato.storage.interface import Edit, ForgetAll, Learn, Operation, Transaction

_CHUNK = 500
"""Names looked up by one statement; below SQLite's limit of parameters."""


def pack_vector(vector: Vector) -> bytes:
    """Components as little-endian doubles."""
    return struct.pack(f"<{len(vector)}d", *vector)


def unpack_vector(content: bytes) -> Vector:
    """What `pack_vector` wrote."""
    return struct.unpack(f"<{len(content) // 8}d", content)


@dataclass(slots=True)
class _Held:
    """A pattern as it stands within the transaction; `row` is None while it is not stored, `pattern` when forgotten."""

    row: int | None
    pattern: Pattern | None
    stored: Pattern | None


@dataclass(slots=True)
class _Node:
    number: int
    head: int
    hash: bytes
    patterns: int
    held: dict[str, list[_Held]] = field(default_factory=dict)
    """Patterns looked up so far, by name; usually one each."""
    log: list[tuple[Any, ...]] = field(default_factory=list)


class NodeTables:
    """Writes what transactions do to nodes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def apply(self, transaction: Transaction) -> tuple[Change, ...]:
        """
        Apply a transaction's node operations; the changes they made, in order.

        Raises:
            PatternNotFound: An edit or forgetting names no pattern.
        """
        node_id = transaction.node_id
        if node_id is None or not transaction.operations:
            return ()
        node = self._open(node_id, transaction)
        if node is None:
            return ()
        names = [
            pattern_name(operation.events) if isinstance(operation, Learn) else getattr(operation, "name", "")
            for operation in transaction.operations
        ]
        self._look_up(node, names)
        changes = []
        for operation, name in zip(transaction.operations, names, strict=True):
            change = self._one(node, node_id, operation, name, transaction)
            if change is not None:
                changes.append(change)
        self._flush(node, transaction.at)
        return tuple(changes)

    def _open(self, node_id: str, transaction: Transaction) -> _Node | None:
        row = self._connection.execute(
            "SELECT id, head, hash, patterns FROM node WHERE node_id = ?", (node_id,)
        ).fetchone()
        if row is not None:
            return _Node(*row)
        first = next((each for each in transaction.operations if not isinstance(each, ForgetAll)), None)
        if first is None:
            return None  # forgetting everything of an unknown node leaves it unknown
        if not isinstance(first, Learn):
            raise PatternNotFound(first.name, node_id)
        cursor = self._connection.execute(
            "INSERT INTO node (node_id, head, hash, patterns, created_at, changed_at) VALUES (?, 0, ?, 0, ?, ?)",
            (node_id, records.GENESIS, transaction.at, transaction.at),
        )
        assert cursor.lastrowid is not None
        return _Node(cursor.lastrowid, 0, records.GENESIS, 0)

    def _look_up(self, node: _Node, names: Iterable[str]) -> None:
        wanted = [name for name in dict.fromkeys(names) if name]
        for name in wanted:
            node.held[name] = []
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            rows = self._connection.execute(
                "SELECT id, name, events, frequency, emotives, metadata, affinity FROM pattern "
                f"WHERE node = ? AND name IN ({marks}) ORDER BY id",
                (node.number, *map(bytes.fromhex, chunk)),
            )
            for row in rows:
                pattern = records.read_pattern(row[1].hex(), *row[2:])
                node.held[pattern.name].append(_Held(row[0], pattern, pattern))

    def _one(
        self, node: _Node, node_id: str, operation: Operation, name: str, transaction: Transaction
    ) -> Change | None:
        before: Pattern | None = None
        after: Pattern | None = None
        vectors: Mapping[Symbol, Vector] = {}
        if isinstance(operation, ForgetAll):
            if not node.patterns:
                return None
            self._forget_all(node)
        else:
            held = self._held(node, operation, name)
            if held is None:
                if not isinstance(operation, Learn):
                    raise PatternNotFound(name, node_id)
                held = _Held(None, None, None)
                node.held[name].append(held)
            before = held.pattern
            if isinstance(operation, Learn):
                after = learned(operation, before, name)
                vectors = operation.vectors
            elif isinstance(operation, Edit) and before is not None:
                after = changed(operation, before)
            held.pattern = after
            node.patterns += (before is None) - (after is None)
            self._count_vectors(node, before, after, vectors)
        node.head += 1
        payload = records.payload_of(operation, name or None, is_new=before is None)
        kind = records.kind_of(operation)
        node.hash = records.chained(
            node.hash,
            node_id,
            node.head,
            transaction.at,
            kind,
            transaction.session_id,
            transaction.actor,
            payload,
        )
        node.log.append(
            (
                node.number,
                node.head,
                transaction.at,
                kind,
                transaction.session_id,
                transaction.actor,
                payload,
                node.hash,
            )
        )
        return Change(node.head, kind, before, after, vectors, transaction.at, transaction.session_id)

    @staticmethod
    def _held(node: _Node, operation: Operation, name: str) -> _Held | None:
        """The pattern an operation is about: for a learning the one of that very content."""
        events: tuple[Event, ...] | None = operation.events if isinstance(operation, Learn) else None
        for held in node.held[name]:
            if held.pattern is not None and (events is None or held.pattern.events == events):
                return held
        return None

    def _forget_all(self, node: _Node) -> None:
        self._connection.execute("DELETE FROM pattern WHERE node = ?", (node.number,))
        self._connection.execute("DELETE FROM vector WHERE node = ?", (node.number,))
        node.patterns = 0
        for held in node.held.values():
            held.clear()

    def _count_vectors(
        self, node: _Node, before: Pattern | None, after: Pattern | None, vectors: Mapping[Symbol, Vector]
    ) -> None:
        """Keep, per vector, how many patterns hold its name, and its components once known."""
        step = (before is None) - (after is None)
        pattern = after or before
        if pattern is None or (not step and not vectors):
            return
        for name in vector_symbols(pattern.events):
            components = pack_vector(vectors[name]) if name in vectors else None
            if step >= 0:
                self._connection.execute(
                    "INSERT INTO vector (node, name, holders, components) VALUES (?1, ?2, ?3, ?4) "
                    "ON CONFLICT DO UPDATE SET holders = holders + ?3, components = coalesce(components, ?4)",
                    (node.number, name, step, components),
                )
            else:
                self._connection.execute(
                    "UPDATE vector SET holders = holders - 1 WHERE node = ? AND name = ?", (node.number, name)
                )
                self._connection.execute(
                    "DELETE FROM vector WHERE node = ? AND name = ? AND holders = 0", (node.number, name)
                )

    def _flush(self, node: _Node, at: int) -> None:
        inserted, updated, deleted = [], [], []
        for several in node.held.values():
            for held in several:
                if held.pattern is held.stored:
                    continue
                if held.pattern is None:
                    deleted.append((held.row,))
                elif held.row is None:
                    inserted.append(_insert_row(node.number, held.pattern))
                else:
                    updated.append((*_changing(held.pattern), held.row))
        execute = self._connection.executemany
        if deleted:
            execute("DELETE FROM pattern WHERE id = ?", [row for row in deleted if row[0] is not None])
        if inserted:
            execute(
                "INSERT INTO pattern (node, name, events, length, frequency, emotives, metadata, affinity) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                inserted,
            )
        if updated:
            execute(
                "UPDATE pattern SET frequency = ?, emotives = ?, metadata = ?, affinity = ? WHERE id = ?",
                updated,
            )
        if node.log:
            execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", node.log)
            self._connection.execute(
                "UPDATE node SET head = ?, hash = ?, patterns = ?, changed_at = ? WHERE id = ?",
                (node.head, node.hash, node.patterns, at, node.number),
            )


def _changing(pattern: Pattern) -> tuple[Any, ...]:
    """The columns that change after the first learning."""
    return (
        pattern.frequency,
        records.dump([dict(each) for each in pattern.emotives]) if pattern.emotives else None,
        records.dump(dict(pattern.metadata)) if pattern.metadata else None,
        records.affinity_text(pattern.affinity),
    )


def _insert_row(number: int, pattern: Pattern) -> Sequence[Any]:
    events = records.dump(pattern.events).decode()
    return (number, bytes.fromhex(pattern.name), events, pattern.length, *_changing(pattern))
