"""The client that awaits: AsyncKATOClient."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kato.client import recovery
from kato.client.async_methods import AsyncClientMethods
from kato.client.calls import Call
from kato.client.configuration import Connection, trusted
from kato.client.exchange import Reply, Request, prepare
from kato.client.recovery import Body, Doing, T
from kato.client.retrying import Attempt, Pause, RetryPolicy, Silence, conversation

if TYPE_CHECKING:
    import httpx2


class AsyncKATOClient(Connection, AsyncClientMethods):
    """
    A client for a KATO server, for asyncio.

    Arguments, methods, answers and errors are those of KATOClient; every method that asks the server is
    awaited. It works as an async context manager and, when `close` is awaited in the end, without. One client
    belongs to one event loop, whose tasks may share it; at most 100 requests are under way at once, the
    others wait their turn.

    Args:
        base_url: Address of the server.
        timeout: Seconds to wait for a connection, and for each piece of an answer, in one attempt.
        max_retries: Attempts after the first.
        api_key: Key for a server that asks for one.
        deadline_seconds: Seconds for a whole call, retries included; None for no limit.
        transport: An httpx2 transport instead of the network.

    Raises:
        ValueError: An argument is not as it must be.
    """

    def __init__(
        self,
        base_url: str = "http://localhost:8000",
        timeout: float = 30,
        max_retries: int = 3,
        *,
        api_key: str | None = None,
        deadline_seconds: float | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        Connection.__init__(self, base_url, timeout, max_retries, api_key, deadline_seconds)
        AsyncClientMethods.__init__(self)
        import httpx2  # here, since it is most of what importing this module would cost

        self._sleep = asyncio.sleep
        self._failures = (httpx2.RequestError, TimeoutError)
        self._http = httpx2.AsyncClient(
            headers=self._headers(), limits=self._limits(), transport=transport, verify=trusted()
        )

    async def close(self) -> None:
        """Close the connections. Sessions stay until they are deleted or expire."""
        await self._http.aclose()

    async def _send(self, call: Call) -> Body:
        policy = self._policy()
        return await self._answer(call, policy, policy.until())

    async def _run(self, doing: Doing[T]) -> T:
        policy = self._policy()
        until = policy.until()

        async def send(call: Call) -> Body:
            return await self._answer(call, policy, until)

        return await recovery.run_async(doing, send)

    async def _answer(self, call: Call, policy: RetryPolicy, until: float | None) -> Body:
        request = prepare(call)
        talk = conversation(request, policy, until)
        try:
            step = next(talk)
            while True:
                if isinstance(step, Pause):
                    await self._sleep(step.seconds)
                    step = talk.send(None)
                else:
                    step = talk.send(await self._attempt(request, step, policy))
        except StopIteration as end:
            body: Body = end.value
            return body

    async def _attempt(self, request: Request, attempt: Attempt, policy: RetryPolicy) -> Reply | Silence:
        outgoing = self._outgoing(self._http, request, attempt)
        left = None if attempt.until is None else max(0.0, attempt.until - policy.clock())
        try:
            async with asyncio.timeout(left):
                response = await self._http.send(outgoing)
        except self._failures as error:
            return Silence(error)
        return Reply(response.status_code, response.headers, response.content)
