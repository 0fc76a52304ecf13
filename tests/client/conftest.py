"""A stand-in for the server, and one way to ask both clients the same thing."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from kato import AsyncKATOClient, KATOClient
from kato.client.retrying import RetryPolicy

SID = "session-" + "a" * 32 + "-1"
Answerer = Callable[[httpx2.Request], Any]


def answer(body: Any = None, status: int = 200, **headers: str) -> httpx2.Response:
    """An answer of a KATO server; header names are written with underscores."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, json={"warnings": []} if body is None else body, headers=given)


def refusal(
    status: int, code: str, *, recoverable: bool = False, detail: Any = "no", **headers: str
) -> httpx2.Response:
    """An error answer in the shape of docs/http-api.md."""
    message = detail if isinstance(detail, str) else "refused"
    error = {
        "code": code,
        "type": "AnyError",
        "message": message,
        "details": {},
        "recoverable": recoverable,
        "trace_id": "kato-of-the-server",
        "timestamp": "2025-01-01T00:00:00.000000Z",
    }
    body = {"detail": detail, "status": status, "error": error}
    return answer(body, status, x_trace_id="kato-of-the-server", **headers)


def gone(code: str = "SESSION_EXPIRED") -> httpx2.Response:
    return refusal(404, code, detail="Session x not found or expired")


@dataclass
class Clock:
    """Time that passes only when somebody sleeps or says so."""

    seconds: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


class Harness:
    """One client, sync or async, that talks to a script instead of a server."""

    session_id = SID
    answer = staticmethod(answer)
    refusal = staticmethod(refusal)
    gone = staticmethod(gone)

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.clock = Clock()
        self.requests: list[httpx2.Request] = []
        self.script: list[Any] = []
        self.otherwise: Answerer = lambda request: answer()
        self._loop = asyncio.new_event_loop() if kind == "async" else None
        self.client: Any = None
        self.make()

    def make(self, **arguments: Any) -> Any:
        """Replace the client by one made with these arguments."""
        made = (KATOClient if self.kind == "sync" else AsyncKATOClient)(
            arguments.pop("base_url", "http://test:8000"),
            transport=httpx2.MockTransport(self._answer),
            **arguments,
        )
        made._patience = RetryPolicy(
            clock=lambda: self.clock.seconds, now=lambda: 1_700_000_000.0, jitter=lambda most: most
        )
        made._sleep = self.clock.sleep if self.kind == "sync" else self.clock.sleep_async
        self.client = made
        return made

    def will(self, *script: Any) -> None:
        """Answer the next requests with these: responses, exceptions, functions of the request."""
        self.script.extend(script)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        step = self.script.pop(0) if self.script else self.otherwise
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, httpx2.Response) else step(request)

    def do(self, name: str, *arguments: Any, on: Any = None, **named: Any) -> Any:
        """Call a method and wait for what it returns; an iterator is walked to its end."""
        result = getattr(self.client if on is None else on, name)(*arguments, **named)
        if inspect.isasyncgen(result):

            async def walk() -> list[Any]:
                return [item async for item in result]

            return self.wait(walk())
        if isinstance(result, Iterator):
            return list(result)
        return self.wait(result)

    def wait(self, result: Any) -> Any:
        if self._loop is not None and inspect.isawaitable(result):
            return self._loop.run_until_complete(result)
        return result

    def in_session(self, **arguments: Any) -> None:
        """Create a session and forget that it took a request."""
        self.will(answer({"session_id": SID, "warnings": []}))
        self.do("create_session", "shop", **arguments)
        self.requests.clear()

    def close(self) -> None:
        self.do("close")
        if self._loop is not None:
            self._loop.close()

    @property
    def request(self) -> httpx2.Request:
        """The only request that was sent."""
        assert len(self.requests) == 1
        return self.requests[0]

    def body(self, position: int = -1) -> Any:
        """The JSON body of a request that was sent, or None."""
        content = self.requests[position].content
        return json.loads(content) if content else None

    def paths(self) -> list[str]:
        """Method and path of every request, in order."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


@pytest.fixture(params=["sync", "async"])
def harness(request: pytest.FixtureRequest) -> Iterator[Harness]:
    made = Harness(request.param)
    yield made
    made.close()
