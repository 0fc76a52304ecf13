"""HTTP requests byte for byte, as no proper client would send them."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from harness.proxy import Gone, message


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The body as JSON; raises ValueError where it is none."""
        return json.loads(self.content)


class RawClient:
    """One connection, opened again when the server has closed it."""

    def __init__(self, port: int, timeout: float = 30.0) -> None:
        self._port, self._timeout = port, timeout
        self._connection: socket.socket | None = None

    def send(self, method: str, target: str, body: bytes | None = None, **headers: bytes) -> Answer:
        """One request; `target` is percent-encoded, header names are written with underscores."""
        lines = [f"{method} {target} HTTP/1.1".encode(), f"Host: 127.0.0.1:{self._port}".encode()]
        if body is not None:
            headers = {"Content_Type": b"application/json", "Content_Length": str(len(body)).encode(), **headers}
        lines += [name.replace("_", "-").encode() + b": " + value for name, value in headers.items()]
        request = b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")
        try:
            return self._exchange(request, fresh=self._connection is None)
        except (OSError, Gone):
            if self._connection is None:
                raise
            self.close()  # the server closes what was idle for long, or what an answer came too early on
            return self._exchange(request, fresh=True)

    def _exchange(self, request: bytes, *, fresh: bool) -> Answer:
        if fresh:
            self._connection = socket.create_connection(("127.0.0.1", self._port), timeout=self._timeout)
        assert self._connection is not None
        self._connection.sendall(request)
        head, content, _ = message(self._connection, b"")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(first.split()[1]), headers, content)

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def encoded(text: str) -> str:
    """Percent-encoded, lone surrogates as the bytes they would have."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")
