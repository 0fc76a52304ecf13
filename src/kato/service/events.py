"""
What happens, told to whoever watches.

Events are told after the change is stored, in order per session. A watcher must return at once: it takes the event and
does the rest elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kato.service.histogram import Histogram

_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """Something happened to a session. `at` in microseconds since 1970."""

    kind: Literal["session.created", "session.updated", "session.expired", "session.destroyed"]
    session_id: str
    node_id: str
    at: int
    owner: str | None = None
    """Whose session it is."""
    expires_at: int | None = None
    fields: tuple[str, ...] = ()
    stm_length: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PatternsLearned:
    """One request learned something: bare names in order, facts about the last."""

    session_id: str | None
    node_id: str
    at: int
    names: tuple[str, ...]
    frequency: int
    is_new: bool
    trigger: Literal["learn", "auto", "sequence"]
    owner: str | None = None
    """Whose session it was."""


class Events:
    """Hands events to watchers, and counts."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[SessionEvent | PatternsLearned], None]] = []
        self.observations = 0
        self.learnings = 0
        self.predictions = 0
        self.patterns_considered = 0
        """Patterns that predictions chose from, summed up."""
        self.patterns_evaluated = 0
        """Those of them that were compared with the memory."""
        self.batch_sizes = Histogram(_BATCH_SIZES)
        """Patterns that were learned in one commit."""

    def watch(self, watcher: Callable[[SessionEvent | PatternsLearned], None]) -> None:
        """Tell `watcher` of everything from now on."""
        self._watchers.append(watcher)

    def session(self, event: SessionEvent) -> None:
        """Tell of a session event."""
        for watcher in self._watchers:
            watcher(event)

    def learned(self, event: PatternsLearned) -> None:
        """Tell of learned patterns."""
        self.learnings += len(event.names)
        self.batch_sizes.add(len(event.names))
        for watcher in self._watchers:
            watcher(event)
