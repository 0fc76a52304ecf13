"""
How sessions' lifetimes slide: each use puts the end of a session off, and how far is stored now and then.

Storing each would move the session among the expiries with every request. What has not been stored yet is lost with the process,
not forgotten by it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from kato.errors import StorageError
from kato.service.policy import Policy
from kato.service.runtime import Runtime
from kato.service.session import SECOND, Session
from kato.storage.interface import SessionTouch, Transaction
from kato.storage.writer import TransactionWriter

_WORTH_STORING = SECOND
"""Microseconds of a slide that is stored at once, or a hundredth of the lifetime; the sweep stores what is less."""
_AT_ONCE = 500
"""Slides in one transaction; others may come in between."""


def is_to_store(session: Session, expires_at: int) -> bool:
    """Whether an expiry is so far from the stored one that it is stored at once."""
    slid = expires_at - session.stored_expiry
    return not 0 <= slid < min(_WORTH_STORING, session.ttl_seconds * SECOND // 100)


class Expiries:
    """When the sessions of a storage end, as they are used."""

    def __init__(self, writer: TransactionWriter, runtime: Runtime, policy: Policy) -> None:
        self._writer = writer
        self._runtime = runtime
        self._policy = policy
        self._slid: dict[str, Session] = {}
        """Sessions whose expiry slid by less than was worth a write of its own."""

    def after(self, session: Session, now: int) -> int:
        """When a session ends that is used now."""
        return now + session.ttl_seconds * SECOND if self._policy.session_auto_extend else session.expires_at

    def slide(self, session: Session, now: int) -> None:
        """A session is used."""
        session.last_accessed = now
        session.expires_at = self.after(session, now)

    def keep(self, session: Session) -> None:
        """A session was used; how far it slid by that is stored, now or later. Nobody waits for it."""
        if session.ended or session.expires_at == session.stored_expiry:
            return
        if is_to_store(session, session.expires_at):
            self._runtime.later(partial(self._store_one, session))
        else:
            self._slid[session.session_id] = session

    def _store_one(self, session: Session) -> None:
        self._slid[session.session_id] = session
        self.store()

    def store(self) -> None:
        """Store how far sessions slid. Nobody waits for it."""
        touches = []
        with suppress(KeyError):  # there is none left, maybe because another thread was here too
            while True:
                _, session = self._slid.popitem()
                if not session.ended and session.expires_at != session.stored_expiry:
                    session.stored_expiry = session.expires_at
                    touches.append(SessionTouch(session.session_id, session.last_accessed, session.expires_at))
        for start in range(0, len(touches), _AT_ONCE):
            several = tuple(touches[start : start + _AT_ONCE])
            transaction = Transaction(at=several[-1].last_accessed, sessions=several)
            with suppress(StorageError):  # the server tells of it, and the next one who writes is told
                if len(several) > 1 or self._writer.at_once(transaction) is None:
                    self._writer.submit(transaction)
