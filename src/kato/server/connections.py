"""
One connection as the HTTP parser sees it: bounds on the heads of requests, which uvicorn does not set; answers leave whole.

A head may take so long and be so large; whoever sends none is let go. Bodies are bounded where they are read
(`kato.server.bodies`), and connections at rest between two requests by KATO_KEEP_ALIVE.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from kato.errors import KATOAPIError, KATOError, PayloadTooLarge
from kato.server.logs import logger
from kato.server.watching import CLOSING
from kato.service.runtime import random_id
from kato.wire.answers import time_text
from kato.wire.encoding import encode_answer
from kato.wire.failures import error_body

HEAD_SECONDS = 20.0
"""For the head of a request, from its first byte, or from the opening of the connection; a slow network needs one or two."""
HEAD_BYTES = 65_536
_WORTH_JOINING = 16_384
"""Bytes; copying so many takes less than handing two pieces on."""
_PHRASES = {400: "Bad Request", 413: "Content Too Large"}


class Connection(HttpToolsProtocol):
    """What uvicorn makes of a connection, with bounds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._head = 0
        """Bytes received since the head began."""
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has come; they have so long to say what they want."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """They have gone."""
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(PayloadTooLarge("headers", HEAD_BYTES, None, "fixed"))
        elif self._in_head or (self.cycle is not None and self.cycle.response_complete):
            self._expect_head()  # also where a body still drips in that nobody needs any more
        else:
            self._expect_nothing()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """The head is whole; what comes with it of the body is not counted."""
        self._in_head = False
        self._head = 0
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_BYTES:
            self._in_head, self._head = True, size  # refused as soon as the parser returns
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body; of a request that is refused for its head it is nobody's."""
        if not self._in_head:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request; what comes next is the head of another."""
        if self._in_head and self._head > HEAD_BYTES:
            return
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """From here on it is a conversation, and watched as such."""
        self._expect_nothing()
        super().handle_websocket_upgrade()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """A request is to be answered. Where there is a body the head of the answer waits for it."""
        if cycle.scope["method"] != "HEAD":
            cycle.transport = Gathering(cycle)  # type: ignore[assignment]  # all of a transport that a response uses
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the parser's name for it says less
        """What is no HTTP is refused like everything else: as JSON, with a trace id."""
        self._refuse(KATOAPIError(400, "The request is not HTTP/1.1", code="MALFORMED_REQUEST"))

    def _refuse(self, error: KATOError) -> None:
        """Say why and hang up."""
        trace_id = f"kato-{random_id()}"
        body = encode_answer(
            error_body(error, trace_id=trace_id, session_id=None, timestamp=time_text(time.time_ns() // 1000))
        )
        lines = (
            f"HTTP/1.1 {error.status_code} {_PHRASES[error.status_code]}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            f"x-trace-id: {trace_id}",
            "connection: close",
        )
        logger().info("request refused", trace_id=trace_id, status=error.status_code)
        self.transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        self.transport.close()

    def _expect_head(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def _expect_nothing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hang_up(self) -> None:
        self._timer = None
        self.transport.close()


class Gathering:
    """
    The transport as one answer sees it: the head leaves with the first piece of the body.

    uvicorn writes them one after the other, which wakes whoever waits for them twice, and each time takes the processor from
    the server where it is alone.
    """

    __slots__ = ("_cycle", "_head", "_transport")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._transport = cycle.transport
        self._head: bytes | None = None
        """b"" once it has left."""

    def write(self, data: bytes) -> None:
        """Write: the head, or a piece of the body; or what comes before both, to let a client go on."""
        if self._head is None and self._cycle.response_started:
            self._head = data
        elif self._head:
            head, self._head = self._head, b""
            if len(data) <= _WORTH_JOINING:
                self._transport.write(head + data)
            else:
                self._transport.writelines((head, data))
        else:
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Whether the connection ends."""
        return self._transport.is_closing()

    def close(self) -> None:
        """End the connection, after what was written."""
        if self._head:
            self._transport.write(self._head)
        self._transport.close()


class Conversation(WebSocketsSansIOProtocol):
    """What uvicorn makes of a WebSocket; a handshake that is answered with an error has been answered."""

    async def send(self, message: Any) -> None:
        """Send on. After the whole of another answer uvicorn would still miss the handshake, and log it as a fault of ours."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    def shutdown(self) -> None:
        """The server stops. Whoever listens is told that it goes away; uvicorn would say that it comes back."""
        if self.handshake_complete and not self.close_sent:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": CLOSING})
            self.conn.send_close(CLOSING)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        super().shutdown()
