"""
The embedded default: everything in one SQLite file.

One connection writes, under a lock; every thread that reads has a connection of its own, so reads never wait for writes
(write-ahead log). Only one process may hold the file: an operating-system lock beside it says so, and goes with the process.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from kato.engine.knowledge import Change
from kato.engine.pattern import Pattern
from kato.errors import StorageUnavailable, StoredDataCorrupt
from kato.storage import records, schema, sqlite_history, sqlite_reading, write_ahead
from kato.storage.files import snapshots_of
from kato.storage.holding import Hold, lock_of
from kato.storage.interface import (
    EVERYTHING,
    Committed,
    Loaded,
    LogEntry,
    NodeInfo,
    Reply,
    SessionCounts,
    SessionRecord,
    Since,
    Transaction,
    Visible,
)
from kato.storage.sqlite_errors import DATABASE_ERRORS, is_of_the_storage, mapped, silenced, translated
from kato.storage.sqlite_indexes import check_indexes
from kato.storage.sqlite_loading import Stream, read_node
from kato.storage.sqlite_replies import ReplyTable
from kato.storage.sqlite_sessions import SessionTables
from kato.storage.sqlite_since import read_since
from kato.storage.sqlite_writing import NodeTables

_WAL_KEPT = 64 * 1024 * 1024
"""Bytes the write-ahead log's file keeps between checkpoints; a bulk learning may have made it larger."""
_WAL_PAGES = 4000
"""Pages after which a commit that may take its time copies the write-ahead log into the file: everybody waits so long."""
_FREED_AT_ONCE = 1000
"""Pages given back while others wait to write: some milliseconds."""


class SqliteStorage:
    """
    A storage in one file.

    Args:
        path: The database file; its directory is made if needed.

    Raises:
        StorageInUse: Another process holds it.
        StorageUnavailable: It cannot be opened.
        StoredDataCorrupt: It is not a database of ours, or of another version.
    """

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        try:
            # Two names of one file must meet at one lock, so links are followed first.
            self._path = path.resolve()
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"The directory {path.parent} cannot be made: {error.strerror}") from error
        self._write_lock = threading.Lock()
        self._local = threading.local()
        self._state = threading.Condition()
        self._readers: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._reading_now = 0
        self._closed = False
        self._durable: bool | None = None
        self._tidies: bool | None = None
        self._refuses = False
        """Whether the last commit failed, and no write has succeeded since."""
        self._finds_subjects = False
        """Whether the index of log rows by pattern was looked at."""
        self._checking = threading.Lock()
        """Held by who looks at it."""
        self._sound: set[str] = set()
        """Scopes of remembered answers whose index was looked at."""
        self._listeners: list[Callable[[str, Sequence[Change]], None]] = []
        self._hold = Hold(lock_of(self._path))
        try:
            self._writer = self._open_writer()
        except BaseException:
            self._hold.release()
            raise
        self._nodes = NodeTables(self._writer)
        self._sessions = SessionTables(self._writer)
        self._replies = ReplyTable(self._writer)

    # --- connections ---

    def _open_writer(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = None
        broken = write_ahead.damage_in(self._path.with_name(self._path.name + "-wal"))
        if broken is not None:
            raise StoredDataCorrupt(broken)
        try:
            connection = self._connect()
            schema.prepare(connection, self._path)
            sqlite_reading.check_nodes(connection, self._path)
            check_indexes(connection, self._path)
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
            # What may not be opened for writing SQLite opens for reading, and would stay so when the disk obeys again.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE counter SET value = value WHERE name = 'created'")
            connection.execute("ROLLBACK")
        except DATABASE_ERRORS as error:
            if connection is not None:
                connection.close()
            # For whoever starts the program, so it may say where and why.
            failure = translated(error, f"It cannot be opened: {error}")
            raise type(failure)(f"{self._path}: {failure.message}") from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=5.0, cached_statements=256
        )
        try:
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection

    def _is_closed(self) -> bool:
        return self._closed

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StorageUnavailable("The storage has been closed")

    def _reader(self) -> sqlite3.Connection:
        """The connection of this thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            with self._state:
                for thread, idle in self._readers:
                    if not thread.is_alive():
                        idle.close()
                self._readers = [entry for entry in self._readers if entry[0].is_alive()]
                self._readers.append((threading.current_thread(), connection))
        return connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One moment of the database; `close` waits for its end."""
        with self._state:
            self._refuse_when_closed()
            self._reading_now += 1
        try:
            with mapped():
                connection = self._reader()
                connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    connection.execute("ROLLBACK")
        finally:
            with self._state:
                self._reading_now -= 1
                self._state.notify_all()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """The one connection that writes, for one thread at a time."""
        with self._write_lock:
            self._refuse_when_closed()
            with mapped():
                yield self._writer

    # --- writing ---

    def commit(
        self, transactions: Sequence[Transaction], *, durable: bool, tidy: bool = True
    ) -> list[Committed | Exception]:
        """Apply the transactions in order, each all or nothing, all in one commit. Tidying copies the log to its place."""
        with self._write_lock:
            self._refuse_when_closed()
            try:
                return self._commit(self._writer, transactions, durable=durable, tidy=tidy)
            except DATABASE_ERRORS as error:
                raise silenced(error) from error

    def _commit(
        self, connection: sqlite3.Connection, transactions: Sequence[Transaction], *, durable: bool, tidy: bool
    ) -> list[Committed | Exception]:
        if self._refuses:
            self._recover(connection)
        self._refuses = True  # until it has not
        self._set_durable(connection, durable)
        if tidy is not self._tidies:
            connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES if tidy else 0}")
            self._tidies = tidy
        connection.execute("BEGIN IMMEDIATE")
        try:
            if len(transactions) == 1:
                results = [self._alone(transactions[0])]
            else:
                results = [self._attempt(transaction) for transaction in transactions]
            if connection.in_transaction:
                connection.execute("COMMIT")
        except BaseException:
            self._forget_known()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._refuses = False
        for transaction, result in zip(transactions, results, strict=True):
            if isinstance(result, Committed) and result.changes and transaction.node_id is not None:
                for listener in self._listeners:
                    listener(transaction.node_id, result.changes)
        return results

    def _set_durable(self, connection: sqlite3.Connection, durable: bool) -> None:
        if durable is not self._durable:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def _recover(self, connection: sqlite3.Connection) -> None:
        """
        After a failed commit: see whether the disk takes writes again; raises while it does not.

        What the failed commit left in the write-ahead log is cut away first, so that no crash can bring it back.
        """
        if not self._refuses:
            return
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._set_durable(connection, True)
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Something that differs each time: SQLite does not write what is the same.
            connection.execute(
                "INSERT INTO counter VALUES ('recoveries', 1) ON CONFLICT DO UPDATE SET value = value + 1"
            )
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        self._refuses = False

    def _attempt(self, transaction: Transaction) -> Committed | Exception:
        """One transaction of a group; its own failure is its result, a failure of the storage is raised."""
        self._writer.execute("SAVEPOINT one")
        result = self._apply(transaction)
        if isinstance(result, Exception):
            self._forget_known()
            self._writer.execute("ROLLBACK TO one")
        self._writer.execute("RELEASE one")
        return result

    def _alone(self, transaction: Transaction) -> Committed | Exception:
        """The same for one that has the commit to itself: nobody else's work needs a savepoint."""
        result = self._apply(transaction)
        if isinstance(result, Exception):
            self._forget_known()
            self._writer.execute("ROLLBACK")
        return result

    def _forget_known(self) -> None:
        """What is about to be taken back was known as written."""
        self._nodes.rolled_back()
        self._sessions.rolled_back()

    def _apply(self, transaction: Transaction) -> Committed | Exception:
        try:
            changes = self._nodes.apply(transaction)
            for operation in transaction.sessions:
                self._sessions.apply(operation)
            reply = transaction.reply
            if reply is not None:
                self._replies.remember(reply(changes) if callable(reply) else reply)
        except StoredDataCorrupt as error:
            return error  # of what this one is about; who else is in the group goes on
        except Exception as error:
            if is_of_the_storage(error):
                raise
            return error
        return Committed(changes)

    def listen(self, listener: Callable[[str, Sequence[Change]], None]) -> None:
        """Tell of every change from now on."""
        self._listeners.append(listener)

    # --- nodes ---

    def load(self, node_id: str) -> Loaded:
        """Everything the node has learned, at one moment, through a connection of its own."""
        self._refuse_when_closed()
        with mapped():
            connection = self._connect()
            loaded: Loaded | None = None
            try:
                connection.execute("PRAGMA query_only = ON")
                connection.execute("BEGIN")
                loaded = read_node(connection, node_id, self._is_closed)
            finally:
                if loaded is None:
                    connection.close()
        return loaded or Loaded(0, iter(()), {})

    def since(self, node_id: str, sequence: int, digest: bytes) -> Since:
        """What has changed since a sequence of a node's log, through a connection of its own."""
        self._refuse_when_closed()
        with mapped():
            connection = self._connect()
            try:
                connection.execute("PRAGMA query_only = ON")
                connection.execute("BEGIN")
                since = read_since(connection, node_id, sequence, digest, self._is_closed)
                return replace(since, present=Stream(connection, since.present))
            except BaseException:
                connection.close()
                raise

    def node(self, node_id: str) -> NodeInfo | None:
        """Facts about one node."""
        with self._reading() as connection:
            return sqlite_reading.read_info(connection, node_id)

    def nodes(self, *, after: str = "", limit: int = 1000) -> list[NodeInfo]:
        """Nodes by id."""
        with self._reading() as connection:
            return sqlite_reading.read_infos(connection, after, limit)

    def log(self, node_id: str, *, after: int = 0, limit: int = 1000) -> list[LogEntry]:
        """Log rows after a sequence."""
        with self._reading() as connection:
            return sqlite_reading.read_log(connection, node_id, after, limit)

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
        with self._reading() as connection:
            if name is not None:
                self._check_subjects(connection)
            return sqlite_history.read_history(connection, node_id, name, after, before, newest_first, limit)

    def prepare_history(self) -> None:
        """See whether the index that finds a pattern's rows has all of them."""
        with self._reading() as connection:
            self._check_subjects(connection)

    def rows_about(self, node_id: str, names: Sequence[str], *, after: int, before: int, limit: int) -> list[LogEntry]:
        """Log rows about any of some names."""
        with self._reading() as connection:
            self._check_subjects(connection)
            return sqlite_history.read_rows_about(connection, node_id, names, after, before, limit)

    def count_history(self, node_id: str, name: str, *, before: int | None = None, most: int) -> int:
        """How many rows there are of a name."""
        with self._reading() as connection:
            self._check_subjects(connection)
            return sqlite_history.count_history(connection, node_id, name, before, most)

    def _check_subjects(self, connection: sqlite3.Connection) -> None:
        """
        Before the first question about one pattern's rows: whether the index that finds them has every row.

        A row that is hidden is not missed in the answer, so this cannot be left to whoever reads it.
        """
        if self._finds_subjects:
            return
        with self._checking:  # whoever comes meanwhile waits for the one that looks
            if not self._finds_subjects:
                sqlite_history.check_subjects(connection, self._refuse_when_closed)
                self._finds_subjects = True

    def keep_derived(self, node_id: str, name: str, sequence: int, content: str) -> None:
        """Keep something worked out from what a node has learned."""
        with self._writing() as connection:
            self._recover(connection)
            # A statement of its own is a transaction of its own.
            row = (node_id, name, sequence, content)
            connection.execute("INSERT OR REPLACE INTO derived VALUES (?, ?, ?, ?, ?)", (*row, records.facts(*row)))

    def derived(self, node_id: str, name: str) -> str | None:
        """What is kept under that name."""
        query = "SELECT node_id, name, sequence, content, checksum FROM derived WHERE node_id = ? AND name = ?"
        with self._reading() as connection:
            row = connection.execute(query, (node_id, name)).fetchone()
        # What is damaged is as good as not there: it can be worked out again.
        return None if row is None or not records.is_sound(row) else str(row[3])

    def verify_log(self, node_id: str) -> None:
        """Recompute the node's hash chain."""
        with self._reading() as connection:
            sqlite_reading.verify_log(connection, node_id)

    def pattern(self, node_id: str, name: str) -> Pattern | None:
        """One pattern by its bare name."""
        with self._reading() as connection:
            return sqlite_reading.read_pattern(connection, node_id, name)

    # --- sessions ---

    def session(self, session_id: str) -> SessionRecord | None:
        """A session that has not been ended."""
        with self._reading() as connection:
            return SessionTables(connection).read(session_id)

    def ended_session(self, session_id: str, *, visible: Visible = EVERYTHING) -> Literal["deleted", "expired"] | None:
        """How a session ended."""
        with self._reading() as connection:
            return SessionTables(connection).read_end(session_id, visible)

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
        with self._reading() as connection:
            return SessionTables(connection).listed(now, node_id, visible, after, limit)

    def count_sessions(self, *, now: int, node_id: str | None = None, visible: Visible = EVERYTHING) -> SessionCounts:
        """Exact counts."""
        with self._reading() as connection:
            return SessionTables(connection).counts(now, node_id, visible)

    def due_sessions(self, *, now: int, limit: int = 1000) -> list[tuple[str, str, str | None]]:
        """Sessions whose expiry has passed."""
        with self._reading() as connection:
            return SessionTables(connection).due(now, limit)

    def sweep(self, *, now: int) -> None:
        """Drop what need not be remembered any longer."""
        with self._reading() as connection:
            if not SessionTables(connection).has_forgettable(now):
                return
        with self._writing():
            self._sessions.forget(now)

    def reply(self, scope: str, key: str, *, now: int) -> Reply | None:
        """A remembered answer."""
        with self._reading() as connection:
            return ReplyTable(connection, self._sound).read(scope, key, now)

    # --- upkeep ---

    def compact(self) -> None:
        """Give back empty pages, move the write-ahead log into the database, refresh what the query planner knows."""
        with self._writing() as connection:
            connection.execute("PRAGMA optimize")
        while True:
            with self._writing() as connection:
                empty = connection.execute("PRAGMA freelist_count").fetchone()[0]
                connection.execute(f"PRAGMA incremental_vacuum({_FREED_AT_ONCE})").fetchall()
                left = connection.execute("PRAGMA freelist_count").fetchone()[0]
            if not 0 < left < empty:
                break
        with self._writing() as connection:
            # Whoever reads an older moment keeps the write-ahead log; then it is cut another time.
            connection.execute("PRAGMA busy_timeout = 0")
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.execute("PRAGMA busy_timeout = 5000")

    @property
    def snapshots(self) -> Path:
        """A directory beside the database."""
        return snapshots_of(self._path)

    def check(self) -> None:
        """Raise if the storage cannot serve: it cannot be read, or its disk refused to write and still does."""
        if self._refuses:
            with self._writing() as writer:
                self._recover(writer)
        with self._reading() as connection:
            connection.execute("SELECT value FROM counter LIMIT 1").fetchall()

    def size_bytes(self) -> int:
        """Bytes of the database and its write-ahead log."""
        self._refuse_when_closed()
        files = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        """Wait for what is under way, close every connection and let go of the file."""
        with self._write_lock:
            with self._state:
                if self._closed:
                    return
                self._closed = True
                self._state.wait_for(lambda: not self._reading_now)
                for _, connection in self._readers:
                    connection.close()
            self._writer.close()
            self._hold.release()
