"""Taking turns by name: those who come under one name go one after another, all others at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from kato.service.runtime import Runtime


class Turns:
    """Turns of one event loop. A name is held only while somebody has it or waits for it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._locks: dict[str, tuple[AbstractAsyncContextManager[Any], int]] = {}

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """The caller's turn under a name; the empty name waits for nobody."""
        if not name:
            yield
            return
        lock, users = self._locks.get(name) or (self._runtime.lock(), 0)
        self._locks[name] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(name)
            if users > 1:
                self._locks[name] = lock, users - 1
