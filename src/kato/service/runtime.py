"""
How a use-case waits, and where time and randomness come from.

Use-cases are written once, as coroutines. In a server they run on an event loop (`LoopRuntime`) and really wait; embedded
in a program they run on the caller's thread (`ThreadRuntime`), where every await is over at once and `drive` steps the
coroutine to its end.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Runtime(Protocol):
    """How a use-case waits."""

    def now(self) -> int:
        """Microseconds since 1970, UTC; never smaller than the value before."""
        ...

    async def wait(self, future: Future[T]) -> T:
        """The future's result, or its exception raised."""
        ...

    async def compute(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that may take long, where it delays nobody else."""
        ...

    def later(self, function: Callable[[], None]) -> None:
        """Call a function when there is time, before anything that arrives from now on is looked at."""
        ...

    def lock(self) -> AbstractAsyncContextManager[Any]:
        """A lock of this runtime; waiters enter in order of arrival."""
        ...

    @property
    def waiting(self) -> int:
        """Computations that have been asked for and have not begun."""
        ...

    def close(self) -> None:
        """Let go of threads."""
        ...


_ids: list[str] = []
"""Made and not given out yet: asking the system for one costs about as much as asking it for all of these."""
_IDS_AT_ONCE = 256
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ids.clear)  # parent and child must not give out the same


def random_id() -> str:
    """32 random hexadecimal digits, fit for a secret."""
    try:
        return _ids.pop()
    except IndexError:
        digits = os.urandom(16 * _IDS_AT_ONCE).hex()
        first, *others = (digits[start : start + 32] for start in range(0, len(digits), 32))
        _ids.extend(others)
        return first


class Clock:
    """Microseconds since 1970 that never run backwards, also when the system's clock is set back."""

    def __init__(self) -> None:
        self._latest = 0

    def __call__(self) -> int:
        """The time now, or the latest told if that is later."""
        now = time.time_ns() // 1000
        if now > self._latest:
            self._latest = now
        return self._latest


class LoopRuntime:
    """Waits on the running event loop; computes in a few threads."""

    def __init__(self, *, threads: int, clock: Callable[[], int] | None = None) -> None:
        self.now = clock or Clock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="kato-compute")
        self._counting = threading.Lock()
        self.waiting = 0
        self._done: deque[asyncio.Future[None]] = deque()
        """Waiters whose futures are done, to be woken all at once: a commit ends many."""
        self._waking = False

    async def wait(self, future: Future[T]) -> T:
        """The future's result, or its exception raised. A caller who gives up takes back only what has not begun."""
        try:
            if not future.done():
                await self._end_of(future)
        except asyncio.CancelledError:
            if future.cancel():
                raise
            # Too late to take it back: what was begun is finished, and told as done.
            await self._end_of(future)
        return future.result()

    def _end_of(self, future: Future[Any]) -> asyncio.Future[None]:
        """Done when the future is."""
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()

        def wake(_: Future[Any]) -> None:
            self._done.append(waiter)
            if not self._waking and not loop.is_closed():
                self._waking = True
                loop.call_soon_threadsafe(self._wake)

        future.add_done_callback(wake)
        return waiter

    def _wake(self) -> None:
        self._waking = False  # first: whoever comes from now on calls again
        while self._done:
            waiter = self._done.popleft()
            if not waiter.done():
                waiter.set_result(None)

    async def compute(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in a thread of the pool."""
        self._count(1)

        def begin() -> T:
            self._count(-1)
            return function(*args, **kwargs)

        future = self._pool.submit(begin)
        future.add_done_callback(lambda done: self._count(-1) if done.cancelled() else None)
        return await asyncio.wrap_future(future)

    def _count(self, more: int) -> None:
        with self._counting:
            self.waiting += more

    def later(self, function: Callable[[], None]) -> None:
        """Call a function once what is under way has been answered."""
        asyncio.get_running_loop().call_soon(function)

    def lock(self) -> AbstractAsyncContextManager[Any]:
        """An asyncio lock: first come, first served."""
        return asyncio.Lock()

    def close(self) -> None:
        """Wait for running computations and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class _ThreadLock:
    """A thread lock in the clothes of an asynchronous one; entering blocks the thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    async def __aenter__(self) -> None:
        self._lock.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


class ThreadRuntime:
    """Everything happens on the caller's thread."""

    def __init__(self, *, clock: Callable[[], int] | None = None) -> None:
        self.now = clock or Clock()

    async def wait(self, future: Future[T]) -> T:
        """Block until the future is done."""
        return future.result()

    waiting = 0

    async def compute(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function here and now."""
        return function(*args, **kwargs)

    def later(self, function: Callable[[], None]) -> None:
        """Call the function here and now."""
        function()

    def lock(self) -> AbstractAsyncContextManager[Any]:
        """A lock that blocks the thread."""
        return _ThreadLock()

    def close(self) -> None:
        """Nothing to let go of."""


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of a `ThreadRuntime` to its end on this thread and return its result."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: T = finished.value
        return result
    coroutine.close()
    raise RuntimeError("a use-case tried to wait on an event loop while running embedded")
