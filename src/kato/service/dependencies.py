"""Whether the storage serves, as far as anybody has noticed; those who watch are told when that changes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from kato.errors import StorageFull, StorageUnavailable
from kato.service.events import DependencyEvent, Events

COMPONENT = "storage"


class Dependency:
    """The storage as the latest attempt to use it found it. Safe to call from any thread."""

    def __init__(self, events: Events, now: Callable[[], int]) -> None:
        self._events = events
        self._now = now
        self._guard = threading.Lock()
        self.failure: StorageUnavailable | StorageFull | None = None
        """What it answered last, if that was a refusal."""

    def note(self, error: BaseException | None) -> None:
        """
        An attempt to use it succeeded or failed.

        Args:
            error: What was raised. What concerns only the request or one node says nothing about the storage.
        """
        if error is None and self.failure is None:
            return
        if error is not None and not isinstance(error, (StorageUnavailable, StorageFull)):
            return
        with self._guard:
            before, self.failure = self.failure, error
            at = self._now()
        if error is not None and before is None:
            self._events.tell(DependencyEvent(at, error.kind, "critical", error.message, COMPONENT))
        elif error is None and before is not None:
            self._events.tell(DependencyEvent(at, before.kind, "info", "The storage takes writes again", COMPONENT))
