"""
What a client remembers of its session, and what it does when that session has ended.

The doings are generators: each yields the `Call`s it wants made and is sent their answers, or has the error
thrown into it. So the rules stand here once, and sync, async and embedded clients merely make the calls.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kato.client import calls
from kato.client.calls import Call
from kato.errors import KATOError, KATOSessionError, NoActiveSession, UnexpectedAnswer
from kato.wire.encoding import encode_body

Body = dict[str, Any]
T = TypeVar("T")
Doing = Generator[Call, Body, T]

BEGUN_AGAIN = "the session had ended and was begun again; what it had observed before this call is gone"
PARTIAL = (
    "the session was begun again since the last learning; what it had observed before is not in the pattern"
)

logger = logging.getLogger("kato.client")


def run(doing: Doing[T], send: Callable[[Call], Body]) -> T:
    """Make the calls a doing asks for, one after another, and return what it returns."""
    try:
        call = next(doing)
        while True:
            try:
                answer = send(call)
            except KATOError as error:
                call = doing.throw(error)
            else:
                call = doing.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


async def run_async(doing: Doing[T], send: Callable[[Call], Awaitable[Body]]) -> T:
    """Do as `run` does, waiting for each answer."""
    try:
        call = next(doing)
        while True:
            try:
                answer = await send(call)
            except KATOError as error:
                call = doing.throw(error)
            else:
                call = doing.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


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
    """

    session_id: str | None = None
    node_id: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    ttl: int | None = None
    metadata: dict[str, Any] | None = None
    auto_reconnect: bool = True
    stm_lost: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def required(self) -> str:
        """Return the session id, or raise NoActiveSession."""
        if not self.session_id:
            raise NoActiveSession
        return self.session_id

    def begin(
        self, session_id: str, node_id: str, metadata: Mapping[str, Any] | None, auto_reconnect: bool
    ) -> None:
        """Enter a session that was just created."""
        with self._lock:
            self.session_id = session_id
            self.node_id = node_id
            self.config = {}
            self.ttl = None
            self.metadata = None if metadata is None else dict(metadata)
            self.auto_reconnect = auto_reconnect
            self.stm_lost = False

    def begin_again(self, session_id: str) -> None:
        """Enter a session that replaces the last one."""
        with self._lock:
            self.session_id = session_id
            self.stm_lost = True

    def replace(self, lost: str, made: str) -> str | None:
        """Put `made` in the place of `lost`, unless another thread was first; return what stands there."""
        with self._lock:
            if self.session_id == lost:
                self.session_id = made
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
        self._state.session_id = session_id

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


def create(
    state: SessionState,
    node_id: str,
    config: Mapping[str, Any] | None,
    ttl: int | None,
    metadata: Mapping[str, Any] | None,
    auto_reconnect: bool,
) -> Doing[str]:
    """Begin a session and make it the state's own. Returns its id."""
    answer = yield calls.create_session(node_id, config=config, ttl=ttl, metadata=metadata)
    session_id = _session_id(answer)
    state.begin(session_id, node_id, metadata, auto_reconnect)
    state.configured({"session_ttl": ttl, **(config or {})}, answer)
    logger.info("Began a session with node %s", node_id)
    return session_id


def reconnect(state: SessionState) -> Doing[str]:
    """Begin a session like the last one, which is left to expire. Returns its id."""
    if not state.node_id:
        raise KATOSessionError(
            "Cannot reconnect: there has been no session yet. Call create_session() first."
        )
    answer = yield _another(state)
    session_id = _session_id(answer)
    state.begin_again(session_id)
    _warn(state)
    return session_id


def resent(state: SessionState, call: Call, auto_reconnect: bool) -> Doing[Body]:
    """
    Make a call; when its session has ended, begin another like it and make the call there.

    The answer's `warnings` then say that the short-term memory from before is gone.
    """
    try:
        return (yield call)
    except KATOSessionError:
        if not (auto_reconnect and state.auto_reconnect and state.node_id):
            raise
    session_id = yield from _replace(state, call.path["session_id"])
    answer = yield call.for_session(session_id)
    return _with_warning(answer, BEGUN_AGAIN)


def learned(state: SessionState, call: Call, auto_reconnect: bool) -> Doing[Body]:
    """
    Learn; when the session has ended, begin another like it and say that there is nothing left to learn.

    Learning in the new session could only answer that its short-term memory is empty, which hides what
    happened. When an earlier call had begun the session again, the answer's `warnings` say that the pattern
    lacks the beginning.
    """
    try:
        answer = yield call
    except KATOSessionError as error:
        if not (auto_reconnect and state.auto_reconnect and state.node_id):
            raise
        gone = error
    else:
        partial, state.stm_lost = state.stm_lost, False
        return _with_warning(answer, PARTIAL) if partial else answer
    lost = call.path["session_id"]
    yield from _replace(state, lost)
    raise KATOSessionError(
        "The session had ended, and its short-term memory with it: nothing was learned. "
        "A new session has begun; observe the events again, then learn.",
        session_id=lost,
        trace_id=gone.trace_id,
    ) from gone


def cleared(state: SessionState, call: Call) -> Doing[Body]:
    """Start a fresh episode: from here on nothing is missing from the short-term memory."""
    answer = yield call
    state.stm_lost = False
    return answer


def deleted(state: SessionState, call: Call) -> Doing[Body]:
    """End the session and forget its id; the node is remembered for `reconnect`."""
    answer = yield call
    state.leave(call.path["session_id"])
    return answer


def extended(state: SessionState, call: Call, ttl: int | None) -> Doing[Body]:
    """Give the session a new lifetime, and remember it for the sessions that may replace it."""
    answer = yield call
    if ttl is not None:
        state.ttl = ttl
    return answer


def reconfigured(state: SessionState, call: Call, given: Mapping[str, Any]) -> Doing[Body]:
    """Change the configuration, and remember it for the sessions that may replace this one."""
    answer = yield call
    state.configured(given, answer)
    return answer


def _replace(state: SessionState, lost: str) -> Doing[str]:
    current = state.session_id
    if current is not None and current != lost:
        return current  # another thread noticed first
    answer = yield _another(state, lost)
    made = _session_id(answer)
    stands = state.replace(lost, made)
    if stands == made:
        _warn(state)
        return made
    try:
        yield calls.delete_session(made)  # two threads began one each; the other came first
    except KATOSessionError:
        logger.debug("A superfluous session had already ended")
    if stands is None:
        raise NoActiveSession
    return stands


def _another(state: SessionState, lost: str | None = None) -> Call:
    """
    Return the call for a session like the last.

    Whoever names the lost one asks under the same idempotency key: all who miss it at once get one session.
    """
    call = calls.create_session(
        state.node_id or "", config=state.config or None, ttl=state.ttl, metadata=state.metadata
    )
    if lost is None:
        return call
    wish = hashlib.sha256(lost.encode() + b"\n" + encode_body(call.body)).hexdigest()
    return Call(
        call.method, call.template, call.path, body=call.body, idempotency_key=f"reconnect-{wish[:32]}"
    )


def _with_warning(answer: Body, sentence: str) -> Body:
    return {**answer, "warnings": [*answer.get("warnings", ()), sentence]}


def _warn(state: SessionState) -> None:
    logger.warning(
        "The session with node %s was begun again with its configuration and lifetime; "
        "what was observed since the last learning is gone",
        state.node_id,
    )


def _session_id(answer: Mapping[str, Any]) -> str:
    session_id = answer.get("session_id")
    if not isinstance(session_id, str) or not session_id:
        raise UnexpectedAnswer("The server began a session without saying its id")
    return session_id
