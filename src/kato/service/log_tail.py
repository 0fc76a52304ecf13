"""
The latest lines of the server's log, for whoever watches the service over HTTP.

Fewer members than the log itself has: those named in TOLD, whose values are ids, templates and numbers. Texts that might hold
more (reasons, paths, tracebacks) stay in the log; of what is left out only the names are told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

LINES_KEPT = 1000
LEVELS = ("debug", "info", "warning", "error", "critical")
"""From the least to the most serious."""
TOLD = ("trace_id", "method", "route", "status", "duration_ms", "session_id", "node_id", "key_id", "task")
"""Members that are told beside time, level and event."""
_SAID = frozenset({"timestamp", "level", "event", *TOLD})


class LogLine(NamedTuple):
    """One line of the server's log, as far as it is told."""

    at: str
    """ISO-8601 in UTC, as the log has it."""
    level: str
    event: str
    members: dict[str, Any]
    """Of TOLD, those the line has."""
    withheld: tuple[str, ...]
    """Names of the members it has besides."""

    @property
    def node_id(self) -> str | None:
        """The node it is about, if it is about one."""
        return self.members.get("node_id")


class LogTail:
    """Holds the newest lines; any thread may add and read."""

    def __init__(self, most: int = LINES_KEPT) -> None:
        self._lines: deque[LogLine] = deque(maxlen=most)

    def add(self, event: str, line: Mapping[str, Any]) -> None:
        """
        Keep a line.

        Args:
            event: What happened, in words that hold nothing of what was observed.
            line: Members as the log has them; `timestamp` and `level` among them.
        """
        told = {name: line[name] for name in TOLD if line.get(name) is not None}
        others = () if _SAID.issuperset(line) else tuple([name for name in line if name not in _SAID])
        self._lines.append(LogLine(str(line["timestamp"]), str(line["level"]), event, told, others))

    def newest(self, level: str) -> Iterator[LogLine]:
        """The lines of a level or a more serious one, newest first."""
        enough = LEVELS[LEVELS.index(level) :]
        return (line for line in reversed(tuple(self._lines)) if line.level in enough)
