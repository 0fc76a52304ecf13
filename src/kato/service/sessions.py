"""
Sessions: making, finding, ending them, and taking turns on one.

A session in use is held in memory and written through to the storage. Everything that acts on it does so inside
`Sessions.using`, one after another in order of arrival.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from kato.engine.knowledge import Change
from kato.engine.settings import resolve
from kato.errors import SessionExpired, SessionNotFound, TooManySessions
from kato.service.callers import ANYONE, Caller
from kato.service.committing import commit
from kato.service.events import Events, SessionEvent
from kato.service.expiries import Expiries, is_to_store
from kato.service.policy import Policy
from kato.service.runtime import Runtime, random_id
from kato.service.session import SECOND, Configuration, Session, encode_profile, state_change
from kato.service.session_state import SessionState, decode_state, encode_head
from kato.storage.interface import (
    EVERYTHING,
    Committed,
    Operation,
    Reply,
    SessionChange,
    SessionCounts,
    SessionCreate,
    SessionEnd,
    SessionOperation,
    SessionRecord,
    Storage,
    Transaction,
    Visible,
)
from kato.storage.writer import TransactionWriter

_KEPT_IDLE = 20_000
"""Idle sessions held in memory; more are read again from the storage when they are next used."""


class Turn:
    """A turn on a session: see `Sessions.using`."""

    __slots__ = ("_caller", "_session", "_session_id", "_sessions")

    def __init__(self, sessions: Sessions, session_id: str, caller: Caller) -> None:
        self._sessions = sessions
        self._session_id = session_id
        self._caller = caller

    async def __aenter__(self) -> Session:
        self._session = await self._sessions.enter(self._session_id, self._caller)
        return self._session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sessions.leave(self._session)


class Sessions:
    """The sessions of a storage."""

    def __init__(
        self, storage: Storage, writer: TransactionWriter, runtime: Runtime, policy: Policy, events: Events
    ) -> None:
        self._storage = storage
        self._writer = writer
        self._runtime = runtime
        self._policy = policy
        self._events = events
        self._live: dict[str, Session] = {}
        self.expiries = Expiries(writer, runtime, policy)
        """How their lifetimes slide."""
        self._defaults: Configuration | None = None
        """What follows from no overrides, once somebody has asked."""

    # --- making ---

    def configure(self, overrides: Mapping[str, Any]) -> Configuration:
        """
        The configuration that follows from a session's overrides.

        Raises:
            InvalidSettings: A value is wrong, or the result contradicts itself.
        """
        if not overrides:
            self._defaults = self._defaults or self._configured({})
            return self._defaults
        return self._configured(overrides)

    def _configured(self, overrides: Mapping[str, Any]) -> Configuration:
        settings, effective, warnings = resolve(overrides, self._policy.session_defaults)
        if settings.max_pattern_length > self._policy.max_stm_events:
            warnings = [
                *warnings,
                f"max_pattern_length {settings.max_pattern_length} is above the {self._policy.max_stm_events} events "
                "the short-term memory holds, so it is never learned by itself",
            ]
        return Configuration(dict(overrides), effective, settings, tuple(warnings))

    async def create(
        self,
        node_id: str,
        *,
        overrides: Mapping[str, Any],
        ttl_seconds: int | None,
        metadata: Mapping[str, Any],
        caller: Caller = ANYONE,
        reply: Callable[[Session], Reply] | None = None,
    ) -> Session:
        """
        Make a session; it is stored when this returns.

        Args:
            caller: Whose it will be.
            reply: Makes the answer that is to be remembered with it, if one is.

        Raises:
            InvalidSettings: The configuration may not be; no session is made.
            TooManySessions: As many are alive as the policy allows.
        """
        configuration = self.configure(overrides)
        now = self._runtime.now()
        limit = self._policy.max_sessions
        if limit and self._storage.count_sessions(now=now).active >= limit:
            raise TooManySessions(limit)
        ttl = ttl_seconds if ttl_seconds is not None else self._policy.session_ttl
        session = Session(
            session_id=f"session-{random_id()}-{now // 1000}",
            node_id=node_id,
            created_at=now,
            last_accessed=now,
            expires_at=now + ttl * SECOND,
            ttl_seconds=ttl,
            version=1,
            metadata=metadata,
            owner=caller.key_id,
            configuration=configuration,
            state=SessionState(),
            turn=self._runtime.lock(),
        )
        record = SessionRecord(
            session_id=session.session_id,
            node_id=node_id,
            created_at=now,
            last_accessed=now,
            expires_at=session.expires_at,
            ttl_seconds=ttl,
            profile=encode_profile(session),
            head=encode_head(session.state),
            owner=caller.key_id,
        )
        remembered = reply(session) if reply is not None else None
        transaction = Transaction(at=now, sessions=(SessionCreate(record),), reply=remembered)
        await commit(self._runtime, self._writer, transaction)
        session.stored_expiry = session.expires_at
        self._remember(session)
        self._events.tell(
            SessionEvent(
                "session.created", session.session_id, node_id, now, caller.key_id, expires_at=session.expires_at
            )
        )
        return session

    # --- finding ---

    async def _find(self, session_id: str, caller: Caller, now: int) -> Session:
        session = self._live.get(session_id) or self._read(session_id, caller)
        if caller is not ANYONE and not caller.visible.session(session.owner, session.node_id):
            raise SessionNotFound(session_id)
        if session.using == 0 and now >= session.expires_at:
            await self._expire(session, now)
            raise SessionExpired(session_id)
        return session

    def _read(self, session_id: str, caller: Caller) -> Session:
        """A session that is not in memory."""
        record = self._storage.session(session_id) if len(session_id) <= 200 else None
        if record is None:
            if len(session_id) <= 200 and self._storage.ended_session(session_id, visible=caller.visible) == "expired":
                raise SessionExpired(session_id)
            raise SessionNotFound(session_id)
        return self._live.get(session_id) or self._remember(self._restore(record))

    def _restore(self, record: SessionRecord) -> Session:
        profile = json.loads(record.profile)
        return Session(
            session_id=record.session_id,
            node_id=record.node_id,
            created_at=record.created_at,
            last_accessed=record.last_accessed,
            expires_at=record.expires_at,
            ttl_seconds=record.ttl_seconds,
            version=record.version,
            metadata=profile["metadata"],
            owner=record.owner,
            configuration=self.configure(profile["overrides"]),
            state=decode_state(record),
            turn=self._runtime.lock(),
            stored_expiry=record.expires_at,
        )

    def _remember(self, session: Session) -> Session:
        if len(self._live) >= _KEPT_IDLE:
            for session_id, other in list(self._live.items())[: _KEPT_IDLE // 10]:
                if other.using == 0 and other.stored_expiry == other.expires_at:
                    del self._live[session_id]
        self._live[session.session_id] = session
        return session

    def using(self, session_id: str, *, caller: Caller) -> Turn:
        """
        The caller's turn on a live session, to be entered with `async with`; its expiry slides at arrival and at the end.

        Args:
            caller: Who asks; a session that is not among those they may see does not exist for them.

        Raises (on entering):
            SessionNotFound, SessionExpired: Also for those who were waiting when it was deleted.
        """
        return Turn(self, session_id, caller)

    async def enter(self, session_id: str, caller: Caller) -> Session:
        """Take a turn; `leave` must follow. Raises as `using` does."""
        now = self._runtime.now()
        session = await self._find(session_id, caller, now)
        session.using += 1
        self.expiries.slide(session, now)
        try:
            await session.turn.__aenter__()
        except BaseException:
            self._put_back(session)
            raise
        if session.ended:
            await self.leave(session)
            raise SessionNotFound(session_id)
        session.actor = caller.key_id
        return session

    async def leave(self, session: Session) -> None:
        """End a turn."""
        await session.turn.__aexit__(None, None, None)
        self._put_back(session)

    def _put_back(self, session: Session) -> None:
        self.expiries.slide(session, self._runtime.now())
        session.using -= 1
        self.expiries.keep(session)

    async def access(self, session_id: str, *, caller: Caller) -> bool:
        """Count an access from outside `/sessions/…`; whether the session is live."""
        try:
            async with self.using(session_id, caller=caller):
                return True
        except (SessionNotFound, SessionExpired):
            return False

    async def exists(self, session_id: str, *, caller: Caller) -> tuple[str, int]:
        """("active", "expired", "deleted" or "unknown", seconds remaining); slides nothing."""
        now = self._runtime.now()
        try:
            session = await self._find(session_id, caller, now)
        except SessionExpired:
            return "expired", 0
        except SessionNotFound:
            is_short = len(session_id) <= 200
            ended = self._storage.ended_session(session_id, visible=caller.visible) if is_short else None
            return ended or "unknown", 0
        return "active", session.remaining_seconds(now)

    # --- changing; the caller holds the turn ---

    async def record(
        self,
        session: Session,
        state: SessionState,
        *,
        fields: tuple[str, ...],
        operations: tuple[Operation, ...] = (),
        reply: Callable[[Sequence[Change]], Reply] | Reply | None = None,
    ) -> Committed:
        """
        Store a new state of the session together with what it does to its node; then the session has it.

        Args:
            fields: What changed, for those who watch: of config, ttl, short_term_memory, emotives, metadata.
            operations: What is learned or forgotten in its name.
            reply: The answer to be remembered with it, if one is, or what makes it.

        Returns:
            What was committed.
        """
        now = self._runtime.now()
        expires_at = self.expiries.after(session, now)
        stored = expires_at if is_to_store(session, expires_at) else session.stored_expiry
        change = state_change(session, state, last_accessed=now, expires_at=stored)
        transaction = Transaction(
            now, session.node_id, operations, session.session_id, session.actor, (change,), reply=reply
        )
        committed = await commit(self._runtime, self._writer, transaction)
        session.state = state
        session.version += 1
        session.last_accessed = now
        session.expires_at = max(session.expires_at, expires_at)
        session.stored_expiry = stored
        self._tell_updated(session, now, fields)
        return committed

    async def reconfigure(
        self,
        session: Session,
        *,
        configuration: Configuration | None = None,
        ttl_seconds: int | None = None,
        reply: Callable[[Session], Reply] | None = None,
    ) -> None:
        """
        Give the session another configuration, another lifetime counted from now, or both.

        Args:
            reply: Makes the answer that is to be remembered with it, if one is, of the session as it will be.
        """
        now = self._runtime.now()
        ttl = ttl_seconds if ttl_seconds is not None else session.ttl_seconds
        slides = ttl_seconds is not None or self._policy.session_auto_extend
        expires_at = now + ttl * SECOND if slides else session.expires_at
        changed = configuration or session.configuration
        change = SessionChange(
            session_id=session.session_id,
            expected_version=session.version,
            last_accessed=now,
            expires_at=expires_at,
            ttl_seconds=ttl,
            profile=encode_profile(session, changed),
        )
        remembered = None
        if reply is not None:
            remembered = reply(replace(session, configuration=changed, ttl_seconds=ttl, expires_at=expires_at))
        await commit(self._runtime, self._writer, Transaction(at=now, sessions=(change,), reply=remembered))
        session.version += 1
        session.configuration = changed
        session.ttl_seconds = ttl
        session.expires_at = session.stored_expiry = expires_at
        fields = tuple(name for name, given in (("config", configuration), ("ttl", ttl_seconds)) if given is not None)
        self._tell_updated(session, now, fields)

    def _tell_updated(self, session: Session, now: int, fields: tuple[str, ...]) -> None:
        self._events.tell(
            SessionEvent(
                "session.updated",
                session.session_id,
                session.node_id,
                now,
                session.owner,
                fields=fields,
                stm_length=len(session.state.memory.events),
            )
        )

    async def delete(self, session: Session) -> None:
        """End the session; those who wait for it find it gone. Its node keeps what was learned."""
        now = self._runtime.now()
        await self._end(session, "deleted", now)
        self._events.tell(
            SessionEvent(
                "session.destroyed", session.session_id, session.node_id, now, session.owner, reason="explicit_delete"
            )
        )

    async def _end(self, session: Session, state: str, now: int) -> None:
        end = _end_operation(session.session_id, state, now, self._policy)
        await commit(self._runtime, self._writer, Transaction(at=now, sessions=(end,)))
        session.ended = True
        self._live.pop(session.session_id, None)

    async def _expire(self, session: Session, now: int) -> None:
        if session.ended:
            return
        session.ended = True
        try:
            await self._end(session, "expired", now)
        except BaseException:
            session.ended = False  # it is still stored; whoever comes next tries again
            raise
        self._tell_expired(session.session_id, session.node_id, session.owner, now)

    def _tell_expired(self, session_id: str, node_id: str, owner: str | None, now: int) -> None:
        for kind in ("session.expired", "session.destroyed"):
            self._events.tell(SessionEvent(kind, session_id, node_id, now, owner, reason="expired"))

    async def expire_due(self) -> int:
        """End every session whose lifetime has passed and which is not in use; how many."""
        self.expiries.store()
        now = self._runtime.now()
        ended = 0
        for session_id, node_id, owner in self._storage.due_sessions(now=now):
            session = self._live.get(session_id)
            if session is not None:
                if session.using == 0 and now >= session.expires_at:
                    await self._expire(session, now)
                    ended += 1
                continue
            end = _end_operation(session_id, "expired", now, self._policy)
            await commit(self._runtime, self._writer, Transaction(at=now, sessions=(end,)))
            self._tell_expired(session_id, node_id, owner, now)
            ended += 1
        self._storage.sweep(now=now)
        return ended

    # --- counting and listing ---

    def count(self, node_id: str | None = None, *, visible: Visible = EVERYTHING) -> SessionCounts:
        """Exact counts at this moment."""
        return self._storage.count_sessions(now=self._runtime.now(), node_id=node_id, visible=visible)

    def listed(
        self, *, node_id: str | None, after: tuple[int, str] | None, limit: int, visible: Visible
    ) -> list[Session]:
        """Live sessions by (created_at, id), as they stand now."""
        now = self._runtime.now()
        records = self._storage.sessions(now=now, node_id=node_id, visible=visible, after=after, limit=limit)
        return [self._live.get(record.session_id) or self._restore_listed(record) for record in records]

    def _restore_listed(self, record: SessionRecord) -> Session:
        whole = self._storage.session(record.session_id)
        return self._restore(whole or record)


def _end_operation(session_id: str, state: str, now: int, policy: Policy) -> SessionOperation:
    forget_at = now + policy.session_tombstone * SECOND
    return SessionEnd(session_id, "expired" if state == "expired" else "deleted", now, forget_at)
