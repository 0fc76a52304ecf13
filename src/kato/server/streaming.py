"""
A body of lines and its answer of lines, both without end and neither held in memory.

Answering never waits for reading: a client that sends everything before it reads anything would otherwise wait for the
server, which waits for the client. What cannot be sent yet waits in a file that has no name.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from typing import Any

from kato.errors import InternalError, RequestTimedOut
from kato.operations.registry import Pieces
from kato.server.bodies import ClientGone, Receive
from kato.server.logs import logger
from kato.wire.encoding import encode_answer

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PAUSE_SECONDS = 0.05
"""Lines wait this long for company; then they are dealt with, so that whoever sends slowly is answered at once."""
_IN_MEMORY = 1 << 20
_AT_ONCE = 1 << 18


class Spool:
    """Bytes in order, written and read independently; beyond a megabyte they wait on disk."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close()
        self._read = 0
        self._written = 0

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._file.seek(self._written)
        self._file.write(data)
        self._written += len(data)

    def read(self) -> bytes:
        """The next bytes, at most a quarter of a megabyte; b"" when all have been read."""
        self._file.seek(self._read)
        data = self._file.read(_AT_ONCE)
        self._read += len(data)
        if self._read == self._written:
            self._file.seek(0)
            self._file.truncate()
            self._read = self._written = 0
        return data

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


async def pieces_of(receive: Receive, timeout_seconds: float | None) -> Pieces:
    """
    The body piece by piece, None where the next lets itself be waited for.

    Raises:
        RequestTimedOut: It did so for longer than a request may take.
        ClientGone: The connection ended before the body did.
    """
    waiting: asyncio.Future[MutableMapping[str, Any]] | None = None
    try:
        while True:
            waiting = asyncio.ensure_future(receive())
            if not (await asyncio.wait({waiting}, timeout=_PAUSE_SECONDS))[0]:
                yield None
                if not (await asyncio.wait({waiting}, timeout=timeout_seconds))[0]:
                    raise RequestTimedOut(timeout_seconds or 0.0)
            message = waiting.result()
            if message["type"] == "http.disconnect":
                raise ClientGone
            yield message.get("body", b"")
            if not message.get("more_body", False):
                return
    finally:
        if waiting is not None:
            waiting.cancel()


async def send_lines(first: bytes, rest: AsyncGenerator[bytes, None], send: Send, trace_id: str) -> None:
    """
    Send what has been answered so far, and the rest as it comes.

    Raises:
        ClientGone: The client left before its body was whole.
    """
    spool = Spool()
    spool.write(first)
    news = asyncio.Event()
    news.set()

    async def gather() -> None:
        try:
            async for line in rest:
                spool.write(line)
                news.set()
        except ClientGone:
            raise
        except Exception:  # noqa: BLE001 - the answer has begun, so its end has to tell
            logger().exception("unforeseen error", trace_id=trace_id)
            fault = InternalError()
            told = {"code": fault.code, "message": fault.message, "recoverable": fault.recoverable}
            spool.write(encode_answer({"status": "failed", "error": told}) + b"\n")

    gathering = asyncio.create_task(gather())
    gathering.add_done_callback(lambda _: news.set())
    try:
        while True:
            await news.wait()
            news.clear()
            finished = gathering.done()  # asked before the last bytes are read, so that none come after
            while data := spool.read():
                await send({"type": "http.response.body", "body": data, "more_body": True})
            if finished:
                break
        gathering.result()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gathering.cancel()
        with contextlib.suppress(asyncio.CancelledError, ClientGone):
            await gathering
        spool.close()
