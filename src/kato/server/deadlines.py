"""A time limit that costs nothing where nobody waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


class DeadlinePassed(Exception):
    """The time was up before the coroutine ended; it was cancelled."""


async def within(seconds: float | None, coroutine: Coroutine[Any, Any, T]) -> T:
    """
    A coroutine's result, if it comes in time.

    Most requests are answered without waiting for anything. So the coroutine is first run as far as it gets; only if it then
    waits, a timer is set for it.

    Args:
        seconds: From now; None for ever.

    Raises:
        DeadlinePassed: It took longer. What the coroutine raises comes through, a TimeoutError of its own too.
    """
    if seconds is None:
        return await coroutine
    started = time.monotonic()
    try:
        awaited = coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    try:
        async with asyncio.timeout(started + seconds - time.monotonic()) as limit:
            rest: T = await _Begun(coroutine, awaited)
            return rest
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlinePassed from error


class _Begun:
    """A coroutine that was stepped once, and what it waits for: its rest, to be awaited."""

    __slots__ = ("_awaited", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, T], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        step, given = self._coroutine.send, None
        awaited = self._awaited
        while True:
            try:
                given = yield awaited
            except BaseException as error:  # noqa: BLE001 - handed into the coroutine, which decides
                step, given = self._coroutine.throw, error
            else:
                step = self._coroutine.send
            try:
                awaited = step(given)
            except StopIteration as done:
                return done.value
