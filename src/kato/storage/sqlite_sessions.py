"""How sessions, their steps, their ends and remembered replies are written and read."""

from __future__ import annotations

import sqlite3
from typing import Any, Literal

from kato.errors import SessionNotFound, StoredDataCorrupt
from kato.storage import records
from kato.storage.interface import (
    EVERYTHING,
    Reply,
    SessionChange,
    SessionChanged,
    SessionCounts,
    SessionCreate,
    SessionEnd,
    SessionOperation,
    SessionRecord,
    SessionTouch,
    Visible,
)
from kato.storage.sqlite_errors import check_integers

_COLUMNS = (
    "session_id, node_id, created_at, last_accessed, expires_at, ttl_seconds, profile, head, owner, version, steps"
)

_TRIMS = 10
"""Looking for answers beyond what is kept costs as much as there are: it is done so often while that number comes in."""
_SCOPES_COUNTED = 10_000


class SessionTables:
    """The session tables seen through one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._since_trimmed: dict[str, int] = {}
        """Scope → answers remembered since the last look for those beyond what is kept."""

    # --- writing ---

    def apply(self, operation: SessionOperation) -> None:
        """
        Apply one session operation.

        Raises:
            SessionChanged: The version is not the expected one, or the session to create exists.
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
        made = self._connection.execute(
            f"INSERT INTO session ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?) "
            "ON CONFLICT (session_id) DO NOTHING",
            (
                record.session_id,
                record.node_id,
                record.created_at,
                record.last_accessed,
                record.expires_at,
                record.ttl_seconds,
                records.sealed(record.profile, _profile_of(record.session_id, record.owner)),
                records.sealed(record.head, _head_of(record.session_id)),
                record.owner,
                len(record.steps),
            ),
        ).rowcount
        if not made:
            raise SessionChanged(record.session_id)
        self._append(record.session_id, record.steps)
        self._count("created", record.created_at)

    def _change(self, change: SessionChange) -> None:
        session_id, profile, head = change.session_id, change.profile, change.head
        dropped = 0
        if profile is not None:
            row = self._connection.execute("SELECT owner FROM session WHERE session_id = ?", (session_id,)).fetchone()
            profile = records.sealed(profile, _profile_of(session_id, row[0] if row else None))
        if change.keep_from is not None:
            dropped = self._connection.execute(
                "DELETE FROM step WHERE session_id = ? AND ordinal < ?", (session_id, change.keep_from)
            ).rowcount
        updated = self._connection.execute(
            "UPDATE session SET version = version + 1, last_accessed = ?, expires_at = ?, ttl_seconds = ?, "
            "profile = coalesce(?, profile), head = coalesce(?, head), steps = steps + ? "
            "WHERE session_id = ? AND version = ?",
            (
                change.last_accessed,
                change.expires_at,
                change.ttl_seconds,
                profile,
                records.sealed(head, _head_of(session_id)) if head is not None else None,
                len(change.append) - dropped,
                session_id,
                change.expected_version,
            ),
        ).rowcount
        if not updated:
            exists = self._connection.execute("SELECT 1 FROM session WHERE session_id = ?", (session_id,)).fetchone()
            raise SessionChanged(session_id) if exists else SessionNotFound(session_id)
        self._append(session_id, change.append)

    def _append(self, session_id: str, steps: tuple[tuple[int, bytes], ...]) -> None:
        if steps:
            self._connection.executemany(
                "INSERT INTO step VALUES (?, ?, ?)",
                [
                    (session_id, ordinal, records.sealed(content, _step_of(session_id, ordinal)))
                    for ordinal, content in steps
                ],
            )

    def _end(self, end: SessionEnd) -> None:
        gone = self._connection.execute(
            "DELETE FROM session WHERE session_id = ? RETURNING owner, node_id", (end.session_id,)
        ).fetchone()
        if gone is None:
            return
        self._connection.execute("DELETE FROM step WHERE session_id = ?", (end.session_id,))
        self._connection.execute(
            "UPDATE reply SET expires_at = min(expires_at, ?) WHERE scope = ?", (end.forget_at, end.session_id)
        )
        if end.forget_at > end.at:
            self._connection.execute(
                "INSERT OR REPLACE INTO ended VALUES (?, ?, ?, ?, ?)",
                (end.session_id, end.state, end.forget_at, *gone),
            )
        self._count(end.state, end.at)

    def _count(self, name: str, at: int) -> None:
        self._connection.execute("UPDATE counter SET value = value + 1 WHERE name = ?", (name,))
        self._connection.execute("UPDATE counter SET value = max(value, ?) WHERE name = 'last_modified'", (at,))

    def remember(self, reply: Reply) -> None:
        """Remember an answer, and now and then forget the oldest of its scope beyond what is kept."""
        answer = records.sealed(reply.answer, _answer_to(reply.scope, reply.key))
        self._connection.execute(
            "INSERT OR REPLACE INTO reply (scope, key, fingerprint, answer, expires_at, keep) VALUES (?, ?, ?, ?, ?, ?)",
            (reply.scope, reply.key, reply.fingerprint, answer, reply.expires_at, reply.keep),
        )
        since = self._since_trimmed.get(reply.scope, reply.keep) + 1
        if since <= reply.keep // _TRIMS:
            self._since_trimmed[reply.scope] = since
            return
        if len(self._since_trimmed) >= _SCOPES_COUNTED:
            self._since_trimmed.clear()
        self._since_trimmed[reply.scope] = 0
        self._connection.execute(
            "DELETE FROM reply WHERE scope = ? AND ordinal <= "
            "(SELECT ordinal FROM reply WHERE scope = ? ORDER BY ordinal DESC LIMIT 1 OFFSET ?)",
            (reply.scope, reply.scope, reply.keep),
        )

    def forget(self, now: int) -> None:
        """Drop the ends and answers whose time has passed."""
        self._connection.execute("DELETE FROM ended WHERE forget_at <= ?", (now,))
        self._connection.execute("DELETE FROM reply WHERE expires_at <= ?", (now,))

    # --- reading ---

    def read(self, session_id: str) -> SessionRecord | None:
        """One session with its steps."""
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM session WHERE session_id = ?", (session_id,)).fetchone()
        if row is None:
            return None
        steps = self._connection.execute(
            "SELECT ordinal, content FROM step WHERE session_id = ? ORDER BY ordinal", (session_id,)
        ).fetchall()
        if len(steps) != row[-1]:
            raise StoredDataCorrupt(f"Steps of session {session_id[:200]} are missing; restore a backup")
        return _record(
            row,
            tuple((ordinal, records.unsealed(content, _step_of(session_id, ordinal))) for ordinal, content in steps),
        )

    def read_end(self, session_id: str, visible: Visible = EVERYTHING) -> Literal["deleted", "expired"] | None:
        """How a session ended, while that is remembered."""
        condition, parameters = _among(visible)
        row = self._connection.execute(
            f"SELECT state FROM ended WHERE session_id = ?{condition}", (session_id, *parameters)
        ).fetchone()
        return row[0] if row else None

    def read_reply(self, scope: str, key: str, now: int) -> Reply | None:
        """A remembered answer that has not run out."""
        row = self._connection.execute(
            "SELECT fingerprint, answer, expires_at, keep FROM reply WHERE scope = ? AND key = ? AND expires_at > ? "
            "AND (SELECT count(*) FROM reply AS newer WHERE newer.scope = reply.scope AND newer.ordinal > reply.ordinal) "
            "< reply.keep",
            (scope, key, now),
        ).fetchone()
        if row is None:
            return None
        return Reply(scope, key, row[0], records.unsealed(row[1], _answer_to(scope, key)), *row[2:])

    def due(self, now: int, limit: int) -> list[tuple[str, str, str | None]]:
        """Session, node and owner of sessions whose expiry has passed, oldest first."""
        rows = self._connection.execute(
            "SELECT session_id, node_id, owner FROM session WHERE expires_at <= ? ORDER BY expires_at, session_id LIMIT ?",
            (now, limit),
        )
        return rows.fetchall()

    def has_forgettable(self, now: int) -> bool:
        """Whether `forget` would find anything."""
        row = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM ended WHERE forget_at <= ?) "
            "OR EXISTS (SELECT 1 FROM reply WHERE expires_at <= ?)",
            (now, now),
        ).fetchone()
        return bool(row[0])

    def listed(
        self, now: int, node_id: str | None, visible: Visible, after: tuple[int, str] | None, limit: int
    ) -> list[SessionRecord]:
        """Live sessions without their steps, by creation and id."""
        condition, parameters = _among(visible)
        where = f"(created_at, session_id) > (?, ?) AND expires_at > ?{condition}"
        parameters = [*(after or (-1, "")), now, *parameters]
        if node_id is not None:
            where += " AND node_id = ?"
            parameters.append(node_id)
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM session WHERE {where} ORDER BY created_at, session_id LIMIT ?",
            (*parameters, limit),
        ).fetchall()
        return [_record(row, ()) for row in rows]

    def counters(self) -> dict[str, int]:
        """Sessions ever created, deleted and expired, and when the last of these happened."""
        found = dict(self._connection.execute("SELECT name, value FROM counter").fetchall())
        check_integers("The count of sessions", *map(found.get, ("created", "deleted", "expired", "last_modified")))
        return found

    def counts(self, now: int, node_id: str | None, visible: Visible) -> SessionCounts:
        """Exact counts."""
        if visible != EVERYTHING:
            return self._counts_among(now, node_id, visible)
        counters = self.counters()
        if node_id is None:
            # The active are those begun and not ended, less the few that are due.
            due = self._one("SELECT count(*) FROM session WHERE expires_at <= ?", now)
            active = counters["created"] - counters["deleted"] - counters["expired"] - due
        else:
            active = self._one("SELECT count(*) FROM session WHERE node_id = ? AND expires_at > ?", node_id, now)
        return SessionCounts(
            active=active,
            created=counters["created"],
            deleted=counters["deleted"],
            expired=counters["expired"],
            last_modified=counters["last_modified"] or None,
        )

    def _counts_among(self, now: int, node_id: str | None, visible: Visible) -> SessionCounts:
        condition, parameters = _among(visible)
        ends = f"SELECT count(*) FROM ended WHERE state = ?{condition}"
        deleted, expired = self._one(ends, "deleted", *parameters), self._one(ends, "expired", *parameters)
        live = f"SELECT count(*) FROM session WHERE expires_at > ?{condition}"
        return SessionCounts(
            active=self._one(live, now, *parameters)
            if node_id is None
            else self._one(f"{live} AND node_id = ?", now, *parameters, node_id),
            created=self._one(f"SELECT count(*) FROM session WHERE true{condition}", *parameters) + deleted + expired,
            deleted=deleted,
            expired=expired,
            last_modified=self._one(f"SELECT max(created_at) FROM session WHERE true{condition}", *parameters),
        )

    def _one(self, query: str, *parameters: object) -> Any:
        return self._connection.execute(query, parameters).fetchone()[0]


def _among(visible: Visible) -> tuple[str, list[Any]]:
    """What a WHERE clause must add so that only visible sessions are found, and its parameters."""
    condition = ""
    parameters: list[Any] = []
    if visible.owner is not None:
        condition += " AND owner = ?"
        parameters.append(visible.owner)
    if visible.prefixes:
        condition += f" AND ({' OR '.join(['substr(node_id, 1, ?) = ?'] * len(visible.prefixes))})"
        parameters += [part for prefix in visible.prefixes for part in (len(prefix), prefix)]
    return condition, parameters


def _record(row: tuple[Any, ...], steps: tuple[tuple[int, bytes], ...]) -> SessionRecord:
    session_id, node_id, created_at, last_accessed, expires_at, ttl_seconds, profile, head, owner, version, _ = row
    check_integers(
        f"What is stored of session {session_id!r:.200}", created_at, last_accessed, expires_at, ttl_seconds, version
    )
    return SessionRecord(
        session_id,
        node_id,
        created_at,
        last_accessed,
        expires_at,
        ttl_seconds,
        records.unsealed(profile, _profile_of(session_id, owner)),
        records.unsealed(head, _head_of(session_id)),
        steps,
        version,
        owner,
    )


# Places, as checksums know them and as sentences about damage name them.


def _profile_of(session_id: str, owner: str | None) -> str:
    # The owner is part of it, so that no damage gives a session to somebody else.
    return f"session {session_id}, profile" if owner is None else f"session {session_id}, profile, owner {owner}"


def _head_of(session_id: str) -> str:
    return f"session {session_id}, head"


def _step_of(session_id: str, ordinal: int) -> str:
    return f"session {session_id}, step {ordinal}"


def _answer_to(scope: str, key: str) -> str:
    return f"the answer to {key} of {scope}"
