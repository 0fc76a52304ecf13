"""How the remembered answers of requests that carried an idempotency key are written and read."""

from __future__ import annotations

import sqlite3

from kato.errors import StoredDataCorrupt
from kato.storage import records
from kato.storage.interface import Reply

_TRIMS = 10
"""Looking for answers beyond what is kept costs as much as there are: it is done so often while that number comes in."""
_SCOPES_KNOWN = 10_000


class ReplyTable:
    """
    The table of answers seen through one connection.

    Args:
        sound: Scopes whose index was found sound, which are not looked at again; one that is looked at is added.
    """

    def __init__(self, connection: sqlite3.Connection, sound: set[str] | None = None) -> None:
        self._connection = connection
        self._sound = set() if sound is None else sound
        self._since_trimmed: dict[str, int] = {}
        """Scope → answers remembered since the last look for those beyond what is kept."""

    def remember(self, reply: Reply) -> None:
        """Remember an answer, and now and then forget the oldest of its scope beyond what is kept."""
        answer = records.sealed(reply.answer, _answer_to(reply.scope, reply.key))
        facts = (reply.scope, reply.key, reply.fingerprint, reply.expires_at, reply.keep)
        self._connection.execute(
            "INSERT OR REPLACE INTO reply (scope, key, fingerprint, expires_at, keep, answer, checksum) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*facts, answer, records.facts(*facts)),
        )
        since = self._since_trimmed.get(reply.scope, reply.keep) + 1
        if since <= reply.keep // _TRIMS:
            self._since_trimmed[reply.scope] = since
            return
        if len(self._since_trimmed) >= _SCOPES_KNOWN:
            self._since_trimmed.clear()
        self._since_trimmed[reply.scope] = 0
        self._connection.execute(
            "DELETE FROM reply WHERE scope = ? AND ordinal <= "
            "(SELECT ordinal FROM reply WHERE scope = ? ORDER BY ordinal DESC LIMIT 1 OFFSET ?)",
            (reply.scope, reply.scope, reply.keep),
        )

    def let_run_out(self, scope: str, at: int) -> None:
        """The answers of a scope are remembered until then at most."""
        rows = self._connection.execute(
            "SELECT key, fingerprint, keep FROM reply WHERE scope = ? AND expires_at > ?", (scope, at)
        ).fetchall()
        self._connection.executemany(
            "UPDATE reply SET expires_at = ?, checksum = ? WHERE scope = ? AND key = ?",
            [(at, records.facts(scope, key, fingerprint, at, keep), scope, key) for key, fingerprint, keep in rows],
        )

    def read(self, scope: str, key: str, now: int) -> Reply | None:
        """
        A remembered answer that has not run out.

        Raises:
            StoredDataCorrupt: It is not what was written, or it may be hidden.
        """
        stored = self._stored(scope, key)
        if stored is None:
            self._check_scope(scope)
            return None
        reply, newer = stored
        return reply if reply.expires_at > now and newer < reply.keep else None

    def check(self, scope: str, key: str) -> None:
        """
        Whether an answer that is listed is what was written; one beyond what is kept may be there until it is forgotten.

        Raises:
            StoredDataCorrupt: It is not, or its key does not find it.
        """
        if self._stored(scope, key) is None:
            raise StoredDataCorrupt(f"The answer to {key[:200]} of {scope[:200]} is listed and cannot be found")

    def _stored(self, scope: str, key: str) -> tuple[Reply, int] | None:
        """(an answer, run out or not, and how many newer ones its scope has)."""
        row = self._connection.execute(
            "SELECT fingerprint, answer, expires_at, keep, checksum, "
            "(SELECT count(*) FROM reply AS newer WHERE newer.scope = reply.scope AND newer.ordinal > reply.ordinal) "
            "FROM reply WHERE scope = ? AND key = ?",
            (scope, key),
        ).fetchone()
        if row is None:
            return None
        fingerprint, answer, expires_at, keep, checksum, newer = row
        if records.facts(scope, key, fingerprint, expires_at, keep) != checksum:
            raise StoredDataCorrupt(f"What is stored of {_answer_to(scope, key)[:200]} is damaged; restore a backup")
        content = records.unsealed(answer, _answer_to(scope, key))
        return Reply(scope, key, fingerprint, content, expires_at, keep), newer

    def _check_scope(self, scope: str) -> None:
        """
        Whether the index of keys holds every answer of a scope that another index lists: with one that is hidden, a repeated
        request would happen twice. Costs as much as there are answers, once.
        """
        if scope in self._sound:
            return
        listed, found = (
            self._connection.execute(f"SELECT key FROM reply INDEXED BY {index} WHERE scope = ?", (scope,)).fetchall()
            for index in ("reply_by_age", "sqlite_autoindex_reply_1")
        )
        if sorted(listed, key=repr) != sorted(found, key=repr):
            raise StoredDataCorrupt(
                f"The answers of {scope[:200]} cannot all be found: an index is damaged, which `kato repair` makes again"
            )
        if len(self._sound) >= _SCOPES_KNOWN:
            self._sound.clear()
        self._sound.add(scope)


def _answer_to(scope: str, key: str) -> str:
    """A place, as checksums know it and as sentences about damage name it."""
    return f"the answer to {key} of {scope}"
