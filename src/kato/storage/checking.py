"""
Whether a database holds what was written: its pages, every node's log, and that everything else follows from the logs.

Reads one moment of a file, also while a server writes to it, and changes nothing. What follows from a log is made again
in a temporary database and compared row by row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from kato.errors import StorageError, StorageUnavailable, StoredDataCorrupt
from kato.storage import records, schema, sqlite_reading, write_ahead
from kato.storage.holding import is_held
from kato.storage.interface import LogEntry
from kato.storage.replaying import repeat
from kato.storage.sqlite_errors import DATABASE_ERRORS, translated
from kato.storage.sqlite_replies import ReplyTable
from kato.storage.sqlite_sessions import SessionTables

_PAGE = 1000
"""Log rows read at a time."""
_NAMED = 3
"""Patterns of one node named one by one; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not what was written."""

    sentence: str
    is_derived: bool
    """Whether it follows from the logs, so that it can be made again without inventing anything."""


@dataclass(slots=True)
class Checked:
    """What a check looked at, and what it found."""

    nodes: int = 0
    patterns: int = 0
    log_rows: int = 0
    sessions: int = 0
    snapshots: int = 0
    findings: list[Finding] = field(default_factory=list)
    sound: dict[int, int] = field(default_factory=dict)
    """Node number → sequence up to which its log is sound."""
    is_cut: bool = False
    """Whether the write-ahead log is damaged, so that whatever stood behind the damage is not known."""

    def add(self, sentence: str, *, derived: bool) -> None:
        """Add a finding."""
        self.findings.append(Finding(sentence, derived))


@contextmanager
def reading(path: Path, *, despite_log: bool = False) -> Iterator[sqlite3.Connection]:
    """
    One moment of a database, for reading alone; the process that holds it goes on.

    Args:
        despite_log: Read also where the write-ahead log is damaged. SQLite then forgets what stood behind the damage, and that
            there was any.

    Raises:
        StorageUnavailable, StoredDataCorrupt: There is none, or none of ours.
    """
    if not path.is_file():
        raise StorageUnavailable(f"There is no memory at {path}")
    broken = None if despite_log else _damaged_log(path)
    if broken is not None:
        raise StoredDataCorrupt(broken)
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=5.0)
        connection.execute("PRAGMA query_only = ON")
        if not schema.check(connection, path):
            raise StorageUnavailable(f"There is no memory at {path}: the file holds nothing yet")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the moment is chosen by the first read
    except DATABASE_ERRORS as error:
        if connection is not None:
            connection.close()
        failure = translated(error, f"It cannot be read: {error}")
        raise type(failure)(f"{path}: {failure.message}") from error
    except BaseException:
        if connection is not None:
            connection.close()
        raise
    try:
        yield connection
    finally:
        connection.close()


def check_file(path: Path, *, despite_log: bool = False) -> Checked:
    """
    Check a database. Where the write-ahead log beside it is damaged, that alone is told, and nothing is opened.

    Args:
        despite_log: Check what can be read in spite of a damaged write-ahead log.

    Raises:
        StorageUnavailable, StoredDataCorrupt: There is none, or nothing in it can be read.
    """
    broken = None if despite_log else _damaged_log(path)
    if broken is not None:
        return Checked(findings=[Finding(broken, is_derived=False)])
    with reading(path, despite_log=despite_log) as connection:
        return check(connection)


def _damaged_log(path: Path) -> str | None:
    """What is wrong with the write-ahead log of a database that nobody holds; while somebody does, it is not at rest."""
    return None if is_held(path) else write_ahead.damage_in(path.with_name(path.name + "-wal"))


def check(connection: sqlite3.Connection) -> Checked:
    """Check everything that one moment of a database holds."""
    checked = Checked()
    with _noting(checked, "The database file", derived=True):
        for (text,) in connection.execute("PRAGMA integrity_check(20)"):
            if text != "ok":
                checked.add(f"The database file is damaged: {' '.join(str(text).split())[:300]}", derived=True)
    scratch = sqlite3.connect("", isolation_level=None)
    try:
        scratch.executescript(schema.TABLES)
        _check_schema(connection, scratch, checked)
        _check_nodes(connection, scratch, checked)
    finally:
        scratch.close()
    _check_sessions(connection, checked)
    return checked


@contextmanager
def _noting(checked: Checked, what: str, *, derived: bool) -> Iterator[None]:
    """Errors of reading become findings; the check goes on with what comes next."""
    try:
        yield
    except DATABASE_ERRORS as error:
        checked.add(f"{what} cannot be read: {error}", derived=derived)
    except StorageError as error:
        checked.add(error.message, derived=derived)


def _check_schema(connection: sqlite3.Connection, scratch: sqlite3.Connection, checked: Checked) -> None:
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    with _noting(checked, "The list of tables", derived=True):
        found, due = dict(connection.execute(query).fetchall()), dict(scratch.execute(query).fetchall())
        for name in sorted(due):
            if not schema.same_statement(found.get(name), due[name]):
                checked.add(f"The table or index {name} is not there, or not as it was made", derived=True)


# --- nodes ---


def _check_nodes(connection: sqlite3.Connection, scratch: sqlite3.Connection, checked: Checked) -> None:
    rows: list[tuple[int, str, int, bytes]] = []
    with _noting(checked, "The table of nodes", derived=False):
        rows += connection.execute("SELECT id, node_id, head, hash FROM node NOT INDEXED ORDER BY id")
    known = {row[0] for row in rows}
    with _noting(checked, "The table of log rows", derived=False):
        for number in sqlite_reading.logged_numbers(connection):
            if number not in known:
                checked.add(f"The log has rows of a node {number} that is not among the nodes", derived=False)
    for number, node_id, head, stored in rows:
        checked.nodes += 1
        if not isinstance(node_id, str) or not isinstance(head, int):
            checked.add(f"The row of node {number}, {node_id!r:.200}, is damaged", derived=False)
            continue
        before = len(checked.findings)
        checked.sound[number] = _check_log(connection, checked, number, node_id, head, stored)
        if len(checked.findings) == before:  # of a broken log nothing follows that could be compared
            _check_derived(connection, scratch, checked, number, node_id)


def entries(connection: sqlite3.Connection, number: int, node_id: str, up_to: int) -> Iterator[LogEntry]:
    """The log rows of a node up to a sequence, by its number, so that a damaged index matters nothing."""
    sequence = 0
    while sequence < up_to:
        page = sqlite_reading.read_log_of(connection, number, node_id, sequence, min(_PAGE, up_to - sequence))
        if not page:
            return
        yield from page
        sequence = page[-1].sequence


def _check_log(
    connection: sqlite3.Connection, checked: Checked, number: int, node_id: str, head: int, stored: bytes
) -> int:
    """The sequence up to which a node's log is sound."""
    previous, sequence = records.GENESIS, 0
    with _noting(checked, f"The log of node {node_id[:200]!r}, after sequence {sequence},", derived=False):
        for entry in entries(connection, number, node_id, 2**62):
            previous = records.check_chain(node_id, previous, [entry], after=sequence)
            sequence = entry.sequence
            checked.log_rows += 1
        if (sequence, previous) != (head, stored):
            # Of two that disagree nothing says which is right: rows may be gone, or the node's row may be damaged.
            raise sqlite_reading.log_ends(node_id, sequence, head)
    return sequence


def _check_derived(
    connection: sqlite3.Connection, scratch: sqlite3.Connection, checked: Checked, number: int, node_id: str
) -> None:
    """Repeat a node's log and compare what it makes with what is stored."""
    scratch.execute("BEGIN")
    try:
        with _noting(checked, f"What node {node_id[:200]!r} has learned", derived=True):
            try:
                repeat(scratch, node_id, entries(connection, number, node_id, checked.sound[number]))
            except StoredDataCorrupt as error:
                checked.add(error.message, derived=False)
                return
            _compare_patterns(connection, scratch, checked, number, node_id)
            _compare(connection, scratch, checked, node_id, "vectors", _VECTORS, (number,))
            _compare(connection, scratch, checked, node_id, "facts", _FACTS, (number,))
    finally:
        scratch.execute("ROLLBACK")


_PATTERNS = (
    "SELECT node, name, events, length, frequency, emotives, metadata, affinity, checksum FROM pattern NOT INDEXED "
    "WHERE node = ? ORDER BY id"
)
_VECTORS = "SELECT name, holders, components FROM vector WHERE node = ? ORDER BY name"
_FACTS = "SELECT node_id, head, hash, patterns, created_at, changed_at, checksum FROM node WHERE id = ?"


def _number(scratch: sqlite3.Connection) -> int:
    """The number a node got in the temporary database; 0 when its log is empty."""
    row = scratch.execute("SELECT id FROM node").fetchone()
    return int(row[0]) if row else 0


def _compare_patterns(
    connection: sqlite3.Connection, scratch: sqlite3.Connection, checked: Checked, number: int, node_id: str
) -> None:
    wrong: list[str] = []
    made = scratch.execute(_PATTERNS, (_number(scratch),))
    found = connection.execute(_PATTERNS, (number,))
    for row, due in zip_longest(found, made):
        if row is not None:
            checked.patterns += 1
        is_sound = row is not None and due is not None and row[1:-1] == due[1:-1]
        if not is_sound or records.checksum(*row[:-1]) != row[-1]:
            name = (due or row)[1]
            wrong.append(name.hex() if isinstance(name, bytes) else repr(name)[:40])
    for name in wrong[:_NAMED]:
        checked.add(f"Pattern {name} of node {node_id[:200]!r} is not what the log makes of it", derived=True)
    if len(wrong) > _NAMED:
        checked.add(
            f"So are {len(wrong) - _NAMED} more patterns of node {node_id[:200]!r}, or they stand elsewhere",
            derived=True,
        )


def _compare(
    connection: sqlite3.Connection,
    scratch: sqlite3.Connection,
    checked: Checked,
    node_id: str,
    what: str,
    query: str,
    parameters: tuple[Any, ...],
) -> None:
    number = _number(scratch)
    if not number:
        return
    if connection.execute(query, parameters).fetchall() != scratch.execute(query, (number,)).fetchall():
        checked.add(f"The {what} of node {node_id[:200]!r} are not what the log makes of them", derived=True)


# --- sessions ---


def _check_sessions(connection: sqlite3.Connection, checked: Checked) -> None:
    for what, query, check_one in (
        ("The table of sessions", "SELECT session_id FROM session NOT INDEXED", _check_session),
        ("The table of answers", "SELECT scope, key FROM reply NOT INDEXED", _check_reply),
    ):
        names: list[tuple[Any, ...]] = []
        with _noting(checked, what, derived=False):
            names = connection.execute(query).fetchall()
        for name in names:
            if not all(isinstance(part, str) for part in name):
                checked.add(f"{what} has a damaged row: {name!r:.200}", derived=False)
                continue
            with _noting(checked, f"{what}: {name}", derived=False):
                check_one(connection, *name)
        if check_one is _check_session:
            checked.sessions = len(names)
    for table in ("session", "reply", "ended"):
        with _noting(checked, f"The table {table}", derived=False):
            # Counted by a column that stands in no index; see `check_indexes`.
            query = f"SELECT total(checksum IS NOT NULL) FROM {table} NOT INDEXED"
            rows = int(connection.execute(query).fetchone()[0])
            if (listed := listed_rows(connection, table)) > rows:
                checked.add(f"The table {table} has {rows} rows, and an index of it lists {listed}", derived=False)
    _check_rows(connection, checked, "ended", derived=False)
    _check_rows(connection, checked, "derived", derived=True)
    with _noting(checked, "The steps of sessions", derived=False):
        query = (
            "SELECT DISTINCT session_id FROM step WHERE session_id NOT IN (SELECT session_id FROM session NOT INDEXED)"
        )
        for (session_id,) in connection.execute(query):
            checked.add(f"There are steps of a session {session_id!r:.200} that is not there", derived=False)
    with _noting(checked, "The counters", derived=False):
        counters = SessionTables(connection).counters()
        alive = counters["created"] - counters["deleted"] - counters["expired"]
        if alive != checked.sessions:
            checked.add(
                f"{alive} sessions should be there by the counters, there are {checked.sessions}", derived=False
            )


def listed_rows(connection: sqlite3.Connection, table: str) -> int:
    """How many rows of a table are listed by the index that lists the most; 0 where none can be read."""
    listed = 0
    try:
        for name in [row[1] for row in connection.execute(f"PRAGMA index_list({table})")]:
            (rows,) = connection.execute(f'SELECT count(*) FROM {table} INDEXED BY "{name}"').fetchone()
            listed = max(listed, rows)
    except DATABASE_ERRORS:  # a damaged index follows from the rows
        return listed
    return listed


def _check_rows(connection: sqlite3.Connection, checked: Checked, table: str, *, derived: bool) -> None:
    """Rows that have nothing but a checksum of their own."""
    with _noting(checked, f"The table {table}", derived=derived):
        for row in connection.execute(f"SELECT * FROM {table}"):
            if not records.is_sound(row):
                checked.add(f"A row of the table {table} is damaged: {row!r:.200}", derived=derived)


def _check_session(connection: sqlite3.Connection, session_id: str) -> None:
    if SessionTables(connection).read(session_id) is None:
        raise StoredDataCorrupt(f"Session {session_id[:200]} is listed and cannot be found")


def _check_reply(connection: sqlite3.Connection, scope: str, key: str) -> None:
    ReplyTable(connection).check(scope, key)
