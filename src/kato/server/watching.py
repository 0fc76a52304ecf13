"""
The WebSocket at `/ws/events`: what happens, told to whoever watches.

Each connection has a queue of its own. Telling never waits: a connection that falls too far behind is closed, and nobody
else notices. Reads send nothing; changes of one session within a second are told together.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from kato.errors import KATOError, Overloaded, StorageError
from kato.server.admission import Admission, refusal_headers
from kato.server.event_frames import corrected_data, dependency_data, frame, learned_data, session_data
from kato.server.logs import log_requests
from kato.server.origins import WEBSOCKET, Origins
from kato.service.callers import ANYONE, Caller
from kato.service.events import DependencyEvent, Event, PatternsCorrected, PatternsLearned, SessionEvent
from kato.service.runtime import random_id
from kato.service.system import System
from kato.wire.answers import time_text
from kato.wire.encoding import encode_answer
from kato.wire.failures import error_body

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ROUTE = "/ws/events"
_BEHIND = 1000
"""Frames a connection may be behind before it is closed."""
_LONGEST_TEXT = 65_536
_TOGETHER_SECONDS = 1.0
_MEMBERS = ("node_id", "session_id", "event_type")
_ALWAYS = {"state.snapshot", "subscribed"}
CLOSING, TOO_SLOW, BINARY, TOO_LONG, NOT_WELCOME = 1001, 1013, 1003, 1009, 1008


@dataclass(eq=False, slots=True)
class Watcher:
    """One connection: its filter, whose it is, and the frames that wait to be sent. A number among them ends the sending."""

    filter: dict[str, list[str]]
    caller: Caller = ANYONE
    frames: asyncio.Queue[str | int] = field(default_factory=lambda: asyncio.Queue(_BEHIND + 1))
    closed: bool = False

    def passes(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Whether an event agrees with every member of the filter; one without a member passes it."""
        if kind in _ALWAYS:
            return True
        values = {"node_id": data.get("node_id"), "session_id": data.get("session_id"), "event_type": kind}
        return all(values[name] is None or values[name] in allowed for name, allowed in self.filter.items())

    def may_see(self, kind: str, data: Mapping[str, Any], owner: str | None) -> bool:
        """Whether an event of a session, or of what its node learned, is for this caller's eyes at all."""
        if "node_id" not in data:
            return True  # about the service itself
        visible = self.caller.visible
        return visible.session(owner, data["node_id"]) if kind.startswith("session.") else visible.node(data["node_id"])

    def put(self, text: str) -> None:
        """Queue a frame; a connection that is too far behind is told to close instead."""
        if self.closed:
            return
        if self.frames.qsize() >= _BEHIND:
            self.close(TOO_SLOW)
            return
        self.frames.put_nowait(text)

    def close(self, code: int) -> None:
        """Send nothing more, and close with this code."""
        if not self.closed:
            self.closed = True
            if code in {TOO_SLOW, CLOSING, NOT_WELCOME}:
                while not self.frames.empty():
                    self.frames.get_nowait()
            self.frames.put_nowait(code)


class Watching:
    """Everybody who watches one system."""

    def __init__(self, system: System, *, most: int, heartbeat_seconds: int) -> None:
        self._system = system
        self._most = most
        self._heartbeat_seconds = heartbeat_seconds
        self._loop = asyncio.get_running_loop()
        self._watchers: set[Watcher] = set()
        self._told: dict[str, float] = {}
        self._waiting: dict[str, tuple[dict[str, Any], str | None]] = {}
        """Session → what is to be told of it, and whose it is."""
        system.events.watch(self._hear)
        system.measures.frames_waiting = self._count_frames

    # --- telling ---

    def _hear(self, event: Event) -> None:
        if not self._watchers:
            return
        if isinstance(event, DependencyEvent):
            self._loop.call_soon_threadsafe(self._tell, "system.error", dependency_data(event), None)
        elif isinstance(event, PatternsCorrected):
            self._tell(event.kind, corrected_data(event), event.owner)
        elif isinstance(event, PatternsLearned):
            self._tell("pattern.learned", learned_data(event), event.owner)
        elif event.kind == "session.updated":
            self._updated(event)
        else:
            self._waiting.pop(event.session_id, None)
            self._told.pop(event.session_id, None)
            self._tell(event.kind, session_data(event), event.owner)

    def _updated(self, event: SessionEvent) -> None:
        """The first update of a session is told at once; those of the next second together, at its end."""
        data = session_data(event)
        waiting = self._waiting.get(event.session_id)
        if waiting is not None:
            fields = [*waiting[0]["updated_fields"], *data["updated_fields"]]
            self._waiting[event.session_id] = {**data, "updated_fields": list(dict.fromkeys(fields))}, event.owner
            return
        moment = self._loop.time()
        due = self._told.get(event.session_id, -_TOGETHER_SECONDS) + _TOGETHER_SECONDS
        if moment >= due:
            self._told[event.session_id] = moment
            self._tell("session.updated", data, event.owner)
            return
        self._waiting[event.session_id] = data, event.owner
        self._loop.call_at(due, self._tell_waiting, event.session_id)

    def _tell_waiting(self, session_id: str) -> None:
        waiting = self._waiting.pop(session_id, None)
        if waiting is not None:
            self._told[session_id] = self._loop.time()
            self._tell("session.updated", *waiting)

    def _tell(self, kind: str, data: dict[str, Any], owner: str | None) -> None:
        text, anonymous = frame(kind, data), ""
        for watcher in tuple(self._watchers):
            if not watcher.may_see(kind, data, owner) or not watcher.passes(kind, data):
                continue
            if "node_id" not in data or watcher.caller.visible.session(owner, data["node_id"]):
                watcher.put(text)
            elif "session_id" not in watcher.filter:
                # What a node learned concerns all who may touch it; in whose session, only them.
                anonymous = anonymous or frame(kind, {**data, "session_id": None})
                watcher.put(anonymous)

    def _count_frames(self) -> int:
        return sum(watcher.frames.qsize() for watcher in tuple(self._watchers))

    def close(self) -> None:
        """Close every connection because the server stops."""
        for watcher in tuple(self._watchers):
            watcher.close(CLOSING)

    def keep(self, is_welcome: Callable[[Caller], bool]) -> None:
        """Close the connections of those who would not be let in any more."""
        for watcher in tuple(self._watchers):
            if not is_welcome(watcher.caller):
                watcher.close(NOT_WELCOME)

    # --- a connection ---

    async def serve(self, scope: Scope, receive: Receive, send: Send, origins: Origins, admission: Admission) -> None:
        """One connection from handshake to end."""
        await receive()  # websocket.connect
        started = time.perf_counter()
        try:
            watcher = self._admit(scope, origins, admission)
        except KATOError as error:
            await _refuse(scope, send, error, started)
            return
        await send({"type": "websocket.accept"})
        watcher.put(frame("state.snapshot", await self._snapshot(watcher.caller)))
        self._watchers.add(watcher)
        self._system.measures.websockets += 1
        tasks = [
            asyncio.create_task(self._sending(watcher, send)),
            asyncio.create_task(self._listening(watcher, receive)),
            asyncio.create_task(self._beating(watcher)),
        ]
        try:
            await asyncio.wait(tasks[:2], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._watchers.discard(watcher)
            self._system.measures.websockets -= 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _admit(self, scope: Scope, origins: Origins, admission: Admission) -> Watcher:
        """
        Whom the handshake names, with the filter it begins with.

        Raises:
            OriginRefused, RateLimited, Unauthorized, Forbidden, Overloaded, StorageUnavailable: They are not let in.
        """
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
        origins.check_host(headers.get("host", ""))
        origins.check_origin(WEBSOCKET, headers.get("origin"), headers.get("host", ""))
        caller = admission.identify(headers, (scope.get("client") or ("unknown",))[0], query)
        caller.require_scope("read")
        asked = {name: [value for given, value in query if given == name and value] for name in _MEMBERS}
        for node_id in asked["node_id"]:
            caller.require_node(node_id)
        if len(self._watchers) >= self._most:
            raise Overloaded(f"{self._most} connections watch already; the limit is KATO_WS_MAX_CONNECTIONS")
        return Watcher({name: values for name, values in asked.items() if values}, caller)

    async def _snapshot(self, caller: Caller) -> dict[str, Any]:
        try:
            await self._system.check_storage()
            active, status = self._system.sessions.count(visible=caller.visible).active, "healthy"
        except StorageError:
            active, status = 0, "unhealthy"
        return {"active_sessions": active, "system_status": status}

    @staticmethod
    async def _sending(watcher: Watcher, send: Send) -> None:
        while True:
            text = await watcher.frames.get()
            if isinstance(text, int):
                await send({"type": "websocket.close", "code": text})
                return
            await send({"type": "websocket.send", "text": text})

    async def _listening(self, watcher: Watcher, receive: Receive) -> None:
        while not watcher.closed:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                watcher.close(BINARY)
            elif len(text.encode()) > _LONGEST_TEXT:
                watcher.close(TOO_LONG)
            elif text == "ping":
                watcher.put("pong")
            else:
                self._subscribe(watcher, text)
        await asyncio.Event().wait()  # the sender ends the connection

    @staticmethod
    def _subscribe(watcher: Watcher, text: str) -> None:
        try:
            asked = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(asked, dict) or asked.get("action") not in ("subscribe", "unsubscribe"):
            return
        given = asked if asked["action"] == "subscribe" else {}
        found = {
            "node_id": _values(given.get("node_id")),
            "session_id": _values(given.get("session_id")),
            "event_type": _values(given.get("event_types", given.get("event_type"))),
        }
        watcher.filter = {name: values for name, values in found.items() if values is not None}
        watcher.put(frame("subscribed", {"filter": watcher.filter}))

    async def _beating(self, watcher: Watcher) -> None:
        while self._heartbeat_seconds:
            await asyncio.sleep(self._heartbeat_seconds)
            if watcher.passes("heartbeat", {}):
                watcher.put(frame("heartbeat", {}))


def _values(given: Any) -> list[str] | None:
    """A value or a list of them; None where the member is not given."""
    if given is None:
        return None
    return [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str)]


async def _refuse(scope: Scope, send: Send, error: KATOError, started: float) -> None:
    """Answer a handshake with an error, as any other request would be, and log it like one."""
    trace_id = f"kato-{random_id()}"
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": NOT_WELCOME})
        _log(trace_id, 403, started)
        return
    headers = [(b"content-type", b"application/json"), (b"x-trace-id", trace_id.encode()), *refusal_headers(error)]
    body = error_body(error, trace_id=trace_id, session_id=None, timestamp=time_text(time.time_ns() // 1000))
    await send({"type": "websocket.http.response.start", "status": error.status_code, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": encode_answer(body)})
    _log(trace_id, error.status_code, started)


def _log(trace_id: str, status: int, started: float) -> None:
    fields = {
        "trace_id": trace_id,
        "method": "GET",
        "route": ROUTE,
        "status": status,
        "duration_ms": round((time.perf_counter() - started) * 1000, 3),
        "session_id": None,
        "node_id": None,
        "key_id": None,
    }
    log_requests([fields])
