"""
The whole of HTTP between a socket and an operation, as one ASGI application.

Checks run in the order of the specification, the first failure answers: preflight → host and origin → load → key and rate →
route → scope and node of the key → body size → content type → the operation (session, body, query, state). Every answer
carries a trace id; every error has one shape.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from kato.errors import (
    InternalError,
    InvalidInput,
    KATOError,
    KATOSessionError,
    MethodNotAllowed,
    NotReady,
    Overloaded,
    RequestTimedOut,
    StorageError,
)
from kato.operations import Answer, Operation, Request
from kato.operations.idempotency import IDEMPOTENCY_KEY, check_key, is_key, perform
from kato.server.admission import Admission, refusal_headers
from kato.server.bodies import (
    ClientGone,
    check_coding,
    check_media_type,
    is_lines,
    read_all,
)
from kato.server.deadlines import DeadlinePassed, within
from kato.server.exchange import Exchange
from kato.server.logs import log_requests, logger
from kato.server.origins import Headers, Origins
from kato.server.page import Page, is_page
from kato.server.routing import Routes, session_in
from kato.server.streaming import pieces_of, send_lines
from kato.service.callers import Caller
from kato.service.system import System
from kato.wire.answers import time_text
from kato.wire.encoding import encode_answer
from kato.wire.failures import error_body
from kato.wire.parsing import BLANK
from kato.wire.reading import problem, read_body
from kato.wire.requests import NoBody

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_NODE_HEADERS = {"x-test-id": "X-Test-ID", "x-node-id": "X-Node-ID"}
_SHOWN = len("session-") + 8
_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_JSON = (b"content-type", b"application/json")
_CLIENT_GONE = 499
"""In the log and the numbers only: the client left before its request was whole, so nobody is answered."""


class Transport:
    """
    Turns HTTP requests into operations and answers back into HTTP.

    Args:
        system: Gives the system once it is open, None before and after.
        admission: Gives who lets callers in; there whenever the system is.
        routes: The operations.
        origins: Who may call from where.
        documentation: The application that serves the generated description, and its paths.
    """

    def __init__(
        self,
        system: Callable[[], System | None],
        admission: Callable[[], Admission | None],
        routes: Routes,
        origins: Origins,
        *,
        request_timeout: float,
        limit_concurrency: int,
        documentation: Callable[[Scope, Receive, Send], Awaitable[None]],
        documentation_paths: frozenset[str],
    ) -> None:
        self._system = system
        self._admission = admission
        self._routes = routes
        self._origins = origins
        self._timeout = request_timeout or None
        self._most_in_flight = limit_concurrency
        self._documentation = documentation
        self._documentation_paths = documentation_paths
        self._page = Page()
        self._answered: list[tuple[System | None, Exchange, int, float]] = []
        """Requests that were answered and not noted yet: the system, the request, its status, how long it took in seconds."""

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
            self._answered.append((system, exchange, status, time.perf_counter() - started))
            # The answer's bytes leave when the event loop comes round; only then is there time for the books.
            asyncio.get_running_loop().call_soon(self._note)

    def _note(self) -> None:
        """Count and log the requests that were answered, all together. Whatever arrives next comes after this."""
        answered, self._answered = self._answered, []
        if not answered:
            return
        for system, exchange, status, seconds in answered:
            if system is not None:
                system.measures.finished(exchange.method, exchange.route, status, seconds, exchange.trace_id)
        log_requests([_fields(exchange, status, seconds) for _, exchange, status, seconds in answered])

    async def _answer(
        self, system: System | None, exchange: Exchange, scope: Scope, receive: Receive, send: Send
    ) -> int:
        headers: Headers = self._origins.answer_headers(exchange.origin)
        try:
            self._origins.check_host(exchange.host)
            self._origins.check_origin(exchange.method, exchange.origin, exchange.host)
            if is_page(exchange.path):
                return await self._show(exchange, send, headers)
            admission = self._admission()
            if system is None or admission is None:
                raise NotReady("The server is starting or stopping")
            self._check_load(system, exchange)
            place = self._routes.place(exchange.path)
            if place is None or not place.is_open:
                exchange.caller = admission.identify(exchange.headers, exchange.address)
            if exchange.path.rstrip("/") in self._documentation_paths:
                return await self._describe(exchange, scope, receive, send, headers)
            operation, values = self._routes.find(exchange.method, exchange.path, place)
            exchange.route = operation.template
            _require(exchange.caller, operation, values)
            if operation.lines is not None and is_lines(exchange.headers):
                return await self._converse(system, exchange, operation, values, receive, send, headers)
            answer = await self._operate(system, exchange, operation, values, receive)
            body = answer.body if isinstance(answer.body, bytes) else encode_answer(answer.body)
            if answer.headers:
                headers += [(name.encode(), value.encode()) for name, value in answer.headers.items()]
            session_id = answer.session_id or exchange.session_id
            if session_id is not None:
                headers.append((b"x-session-id", session_id.encode()))
                exchange.session_id = session_id
            if isinstance(answer.body, dict):
                exchange.node_id = exchange.node_id or answer.body.get("node_id")
            await self._send(send, exchange, 200, body, headers)
            return 200
        except ClientGone:
            return _CLIENT_GONE
        except KATOError as error:
            refused: KATOError = error
        except Exception:  # noqa: BLE001 - see below
            # The one place where an unforeseen error ends: logged whole, answered without its text.
            logger().exception("unforeseen error", trace_id=exchange.trace_id, route=exchange.route)
            refused = InternalError()
        return await self._refuse(system, send, exchange, refused, headers)

    def _check_load(self, system: System, exchange: Exchange) -> None:
        if system.measures.in_flight > self._most_in_flight and not exchange.path.startswith("/health"):
            message = f"More than {self._most_in_flight} requests are in flight; the limit is KATO_LIMIT_CONCURRENCY"
            raise Overloaded(message)

    async def _describe(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send, headers: Headers) -> int:
        """The generated description, at its path with or without a slash at the end."""
        exchange.route = path = exchange.path.rstrip("/")
        if exchange.method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(exchange.method, ["GET", "HEAD", "OPTIONS"])
        status = 500

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *headers, (b"x-trace-id", exchange.trace_id.encode())]
            await send(message)

        await self._documentation({**scope, "path": path, "raw_path": path.encode()}, receive, sending)
        return status

    async def _show(self, exchange: Exchange, send: Send, headers: Headers) -> int:
        """A file of the web page. It holds no data, so it needs no system and no key."""
        exchange.route = "/ui"
        status, about, content = self._page.answer(exchange.method, exchange.path, exchange.headers)
        await self._send(send, exchange, status, content, [*headers, *about])
        return status

    async def _converse(
        self,
        system: System,
        exchange: Exchange,
        operation: Operation,
        values: Mapping[str, str],
        receive: Receive,
        send: Send,
        headers: Headers,
    ) -> int:
        """
        A body of lines, answered by lines while it arrives. The request's time limit holds for each wait for more of it.

        Raises:
            KATOError: What is wrong with the request as a whole; nothing has been sent, and nothing happened.
        """
        assert operation.lines is not None
        check_coding(exchange.headers)
        request = self._request(exchange, values)
        if "session_id" not in values:
            exchange.session_id = await self._named_session(system, exchange, operation)
        exchange.node_id = values.get("node_id")
        await _ahead(system, operation, request, exchange.unreadable)
        async with (
            contextlib.aclosing(pieces_of(receive, self._timeout)) as pieces,
            contextlib.aclosing(operation.lines(system, request, pieces)) as lines,
        ):
            first = await anext(lines)
            headers += [(b"content-type", b"application/x-ndjson"), (b"x-trace-id", exchange.trace_id.encode())]
            if exchange.session_id is not None:
                headers.append((b"x-session-id", exchange.session_id.encode()))
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send_lines(first, lines, send, exchange.trace_id)
        return 200

    async def _operate(
        self, system: System, exchange: Exchange, operation: Operation, values: Mapping[str, str], receive: Receive
    ) -> Answer:
        """
        One operation from its first byte to its answer.

        Raises:
            RequestTimedOut: That took too long: reading, waiting, or the operation itself.
        """
        try:
            # When the time is up, what has not begun to be stored is taken back; what has is finished and told.
            return await within(self._timeout, self._take(system, exchange, operation, values, receive))
        except DeadlinePassed as error:
            raise RequestTimedOut(self._timeout or 0.0) from error

    async def _take(
        self, system: System, exchange: Exchange, operation: Operation, values: Mapping[str, str], receive: Receive
    ) -> Answer:
        body = b""
        if exchange.method not in _WITHOUT_BODY:
            # Who sends slowly takes no place from those who have said what they want.
            system.measures.set_aside()
            try:
                body = await read_all(exchange.headers, receive, system.limits.max_body_bytes)
            finally:
                system.measures.take_up()
            self._check_load(system, exchange)
            check_media_type(exchange.headers, operation, body)
        request = self._request(exchange, values, body)
        if "session_id" not in values:
            exchange.session_id = await self._named_session(system, exchange, operation)
        warnings = await _ahead(system, operation, request, exchange.unreadable)
        return await perform(system, operation, request, warnings=warnings)

    @staticmethod
    def _request(exchange: Exchange, values: Mapping[str, str], body: bytes = b"") -> Request:
        query: tuple[tuple[str, str], ...] = ()
        if exchange.query:
            text = exchange.query.decode("latin-1")
            query = tuple(parse_qsl(text, keep_blank_values=True, errors="surrogateescape"))
        return Request(values, query, body, exchange.headers, exchange.trace_id, exchange.caller)

    async def _named_session(self, system: System, exchange: Exchange, operation: Operation) -> str | None:
        """The live session that a request outside `/sessions/…` names by header or cookie; it counts as accessed."""
        named = exchange.headers.get("x-session-id") or _cookie(exchange.headers.get("cookie", ""))
        if not named:
            return None
        caller, admission = exchange.caller, self._admission()
        if operation.scope is None and admission is not None:
            caller = admission.recognise(exchange.headers)  # no key was asked for; that makes nobody's session theirs
        return named if await system.sessions.access(named, caller=caller) else None

    async def _refuse(
        self, system: System | None, send: Send, exchange: Exchange, error: KATOError, headers: Headers
    ) -> int:
        session_id = session_in(exchange.path)
        if session_id is not None and await _is_live(system, session_id, exchange.caller, error):
            exchange.session_id = session_id
        if exchange.session_id is not None:
            headers.append((b"x-session-id", exchange.session_id.encode()))
        if isinstance(error, MethodNotAllowed):
            headers.append((b"allow", ", ".join(error.allowed).encode()))
        headers += refusal_headers(error)
        now = time_text(time.time_ns() // 1000)
        body = error_body(error, trace_id=exchange.trace_id, session_id=session_id, timestamp=now)
        await self._send(send, exchange, error.status_code, encode_answer(body), headers)
        return error.status_code

    async def _send(self, send: Send, exchange: Exchange, status: int, body: bytes, headers: Headers) -> None:
        whole = [*headers, (b"x-trace-id", exchange.trace_id.encode()), (b"content-length", b"%d" % len(body))]
        if body and b"content-type" not in dict(headers):
            whole.append(_JSON)
        await send({"type": "http.response.start", "status": status, "headers": whole})
        await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else body})


def _require(caller: Caller, operation: Operation, values: Mapping[str, str]) -> None:
    """
    Whether a caller's key reaches as far as an operation and the node that its path names.

    Raises:
        Forbidden: It does not.
    """
    if operation.scope is not None:
        caller.require_scope(operation.scope)
    if "node_id" in values:
        caller.require_node(values["node_id"])


async def _ahead(system: System, operation: Operation, request: Request, unreadable: Collection[str]) -> list[str]:
    """
    What concerns every operation alike, before it: the form of some headers, and a body it has no use for.

    Returns:
        Warnings: members of a body that nobody asked for are not ignored silently.

    Raises:
        KATOSessionError, InvalidInput, LimitExceeded: In this order; nothing has happened.
    """
    key = request.headers.get(IDEMPOTENCY_KEY, "") if operation.method == "POST" else ""
    wrong_key = key if key and not is_key(key, system.limits) else ""
    unasked = operation.request is None and request.body.strip(BLANK)
    if not (wrong_key or unasked or unreadable):
        return []
    in_session = "session_id" in request.path
    nameless = [name for name in _NODE_HEADERS if name in unreadable and not in_session]
    if not (wrong_key or unasked or nameless):
        return []
    if in_session:
        async with system.sessions.using(request.path["session_id"], caller=request.caller):
            pass  # a session that is gone is said before anything about the rest of the request
    if nameless:
        raise InvalidInput([problem(("header", _NODE_HEADERS[name]), "utf8", "is not UTF-8", "") for name in nameless])
    if wrong_key:
        check_key(wrong_key, system.limits)
    return read_body(NoBody, request.body, system.limits)[1] if unasked else []


def _fields(exchange: Exchange, status: int, seconds: float) -> dict[str, Any]:
    """What the log says of a request."""
    return {
        "trace_id": exchange.trace_id,
        "method": exchange.method,
        "route": exchange.route,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
        "session_id": _shortened(exchange.session_id),
        "node_id": exchange.node_id,
        "key_id": exchange.caller.key_id,
    }


def _shortened(session_id: str | None) -> str | None:
    """Enough of a session's id to find its lines, and not enough to use it: who knows an id may use the session."""
    return f"{session_id[:_SHOWN]}…" if session_id is not None else None


def _cookie(header: str) -> str | None:
    if not header:
        return None
    try:
        found = SimpleCookie(header).get("session_id")
    except CookieError:
        return None
    return found.value if found is not None else None


async def _is_live(system: System | None, session_id: str, caller: Caller, error: KATOError) -> bool:
    """Whether the session that a refused request names is live; not told to those who may not ask."""
    if system is None or isinstance(error, (KATOSessionError, StorageError)) or error.status_code in {401, 403}:
        return False
    try:
        return (await system.sessions.exists(session_id, caller=caller))[0] == "active"
    except StorageError:
        return False  # the first error is the one to answer with; this only spares a header
