"""Upkeep of what nodes have learned, in a thread of its own: nobody waits for it."""

from __future__ import annotations

from kato.engine.knowledge import Knowledge
from kato.service.background import Background


class Upkeep:
    """Tends one knowledge after another, each until there is nothing to do."""

    def __init__(self) -> None:
        self._background = Background("kato-upkeep")
        self._closed = False

    def due(self, knowledge: Knowledge) -> None:
        """Have it tended soon; a knowledge that waits already waits once."""
        self._background.due(id(knowledge), lambda: self._tend(knowledge))

    def _tend(self, knowledge: Knowledge) -> None:
        while not self._closed and knowledge.tend():
            pass

    def close(self) -> None:
        """Finish the step at hand and end the thread."""
        self._closed = True
        self._background.close()
