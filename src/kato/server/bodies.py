"""What arrives after the headers of a request: its bytes, and whether they are declared as what they must be."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from kato.errors import PayloadTooLarge, UnsupportedMediaType
from kato.operations import Operation
from kato.wire.lines import CONTENT_TYPES
from kato.wire.parsing import BLANK

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_JSON = re.compile(r"application/json|[\w.+-]+/[\w.+-]+\+json", re.IGNORECASE | re.ASCII)


class ClientGone(Exception):
    """The client went away before its request was whole. Nobody is left to be answered, and nothing was begun."""


async def read_all(headers: Mapping[str, str], receive: Receive, limit: int) -> bytes:
    """
    The whole request body, which may have `limit` bytes.

    Raises:
        PayloadTooLarge: It is, or says it is, larger than the limit.
        ClientGone: The connection ended before the body did; half a request is none.
    """
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise PayloadTooLarge("body", limit, int(declared), "KATO_MAX_BODY_BYTES")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise PayloadTooLarge("body", limit, None, "KATO_MAX_BODY_BYTES")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def check_media_type(headers: Mapping[str, str], operation: Operation, body: bytes) -> None:
    """
    Refuse a body that is not declared as JSON.

    Raises:
        UnsupportedMediaType: It is declared as something else, or compressed.
    """
    check_coding(headers)
    declared = _declared(headers)
    if not declared or _JSON.fullmatch(declared):
        return
    if not body.strip(BLANK) and (operation.request is None or operation.request.MAY_BE_ABSENT):
        return
    raise UnsupportedMediaType(f"Content-Type {declared[:50]!r} is not understood; send application/json")


def check_coding(headers: Mapping[str, str]) -> None:
    """
    Refuse a compressed body.

    Raises:
        UnsupportedMediaType: It is declared as one.
    """
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in {"", "identity"}:
        raise UnsupportedMediaType(f"Content-Encoding {coding[:50]!r} is not understood; send the body as it is")


def is_lines(headers: Mapping[str, str]) -> bool:
    """Whether a body is declared as JSON lines."""
    return _declared(headers).lower() in CONTENT_TYPES


def _declared(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip()
