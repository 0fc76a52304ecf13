"""How node operations are written: patterns, vectors and the log, in one go per transaction."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kato.engine.event import Event, Symbol, Vector
from kato.engine.knowledge import Change
from kato.engine.pattern import Pattern, pattern_name
from kato.errors import HeadChanged, PatternNotFound
from kato.storage import records
from kato.storage.folding import changed, learned, vector_symbols
from kato.storage.interface import Edit, Forget, ForgetAll, Learn, Operation, Restore, Transaction
from kato.storage.schema import log_id
from kato.storage.sqlite_absence import check_absent
from kato.storage.sqlite_nodes import NodeRow, damaged_node, read_node_row
from kato.storage.sqlite_reading import PATTERN_COLUMNS, patterns_are, read_checked

_EVENTS = PATTERN_COLUMNS.split(", ").index("events")
_NODES_KNOWN = 10_000
"""Rows of nodes that are held; some hundred bytes each."""
_CHUNK = 500
"""Names looked up by one statement; below SQLite's limit of parameters."""


def pack_vector(vector: Vector) -> bytes:
    """Components as little-endian doubles."""
    return struct.pack(f"<{len(vector)}d", *vector)


@dataclass(slots=True)
class _Held:
    """A pattern as it stands within the transaction; `pattern` is None once forgotten, `row` while it is not stored."""

    text: str
    """Its events as they are stored."""
    row: int | None = None
    stored: Pattern | None = None
    pattern: Pattern | None = None


@dataclass(slots=True)
class _Node:
    """A node as it stands within the transaction, and what is still to be written of it."""

    node_id: str
    number: int
    head: int
    hash: bytes
    patterns: int
    stored: int
    """Patterns whose rows are there."""
    created_at: int
    held: dict[str, list[_Held]] = field(default_factory=dict)
    """Patterns looked up so far, by name, in the order first learned; usually one each."""
    added: list[_Held] = field(default_factory=list)
    """Those of `held` that are not stored yet, in the order learned."""
    log: list[tuple[Any, ...]] = field(default_factory=list)
    vectors: dict[Symbol, tuple[int, bytes | None]] = field(default_factory=dict)
    """Vector → by how many more patterns it is held, its components if they came along."""

    def find(self, operation: Learn | Edit | Forget | Restore, name: str, text: str) -> _Held | None:
        """The pattern an operation is about: one that tells its events means that very content, else the first learned."""
        for held in self.held[name]:
            pattern = held.pattern
            if pattern is None:
                continue
            if held.text == text or not isinstance(operation, (Learn, Restore)) or pattern.events == operation.events:
                return held
        return None

    def add(self, name: str, text: str) -> _Held:
        """Make room for a pattern that is learned for the first time."""
        held = _Held(text)
        self.held[name].append(held)
        self.added.append(held)
        return held

    def is_first(self, held: _Held, name: str) -> bool:
        """Whether the name alone means this pattern."""
        several = self.held[name]
        return len(several) == 1 or held is next(each for each in several if each.pattern is not None)


class NodeTables:
    """Writes what transactions do to nodes. Nobody else writes, so it knows the rows of nodes that it wrote."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[str, NodeRow] = {}
        """Nodes as they were written last."""

    def rolled_back(self) -> None:
        """Something of what was written has been taken back."""
        self._known.clear()

    def apply(self, transaction: Transaction) -> tuple[Change, ...]:
        """
        Apply a transaction's node operations; the changes they made, in order.

        Raises:
            PatternNotFound: An edit or forgetting names no pattern.
            HeadChanged: The log does not end where the transaction expects.
        """
        if transaction.node_id is None or not transaction.operations:
            return ()
        node = self._open(transaction.node_id, transaction)
        if node is None:
            return ()
        names, texts, known = [], [], {}
        for operation in transaction.operations:
            text = ""
            if isinstance(operation, Learn):
                text = operation.text or records.events_text(operation.events)
                names.append(operation.name or pattern_name(operation.events))
            elif isinstance(operation, Restore):
                text = records.events_text(operation.events)
                names.append(operation.name)
            else:
                names.append(getattr(operation, "name", ""))
            texts.append(text)
            if text:
                known[text] = operation.events  # type: ignore[union-attr]  # one that has a text has events
        self._look_up(node, names, known)
        changes = []
        for operation, name, text in zip(transaction.operations, names, texts, strict=True):
            if not isinstance(operation, ForgetAll):
                changes.append(self._change_one(node, operation, name, text, transaction))
            elif node.patterns:
                changes.append(self._forget_all(node, operation, transaction))
        self._flush(node, transaction.at)
        return tuple(change for change in changes if change is not None)

    # --- finding ---

    def _open(self, node_id: str, transaction: Transaction) -> _Node | None:
        """The node's row, made if there is something to learn; None where forgetting everything leaves it unknown."""
        row = self._known.get(node_id) or read_node_row(self._connection, node_id)
        expected, head = transaction.expected_head, row.head if row is not None else 0
        if expected is not None and expected != head:
            raise HeadChanged(expected, head)
        if row is not None:
            return _Node(node_id, row.number, head, row.hash, row.patterns, row.patterns, row.created_at)
        first = next((each for each in transaction.operations if not isinstance(each, ForgetAll)), None)
        if first is None:
            return None
        if not isinstance(first, Learn):
            raise PatternNotFound(first.name, node_id)
        cursor = self._connection.execute(
            "INSERT INTO node (node_id, head, hash, patterns, created_at, changed_at) VALUES (?, 0, ?, 0, ?, ?)",
            (node_id, records.GENESIS, transaction.at, transaction.at),
        )
        assert cursor.lastrowid is not None
        return _Node(node_id, cursor.lastrowid, 0, records.GENESIS, 0, 0, transaction.at)

    def _look_up(self, node: _Node, names: list[str], known: Mapping[str, tuple[Event, ...]]) -> None:
        node.held = {name: [] for name in names}
        key_of = {name: key for name in node.held if (key := records.name_key(name)) is not None}
        keys = list(key_of.values())
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            rows = self._connection.execute(
                f"SELECT id, {PATTERN_COLUMNS} FROM pattern WHERE node = ? AND name IN ({marks}) ORDER BY id",
                (node.number, *chunk),
            )
            for number, *row in rows:
                pattern = read_checked(node.node_id, row, known)
                node.held[pattern.name].append(_Held(row[_EVENTS], number, pattern, pattern))
        missed = [name for name in key_of if not node.held[name]]
        if missed and node.head:
            check_absent(self._connection, node.number, node.node_id, missed)

    # --- changing ---

    def _change_one(
        self, node: _Node, operation: Learn | Edit | Forget | Restore, name: str, text: str, transaction: Transaction
    ) -> Change | None:
        held = node.find(operation, name, text)
        before = held.pattern if held is not None else None
        was_first = held is not None and node.is_first(held, name)
        after: Pattern | None = None
        if isinstance(operation, Learn):
            held = held or node.add(name, text)
            after = learned(operation, before, name)
        elif isinstance(operation, Restore):
            if before == operation.state:
                return None
            held = held or node.add(name, text)
            after = operation.state
        elif held is None or before is None:
            raise PatternNotFound(name, node.node_id)
        else:
            after = changed(operation, before) if isinstance(operation, Edit) else None
        held.pattern = after
        vectors: Mapping[Symbol, Vector] = {}
        if isinstance(operation, (Learn, Restore)) and after is not None:
            vectors = operation.vectors
            if before is None or vectors:
                self._hold_vectors(node, operation, text, is_new=before is None)
        elif after is None and before is not None:
            self._let_go_of_vectors(node, before)
        node.patterns += (before is None) - (after is None)
        with_events = isinstance(operation, (Learn, Restore)) and (before is None or not was_first)
        payload = records.payload_of(operation, name, events=text if with_events else None)
        return self._log(node, operation, payload, before, after, vectors, transaction)

    def _forget_all(self, node: _Node, operation: ForgetAll, transaction: Transaction) -> Change:
        gone = self._connection.execute("DELETE FROM pattern WHERE node = ?", (node.number,)).rowcount
        if gone != node.stored:  # a damaged index hides rows, which would come back one day
            raise patterns_are(node.node_id, gone, node.stored)
        node.stored = 0
        self._connection.execute("DELETE FROM vector WHERE node = ?", (node.number,))
        node.patterns = 0
        node.added.clear()
        node.vectors.clear()
        for several in node.held.values():
            several.clear()
        payload = records.payload_of(operation, None)
        return self._log(node, operation, payload, None, None, {}, transaction)

    @staticmethod
    def _log(
        node: _Node,
        operation: Operation,
        payload: bytes,
        before: Pattern | None,
        after: Pattern | None,
        vectors: Mapping[Symbol, Vector],
        transaction: Transaction,
    ) -> Change:
        node.head += 1
        kind = records.kind_of(operation)
        at, session_id, actor = transaction.at, transaction.session_id, transaction.actor
        node.hash = records.chained(node.hash, node.node_id, node.head, at, kind, session_id, actor, payload)
        node.log.append((log_id(node.number, node.head), at, kind, session_id, actor, payload, node.hash))
        return Change(node.head, kind, before, after, vectors, at, session_id)

    # --- vectors: how many patterns hold the name of each, and its components once known ---

    @staticmethod
    def _hold_vectors(node: _Node, operation: Learn | Restore, text: str, *, is_new: bool) -> None:
        for name in vector_symbols(operation.events, text):
            holders, components = node.vectors.get(name, (0, None))
            if components is None and name in operation.vectors:
                components = pack_vector(operation.vectors[name])
            node.vectors[name] = (holders + is_new, components)

    def _let_go_of_vectors(self, node: _Node, pattern: Pattern) -> None:
        names = [(node.number, name) for name in vector_symbols(pattern.events)]
        if not names:
            return
        self._flush_vectors(node)  # those held so far must be counted before the last one is let go
        execute = self._connection.executemany
        execute("UPDATE vector SET holders = holders - 1 WHERE node = ? AND name = ?", names)
        execute("DELETE FROM vector WHERE node = ? AND name = ? AND holders = 0", names)

    def _flush_vectors(self, node: _Node) -> None:
        self._connection.executemany(
            "INSERT INTO vector (node, name, holders, components) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "holders = holders + excluded.holders, components = coalesce(components, excluded.components)",
            [(node.number, name, holders, components) for name, (holders, components) in node.vectors.items()],
        )
        node.vectors.clear()

    # --- writing ---

    def _flush(self, node: _Node, at: int) -> None:
        if not node.log:
            return
        execute = self._connection.executemany
        updated, deleted = [], []
        for several in node.held.values():
            for held in several:
                if held.row is None or held.pattern is held.stored:
                    continue
                if held.pattern is None:
                    deleted.append((held.row,))
                else:
                    row = _row(node.number, held.pattern, held.text)
                    updated.append((*row[4:], held.row))  # what lies before does not change after the first learning
        inserted = [_row(node.number, held.pattern, held.text) for held in node.added if held.pattern is not None]
        if deleted:
            execute("DELETE FROM pattern WHERE id = ?", deleted)
        if updated:
            execute(
                "UPDATE pattern SET frequency = ?, emotives = ?, metadata = ?, affinity = ?, checksum = ? WHERE id = ?",
                updated,
            )
        if inserted:
            execute(f"INSERT INTO pattern ({PATTERN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", inserted)
        if node.vectors:
            self._flush_vectors(node)
        execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", node.log)
        facts = NodeRow(node.number, node.node_id, node.head, node.hash, node.patterns, node.created_at, at)
        changed = self._connection.execute(
            "UPDATE node SET head = ?, hash = ?, patterns = ?, changed_at = ?, checksum = ? WHERE id = ? AND node_id = ?",
            (facts.head, facts.hash, facts.patterns, at, facts.checksum, facts.number, node.node_id),
        ).rowcount
        if not changed:
            raise damaged_node(node.node_id)
        if len(self._known) >= _NODES_KNOWN:
            self._known.clear()
        self._known[node.node_id] = facts


def _row(number: int, pattern: Pattern, text: str) -> tuple[Any, ...]:
    """A pattern's row, as PATTERN_COLUMNS names its parts; `text` is its events."""
    emotives, metadata, affinity = pattern.emotives, pattern.metadata, pattern.affinity
    row = (
        number,
        bytes.fromhex(pattern.name),
        text,
        pattern.length,
        pattern.frequency,
        records.dump([dict(each) for each in emotives]) if emotives else None,
        records.dump(dict(metadata)) if metadata else None,
        records.affinity_text(affinity) if affinity else None,
    )
    return (*row, records.checksum(*row))
