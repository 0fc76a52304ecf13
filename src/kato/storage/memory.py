"""
A storage in dictionaries: the one to read first, and the one for tests and experiments. Nothing survives the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kato.engine.event import Event, Symbol, Vector
from kato.engine.knowledge import Change
from kato.engine.pattern import Pattern, pattern_name
from kato.errors import KATOError, PatternNotFound, SessionNotFound, StorageUnavailable
from kato.storage import records
from kato.storage.folding import changed, learned, vector_symbols
from kato.storage.interface import (
    Committed,
    Edit,
    ForgetAll,
    Learn,
    Loaded,
    LogEntry,
    NodeInfo,
    Operation,
    Order,
    Reply,
    SessionChange,
    SessionChanged,
    SessionCounts,
    SessionCreate,
    SessionEnd,
    SessionOperation,
    SessionRecord,
    SessionTouch,
    Transaction,
)


@dataclass(slots=True)
class _Node:
    created_at: int
    changed_at: int
    head: int = 0
    hash: bytes = records.GENESIS
    patterns: dict[tuple[Event, ...], Pattern] = field(default_factory=dict)
    by_name: dict[str, list[tuple[Event, ...]]] = field(default_factory=dict)
    vectors: dict[Symbol, Vector] = field(default_factory=dict)
    log: list[LogEntry] = field(default_factory=list)


@dataclass(slots=True)
class _Contents:
    nodes: dict[str, _Node] = field(default_factory=dict)
    sessions: dict[str, SessionRecord] = field(default_factory=dict)
    ended: dict[str, tuple[Literal["deleted", "expired"], int]] = field(default_factory=dict)
    replies: dict[tuple[str, str], Reply] = field(default_factory=dict)
    created: int = 0
    deleted: int = 0
    expired: int = 0
    last_modified: int | None = None


class MemoryStorage:
    """Keeps everything in dictionaries under one lock."""

    name = "memory"

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._contents = _Contents()
        self._listeners: list[Callable[[str, Sequence[Change]], None]] = []
        self._closed = False

    def _open(self) -> _Contents:
        if self._closed:
            raise StorageUnavailable("The storage has been closed")
        return self._contents

    # --- writing ---

    def commit(self, transactions: Sequence[Transaction], *, durable: bool) -> list[Committed | Exception]:
        """Apply the transactions in order, each all or nothing."""
        del durable  # nothing here survives the process
        with self._lock:
            self._open()
            results: list[Committed | Exception] = []
            for transaction in transactions:
                result = self._attempt(transaction)
                results.append(result)
                if isinstance(result, Committed) and result.changes and transaction.node_id is not None:
                    for listener in self._listeners:
                        listener(transaction.node_id, result.changes)
            return results

    def _attempt(self, transaction: Transaction) -> Committed | Exception:
        """Every step of a transaction says how to take it back; a failure takes all of them back, the last one first."""
        undo: list[Callable[[], object]] = []
        try:
            changes = _apply_operations(self._contents, transaction, undo)
            for operation in transaction.sessions:
                _apply_session(self._contents, operation, undo)
            if transaction.reply is not None:
                reply = transaction.reply(changes) if callable(transaction.reply) else transaction.reply
                _remember(self._contents, reply)
        except BaseException as error:
            for step in reversed(undo):
                step()
            if isinstance(error, (KATOError, SessionChanged)):
                return error
            raise
        return Committed(changes)

    def listen(self, listener: Callable[[str, Sequence[Change]], None]) -> None:
        """Tell of every change from now on."""
        self._listeners.append(listener)

    # --- nodes ---

    def load(self, node_id: str) -> Loaded:
        """Everything the node has learned."""
        node = self._open().nodes.get(node_id)
        if node is None:
            return Loaded(0, iter(()), {})
        return Loaded(node.head, iter(list(node.patterns.values())), dict(node.vectors))

    def node(self, node_id: str) -> NodeInfo | None:
        """Facts about one node."""
        node = self._open().nodes.get(node_id)
        if node is None:
            return None
        return NodeInfo(node_id, len(node.patterns), node.head, node.created_at, node.changed_at)

    def nodes(self, *, after: str = "", limit: int = 1000) -> list[NodeInfo]:
        """Nodes by id."""
        names = sorted(name for name in self._open().nodes if name > after)[:limit]
        return [info for name in names if (info := self.node(name)) is not None]

    def log(self, node_id: str, *, after: int = 0, limit: int = 1000) -> list[LogEntry]:
        """Log rows after a sequence."""
        node = self._open().nodes.get(node_id)
        return node.log[after : after + limit] if node is not None else []

    def verify_log(self, node_id: str) -> None:
        """Recompute the node's hash chain."""
        records.check_chain(node_id, records.GENESIS, self.log(node_id, limit=2**62))

    def pattern(self, node_id: str, name: str) -> Pattern | None:
        """One pattern by its bare name."""
        node = self._open().nodes.get(node_id)
        return _named(node, name) if node is not None else None

    def patterns(
        self, node_id: str, *, order: Order, after: tuple[Any, ...] | None, limit: int, search: str = ""
    ) -> tuple[list[Pattern], tuple[Any, ...] | None, int]:
        """One page of a node's patterns. The last part of a position tells patterns of one name apart."""
        node = self._open().nodes.get(node_id)
        found = [each for each in (node.patterns.values() if node else ()) if records.matches_search(each, search)]
        column, sign = order.removeprefix("-"), -1 if order.startswith("-") else 1
        seen: dict[str, int] = {}
        positions: list[tuple[tuple[Any, ...], tuple[Any, ...], Pattern]] = []
        for pattern in found:
            serial = seen[pattern.name] = seen.get(pattern.name, -1) + 1
            if column == "name":
                digits = int(pattern.name, 16)
                positions.append(((sign * digits, serial), (pattern.name, serial), pattern))
            else:
                value = pattern.frequency if column == "frequency" else pattern.length
                positions.append(((sign * value, pattern.name, serial), (value, pattern.name, serial), pattern))
        positions.sort(key=lambda entry: entry[0])
        if after is not None:
            start = (sign * int(after[0], 16), after[1]) if column == "name" else (sign * after[0], *after[1:])
            positions = [entry for entry in positions if entry[0] > start]
        page = positions[:limit]
        more = len(positions) > limit
        return [entry[2] for entry in page], page[-1][1] if more else None, len(found)

    # --- sessions ---

    def session(self, session_id: str) -> SessionRecord | None:
        """A session that has not been ended."""
        return self._open().sessions.get(session_id)

    def ended_session(self, session_id: str) -> Literal["deleted", "expired"] | None:
        """How a session ended."""
        ended = self._open().ended.get(session_id)
        return ended[0] if ended is not None else None

    def sessions(
        self, *, now: int, node_id: str | None = None, after: tuple[int, str] | None = None, limit: int = 100
    ) -> list[SessionRecord]:
        """Live sessions by creation."""
        live = sorted(
            (record.created_at, record.session_id)
            for record in self._open().sessions.values()
            if record.expires_at > now and (node_id is None or record.node_id == node_id)
        )
        keys = [key for key in live if after is None or key > after][:limit]
        return [replace(self._contents.sessions[session_id], steps=()) for _, session_id in keys]

    def count_sessions(self, *, now: int, node_id: str | None = None) -> SessionCounts:
        """Exact counts."""
        contents = self._open()
        active = sum(
            record.expires_at > now and (node_id is None or record.node_id == node_id)
            for record in contents.sessions.values()
        )
        return SessionCounts(active, contents.created, contents.deleted, contents.expired, contents.last_modified)

    def due_sessions(self, *, now: int, limit: int = 1000) -> list[tuple[str, str]]:
        """Sessions whose expiry has passed."""
        due = sorted(
            (record.expires_at, record.session_id, record.node_id)
            for record in self._open().sessions.values()
            if record.expires_at <= now
        )
        return [(session_id, node_id) for _, session_id, node_id in due[:limit]]

    def sweep(self, *, now: int) -> None:
        """Drop what need not be remembered any longer."""
        with self._lock:
            contents = self._open()
            contents.ended = {key: ended for key, ended in contents.ended.items() if ended[1] > now}
            contents.replies = {key: reply for key, reply in contents.replies.items() if reply.expires_at > now}

    def reply(self, scope: str, key: str, *, now: int) -> Reply | None:
        """A remembered answer."""
        reply = self._open().replies.get((scope, key))
        return reply if reply is not None and reply.expires_at > now else None

    # --- upkeep ---

    def compact(self) -> None:
        """Nothing to compact."""
        self._open()

    def check(self) -> None:
        """Raise if closed."""
        self._open()

    def size_bytes(self) -> int:
        """Nothing is kept on a disk."""
        self._open()
        return 0

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._closed = True
            self._contents = _Contents()


def _named(node: _Node, name: str) -> Pattern | None:
    held = node.by_name.get(name)
    return node.patterns[held[0]] if held else None


def _apply_operations(
    contents: _Contents, transaction: Transaction, undo: list[Callable[[], object]]
) -> tuple[Change, ...]:
    node_id = transaction.node_id
    if node_id is None or not transaction.operations:
        return ()
    node = contents.nodes.get(node_id)
    if node is None:
        if all(isinstance(each, ForgetAll) for each in transaction.operations):
            return ()
        node = contents.nodes[node_id] = _Node(transaction.at, transaction.at)
        undo.append(lambda: contents.nodes.pop(node_id))
    found = (_apply_operation(node, node_id, operation, transaction, undo) for operation in transaction.operations)
    return tuple(change for change in found if change is not None)


def _apply_operation(
    node: _Node,
    node_id: str,
    operation: Operation,
    transaction: Transaction,
    undo: list[Callable[[], object]],
) -> Change | None:
    before: Pattern | None = None
    after: Pattern | None = None
    vectors = operation.vectors if isinstance(operation, Learn) else {}
    name: str | None = None
    if isinstance(operation, ForgetAll):
        if not node.patterns:
            return None
    elif isinstance(operation, Learn):
        name = pattern_name(operation.events)
        before = node.patterns.get(operation.events)
        after = learned(operation, before, name)
    else:
        name = operation.name
        before = _named(node, name)
        if before is None:
            raise PatternNotFound(name, node_id)
        after = changed(operation, before) if isinstance(operation, Edit) else None
    undo.append(_restoring(node, before, after, vectors))
    if after is not None:
        node.patterns[after.events] = after
        node.by_name.setdefault(after.name, []).extend([after.events] if before is None else [])
        node.vectors.update((key, vector) for key, vector in vectors.items() if key in vector_symbols(after.events))
    elif before is not None:
        del node.patterns[before.events]
        node.by_name[before.name].remove(before.events)
    else:
        node.patterns, node.by_name = {}, {}
    if after is None and node.vectors:
        held = {symbol for events in node.patterns for symbol in vector_symbols(events)}
        node.vectors = {key: vector for key, vector in node.vectors.items() if key in held}
    node.head += 1
    node.changed_at = transaction.at
    payload = records.payload_of(operation, name, is_new=before is None)
    kind = records.kind_of(operation)
    at, session_id, actor = transaction.at, transaction.session_id, transaction.actor
    node.hash = records.chained(node.hash, node_id, node.head, at, kind, session_id, actor, payload)
    node.log.append(LogEntry(node_id, node.head, at, kind, session_id, actor, payload, node.hash))
    return Change(node.head, kind, before, after, vectors, at, session_id)


def _restoring(
    node: _Node, before: Pattern | None, after: Pattern | None, vectors: Mapping[Symbol, Vector]
) -> Callable[[], None]:
    """What puts the node back to how it is now, after an operation that is about to happen."""
    head, chain, changed_at, length = node.head, node.hash, node.changed_at, len(node.log)
    patterns, by_name = node.patterns, node.by_name
    held = dict(node.vectors) if vectors or after is None else node.vectors

    def restore() -> None:
        node.head, node.hash, node.changed_at = head, chain, changed_at
        del node.log[length:]
        node.patterns, node.by_name, node.vectors = patterns, by_name, held
        if after is not None and before is None:
            del patterns[after.events]
            by_name[after.name].remove(after.events)
        elif before is not None:
            if after is None:
                by_name[before.name].append(before.events)
            patterns[before.events] = before

    return restore


def _apply_session(contents: _Contents, operation: SessionOperation, undo: list[Callable[[], object]]) -> None:
    counts = (contents.created, contents.deleted, contents.expired, contents.last_modified)
    session_id = operation.record.session_id if isinstance(operation, SessionCreate) else operation.session_id
    held = contents.sessions.get(session_id)

    def restore() -> None:
        contents.created, contents.deleted, contents.expired, contents.last_modified = counts
        contents.ended.pop(session_id, None)
        if held is None:
            contents.sessions.pop(session_id, None)
        else:
            contents.sessions[session_id] = held

    if isinstance(operation, SessionCreate):
        undo.append(restore)
        contents.sessions[session_id] = replace(operation.record, version=1)
        contents.created += 1
        contents.last_modified = max(contents.last_modified or 0, operation.record.created_at)
    elif isinstance(operation, SessionChange):
        if held is None:
            raise SessionNotFound(session_id)
        if held.version != operation.expected_version:
            raise SessionChanged(session_id)
        undo.append(restore)
        contents.sessions[session_id] = _changed_session(held, operation)
    elif held is not None:
        undo.append(restore)
        if isinstance(operation, SessionTouch):
            accessed = max(held.last_accessed, operation.last_accessed)
            contents.sessions[session_id] = replace(held, last_accessed=accessed, expires_at=operation.expires_at)
        else:
            _end(contents, operation)


def _changed_session(held: SessionRecord, operation: SessionChange) -> SessionRecord:
    steps = held.steps
    if operation.keep_from is not None:
        steps = tuple(step for step in steps if step[0] >= operation.keep_from)
    return replace(
        held,
        version=held.version + 1,
        last_accessed=operation.last_accessed,
        expires_at=operation.expires_at,
        ttl_seconds=operation.ttl_seconds,
        profile=held.profile if operation.profile is None else operation.profile,
        head=held.head if operation.head is None else operation.head,
        steps=(*steps, *operation.append),
    )


def _end(contents: _Contents, end: SessionEnd) -> None:
    del contents.sessions[end.session_id]
    if end.forget_at > end.at:
        contents.ended[end.session_id] = (end.state, end.forget_at)
    contents.deleted += end.state == "deleted"
    contents.expired += end.state == "expired"
    contents.last_modified = max(contents.last_modified or 0, end.at)


def _remember(contents: _Contents, reply: Reply) -> None:
    contents.replies.pop((reply.scope, reply.key), None)
    contents.replies[reply.scope, reply.key] = reply
    of_scope = [key for key in contents.replies if key[0] == reply.scope]
    for key in of_scope[: -reply.keep]:
        del contents.replies[key]
