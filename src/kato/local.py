"""
The whole system in one process, without HTTP.

`Kato` has the methods of `KATOClient`, with the same arguments, results and errors: a program moves between the embedded
memory and a server by changing the line that makes it. Each call goes through the very operation the server would run.
"""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kato.client.calls import Call
from kato.client.methods import ClientMethods
from kato.client.prediction import with_predictions
from kato.errors import RouteNotFound
from kato.operations import OPERATIONS, Operation, Request
from kato.operations.idempotency import IDEMPOTENCY_KEY, REPLAYED, perform
from kato.service.policy import Policy
from kato.service.runtime import drive, random_id
from kato.service.system import System
from kato.wire.encoding import encode_body, plain
from kato.wire.limits import Limits

_OPERATIONS: Mapping[tuple[str, str], Operation] = {(each.method, each.template): each for each in OPERATIONS}


class Kato(ClientMethods):
    """
    A memory in this process, kept in one file, or nowhere.

    Args:
        location: A directory (holds kato.db), a path ending in .db, or ":memory:".
        engine: "plain", "native", or None for the best there is.
        durability: "learn" (learning survives loss of power, observing the death of the process) or "full" (both survive
            loss of power).
        session_ttl: Lifetime of a session in seconds, unless it says otherwise.
        config: Configuration keys whose default is to differ, for every session.

    Raises:
        StorageInUse: Another process has the memory open.
        StorageUnavailable, StoredDataCorrupt: It cannot be opened.

    Safe to share between threads; one session's calls run one after another. What is still open when the program ends is
    closed then.

    >>> with Kato(":memory:") as kato:
    ...     _ = kato.create_session("tea")
    ...     _ = kato.observe(["kettle"]); _ = kato.observe(["cup"])
    ...     _ = kato.learn()
    ...     _ = kato.observe(["kettle"])
    ...     kato.get_predictions()["predictions"][0]["future"]
    [['cup']]
    """

    def __init__(
        self,
        location: str | os.PathLike[str] = ":memory:",
        *,
        engine: str | None = None,
        durability: str = "learn",
        session_ttl: int = 3600,
        config: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        super().__init__()
        limits = limits or Limits()
        policy = Policy(
            session_defaults=dict(config or {}),
            session_ttl=session_ttl,
            max_sessions=limits.max_sessions,
            max_stm_events=limits.max_stm_events,
        )
        where = str(location) if location == ":memory:" else str(Path(location))
        self._system = System.embedded(where, policy, limits, engine=engine, durability=durability, clock=clock)
        self._next_sweep = 0
        self._sweeping = threading.Lock()
        self._closed = False
        # Threads of the memory hold it whatever becomes of this object, so being held here keeps nothing alive.
        self._process = os.getpid()
        atexit.register(self._end)

    @property
    def system(self) -> System:
        """What this memory is made of."""
        return self._system

    def _send(self, call: Call) -> dict[str, Any]:
        operation = _OPERATIONS.get((call.method, call.template))
        if operation is None:
            raise RouteNotFound(call.template)
        request = Request(
            path=call.path,
            query=call.query,
            body=encode_body(call.body) if call.body is not None else b"",
            headers={IDEMPOTENCY_KEY: call.idempotency_key} if call.idempotency_key is not None else {},
            trace_id=f"kato-{random_id()}",
        )
        self._sweep()
        answer = drive(perform(self._system, operation, request))
        if isinstance(answer.body, bytes):
            found: dict[str, Any] = (
                json.loads(answer.body) if REPLAYED in answer.headers else {"text": answer.body.decode()}
            )
            return found
        return with_predictions(plain(answer.body))

    def _sweep(self) -> None:
        """End expired sessions now and then; nobody else would."""
        now = self._system.runtime.now()
        if now >= self._next_sweep and self._sweeping.acquire(blocking=False):
            try:
                self._next_sweep = now + 60_000_000
                drive(self._system.sessions.expire_due())
            finally:
                self._sweeping.release()

    def close(self) -> None:
        """Write what waits to be written and let the file go. May be called twice."""
        if not self._closed:
            self._closed = True
            atexit.unregister(self._end)
            self._system.close()

    def _end(self) -> None:
        """Close what the program left open, where it was opened: a forked process has a copy without the threads."""
        if os.getpid() == self._process:
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
