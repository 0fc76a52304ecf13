"""
The embedded default: everything in one SQLite file.

One connection writes, under a lock; every thread that reads has a connection of its own, so reads never wait for writes
(write-ahead log). Only one process may hold the file: an operating-system lock beside it says so, and goes with the process.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from kato.engine.event import Symbol
from kato.engine.knowledge import Change
from kato.engine.pattern import Pattern, pattern_name
from kato.errors import KATOError, StorageError, StorageFull, StorageUnavailable, StoredDataCorrupt
from kato.storage import records, schema
from kato.storage.holding import Hold
from kato.storage.interface import (
    Committed,
    Loaded,
    LogEntry,
    NodeInfo,
    Order,
    Reply,
    SessionChanged,
    SessionCounts,
    SessionRecord,
    Transaction,
)
from kato.storage.sqlite_sessions import SessionTables
from kato.storage.sqlite_writing import NodeTables, unpack_vector

_PATTERN_COLUMNS = "name, events, frequency, emotives, metadata, affinity"
_FETCH = 1000


class SqliteStorage:
    """
    A storage in one file.

    Args:
        path: The database file; its directory is made if needed.

    Raises:
        StorageInUse: Another process holds it.
        StorageUnavailable: It cannot be opened.
        StoredDataCorrupt: It is not a database of ours, or a newer one.
    """

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"The directory {path.parent} cannot be made: {error.strerror}") from error
        self._hold = Hold(path.with_name(path.name + ".lock"))
        self._write_lock = threading.Lock()
        self._local = threading.local()
        self._open_lock = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._listeners: list[Callable[[str, Sequence[Change]], None]] = []
        self._closed = False
        self._durable: bool | None = None
        try:
            with self._mapped():
                self._writer = self._connect()
        except BaseException:
            self._hold.release()
            raise
        try:
            with self._mapped():
                self._writer.execute("PRAGMA journal_mode = WAL")
                schema.prepare(self._writer)
        except BaseException:
            self._writer.close()
            self._hold.release()
            raise
        self._nodes = NodeTables(self._writer)
        self._sessions = SessionTables(self._writer)

    # --- connections ---

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=5.0, cached_statements=256
        )
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection

    def _reader(self) -> sqlite3.Connection:
        if self._closed:
            raise StorageUnavailable("The storage has been closed")
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with self._mapped():
                connection = self._connect()
                connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            with self._open_lock:
                self._readers.append(connection)
        return connection

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """Turn what SQLite raises into what we raise; no sentence holds a path or a statement."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code == sqlite3.SQLITE_FULL:
                raise StorageFull("There is no room left to store the change; nothing was changed") from error
            if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                raise StoredDataCorrupt("The database file is damaged; restore a backup") from error
            raise StorageUnavailable("The database does not answer; nothing was changed") from error

    def _rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._mapped():
            return self._reader().execute(statement, parameters).fetchall()

    # --- writing ---

    def commit(self, transactions: Sequence[Transaction], *, durable: bool) -> list[Committed | Exception]:
        """Apply the transactions in order, each all or nothing, all in one commit."""
        results: list[Committed | Exception] = []
        with self._write_lock:
            if self._closed:
                raise StorageUnavailable("The storage has been closed")
            with self._mapped():
                if durable is not self._durable:
                    self._writer.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                    self._durable = durable
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    results.extend(self._attempt(transaction) for transaction in transactions)
                    self._writer.execute("COMMIT")
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise
            for transaction, result in zip(transactions, results, strict=True):
                if isinstance(result, Committed) and result.changes and transaction.node_id is not None:
                    for listener in self._listeners:
                        listener(transaction.node_id, result.changes)
        return results

    def _attempt(self, transaction: Transaction) -> Committed | Exception:
        """One transaction of a group; its own failure is its result, a failure of the storage is raised."""
        self._writer.execute("SAVEPOINT one")
        try:
            changes = self._nodes.apply(transaction) if transaction.node_id is not None else ()
            for operation in transaction.sessions:
                self._sessions.apply(operation)
            reply = transaction.reply
            if reply is not None:
                self._sessions.remember(reply(changes) if callable(reply) else reply)
        except StorageError:
            raise
        except (KATOError, SessionChanged) as error:
            self._writer.execute("ROLLBACK TO one")
            self._writer.execute("RELEASE one")
            return error
        self._writer.execute("RELEASE one")
        return Committed(changes)

    def listen(self, listener: Callable[[str, Sequence[Change]], None]) -> None:
        """Tell of every change from now on."""
        self._listeners.append(listener)

    # --- nodes ---

    def _node_number(self, node_id: str) -> int | None:
        rows = self._rows("SELECT id FROM node WHERE node_id = ?", (node_id,))
        return rows[0][0] if rows else None

    def load(self, node_id: str) -> Loaded:
        """Everything the node has learned, at one moment."""
        with self._mapped():
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            row = connection.execute("SELECT id, head FROM node WHERE node_id = ?", (node_id,)).fetchone()
            if row is None:
                connection.close()
                return Loaded(0, iter(()), {})
            found = connection.execute(
                "SELECT name, components FROM vector WHERE node = ? AND components IS NOT NULL", (row[0],)
            ).fetchall()
        vectors: Mapping[Symbol, tuple[float, ...]] = {name: unpack_vector(content) for name, content in found}
        return Loaded(row[1], self._stream(connection, node_id, row[0]), vectors)

    def _stream(self, connection: sqlite3.Connection, node_id: str, number: int) -> Iterator[Pattern]:
        try:
            with self._mapped():
                cursor = connection.execute(
                    f"SELECT {_PATTERN_COLUMNS} FROM pattern WHERE node = ? ORDER BY id", (number,)
                )
                while rows := cursor.fetchmany(_FETCH):
                    for row in rows:
                        yield self._checked(node_id, row)
        finally:
            connection.close()

    def _checked(self, node_id: str, row: Sequence[Any]) -> Pattern:
        """A pattern whose name still follows from its events."""
        name = row[0].hex()
        try:
            pattern = records.read_pattern(name, *row[1:])
        except (ValueError, TypeError, AttributeError) as error:
            raise StoredDataCorrupt(f"Pattern {name} of node {node_id[:200]!r} is damaged; restore a backup") from error
        if pattern_name(pattern.events) != name or pattern.frequency < 1:
            raise StoredDataCorrupt(f"Pattern {name} of node {node_id[:200]!r} is damaged; restore a backup")
        return pattern

    def node(self, node_id: str) -> NodeInfo | None:
        """Facts about one node."""
        rows = self._rows(
            "SELECT node_id, patterns, head, created_at, changed_at FROM node WHERE node_id = ?", (node_id,)
        )
        return NodeInfo(*rows[0]) if rows else None

    def nodes(self, *, after: str = "", limit: int = 1000) -> list[NodeInfo]:
        """Nodes by id."""
        rows = self._rows(
            "SELECT node_id, patterns, head, created_at, changed_at FROM node "
            "WHERE node_id > ? ORDER BY node_id LIMIT ?",
            (after, limit),
        )
        return [NodeInfo(*row) for row in rows]

    def log(self, node_id: str, *, after: int = 0, limit: int = 1000) -> list[LogEntry]:
        """Log rows after a sequence."""
        rows = self._rows(
            "SELECT n.node_id, l.sequence, l.at, l.operation, l.session_id, l.actor, l.payload, l.hash FROM log l "
            "JOIN node n ON n.id = l.node WHERE n.node_id = ? AND l.sequence > ? ORDER BY l.sequence LIMIT ?",
            (node_id, after, limit),
        )
        return [LogEntry(*row) for row in rows]

    def verify_log(self, node_id: str) -> None:
        """Recompute the node's hash chain."""
        number = self._node_number(node_id)
        if number is None:
            return
        previous, sequence = records.GENESIS, 0
        while page := self.log(node_id, after=sequence, limit=_FETCH):
            for expected, entry in enumerate(page, start=sequence + 1):
                if entry.sequence != expected:
                    raise StoredDataCorrupt(
                        f"The log of node {node_id[:200]!r} lacks sequence {expected}; restore a backup"
                    )
            previous = records.check_chain(node_id, previous, page)
            sequence = page[-1].sequence
        head, stored = self._rows("SELECT head, hash FROM node WHERE id = ?", (number,))[0]
        if head != sequence or stored != previous:
            raise StoredDataCorrupt(
                f"The log of node {node_id[:200]!r} ends at {sequence}, not at {head}; restore a backup"
            )

    def pattern(self, node_id: str, name: str) -> Pattern | None:
        """One pattern by its bare name."""
        number = self._node_number(node_id)
        rows = self._rows(
            f"SELECT {_PATTERN_COLUMNS} FROM pattern WHERE node = ? AND name = ? ORDER BY id LIMIT 1",
            (number, bytes.fromhex(name)),
        )
        return self._checked(node_id, rows[0]) if rows else None

    def patterns(
        self, node_id: str, *, order: Order, after: tuple[Any, ...] | None, limit: int, search: str = ""
    ) -> tuple[list[Pattern], tuple[Any, ...] | None, int]:
        """One page of a node's patterns."""
        number = self._node_number(node_id)
        connection = self._reader()
        with self._mapped():
            connection.execute("BEGIN")
            try:
                return self._page(connection, node_id, number, order, after, limit, search)
            finally:
                connection.execute("COMMIT")

    def _page(
        self,
        connection: sqlite3.Connection,
        node_id: str,
        number: int | None,
        order: Order,
        after: tuple[Any, ...] | None,
        limit: int,
        search: str,
    ) -> tuple[list[Pattern], tuple[Any, ...] | None, int]:
        column, descending = order.removeprefix("-"), order.startswith("-")
        direction, beyond = ("DESC", "<") if descending else ("ASC", ">")
        where = "node = ?"
        parameters: list[Any] = [number]
        if search:
            # The escaped text occurs in the stored JSON wherever the text occurs in a symbol; the exact test follows.
            escaped = records.dump(search).decode()[1:-1]
            prefix = search.lower().removeprefix("ptrn|")
            where += " AND (instr(events, ?) > 0 OR substr(lower(hex(name)), 1, ?) = ?)"
            parameters += [escaped, len(prefix), prefix]
        if column == "name":
            ordering = f"name {direction}, id"
            position = f" AND (name {beyond} ? OR (name = ? AND id > ?))"
            where_after = [bytes.fromhex(after[0]), bytes.fromhex(after[0]), after[1]] if after else []
        else:
            ordering = f"{column} {direction}, name, id"
            position = f" AND ({column} {beyond} ? OR ({column} = ? AND (name > ? OR (name = ? AND id > ?))))"
            name = bytes.fromhex(after[1]) if after else b""
            where_after = [after[0], after[0], name, name, after[2]] if after else []
        columns = f"id, length, {_PATTERN_COLUMNS}"
        if search:
            counted = connection.execute(f"SELECT {columns} FROM pattern WHERE {where}", parameters)
            total = sum(records.matches_search(self._checked(node_id, row[2:]), search) for row in counted)
        else:
            total = connection.execute(f"SELECT count(*) FROM pattern WHERE {where}", parameters).fetchone()[0]
        if after:
            where += position
            parameters += where_after
        page: list[Pattern] = []
        last: tuple[Any, ...] | None = None
        for row in connection.execute(f"SELECT {columns} FROM pattern WHERE {where} ORDER BY {ordering}", parameters):
            pattern = self._checked(node_id, row[2:])
            if not records.matches_search(pattern, search):
                continue
            if len(page) == limit:
                return page, last, total
            page.append(pattern)
            value = pattern.frequency if column == "frequency" else row[1]
            last = (pattern.name, row[0]) if column == "name" else (value, pattern.name, row[0])
        return page, None, total

    # --- sessions ---

    def session(self, session_id: str) -> SessionRecord | None:
        """A session that has not been ended."""
        connection = self._reader()
        with self._mapped():
            connection.execute("BEGIN")
            try:
                return SessionTables(connection).read(session_id)
            finally:
                connection.execute("COMMIT")

    def ended_session(self, session_id: str) -> Literal["deleted", "expired"] | None:
        """How a session ended."""
        rows = self._rows("SELECT state FROM ended WHERE session_id = ?", (session_id,))
        return rows[0][0] if rows else None

    def sessions(
        self, *, now: int, node_id: str | None = None, after: tuple[int, str] | None = None, limit: int = 100
    ) -> list[SessionRecord]:
        """Live sessions by creation."""
        with self._mapped():
            return SessionTables(self._reader()).listed(now, node_id, after, limit)

    def count_sessions(self, *, now: int, node_id: str | None = None) -> SessionCounts:
        """Exact counts."""
        with self._mapped():
            return SessionTables(self._reader()).counts(now, node_id)

    def due_sessions(self, *, now: int, limit: int = 1000) -> list[tuple[str, str]]:
        """Sessions whose expiry has passed."""
        rows = self._rows(
            "SELECT session_id, node_id FROM session WHERE expires_at <= ? ORDER BY expires_at, session_id LIMIT ?",
            (now, limit),
        )
        return [(row[0], row[1]) for row in rows]

    def sweep(self, *, now: int) -> None:
        """Drop what need not be remembered any longer."""
        if not self._rows(
            "SELECT 1 FROM ended WHERE forget_at <= ?1 UNION ALL SELECT 1 FROM reply WHERE expires_at <= ?1 LIMIT 1",
            (now,),
        ):
            return
        with self._write_lock, self._mapped():
            self._writer.execute("DELETE FROM ended WHERE forget_at <= ?", (now,))
            self._writer.execute("DELETE FROM reply WHERE expires_at <= ?", (now,))

    def reply(self, scope: str, key: str, *, now: int) -> Reply | None:
        """A remembered answer."""
        rows = self._rows(
            "SELECT scope, key, fingerprint, answer, expires_at, keep FROM reply "
            "WHERE scope = ? AND key = ? AND expires_at > ?",
            (scope, key, now),
        )
        return Reply(*rows[0]) if rows else None

    # --- upkeep ---

    def compact(self) -> None:
        """Move the write-ahead log into the database and refresh what the query planner knows."""
        with self._write_lock, self._mapped():
            self._writer.execute("PRAGMA optimize")
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def check(self) -> None:
        """Raise if the storage cannot serve."""
        self._rows("SELECT value FROM counter LIMIT 1")

    def size_bytes(self) -> int:
        """Bytes of the database and its write-ahead log."""
        files = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        """Close every connection and let go of the file."""
        with self._write_lock:
            if self._closed:
                return
            self._closed = True
            with self._open_lock:
                for connection in self._readers:
                    connection.close()
            self._writer.close()
            self._hold.release()
