"""The session a client is in, and what it takes to begin another like it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kato.errors import NoActiveSession


@dataclass
class SessionState:
    """
    The session a client is in, and what it takes to begin another like it.

    Attributes:
        session_id: The session, or None when there is none.
        node_id: Its node; kept after the session has ended, so that it can be begun again.
        config: Configuration overrides in force, as JSON values.
        ttl: Lifetime in seconds that was asked for; None leaves it to the server.
        metadata: The caller's own description of the session.
        auto_reconnect: Whether calls may begin a new session by themselves when this one has ended.
        stm_lost: True when this session replaced one that had ended and nothing has started a fresh episode
            since: what was observed before the change is not in its short-term memory.
        stay: Random name of the time spent in this session; all who lose it together know it by that name.
    """

    session_id: str | None = None
    node_id: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    ttl: int | None = None
    metadata: dict[str, Any] | None = None
    auto_reconnect: bool = True
    stm_lost: bool = False
    stay: str = field(default_factory=lambda: uuid.uuid4().hex)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def required(self) -> str:
        """Return the session id, or raise NoActiveSession."""
        if not self.session_id:
            raise NoActiveSession
        return self.session_id

    def enter(self, session_id: str | None) -> None:
        """Go to another session, whoever began it."""
        self.session_id = session_id
        self.stay = uuid.uuid4().hex

    def begin(self, session_id: str, node_id: str, metadata: Mapping[str, Any] | None, auto_reconnect: bool) -> None:
        """Enter a session that was just created."""
        with self._lock:
            self.enter(session_id)
            self.node_id = node_id
            self.config = {}
            self.ttl = None
            self.metadata = None if metadata is None else dict(metadata)
            self.auto_reconnect = auto_reconnect
            self.stm_lost = False

    def begin_again(self, session_id: str) -> None:
        """Enter a session that replaces the last one."""
        with self._lock:
            self.enter(session_id)
            self.stm_lost = True

    def replace(self, lost: str, made: str) -> str | None:
        """Put `made` in the place of `lost`, unless another thread was first; return what stands there."""
        with self._lock:
            if self.session_id == lost:
                self.enter(made)
                self.stm_lost = True
            return self.session_id

    def leave(self, session_id: str) -> None:
        """Note that a session has been deleted."""
        with self._lock:
            if self.session_id == session_id:
                self.session_id = None

    def configured(self, given: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Remember the overrides in force: as the server lists them, else as they were given."""
        ttl = given.get("session_ttl")
        rest = {key: value for key, value in given.items() if key != "session_ttl"}
        listed = answer.get("config_overrides")
        with self._lock:
            self.config = dict(listed) if isinstance(listed, Mapping) else {**self.config, **rest}
            if ttl is not None:
                self.ttl = ttl


class InSession:
    """Something that is in a session, and shows which."""

    def __init__(self) -> None:
        self._state = SessionState()

    @property
    def session_id(self) -> str | None:
        """The session that calls go to, or None. It may be set to continue a session begun elsewhere."""
        return self._state.session_id

    @session_id.setter
    def session_id(self, session_id: str | None) -> None:
        self._state.enter(session_id)

    @property
    def node_id(self) -> str | None:
        """The node of the session; kept after the session has ended."""
        return self._state.node_id

    @node_id.setter
    def node_id(self, node_id: str | None) -> None:
        self._state.node_id = node_id

    @property
    def stm_lost(self) -> bool:
        """
        Whether the session was begun again in the middle of an episode.

        True from a reconnection until the next learn(), clear_stm() or create_session(): what was observed
        before the reconnection is not in the short-term memory.
        """
        return self._state.stm_lost
