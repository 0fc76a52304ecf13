"""
Repair: a new database out of what is sound in a damaged one.

What follows from the logs is made again. Logs and sessions follow from nothing, so what is damaged there is given up only
when asked to, and told; nothing is ever invented. The damaged database is kept under another name.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kato.errors import StorageError, StoredDataCorrupt
from kato.storage import records, schema, write_ahead
from kato.storage.checking import Checked, Finding, check_file, entries, listed_rows, reading
from kato.storage.files import SIDE_FILES, made_beside
from kato.storage.holding import Hold, lock_of
from kato.storage.replaying import repeat
from kato.storage.sqlite_errors import DATABASE_ERRORS
from kato.storage.sqlite_replies import ReplyTable
from kato.storage.sqlite_sessions import COUNTERS, SessionTables

_REFUSAL = (
    "What is damaged does not follow from the logs, so it cannot be made again. Restore a backup, or give it up with "
    "--salvage"
)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did."""

    found: Checked
    kept_at: Path | None
    """Where the damaged database is now; None where nothing had to be done."""
    lost: tuple[str, ...]
    """What was given up, as sentences."""


class NotRepairable(StoredDataCorrupt):
    """Something is damaged that follows from nothing; `found` tells all that was found."""

    def __init__(self, message: str, found: Checked) -> None:
        super().__init__(message)
        self.found = found


def repair(path: Path, *, salvage: bool = False) -> Repaired:
    """
    Make a sound database out of a damaged one, in its place.

    Args:
        salvage: Go on where something is damaged that cannot be made again: keep every log up to its last sound row and
            every sound session, and give up the rest.

    Raises:
        StorageInUse: A process holds the memory.
        NotRepairable: Something cannot be made again and `salvage` was not asked for; nothing was changed.
        StorageUnavailable, StoredDataCorrupt: Nothing in it can be read, or the new database is not sound.
    """
    path = path.resolve()
    hold = Hold(lock_of(path))
    try:
        broken = write_ahead.damage_in(path.with_name(path.name + "-wal"))
        behind = [Finding(broken, is_derived=False)] if broken is not None else []
        if behind and not salvage:
            raise NotRepairable(_REFUSAL, Checked(findings=behind))
        found = check_file(path, despite_log=True)
        found.findings[:0] = behind
        found.is_cut = bool(behind)
        if not found.findings:
            return Repaired(found, None, ())
        if not salvage and not all(finding.is_derived for finding in found.findings):
            raise NotRepairable(_REFUSAL, found)
        kept_at = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        with made_beside(path) as making:
            with reading(path, despite_log=True) as source:
                lost = _rebuild(source, making, found)
            left = check_file(making).findings
            if left:
                raise StoredDataCorrupt(f"The repaired database would not be sound: {left[0].sentence}")
            _keep(path, kept_at)
        return Repaired(found, kept_at, tuple(lost))
    finally:
        hold.release()


def _keep(path: Path, kept_at: Path) -> None:
    """Give a database another name too, and take away what lies beside it, which belongs to it alone."""
    try:
        os.link(path, kept_at)
    except OSError:  # a file system without links
        shutil.copy2(path, kept_at)
    for ending in SIDE_FILES:
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.rename(kept_at.with_name(kept_at.name + ending))


def _rebuild(source: sqlite3.Connection, making: Path, found: Checked) -> list[str]:
    lost = ["everything that stood behind the damage in the write-ahead log"] if found.is_cut else []
    connection = sqlite3.connect(making, isolation_level=None)
    try:
        schema.prepare(connection, making)
        connection.execute("PRAGMA synchronous = OFF")  # flushed as a whole when it is whole
        connection.execute("BEGIN IMMEDIATE")
        for number, node_id, head in _nodes(source, lost):
            up_to = found.sound.get(number, 0)
            if not isinstance(node_id, str):
                lost.append(f"a node whose id cannot be read: {node_id!r:.200}")
                continue
            repeat(connection, node_id, entries(source, number, node_id, up_to))
            if up_to != head:
                lost.append(f"node {node_id[:200]!r}: what was learned after sequence {up_to}, up to {head}")
        kept = _keep_sessions(source, connection, lost)
        _keep_replies(source, connection, lost)
        _keep_rows(source, connection, "ended", lost)
        _keep_rows(source, connection, "derived", [])  # what is left out is worked out again
        _keep_counters(source, connection, kept)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
    return lost


def _rows(source: sqlite3.Connection, table: str, query: str, lost: list[str]) -> Iterator[tuple[Any, ...]]:
    """Rows of a table one after another, as far as they can be read; what cannot, or is listed and not there, is told."""
    read = 0
    try:
        for row in source.execute(query):
            read += 1
            yield row
    except DATABASE_ERRORS as error:
        lost.append(f"what the table {table} holds behind its row {read}, where it cannot be read: {error}")
    else:
        if (listed := listed_rows(source, table)) > read:
            lost.append(
                f"{listed - read} rows of the table {table}, which an index of it lists and which are not there"
            )


def _nodes(source: sqlite3.Connection, lost: list[str]) -> list[tuple[int, str, int]]:
    return list(_rows(source, "node", "SELECT id, node_id, head FROM node NOT INDEXED ORDER BY id", lost))


def _keep_sessions(source: sqlite3.Connection, target: sqlite3.Connection, lost: list[str]) -> int:
    """Copy the sound sessions; how many."""
    kept = 0
    for row in _rows(source, "session", "SELECT * FROM session NOT INDEXED", lost):
        session_id = row[0]
        try:
            if SessionTables(source).read(session_id) is None:
                raise StoredDataCorrupt("It cannot be found")
            steps = source.execute("SELECT * FROM step WHERE session_id = ?", (session_id,)).fetchall()
            target.executemany("INSERT INTO step VALUES (?, ?, ?)", steps)
            target.execute(f"INSERT INTO session VALUES ({', '.join('?' * len(row))})", row)
        except (StorageError, *DATABASE_ERRORS):
            target.execute("DELETE FROM step WHERE session_id = ?", (session_id,))
            lost.append(f"session {session_id!r:.200}")
        else:
            kept += 1
    return kept


def _keep_replies(source: sqlite3.Connection, target: sqlite3.Connection, lost: list[str]) -> None:
    for row in _rows(source, "reply", "SELECT * FROM reply NOT INDEXED ORDER BY ordinal", lost):
        scope, key = row[1:3]
        try:
            if ReplyTable(source).read(scope, key, -1) is None:
                raise StoredDataCorrupt("It cannot be found")
            target.execute(f"INSERT INTO reply VALUES ({', '.join('?' * len(row))})", row)
        except (StorageError, *DATABASE_ERRORS):
            lost.append(f"the remembered answer to {key!r:.200} of {scope!r:.200}")


def _keep_rows(source: sqlite3.Connection, target: sqlite3.Connection, table: str, lost: list[str]) -> None:
    for row in _rows(source, table, f"SELECT * FROM {table}", lost):
        try:
            if not records.is_sound(row):
                raise StoredDataCorrupt("It is not what was written")
            target.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        except (StorageError, *DATABASE_ERRORS):
            lost.append(f"a row of {table}: {row!r:.200}")


def _keep_counters(source: sqlite3.Connection, target: sqlite3.Connection, alive: int) -> None:
    """Counters as far as they can be read; the sessions begun are corrected to what was kept, so that counting adds up."""
    counters = {
        name: value
        for name, value in _rows(source, "counter", "SELECT name, value FROM counter", [])
        if type(value) is int
    }
    counters["created"] = counters.get("deleted", 0) + counters.get("expired", 0) + alive
    SessionTables(target).write_counters({name: counters.get(name, 0) for name in COUNTERS})
