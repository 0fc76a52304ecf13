"""
A storage in dictionaries: the one to read first, and the one for tests and experiments. Nothing survives the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from kato.engine.knowledge import Change
from kato.engine.pattern import Pattern
from kato.errors import StorageUnavailable
from kato.storage import records
from kato.storage.interface import (
    EVERYTHING,
    Committed,
    Loaded,
    LogEntry,
    NodeInfo,
    OtherLog,
    Reply,
    SessionCounts,
    SessionRecord,
    Since,
    Transaction,
    Visible,
)
from kato.storage.memory_contents import Contents, Node, attempt, changed_since, named


class MemoryStorage:
    """Keeps everything in dictionaries under one lock; listeners are called while it is held."""

    name = "memory"

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._contents = Contents()
        self._listeners: list[Callable[[str, Sequence[Change]], None]] = []
        self._closed = False

    @contextmanager
    def _open(self) -> Iterator[Contents]:
        """The contents at one moment."""
        with self._lock:
            if self._closed:
                raise StorageUnavailable("The storage has been closed")
            yield self._contents

    # --- writing ---

    def commit(
        self, transactions: Sequence[Transaction], *, durable: bool, tidy: bool = True
    ) -> list[Committed | Exception]:
        """Apply the transactions in order, each all or nothing."""
        del durable, tidy  # nothing here survives the process, or needs tidying
        with self._open() as contents:
            results = [attempt(contents, transaction) for transaction in transactions]
            for transaction, result in zip(transactions, results, strict=True):
                if isinstance(result, Committed) and result.changes and transaction.node_id is not None:
                    for listener in self._listeners:
                        listener(transaction.node_id, result.changes)
            return results

    def listen(self, listener: Callable[[str, Sequence[Change]], None]) -> None:
        """Tell of every change from now on."""
        self._listeners.append(listener)

    # --- nodes ---

    def load(self, node_id: str) -> Loaded:
        """Everything the node has learned."""
        with self._open() as contents:
            node = contents.nodes.get(node_id)
            if node is None:
                return Loaded(0, iter(()), {})
            return Loaded(node.head, iter(list(node.patterns.values())), dict(node.vectors))

    def since(self, node_id: str, sequence: int, digest: bytes) -> Since:
        """What has changed since a sequence of a node's log."""
        with self._open() as contents:
            node = contents.nodes.get(node_id)
            if node is None:
                raise OtherLog("there is no such node")
            return changed_since(node, sequence, digest)

    def node(self, node_id: str) -> NodeInfo | None:
        """Facts about one node."""
        with self._open() as contents:
            node = contents.nodes.get(node_id)
            return _info(node_id, node) if node is not None else None

    def nodes(self, *, after: str = "", limit: int = 1000) -> list[NodeInfo]:
        """Nodes by id."""
        with self._open() as contents:
            names = sorted(name for name in contents.nodes if name > after)[:limit]
            return [_info(name, contents.nodes[name]) for name in names]

    def log(self, node_id: str, *, after: int = 0, limit: int = 1000) -> list[LogEntry]:
        """Log rows after a sequence."""
        with self._open() as contents:
            node = contents.nodes.get(node_id)
            return node.log[after : after + limit] if node is not None else []

    def history(
        self,
        node_id: str,
        *,
        name: str | None = None,
        after: int = 0,
        before: int | None = None,
        newest_first: bool = True,
        limit: int = 1000,
    ) -> list[LogEntry]:
        """Log rows between two sequences, of one name if asked."""
        with self._open() as contents:
            node = contents.nodes.get(node_id)
            rows = node.log[after : max(0, before - 1) if before is not None else None] if node is not None else []
        found = [row for row in rows if name is None or records.subject_of(row.payload) in (None, name)]
        return (found[::-1] if newest_first else found)[:limit]

    def prepare_history(self) -> None:
        """There is nothing to prepare."""

    def rows_about(self, node_id: str, names: Sequence[str], *, after: int, before: int, limit: int) -> list[LogEntry]:
        """Log rows about any of some names."""
        rows, wanted = self.history(node_id, after=after, before=before, newest_first=False, limit=before), set(names)
        return [row for row in rows if records.subject_of(row.payload) in wanted][:limit]

    def count_history(self, node_id: str, name: str, *, before: int | None = None, most: int) -> int:
        """How many rows there are of a name."""
        return len(self.history(node_id, name=name, before=before, limit=most))

    def keep_derived(self, node_id: str, name: str, sequence: int, content: str) -> None:
        """Keep something worked out from what a node has learned."""
        del sequence  # for whoever reads a file
        with self._open() as contents:
            contents.derived[(node_id, name)] = content

    def derived(self, node_id: str, name: str) -> str | None:
        """What is kept under that name."""
        with self._open() as contents:
            return contents.derived.get((node_id, name))

    def verify_log(self, node_id: str) -> None:
        """Recompute the node's hash chain."""
        records.check_chain(node_id, records.GENESIS, self.log(node_id, limit=2**62))

    def pattern(self, node_id: str, name: str) -> Pattern | None:
        """One pattern by its bare name."""
        with self._open() as contents:
            node = contents.nodes.get(node_id)
            return named(node, name) if node is not None else None

    # --- sessions ---

    def session(self, session_id: str) -> SessionRecord | None:
        """A session that has not been ended."""
        with self._open() as contents:
            return contents.sessions.get(session_id)

    def ended_session(self, session_id: str, *, visible: Visible = EVERYTHING) -> Literal["deleted", "expired"] | None:
        """How a session ended."""
        with self._open() as contents:
            ended = contents.ended.get(session_id)
            return ended.state if ended is not None and visible.session(ended.owner, ended.node_id) else None

    def sessions(
        self,
        *,
        now: int,
        node_id: str | None = None,
        visible: Visible = EVERYTHING,
        after: tuple[int, str] | None = None,
        limit: int = 100,
    ) -> list[SessionRecord]:
        """Live sessions by creation."""
        with self._open() as contents:
            live = [record for record in contents.sessions.values() if _is_live(record, now, node_id, visible)]
        live.sort(key=_position)
        page = [record for record in live if after is None or _position(record) > after][:limit]
        return [replace(record, steps=()) for record in page]

    def count_sessions(self, *, now: int, node_id: str | None = None, visible: Visible = EVERYTHING) -> SessionCounts:
        """Exact counts."""
        with self._open() as contents:
            active = sum(_is_live(record, now, node_id, visible) for record in contents.sessions.values())
            if visible == EVERYTHING:
                return SessionCounts(
                    active, contents.created, contents.deleted, contents.expired, contents.last_modified
                )
            kept = [each for each in contents.sessions.values() if visible.session(each.owner, each.node_id)]
            ends = [each.state for each in contents.ended.values() if visible.session(each.owner, each.node_id)]
        return SessionCounts(
            active,
            len(kept) + len(ends),
            ends.count("deleted"),
            ends.count("expired"),
            max((each.created_at for each in kept), default=None),
        )

    def due_sessions(self, *, now: int, limit: int = 1000) -> list[tuple[str, str, str | None]]:
        """Sessions whose expiry has passed."""
        with self._open() as contents:
            due = [record for record in contents.sessions.values() if record.expires_at <= now]
        due.sort(key=lambda record: (record.expires_at, record.session_id))
        return [(record.session_id, record.node_id, record.owner) for record in due[:limit]]

    def sweep(self, *, now: int) -> None:
        """Drop what need not be remembered any longer."""
        with self._open() as contents:
            contents.ended = {key: ended for key, ended in contents.ended.items() if ended.forget_at > now}
            for scope, replies in list(contents.replies.items()):
                contents.replies[scope] = {key: reply for key, reply in replies.items() if reply.expires_at > now}
                if not contents.replies[scope]:
                    del contents.replies[scope]

    def reply(self, scope: str, key: str, *, now: int) -> Reply | None:
        """A remembered answer."""
        with self._open() as contents:
            reply = contents.replies.get(scope, {}).get(key)
        return reply if reply is not None and reply.expires_at > now else None

    # --- upkeep ---

    def compact(self) -> None:
        """Nothing to compact."""
        self.check()

    @property
    def snapshots(self) -> None:
        """Nothing is kept on a disk."""

    def check(self) -> None:
        """Raise if closed."""
        with self._open():
            pass

    def size_bytes(self) -> int:
        """Nothing is kept on a disk."""
        self.check()
        return 0

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._closed = True
            self._contents = Contents()


def _info(node_id: str, node: Node) -> NodeInfo:
    return NodeInfo(node_id, len(node.patterns), node.head, node.created_at, node.changed_at)


def _is_live(record: SessionRecord, now: int, node_id: str | None, visible: Visible) -> bool:
    return (
        record.expires_at > now
        and (node_id is None or record.node_id == node_id)
        and visible.session(record.owner, record.node_id)
    )


def _position(record: SessionRecord) -> tuple[int, str]:
    return record.created_at, record.session_id
