"""A server with keys, and requests to all there is, made from the list of operations itself."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from kato.operations import Operation
from kato.operations import node_id as nodes
from kato.settings import Settings
from kato.storage.keys import SCOPES
from kato.storage.opening import key_file
from serving import Running, client_of, running

NODE = "ours/tea"
KEYS: dict[str, tuple[str, tuple[str, ...]]] = {
    "read": ("read", ("ours/",)),
    "write": ("write", ("ours/", "also/")),
    "admin": ("admin", ()),
    "other tenant": ("write", ("theirs/",)),
    "other tenant's admin": ("admin", ("theirs/", "ours/teapot")),
    "same tenant": ("write", ("ours/",)),
}
"""Scope and prefixes. Sessions here are made by "write"."""
STRANGERS = {
    "no key": {},
    "bad key": {"X-API-Key": "kato_" + "A" * 43},
    "basic": {"Authorization": "Basic a2F0bzprYXRv"},
}


_NEEDED = {("GET", "/nodes/{node_id}/compare"): {"from": "1"}}
"""Query parameters that an operation does not do without."""


@dataclass(frozen=True)
class Guarded:
    """A running server that asks for keys, and the keys."""

    server: Running
    secrets: dict[str, str]
    ids: dict[str, str]

    def headers(self, who: str) -> dict[str, str]:
        """What a request of theirs carries."""
        return STRANGERS[who] if who in STRANGERS else {"X-API-Key": self.secrets[who]}


@contextlib.contextmanager
def guarded(directory: Any, **settings: Any) -> Iterator[Guarded]:
    """Serve a directory with a key of each kind until the block ends."""
    file = key_file(directory)
    assert file is not None
    secrets, ids = {}, {}
    for who, (scope, prefixes) in KEYS.items():
        secrets[who], made = file.create(who, scope, prefixes)  # type: ignore[arg-type]
        ids[who] = made.key_id
    with running(Settings(**{"data_dir": str(directory), "log_level": "CRITICAL", **settings})) as server:
        yield Guarded(server, secrets, ids)


def names_node(operation: Operation) -> bool:
    """Whether a request to it names a node by itself."""
    return (
        "{node_id}" in operation.template
        or nodes.PARAMETERS[0] in operation.parameters
        or (operation.method, operation.template) == ("POST", "/sessions")
    )


def may(operation: Operation, who: str) -> int:
    """The status that a caller must get for one of NODE, or of a session that "write" made on it."""
    if operation.scope is None:
        return 200
    if who in STRANGERS:
        return 401
    scope, prefixes = KEYS[who]
    if SCOPES.index(scope) < SCOPES.index(operation.scope):  # type: ignore[arg-type]
        return 403
    touches = not prefixes or NODE.startswith(prefixes)
    if "{key_id}" in operation.template and not touches:
        return 404
    if "{session_id}" in operation.template:
        sees = who == "write" or (scope == "admin" and touches)
        return 200 if sees or operation.template.endswith("/exists") else 404
    return 403 if names_node(operation) and not touches else 200


class Asking:
    """Makes a request to any operation, about something that is really there."""

    def __init__(self, server: Guarded) -> None:
        self._server = server
        self.http = client_of(server.server.url, timeout=20)

    def __enter__(self) -> Asking:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    def as_(self, who: str, method: str, path: str, **more: Any) -> httpx2.Response:
        """A request of somebody's."""
        headers = {**self._server.headers(who), **more.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **more)

    def session(self) -> str:
        """A session of "write", which has learned something and remembers something."""
        made: str = self.as_("write", "POST", "/sessions", json={"node_id": NODE}).json()["session_id"]
        for symbol in ("kettle", "cup"):
            self.as_("write", "POST", f"/sessions/{made}/observe", json={"strings": [symbol]})
        self.as_("write", "POST", f"/sessions/{made}/learn")
        self.as_("write", "POST", f"/sessions/{made}/observe", json={"strings": ["kettle"]})
        return made

    def pattern(self) -> str:
        """The name of what it learned."""
        found = self.as_("admin", "GET", "/patterns", params={"node_id": NODE}).json()["patterns"]
        name: str = found[0]["name"]
        return name

    def key(self) -> str:
        """The id of a usable key for NODE's tenant, made for nothing else."""
        made: str = self.as_("admin", "POST", "/keys", json={"name": "spare", "prefixes": ["ours/"]}).json()["id"]
        return made

    def of(self, operation: Operation, session: str, pattern: str) -> dict[str, Any]:
        """Method, path, query and body of a request to an operation."""
        values = {
            "session_id": session,
            "node_id": NODE.replace("/", "%2F"),
            "pattern_id": pattern,
            "symbol": "kettle",
            "name": "sessions_active",
            "key_id": self.key() if "{key_id}" in operation.template else "",
        }
        path = re.sub(r"\{(\w+)\}", lambda found: values[found[1]], operation.template)
        request: dict[str, Any] = {"method": operation.method, "path": path}
        if nodes.PARAMETERS[0] in operation.parameters:
            request["params"] = {"node_id": NODE}
        request.setdefault("params", {}).update(_NEEDED.get((operation.method, operation.template), {}))
        if operation.request is not None:
            body = dict(operation.request.SCHEMA.get("example", {}))
            own = {"node_id": NODE} if operation.template == "/sessions" else {"pattern": pattern}
            request["json"] = {**body, **{name: value for name, value in own.items() if name in body}}
        return request
