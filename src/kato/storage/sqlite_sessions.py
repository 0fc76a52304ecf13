"""How sessions, their steps, their ends and remembered replies are written and read."""

from __future__ import annotations

import sqlite3
from typing import Any

from kato.errors import SessionNotFound
from kato.storage.interface import (
    Reply,
    SessionChange,
    SessionChanged,
    SessionCounts,
    SessionCreate,
    SessionEnd,
    SessionOperation,
    SessionRecord,
    SessionTouch,
)

_COLUMNS = "session_id, node_id, created_at, last_accessed, expires_at, ttl_seconds, profile, head, version"


class SessionTables:
    """The session tables seen through one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    # --- writing ---

    def apply(self, operation: SessionOperation) -> None:
        """
        Apply one session operation.

        Raises:
            SessionChanged: The version is not the expected one.
            SessionNotFound: The session to change is gone.
        """
        if isinstance(operation, SessionCreate):
            self._create(operation.record)
        elif isinstance(operation, SessionChange):
            self._change(operation)
        elif isinstance(operation, SessionTouch):
            self._connection.execute(
                "UPDATE session SET last_accessed = max(last_accessed, ?), expires_at = ? WHERE session_id = ?",
                (operation.last_accessed, operation.expires_at, operation.session_id),
            )
        else:
            self._end(operation)

    def _create(self, record: SessionRecord) -> None:
        self._connection.execute(
            "INSERT INTO session (session_id, node_id, created_at, last_accessed, expires_at, ttl_seconds, version, "
            "profile, head) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)",
            (
                record.session_id,
                record.node_id,
                record.created_at,
                record.last_accessed,
                record.expires_at,
                record.ttl_seconds,
                record.profile,
                record.head,
            ),
        )
        self._append(record.session_id, record.steps)
        self._count("created", record.created_at)

    def _change(self, change: SessionChange) -> None:
        updated = self._connection.execute(
            "UPDATE session SET version = version + 1, last_accessed = ?, expires_at = ?, ttl_seconds = ?, "
            "profile = coalesce(?, profile), head = coalesce(?, head) WHERE session_id = ? AND version = ?",
            (
                change.last_accessed,
                change.expires_at,
                change.ttl_seconds,
                change.profile,
                change.head,
                change.session_id,
                change.expected_version,
            ),
        ).rowcount
        if not updated:
            exists = self._connection.execute(
                "SELECT 1 FROM session WHERE session_id = ?", (change.session_id,)
            ).fetchone()
            raise SessionChanged(change.session_id) if exists else SessionNotFound(change.session_id)
        if change.keep_from is not None:
            self._connection.execute(
                "DELETE FROM step WHERE session_id = ? AND ordinal < ?", (change.session_id, change.keep_from)
            )
        self._append(change.session_id, change.append)

    def _append(self, session_id: str, steps: tuple[tuple[int, bytes], ...]) -> None:
        if steps:
            self._connection.executemany(
                "INSERT INTO step VALUES (?, ?, ?)",
                [(session_id, ordinal, content) for ordinal, content in steps],
            )

    def _end(self, end: SessionEnd) -> None:
        gone = self._connection.execute("DELETE FROM session WHERE session_id = ?", (end.session_id,)).rowcount
        if not gone:
            return
        self._connection.execute("DELETE FROM step WHERE session_id = ?", (end.session_id,))
        if end.forget_at > end.at:
            self._connection.execute(
                "INSERT OR REPLACE INTO ended VALUES (?, ?, ?)", (end.session_id, end.state, end.forget_at)
            )
        self._count(end.state, end.at)

    def _count(self, name: str, at: int) -> None:
        self._connection.execute("UPDATE counter SET value = value + 1 WHERE name = ?", (name,))
        self._connection.execute("UPDATE counter SET value = max(value, ?) WHERE name = 'last_modified'", (at,))

    def remember(self, reply: Reply) -> None:
        """Remember an answer, and forget the oldest of its scope beyond what is kept."""
        self._connection.execute(
            "INSERT OR REPLACE INTO reply (scope, key, fingerprint, answer, expires_at, keep) VALUES (?, ?, ?, ?, ?, ?)",
            (reply.scope, reply.key, reply.fingerprint, reply.answer, reply.expires_at, reply.keep),
        )
        self._connection.execute(
            "DELETE FROM reply WHERE scope = ?1 AND ordinal <= "
            "(SELECT ordinal FROM reply WHERE scope = ?1 ORDER BY ordinal DESC LIMIT 1 OFFSET ?2)",
            (reply.scope, reply.keep),
        )

    # --- reading ---

    def read(self, session_id: str) -> SessionRecord | None:
        """One session with its steps."""
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM session WHERE session_id = ?", (session_id,)).fetchone()
        if row is None:
            return None
        steps = self._connection.execute(
            "SELECT ordinal, content FROM step WHERE session_id = ? ORDER BY ordinal", (session_id,)
        ).fetchall()
        return _record(row, tuple((ordinal, content) for ordinal, content in steps))

    def listed(self, now: int, node_id: str | None, after: tuple[int, str] | None, limit: int) -> list[SessionRecord]:
        """Live sessions without their steps, by creation and id."""
        created, session_id = after or (-1, "")
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM session WHERE (created_at, session_id) > (?1, ?2) AND expires_at > ?3 "
            "AND (?4 IS NULL OR node_id = ?4) ORDER BY created_at, session_id LIMIT ?5",
            (created, session_id, now, node_id, limit),
        ).fetchall()
        return [_record(row, ()) for row in rows]

    def counts(self, now: int, node_id: str | None) -> SessionCounts:
        """Exact counts."""
        counters = dict(self._connection.execute("SELECT name, value FROM counter").fetchall())
        active = self._connection.execute(
            "SELECT count(*) FROM session WHERE expires_at > ?1 AND (?2 IS NULL OR node_id = ?2)",
            (now, node_id),
        ).fetchone()[0]
        return SessionCounts(
            active=active,
            created=counters["created"],
            deleted=counters["deleted"],
            expired=counters["expired"],
            last_modified=counters["last_modified"] or None,
        )


def _record(row: tuple[Any, ...], steps: tuple[tuple[int, bytes], ...]) -> SessionRecord:
    session_id, node_id, created_at, last_accessed, expires_at, ttl_seconds, profile, head, version = row
    return SessionRecord(
        session_id, node_id, created_at, last_accessed, expires_at, ttl_seconds, profile, head, steps, version
    )
