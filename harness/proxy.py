"""A proxy before a server that cuts connections where it is told to, and counts what it cut."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable

STAGES = ("before it was sent", "amid the request", "at once after it", "before the answer", "amid the answer")
_PATIENCE = 60.0
"""Seconds for which a side may be silent."""


class Gone(Exception):
    """A side closed its connection."""


class Proxy:
    """
    Passes HTTP/1.1 requests on to a server, each over a connection of its own, and cuts some of them.

    Args:
        port: The server's.
        chance: Says what is cut, and where.
        share: Of the requests that are cut, 0 to 1.
        change: Makes of the bytes of a request's head those that are passed on.
    """

    def __init__(
        self, port: int, chance: random.Random, share: float, change: Callable[[bytes], bytes] = lambda head: head
    ) -> None:
        self._server, self._chance, self._share, self._change = port, chance, share, change
        self._guard = threading.Lock()
        self.cut: Counter[str] = Counter()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(_PATIENCE)
        with contextlib.suppress(OSError, Gone), client:
            held = b""
            while True:
                head, body, held = message(client, held)
                if not self._pass_on(client, self._change(head) + body):
                    return

    def _decide(self) -> tuple[str | None, float, bool]:
        """(the stage to cut at or None, how much of what is under way goes through, whether without a farewell)."""
        with self._guard:
            stage = self._chance.choice(STAGES) if self._chance.random() < self._share else None
            self.cut[stage or "not cut"] += 1
            return stage, self._chance.random(), self._chance.random() < 0.5

    def _pass_on(self, client: socket.socket, request: bytes) -> bool:
        """Whether the connection goes on."""
        stage, part, hard = self._decide()
        if stage == STAGES[0]:
            _close(client, hard)
            return False
        with socket.create_connection(("127.0.0.1", self._server), timeout=_PATIENCE) as server:
            if stage == STAGES[1]:
                server.sendall(request[: 1 + int(part * (len(request) - 1))])
            else:
                server.sendall(request)
                if stage != STAGES[2]:
                    head, body, _ = message(server, b"")
                    answer = head + body
                    if stage is None:
                        client.sendall(answer)
                        return True
                    if stage == STAGES[4]:
                        client.sendall(answer[: 1 + int(part * (len(answer) - 1))])
            _close(server, hard)
            _close(client, hard)
            return False

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()


def message(source: socket.socket, held: bytes) -> tuple[bytes, bytes, bytes]:
    """(head, body, what came after it) of the next message; bodies have a Content-Length, or there is none."""
    while b"\r\n\r\n" not in held:
        held += _received(source)
    head, _, rest = held.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    while len(rest) < length:
        rest += _received(source)
    return head + b"\r\n\r\n", rest[:length], rest[length:]


def _received(source: socket.socket) -> bytes:
    data = source.recv(65536)
    if not data:
        raise Gone
    return data


def _close(connection: socket.socket, hard: bool) -> None:
    """End a connection; `hard`: with a reset, so that the other side loses what it has not read."""
    if hard:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
