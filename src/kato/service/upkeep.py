"""Upkeep of what nodes have learned, in a thread of its own: nobody waits for it."""

from __future__ import annotations

import threading
from queue import SimpleQueue

from kato.engine.knowledge import Knowledge


class Upkeep:
    """Tends one knowledge after another, each until there is nothing to do. The thread begins with the first of them."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._due: SimpleQueue[Knowledge | None] = SimpleQueue()
        self._waiting: set[int] = set()
        self._thread: threading.Thread | None = None
        self._closed = False

    def due(self, knowledge: Knowledge) -> None:
        """Have it tended soon; a knowledge that waits already waits once."""
        with self._guard:
            if self._closed or id(knowledge) in self._waiting:
                return
            self._waiting.add(id(knowledge))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="kato-upkeep", daemon=True)
                self._thread.start()
        self._due.put(knowledge)

    def _run(self) -> None:
        while (knowledge := self._due.get()) is not None:
            with self._guard:
                self._waiting.discard(id(knowledge))
            while not self._closed and knowledge.tend():
                pass

    def close(self) -> None:
        """Finish the step at hand and end the thread."""
        with self._guard:
            self._closed = True
        self._due.put(None)
        if self._thread is not None:
            self._thread.join()
