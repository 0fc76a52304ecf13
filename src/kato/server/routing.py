"""
From a raw path to an operation.

Matching happens on the path as it was sent, segment by segment, and each value is percent-decoded by itself, so that an
encoded slash stays inside its segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import unquote_to_bytes

from kato.errors import InvalidInput, MethodNotAllowed, RouteNotFound
from kato.operations import Operation


class _Branch:
    """What can follow a path so far: fixed segments, one place for a value, and the operations that end here."""

    __slots__ = ("ends", "fixed", "is_open", "value")

    def __init__(self) -> None:
        self.fixed: dict[str, _Branch] = {}
        self.value: _Branch | None = None
        self.ends: dict[str, tuple[Operation, tuple[str, ...]]] = {}
        """Method → its operation and the names of the values on the way."""
        self.is_open = False


class Place:
    """Where a raw path leads: a branch at which operations end, and the values on the way, as they were sent."""

    __slots__ = ("branch", "values")

    def __init__(self, branch: _Branch, values: list[str]) -> None:
        self.branch = branch
        self.values = values

    @property
    def is_open(self) -> bool:
        """Whether what is there needs no key, and is not counted against anybody."""
        return self.branch.is_open


class Routes:
    """All operations by path and method. A fixed segment goes before a value in the same place."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Branch()
        for operation in operations:
            branch = self._root
            names = []
            for segment in _segments(operation.template):
                if segment.startswith("{"):
                    names.append(segment[1:-1])
                    branch.value = branch.value or _Branch()
                    branch = branch.value
                else:
                    branch = branch.fixed.setdefault(segment, _Branch())
            branch.ends[operation.method] = operation, tuple(names)
            branch.is_open = branch.is_open or operation.scope is None

    def place(self, raw_path: str) -> Place | None:
        """Where a raw path leads; None where there is nothing. A trailing slash makes no difference."""
        return self._walk(self._root, _segments(raw_path), 0, [])

    def find(self, method: str, raw_path: str, place: Place | None) -> tuple[Operation, Mapping[str, str]]:
        """
        The operation at a place, and the values on the way to it. HEAD finds GET.

        Raises:
            RouteNotFound: There is nothing at that path.
            MethodNotAllowed: There is, but not for that method.
            InvalidInput: A value is not UTF-8.
        """
        if place is None:
            raise RouteNotFound(raw_path)
        ends = place.branch.ends
        end = ends.get("GET" if method == "HEAD" else method)
        if end is None:
            allowed = sorted({*ends, *(["HEAD"] if "GET" in ends else []), "OPTIONS"})
            raise MethodNotAllowed(method, allowed)
        operation, names = end
        return operation, {name: decoded(name, value) for name, value in zip(names, place.values, strict=True)}

    def _walk(self, branch: _Branch, segments: list[str], position: int, values: list[str]) -> Place | None:
        while position < len(segments):
            segment = segments[position]
            follow, value = branch.fixed.get(segment), branch.value if segment else None
            position += 1
            if follow is not None and value is not None:
                # Two ways to go on: the fixed one first.
                found = self._walk(follow, segments, position, values)
                return found or self._walk(value, segments, position, [*values, segment])
            if follow is not None:
                branch = follow
            elif value is not None:
                values = [*values, segment]
                branch = value
            else:
                return None
        return Place(branch, values) if branch.ends else None


def _segments(path: str) -> list[str]:
    trimmed = path[1:]
    if trimmed.endswith("/"):
        trimmed = trimmed[:-1]
    return trimmed.split("/") if trimmed else []


def session_in(raw_path: str) -> str | None:
    """The session that a path names, whether or not there is an operation at it; None for other paths."""
    segments = _segments(raw_path)
    if len(segments) < 2 or segments[0] != "sessions" or segments[1] in {"", "count"}:
        return None
    try:
        return decoded("session_id", segments[1])
    except InvalidInput:
        return None


def decoded(name: str, value: str) -> str:
    """
    A percent-encoded path value as text.

    Raises:
        InvalidInput: It is not UTF-8.
    """
    if "%" not in value and value.isascii():
        return value
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError as error:
        problem = {"type": "utf8", "loc": ["path", name], "msg": "is not UTF-8", "input": value[:200]}
        raise InvalidInput([problem]) from error
