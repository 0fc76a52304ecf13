"""The client that waits: KATOClient, and BatchKATOClient under the name that older programs use."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kato.client import recovery
from kato.client.calls import Call
from kato.client.configuration import Connection, trusted
from kato.client.exchange import Reply, Request, prepare
from kato.client.methods import ClientMethods
from kato.client.recovery import Body, Doing, T
from kato.client.retrying import Attempt, Pause, RetryPolicy, Silence, conversation

if TYPE_CHECKING:
    import httpx2

_STILL_ARRIVING = "the answer was still arriving at the deadline"


class KATOClient(Connection, ClientMethods):
    """
    A client for a KATO server.

    It remembers the session it created last and keeps its connections open; threads may share it, and calls
    of one session take effect one after another in the order of their arrival. See docs/client-guide.md.

    Args:
        base_url: Address of the server.
        timeout: Seconds to wait for a connection, and for each piece of an answer, in one attempt.
        max_retries: Attempts after the first, when no answer comes or it says that trying again may help.
            Repeating is safe: a POST carries one Idempotency-Key for all its attempts.
        api_key: Key for a server that asks for one.
        deadline_seconds: Seconds for a whole call, retries included; None for no limit. With one, each attempt is made
            in a thread beside the caller, which is left behind when the time is over.
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
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        Connection.__init__(self, base_url, timeout, max_retries, api_key, deadline_seconds)
        ClientMethods.__init__(self)
        import httpx2  # here, since it is most of what importing this module would cost

        self._sleep = time.sleep
        self._failures = (httpx2.RequestError,)
        self._http = httpx2.Client(
            headers=self._headers(), limits=self._limits(), transport=transport, verify=trusted()
        )

    def close(self) -> None:
        """Close the connections. Sessions stay until they are deleted or expire."""
        self._http.close()

    def _send(self, call: Call) -> Body:
        policy = self._policy()
        return self._answer(call, policy, policy.until())

    def _run(self, doing: Doing[T]) -> T:
        policy = self._policy()
        until = policy.until()
        return recovery.run(doing, lambda call: self._answer(call, policy, until))

    def _answer(self, call: Call, policy: RetryPolicy, until: float | None) -> Body:
        request = prepare(call)
        talk = conversation(request, policy, until)
        try:
            step = next(talk)
            while True:
                if isinstance(step, Pause):
                    self._sleep(step.seconds)
                    step = talk.send(None)
                else:
                    step = talk.send(self._attempt(request, step, policy))
        except StopIteration as end:
            body: Body = end.value
            return body

    def _attempt(self, request: Request, attempt: Attempt, policy: RetryPolicy) -> Reply | Silence:
        if attempt.until is None:
            return self._exchange(request, attempt, policy)
        # A head that arrives byte by byte never lets the HTTP library time out: only somebody beside it can watch the time.
        left = max(0.0, attempt.until - policy.clock())
        return _within(left, lambda: self._exchange(request, attempt, policy)) or Silence(TimeoutError(_STILL_ARRIVING))

    def _exchange(self, request: Request, attempt: Attempt, policy: RetryPolicy) -> Reply | Silence:
        outgoing = self._outgoing(self._http, request, attempt)
        try:
            response = self._http.send(outgoing, stream=True)
            try:
                pieces = []
                for piece in response.iter_bytes():
                    pieces.append(piece)
                    if attempt.until is not None and policy.clock() >= attempt.until:
                        return Silence(TimeoutError(_STILL_ARRIVING))
            finally:
                response.close()
        except self._failures as error:
            return Silence(error)
        return Reply(response.status_code, response.headers, b"".join(pieces))


def _within(seconds: float, work: Callable[[], T]) -> T | None:
    """What a function returns, or None when that takes longer; it is then left to itself, in a thread of its own."""
    ended = threading.Event()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again for whoever waits
            failure.append(error)
        finally:
            ended.set()

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), daemon=True).start()
    if not ended.wait(seconds):
        return None
    if failure:
        raise failure[0]
    return outcome[0]


class BatchKATOClient(KATOClient):
    """KATOClient under the name by which programs ask for its observe_batch and learn_and_test."""
