"""How sessions, their steps and their ends are written and read."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from kato.errors import SessionNotFound, StoredDataCorrupt
from kato.storage import records
from kato.storage.interface import (
    EVERYTHING,
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
from kato.storage.sqlite_replies import ReplyTable

_COLUMNS = (
    "session_id, node_id, created_at, last_accessed, expires_at, ttl_seconds, profile, head, owner, version, steps, "
    "checksum"
)
_FACTS = "session_id, node_id, created_at, last_accessed, expires_at, ttl_seconds, owner, version, steps"
COUNTERS = ("created", "deleted", "expired", "last_modified")
"""In the order that their checksum is made of."""
_KNOWN = 20_000
"""Sessions whose facts are held; some hundred bytes each."""


class SessionTables:
    """
    The session tables seen through one connection.

    The one that writes knows the facts of what it wrote, since nobody else writes: so a change need not read them first.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[str, _Facts] = {}
        """Facts as this connection wrote them last."""

    # --- writing ---

    def apply(self, operation: SessionOperation) -> None:
        """
        Apply one session operation.

        Raises:
            SessionChanged: The version is not the expected one, or the session to create exists.
            SessionNotFound: The session to change is gone.
        """
        if isinstance(operation, SessionChange):
            self._change(operation)
        elif isinstance(operation, SessionCreate):
            self._create(operation.record)
        elif isinstance(operation, SessionTouch):
            self._touch(operation)
        else:
            self._end(operation)

    def rolled_back(self) -> None:
        """Something of what was written has been taken back."""
        self._known.clear()

    def _wrote(self, facts: _Facts) -> None:
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[facts.session_id] = facts

    def _create(self, record: SessionRecord) -> None:
        facts = _Facts(
            record.session_id,
            record.node_id,
            record.created_at,
            record.last_accessed,
            record.expires_at,
            record.ttl_seconds,
            record.owner,
            1,
            len(record.steps),
        )
        made = self._connection.execute(
            f"INSERT INTO session ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?) "
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
                facts.checksum,
            ),
        ).rowcount
        if not made:
            raise SessionChanged(record.session_id)
        self._append(record.session_id, record.steps)
        self._count("created", record.created_at)
        self._wrote(facts)

    def _facts(self, session_id: str) -> _Facts | None:
        """What is stored of a session beside its contents."""
        row = self._connection.execute(
            f"SELECT {_FACTS}, checksum FROM session WHERE session_id = ?", (session_id,)
        ).fetchone()
        return _checked(row) if row is not None else None

    def _change(self, change: SessionChange) -> None:
        session_id, profile, head = change.session_id, change.profile, change.head
        before = self._known.get(session_id) or self._facts(session_id)
        if before is None:
            raise SessionNotFound(session_id)
        if before.version != change.expected_version:
            raise SessionChanged(session_id)
        dropped = 0
        if change.keep_from is not None:
            dropped = self._connection.execute(
                "DELETE FROM step WHERE session_id = ? AND ordinal < ?", (session_id, change.keep_from)
            ).rowcount
        facts = _Facts(
            session_id,
            before.node_id,
            before.created_at,
            change.last_accessed,
            change.expires_at,
            change.ttl_seconds,
            before.owner,
            before.version + 1,
            before.steps + len(change.append) - dropped,
        )
        values: list[Any] = [facts.version, facts.last_accessed, facts.steps, facts.checksum]
        is_put_off = facts.expires_at != before.expires_at or facts.ttl_seconds != before.ttl_seconds
        if is_put_off:
            values += (facts.expires_at, facts.ttl_seconds)
        if profile is not None:
            values.append(records.sealed(profile, _profile_of(session_id, facts.owner)))
        if head is not None:
            values.append(records.sealed(head, _head_of(session_id)))
        changed = self._connection.execute(
            _update(is_put_off, profile is not None, head is not None), (*values, session_id, before.version)
        ).rowcount
        if not changed:
            # What was known is not what is there: it is gone or damaged, which reading it tells.
            self._known.pop(session_id, None)
            raise SessionChanged(session_id) if self._facts(session_id) else SessionNotFound(session_id)
        self._append(session_id, change.append)
        self._wrote(facts)

    def _touch(self, touch: SessionTouch) -> None:
        try:
            facts = self._known.get(touch.session_id) or self._facts(touch.session_id)
        except StoredDataCorrupt:
            return  # whoever reads it is told; a touch is nobody's request
        if facts is None:
            return
        last_accessed = max(facts.last_accessed, touch.last_accessed)
        facts = facts._replace(last_accessed=last_accessed, expires_at=touch.expires_at)
        self._connection.execute(
            "UPDATE session SET last_accessed = ?, expires_at = ?, checksum = ? WHERE session_id = ?",
            (facts.last_accessed, facts.expires_at, facts.checksum, touch.session_id),
        )
        self._wrote(facts)

    def _append(self, session_id: str, steps: tuple[tuple[int, bytes], ...]) -> None:
        for ordinal, content in steps:
            self._connection.execute(
                "INSERT INTO step VALUES (?, ?, ?)",
                (session_id, ordinal, records.sealed(content, _step_of(session_id, ordinal))),
            )

    def _end(self, end: SessionEnd) -> None:
        gone = self._connection.execute(
            "DELETE FROM session WHERE session_id = ? RETURNING owner, node_id", (end.session_id,)
        ).fetchone()
        self._known.pop(end.session_id, None)
        if gone is None:
            return
        self._connection.execute("DELETE FROM step WHERE session_id = ?", (end.session_id,))
        ReplyTable(self._connection).let_run_out(end.session_id, end.forget_at)
        if end.forget_at > end.at:
            row = (end.session_id, end.state, end.forget_at, *gone)
            self._connection.execute(
                "INSERT OR REPLACE INTO ended VALUES (?, ?, ?, ?, ?, ?)", (*row, records.facts(*row))
            )
        self._count(end.state, end.at)

    def _count(self, name: str, at: int) -> None:
        counters = self.counters()
        counters[name] += 1
        counters["last_modified"] = max(counters["last_modified"], at)
        self.write_counters(counters)

    def write_counters(self, counters: Mapping[str, int]) -> None:
        """Replace the counts of sessions."""
        checksum = records.facts(*map(counters.__getitem__, COUNTERS))
        self._connection.executemany(
            "UPDATE counter SET value = ? WHERE name = ?",
            [*((counters[name], name) for name in COUNTERS), (checksum, "checksum")],
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
        if len(steps) != _checked_row(row).steps:
            raise StoredDataCorrupt(f"Steps of session {session_id[:200]} are missing; restore a backup")
        return _record(
            row,
            tuple((ordinal, records.unsealed(content, _step_of(session_id, ordinal))) for ordinal, content in steps),
        )

    def read_end(self, session_id: str, visible: Visible = EVERYTHING) -> Literal["deleted", "expired"] | None:
        """How a session ended, while that is remembered."""
        condition, parameters = _among(visible)
        row = self._connection.execute(
            f"SELECT session_id, state, forget_at, owner, node_id, checksum FROM ended WHERE session_id = ?{condition}",
            (session_id, *parameters),
        ).fetchone()
        if row is None:
            return None
        if not records.is_sound(row):
            raise StoredDataCorrupt(
                f"What is stored of the end of session {session_id[:200]} is damaged; restore a backup"
            )
        return "deleted" if row[1] == "deleted" else "expired"

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
        if records.facts(*map(found.get, COUNTERS)) != found.get("checksum"):
            raise StoredDataCorrupt("The count of sessions is damaged; restore a backup")
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


@lru_cache
def _update(is_put_off: bool, with_profile: bool, with_head: bool) -> str:
    """
    The statement that changes a session. It names only what changes: SQLite writes every index anew that has a column named,
    and moving a session among the expiries costs a page or two of the write-ahead log.
    """
    columns = ["version", "last_accessed", "steps", "checksum"]
    columns += ["expires_at", "ttl_seconds"] if is_put_off else []
    columns += ["profile"] if with_profile else []
    columns += ["head"] if with_head else []
    return f"UPDATE session SET {' = ?, '.join(columns)} = ? WHERE session_id = ? AND version = ?"


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


class _Facts(NamedTuple):
    """What is stored of a session beside its contents; _FACTS in SQL. A tuple, as every change of a session makes two."""

    session_id: str
    node_id: str
    created_at: int
    last_accessed: int
    expires_at: int
    ttl_seconds: int
    owner: str | None
    version: int
    steps: int

    @property
    def checksum(self) -> int:
        """What is stored beside them."""
        return records.facts(*self)


def _checked(row: Sequence[Any]) -> _Facts:
    """
    Facts out of their row.

    Raises:
        StoredDataCorrupt: They are not what was written.
    """
    facts = _Facts(*row[:-1])
    if facts.checksum != row[-1]:
        raise StoredDataCorrupt(f"What is stored of session {facts.session_id!r:.200} is damaged; restore a backup")
    return facts


def _checked_row(row: Sequence[Any]) -> _Facts:
    """Facts out of a whole row (_COLUMNS)."""
    return _checked((*row[:6], *row[8:]))


def _record(row: tuple[Any, ...], steps: tuple[tuple[int, bytes], ...]) -> SessionRecord:
    session_id, node_id, created_at, last_accessed, expires_at, ttl_seconds, profile, head, owner, version, _, _ = row
    _checked_row(row)
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
