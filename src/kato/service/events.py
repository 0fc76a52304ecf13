"""
What happens, told to whoever watches.

Events are told after the change is stored, in order per session. A watcher must return at once: it takes the event and
does the rest elsewhere. All are told on the thread of the use-case, except that a dependency failed: that is told on whichever
thread it failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kato.engine.knowledge import Change
from kato.service.histogram import Histogram

_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


class SessionEvent(NamedTuple):
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


@dataclass(frozen=True, slots=True)
class PatternsCorrected:
    """One request edited, forgot or restored patterns: bare names in order, facts about the last."""

    kind: Literal["pattern.changed", "pattern.forgotten"]
    session_id: str | None
    node_id: str
    at: int
    names: tuple[str, ...]
    """() where everything was forgotten."""
    count: int
    frequency: int
    """Of the last, as it is now; 0 if it is gone."""
    trigger: Literal["edit", "forget", "clear_all", "undo"]
    owner: str | None = None
    """Whose session it was."""


@dataclass(frozen=True, slots=True)
class DependencyEvent:
    """Something that the service needs failed, or works again."""

    at: int
    error_type: str
    severity: Literal["critical", "warning", "info"]
    message: str
    component: str


Event = SessionEvent | PatternsLearned | PatternsCorrected | DependencyEvent


def corrected(
    node_id: str,
    at: int,
    trigger: Literal["edit", "forget", "undo"],
    changes: Sequence[Change],
) -> PatternsCorrected:
    """The event that tells of what one request corrected. `changes`: at least one, each of one pattern."""
    known = [pattern for change in changes if (pattern := change.after or change.before) is not None]
    last = changes[-1].after
    return PatternsCorrected(
        "pattern.forgotten" if trigger == "forget" else "pattern.changed",
        None,
        node_id,
        at,
        tuple(pattern.name for pattern in known),
        len(known),
        last.frequency if last is not None else 0,
        trigger,
    )


class Events:
    """Hands events to watchers, and counts."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[Event], None]] = []
        self.observations = 0
        self.learnings = 0
        self.predictions = 0
        self.patterns_considered = 0
        """Patterns that predictions chose from, summed up."""
        self.patterns_evaluated = 0
        """Those of them that were compared with the memory."""
        self.batch_sizes = Histogram(_BATCH_SIZES)
        """Patterns that were learned in one commit."""

    def watch(self, watcher: Callable[[Event], None]) -> None:
        """Tell `watcher` of everything from now on."""
        self._watchers.append(watcher)

    def tell(self, event: Event) -> None:
        """Tell of something that is stored by now."""
        for watcher in self._watchers:
            watcher(event)

    def learned(self, event: PatternsLearned) -> None:
        """Count what was learned, and tell of it."""
        self.learnings += len(event.names)
        self.batch_sizes.add(len(event.names))
        self.tell(event)
