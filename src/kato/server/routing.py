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

    __slots__ = ("ends", "fixed", "name", "value")

    def __init__(self) -> None:
        self.fixed: dict[str, _Branch] = {}
        self.value: _Branch | None = None
        self.name = ""
        self.ends: dict[str, Operation] = {}


class Routes:
    """All operations by path and method. A fixed segment goes before a value in the same place."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Branch()
        for operation in operations:
            branch = self._root
            for segment in _segments(operation.template):
                if segment.startswith("{"):
                    branch.value = branch.value or _Branch()
                    branch.name = branch.name or segment[1:-1]
                    branch = branch.value
                else:
                    branch = branch.fixed.setdefault(segment, _Branch())
            branch.ends[operation.method] = operation

    def find(self, method: str, raw_path: str) -> tuple[Operation, Mapping[str, str]]:
        """
        The operation at a raw path and the values in it. A trailing slash makes no difference; HEAD finds GET.

        Raises:
            RouteNotFound: There is nothing at that path.
            MethodNotAllowed: There is, but not for that method.
            InvalidInput: A value is not UTF-8.
        """
        segments = _segments(raw_path)
        found = self._walk(self._root, segments, 0, [])
        if found is None:
            raise RouteNotFound(raw_path)
        branch, values = found
        operation = branch.ends.get("GET" if method == "HEAD" else method)
        if operation is None:
            allowed = sorted({*branch.ends, *(["HEAD"] if "GET" in branch.ends else []), "OPTIONS"})
            raise MethodNotAllowed(method, allowed)
        names = [segment[1:-1] for segment in _segments(operation.template) if segment.startswith("{")]
        return operation, {name: decoded(name, value) for name, value in zip(names, values, strict=True)}

    def is_open(self, raw_path: str) -> bool:
        """Whether what is at a raw path needs no key, and is not counted against anybody."""
        found = self._walk(self._root, _segments(raw_path), 0, [])
        return found is not None and any(operation.scope is None for operation in found[0].ends.values())

    def _walk(
        self, branch: _Branch, segments: list[str], position: int, values: list[str]
    ) -> tuple[_Branch, list[str]] | None:
        if position == len(segments):
            return (branch, values) if branch.ends else None
        segment = segments[position]
        follow = branch.fixed.get(segment)
        if follow is not None:
            found = self._walk(follow, segments, position + 1, values)
            if found is not None:
                return found
        if branch.value is not None and segment:
            return self._walk(branch.value, segments, position + 1, [*values, segment])
        return None


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
