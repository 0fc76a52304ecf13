"""Work that nobody waits for, one piece after another in a thread of its own."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Hashable
from queue import SimpleQueue

_log = logging.getLogger("kato.service.background")
Work = Callable[[], None]


class Background:
    """
    Does what it is handed in order. The thread begins with the first piece of work.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._guard = threading.Lock()
        self._due: SimpleQueue[tuple[Hashable, Work] | None] = SimpleQueue()
        self._waiting: set[Hashable] = set()
        self._thread: threading.Thread | None = None
        self._closed = False

    def due(self, key: Hashable, work: Work) -> None:
        """Have it done soon; what waits already under that key waits once. After `close` nothing is taken."""
        with self._guard:
            if self._closed or key in self._waiting:
                return
            self._waiting.add(key)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
                _running.add(self)
        self._due.put((key, work))

    def _run(self) -> None:
        while (due := self._due.get()) is not None:
            self._do(*due)
            del due  # what it was for must not be held while nothing is to be done

    def _do(self, key: Hashable, work: Work) -> None:
        with self._guard:
            self._waiting.discard(key)
        try:
            work()
        except Exception:  # noqa: BLE001 - told, and the work behind it is done all the same
            _log.exception("Work in the background failed; what it was for goes on without it")

    def close(self) -> None:
        """Take nothing more, finish what waits and end the thread."""
        with self._guard:
            self._closed = True
        _running.discard(self)
        self._due.put(None)
        if self._thread is not None:
            self._thread.join()


_running: weakref.WeakSet[Background] = weakref.WeakSet()
"""Those with a thread; a thread outlives a memory that was let go of without being closed."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running.clear)  # a forked process has copies without the threads


def close_all() -> None:
    """Close every one whose thread still runs: at the end of a program, in which a thread must not be cut off."""
    for background in tuple(_running):
        background.close()
