"""
What a client does when its session has ended, and how it keeps account of its session otherwise.

The doings are generators: each yields the `Call`s it wants made and is sent their answers, or has the error
thrown into it. So the rules stand here once, and sync, async and embedded clients merely make the calls.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from kato.client import calls
from kato.client.calls import Call
from kato.client.session_state import SessionState
from kato.errors import KATOError, KATOSessionError, NoActiveSession
from kato.wire.encoding import encode_body

Body = dict[str, Any]
T = TypeVar("T")
Doing = Generator[Call, Body, T]

BEGUN_AGAIN = "the session had ended and was begun again; what it had observed before this call is gone"
PARTIAL = "the session was begun again since the last learning; what it had observed before is not in the pattern"

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
    session_id: str = answer["session_id"]
    state.begin(session_id, node_id, metadata, auto_reconnect)
    state.configured({"session_ttl": ttl, **(config or {})}, answer)
    logger.info("Began a session with node %s", node_id)
    return session_id


def reconnect(state: SessionState) -> Doing[str]:
    """Begin a session like the last one, which is left to expire. Returns its id."""
    if not state.node_id:
        raise KATOSessionError("Cannot reconnect: there has been no session yet. Call create_session() first.")
    answer = yield _another(state)
    session_id: str = answer["session_id"]
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
    answer = yield _shared(state, _another(state))
    made: str = answer["session_id"]
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


def _another(state: SessionState) -> Call:
    """Return the call for a session like the last."""
    return calls.create_session(
        state.node_id or "", config=state.config or None, ttl=state.ttl, metadata=state.metadata
    )


def _shared(state: SessionState, call: Call) -> Call:
    """Return the call under a key that all share who miss the same session: they get one in its place."""
    wish = hashlib.sha256(state.stay.encode() + encode_body(call.body)).hexdigest()
    return replace(call, idempotency_key=f"reconnect-{wish[:32]}")


def _with_warning(answer: Body, sentence: str) -> Body:
    return {**answer, "warnings": [*answer.get("warnings", ()), sentence]}


def _warn(state: SessionState) -> None:
    logger.warning(
        "The session with node %s was begun again with its configuration and lifetime; "
        "what was observed since the last learning is gone",
        state.node_id,
    )
