"""
The web page at `/ui`: the files of `kato/web`, as they are.

They are read once, when the server is made. Nothing of a request but its path chooses among them, and a path that names none
of them is no path at all, so there is no way to any other file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath
from types import MappingProxyType

from kato.errors import MethodNotAllowed, RouteNotFound
from kato.server.origins import Headers

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".md": "text/plain; charset=utf-8",
    "": "text/plain; charset=utf-8",
}
"""Content types by ending. Licences have none."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The page runs and shows what this server sends and nothing else; no text can become a script in it."""
_ALWAYS: Headers = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    # Kept by browsers, but asked for each time: after an upgrade no old module meets a new one.
    (b"cache-control", b"no-cache"),
]


@dataclass(frozen=True, slots=True)
class File:
    """One file of the page."""

    content: bytes
    content_type: str
    etag: str


def is_page(path: str) -> bool:
    """Whether a raw path belongs to the page."""
    return path == "/ui" or path.startswith("/ui/")


class Page:
    """All files of the page, in memory."""

    def __init__(self) -> None:
        found: dict[str, File] = {}
        _gather(files("kato") / "web", "/ui", found)
        self.files: Mapping[str, File] = MappingProxyType(found)
        """By the path they are served at; the page itself at `/ui`."""

    def answer(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        """
        The status, headers and body for a request: 200, or 304 for who has the file already.

        Raises:
            RouteNotFound: There is no such file.
            MethodNotAllowed: It was not asked to be read.
        """
        file = self.files.get(path.rstrip("/"))
        if file is None:
            raise RouteNotFound(path)
        if method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(method, ["GET", "HEAD", "OPTIONS"])
        about: Headers = [*_ALWAYS, (b"etag", file.etag.encode()), (b"content-type", file.content_type.encode())]
        if file.etag in headers.get("if-none-match", ""):
            return 304, about, b""
        return 200, about, file.content


def _gather(folder: Traversable, path: str, found: dict[str, File]) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            _gather(entry, f"{path}/{entry.name}", found)
            continue
        content_type = _TYPES.get(PurePath(entry.name).suffix)
        if content_type is None or entry.name.startswith("."):
            continue  # not a file of the page: what an editor left, for instance
        content = entry.read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        found["/ui" if (path, entry.name) == ("/ui", "index.html") else f"{path}/{entry.name}"] = File(
            content, content_type, etag
        )
