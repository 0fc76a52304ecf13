"""
The whole of HTTP between a socket and an operation, as one ASGI application.

Checks run in the order of the specification, the first failure answers: preflight → host and origin → load → route → body
size → content type → the operation (session, body, query, state). Every answer carries a trace id; every error has one
shape.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from kato.errors import (
    InternalError,
    KATOError,
    KATOSessionError,
    MethodNotAllowed,
    NotReady,
    Overloaded,
    PayloadTooLarge,
    RequestTimedOut,
    UnsupportedMediaType,
)
from kato.operations import Answer, Operation, Request
from kato.server.logs import logger
from kato.server.origins import Headers, Origins
from kato.server.routing import Routes
from kato.service.runtime import random_hex
from kato.service.system import System
from kato.wire.answers import time_text
from kato.wire.encoding import encode_answer
from kato.wire.failures import error_body
from kato.wire.reading import read_body
from kato.wire.requests import NoBody

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TRACE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_JSON = re.compile(r"application/([\w.+-]+\+)?json", re.IGNORECASE)
_RETRY_SECONDS = "1"


class Exchange:
    """One request on its way: what was asked, and what is known of it so far."""

    __slots__ = ("headers", "host", "method", "node_id", "origin", "path", "query", "route", "session_id", "trace_id")

    def __init__(self, scope: Scope) -> None:
        self.headers = {name.decode("latin-1").lower(): _text(value) for name, value in scope["headers"]}
        self.method: str = scope["method"]
        raw = scope.get("raw_path") or scope["path"].encode()
        self.path = raw.decode("latin-1").partition("?")[0]
        self.query: bytes = scope.get("query_string", b"")
        given = self.headers.get("x-trace-id", "")
        self.trace_id = given if _TRACE.fullmatch(given) else f"kato-{random_hex(32)}"
        self.origin = self.headers.get("origin")
        self.host = self.headers.get("host", "")
        self.route = "unmatched"
        self.session_id: str | None = None
        self.node_id: str | None = None


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class Transport:
    """
    Turns HTTP requests into operations and answers back into HTTP.

    Args:
        system: Gives the system once it is open, None before and after.
        routes: The operations.
        origins: Who may call from where.
        documentation: The application that serves the generated description, and its paths.
    """

    def __init__(
        self,
        system: Callable[[], System | None],
        routes: Routes,
        origins: Origins,
        *,
        request_timeout: float,
        limit_concurrency: int,
        documentation: Callable[[Scope, Receive, Send], Awaitable[None]],
        documentation_paths: frozenset[str],
    ) -> None:
        self._system = system
        self._routes = routes
        self._origins = origins
        self._timeout = request_timeout or None
        self._most_in_flight = limit_concurrency
        self._documentation = documentation
        self._documentation_paths = documentation_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = Exchange(scope)
        if exchange.method == "OPTIONS" and exchange.origin and "access-control-request-method" in exchange.headers:
            asked = exchange.headers.get("access-control-request-headers", "")
            await self._send(send, exchange, 200, b"", self._origins.preflight_headers(exchange.origin, asked))
            return
        started = time.perf_counter()
        system = self._system()
        if system is not None:
            system.measures.started()
        status = 500
        try:
            status = await self._answer(system, exchange, scope, receive, send)
        finally:
            seconds = time.perf_counter() - started
            if system is not None:
                system.measures.finished(exchange.method, exchange.route, status, seconds)
            logger().info(
                "request",
                trace_id=exchange.trace_id,
                method=exchange.method,
                route=exchange.route,
                status=status,
                duration_ms=round(seconds * 1000, 3),
                session_id=exchange.session_id,
                node_id=exchange.node_id,
            )

    async def _answer(
        self, system: System | None, exchange: Exchange, scope: Scope, receive: Receive, send: Send
    ) -> int:
        headers: Headers = self._origins.answer_headers(exchange.origin)
        try:
            self._origins.check_host(exchange.host)
            self._origins.check_origin(exchange.method, exchange.origin, exchange.host)
            if exchange.path.rstrip("/") in self._documentation_paths and exchange.method in {"GET", "HEAD"}:
                exchange.route = exchange.path.rstrip("/")
                await self._documentation(scope, receive, _with_headers(send, exchange, headers))
                return 200
            if system is None:
                raise NotReady("The server is starting or stopping")
            if system.measures.in_flight > self._most_in_flight and not exchange.path.startswith("/health"):
                message = (
                    f"More than {self._most_in_flight} requests are in flight; the limit is KATO_LIMIT_CONCURRENCY"
                )
                raise Overloaded(message)
            if exchange.method == "OPTIONS":
                self._allowed_methods(exchange)
            answer = await self._operate(system, exchange, receive)
            body = answer.body if isinstance(answer.body, bytes) else encode_answer(answer.body)
            headers += [(name.encode(), value.encode()) for name, value in answer.headers.items()]
            session_id = answer.session_id or exchange.session_id
            if session_id is not None:
                headers.append((b"x-session-id", session_id.encode()))
                exchange.session_id = session_id
            if isinstance(answer.body, dict):
                exchange.node_id = exchange.node_id or answer.body.get("node_id")
            await self._send(send, exchange, 200, body, headers)
            return 200
        except KATOError as error:
            refused: KATOError = error
        except Exception:  # noqa: BLE001 - see below
            # The one place where an unforeseen error ends: logged whole, answered without its text.
            logger().exception("unforeseen error", trace_id=exchange.trace_id, route=exchange.route)
            refused = InternalError()
        return await self._refuse(system, send, exchange, refused, headers)

    def _allowed_methods(self, exchange: Exchange) -> None:
        self._routes.find(
            "OPTIONS", exchange.path
        )  # raises: no operation has this method, the error names those it has

    async def _operate(self, system: System, exchange: Exchange, receive: Receive) -> Answer:
        operation, values = self._routes.find(exchange.method, exchange.path)
        exchange.route = operation.template
        exchange.session_id = None
        body = b""
        if exchange.method not in {"GET", "HEAD", "DELETE"}:
            body = await _read_all(exchange, receive, system.limits.max_body_bytes)
            _check_media_type(exchange, operation, body)
        query = parse_qsl(exchange.query.decode("latin-1"), keep_blank_values=True, errors="surrogateescape")
        request = Request(values, tuple(query), body, exchange.headers, exchange.trace_id)
        named = await self._named_session(system, exchange, values)
        task = asyncio.create_task(_run(operation, system, request))
        await asyncio.wait({task}, timeout=self._timeout)
        if not task.done():
            # What has not begun to be stored is taken back; what has is finished and told.
            task.cancel()
            await asyncio.wait({task})
            if task.cancelled():
                raise RequestTimedOut(self._timeout or 0.0)
        answer = task.result()
        exchange.session_id = answer.session_id or named
        return answer

    async def _named_session(self, system: System, exchange: Exchange, values: Any) -> str | None:
        """The live session that a request outside `/sessions/…` names by header or cookie; it counts as accessed."""
        if "session_id" in values:
            return None
        named = exchange.headers.get("x-session-id") or _cookie(exchange.headers.get("cookie", ""))
        if named and await system.sessions.access(named):
            return named
        return None

    async def _refuse(
        self, system: System | None, send: Send, exchange: Exchange, error: KATOError, headers: Headers
    ) -> int:
        session_id = None
        if exchange.path.startswith("/sessions/") and exchange.route.startswith("/sessions/{session_id}"):
            _, values = self._routes.find(exchange.method, exchange.path)
            session_id = values.get("session_id")
            if system is not None and session_id and not isinstance(error, KATOSessionError):
                state, _ = await system.sessions.exists(session_id)
                if state == "active":
                    headers.append((b"x-session-id", session_id.encode()))
                    exchange.session_id = session_id
        if isinstance(error, MethodNotAllowed):
            headers.append((b"allow", ", ".join(error.allowed).encode()))
        if error.status_code in {429, 503}:
            headers.append((b"retry-after", _RETRY_SECONDS.encode()))
        if error.status_code == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        now = time_text(time.time_ns() // 1000)
        body = error_body(error, trace_id=exchange.trace_id, session_id=session_id, timestamp=now)
        await self._send(send, exchange, error.status_code, encode_answer(body), headers)
        return error.status_code

    async def _send(self, send: Send, exchange: Exchange, status: int, body: bytes, headers: Headers) -> None:
        names = {name for name, _ in headers}
        whole = [*headers, (b"x-trace-id", exchange.trace_id.encode()), (b"content-length", str(len(body)).encode())]
        if b"content-type" not in names and body:
            whole.append((b"content-type", b"application/json"))
        await send({"type": "http.response.start", "status": status, "headers": whole})
        await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else body})


async def _run(operation: Operation, system: System, request: Request) -> Answer:
    """The operation; a body it has no use for is read all the same, so that nothing is ignored silently."""
    if operation.request is not None or not request.body.strip():
        return await operation.handler(system, request)
    _, warnings = read_body(NoBody, request.body, system.limits)
    answer = await operation.handler(system, request)
    if isinstance(answer.body, dict):
        answer.body["warnings"] = [*answer.body["warnings"], *warnings]
    return answer


async def _read_all(exchange: Exchange, receive: Receive, limit: int) -> bytes:
    """
    The whole request body.

    Raises:
        PayloadTooLarge: It is, or says it is, larger than the limit.
    """
    declared = exchange.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise PayloadTooLarge("body", limit, int(declared), "KATO_MAX_BODY_BYTES")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise PayloadTooLarge("body", limit, None, "KATO_MAX_BODY_BYTES")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _check_media_type(exchange: Exchange, operation: Operation, body: bytes) -> None:
    """
    Refuse a body that is not declared as JSON.

    Raises:
        UnsupportedMediaType: It is declared as something else, or compressed.
    """
    coding = exchange.headers.get("content-encoding", "").strip().lower()
    if coding not in {"", "identity"}:
        raise UnsupportedMediaType(f"Content-Encoding {coding[:50]!r} is not understood; send the body as it is")
    declared = exchange.headers.get("content-type", "").partition(";")[0].strip()
    if not declared or _JSON.fullmatch(declared):
        return
    if not body.strip() and (operation.request is None or not operation.body_required):
        return
    raise UnsupportedMediaType(f"Content-Type {declared[:50]!r} is not understood; send application/json")


def _cookie(header: str) -> str | None:
    if not header:
        return None
    try:
        found = SimpleCookie(header).get("session_id")
    except CookieError:
        return None
    return found.value if found is not None else None


def _with_headers(send: Send, exchange: Exchange, headers: Headers) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *headers, (b"x-trace-id", exchange.trace_id.encode())]
        await send(message)

    return sending
