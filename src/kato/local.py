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
import weakref
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kato.client.calls import Call
from kato.client.methods import ClientMethods
from kato.client.prediction import with_predictions
from kato.errors import RouteNotFound
from kato.operations import OPERATIONS, Operation, Request
from kato.operations.idempotency import IDEMPOTENCY_KEY, REPLAYED, perform
from kato.service import background
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

    Safe to share between threads; one session's calls run one after another. What is held and still open when the program ends is
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
        _open.add(self)

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
            _open.discard(self)
            self._system.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_open: weakref.WeakSet[Kato] = weakref.WeakSet()
"""Those that are held by somebody and not closed yet."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open.clear)  # a forked process has copies without the threads


@atexit.register
def _close_all() -> None:
    """The program ends: what it left open is closed, whatever goes wrong with one of them."""
    with ExitStack() as closing:
        closing.callback(background.close_all)
        for kato in tuple(_open):
            closing.callback(kato.close)
