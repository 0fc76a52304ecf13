"""One request on its way: what was asked, and what is known of it so far."""

from __future__ import annotations

import re
from collections.abc import Iterable, MutableMapping
from typing import Any

from kato.service.callers import ANYONE, Caller
from kato.service.runtime import random_id

_TRACE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_MOST_NAMES = 1000
_names: dict[bytes, str] = {}
"""Header names as they came → as text in lower case. Nearly all requests have the same few."""


class Exchange:
    """One request on its way."""

    __slots__ = (
        "address",
        "caller",
        "headers",
        "host",
        "method",
        "node_id",
        "origin",
        "path",
        "query",
        "route",
        "session_id",
        "trace_id",
        "unreadable",
    )

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self.unreadable: set[str] | frozenset[str] = frozenset()
        """Names of headers that are not UTF-8."""
        given: Iterable[tuple[bytes, bytes]] = scope["headers"]
        try:
            headers = {_names.get(name) or _name(name): value.decode() for name, value in given}
        except UnicodeDecodeError:
            headers = self._read_one_by_one(given)
        self.headers = headers
        self.method: str = scope["method"]
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.decode("latin-1")
        self.path: str = path.partition("?")[0] if "?" in path else path
        self.query: bytes = scope.get("query_string", b"")
        trace = headers.get("x-trace-id")
        self.trace_id = trace if trace and _TRACE.fullmatch(trace) else f"kato-{random_id()}"
        self.origin = headers.get("origin")
        self.host = headers.get("host", "")
        self.route = "unmatched"
        self.session_id: str | None = None
        self.node_id: str | None = None
        self.address: str = (scope.get("client") or ("unknown",))[0]
        self.caller: Caller = ANYONE

    def _read_one_by_one(self, given: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
        """The headers, where a value is not UTF-8."""
        headers: dict[str, str] = {}
        unreadable = set()
        for raw, value in given:
            name = _name(raw)
            try:
                headers[name] = value.decode()
            except UnicodeDecodeError:
                unreadable.add(name)
                headers[name] = value.decode("latin-1")
        self.unreadable = unreadable
        return headers


def _name(raw: bytes) -> str:
    name = raw.decode("latin-1").lower()
    if len(_names) < _MOST_NAMES and len(raw) < 100:
        _names[raw] = name
    return name
