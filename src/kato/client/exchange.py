"""
A call as HTTP carries it, and an HTTP answer as the caller gets it. Nothing is sent here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from kato.client.calls import Call
from kato.client.prediction import with_predictions
from kato.errors import InvalidInput, KATOAPIError, KATOError, UnexpectedAnswer
from kato.wire.encoding import encode_body
from kato.wire.failures import error_from_answer


class _UnreadableError(Exception):
    """An answer is not a JSON object; says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """
    One HTTP request; all attempts of a call send the same one.

    Attributes:
        call: What is asked for.
        target: Percent-encoded path and query.
        headers: Those of this call; the sender adds those of the client.
        content: The encoded body, or None.
        trace_id: The id under which the server logs every attempt of this call.
    """

    call: Call
    target: str
    headers: Mapping[str, str]
    content: bytes | None
    trace_id: str

    def __str__(self) -> str:
        """Name the operation without its values, since a session id is a secret."""
        return f"{self.call.method} {self.call.template}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer as it arrived. `headers` looks names up without regard to case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def prepare(call: Call) -> Request:
    """
    Give a call its path, headers and body.

    Raises:
        InvalidInput: A path value or query parameter is no Unicode text (it has a lone surrogate).
    """
    trace_id = f"kato-{uuid.uuid4().hex}"
    headers = {"X-Trace-ID": trace_id}
    if call.method == "POST":
        headers["Idempotency-Key"] = call.idempotency_key or uuid.uuid4().hex
    content = None
    if call.body is not None:
        content = encode_body(call.body)
        headers["Content-Type"] = "application/json"
    return Request(call, _target(call), headers, content, trace_id)


def _target(call: Call) -> str:
    segments = {name: _segment(name, value) for name, value in call.path.items()}
    path = call.template.format_map(segments)
    if not call.query:
        return path
    for name, value in call.query:
        _encoded("query", name, value)
    return f"{path}?{urlencode(call.query, quote_via=quote, safe='')}"


def _segment(name: str, value: str) -> str:
    encoded = _encoded("path", name, value)
    # "." and ".." would be taken as steps through the path rather than as names.
    return encoded.replace(".", "%2E") if encoded in (".", "..") else encoded


def _encoded(place: str, name: str, value: str) -> str:
    try:
        return quote(value, safe="")
    except UnicodeEncodeError as error:
        problem = {"type": "string_unicode", "loc": [place, name], "msg": "must not hold lone surrogates"}
        raise InvalidInput([{**problem, "input": ascii(value[:200])}]) from error


def read(request: Request, reply: Reply) -> dict[str, Any] | KATOError:
    """
    Return the JSON object of a success, or the error that the answer stands for.

    The error is returned, not raised, because the caller may still repeat the request.
    """
    trace_id = reply.headers.get("x-trace-id") or request.trace_id
    try:
        body = _object(reply)
    except _UnreadableError as error:
        return _not_ours(request, reply, str(error), trace_id)
    if 200 <= reply.status < 300:
        need = request.call.needs
        if need is not None and not need.is_met(body):
            wanted = f"{need.kind.__name__} of {need.count}" if need.count is not None else need.kind.__name__
            return _not_ours(request, reply, f"its member '{need.name}' is missing, empty or no {wanted}", trace_id)
        return with_predictions(body)
    if not isinstance(body.get("error"), Mapping):
        return _not_ours(request, reply, "it is JSON of another shape", trace_id)
    return error_from_answer(reply.status, body, session_id=request.call.path.get("session_id"), trace_id=trace_id)


def _object(reply: Reply) -> dict[str, Any]:
    kind = reply.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise _UnreadableError(f"it is {kind}, not JSON")
    try:
        body: Any = _DECODER.decode(reply.content.decode())
    except UnicodeDecodeError:
        raise _UnreadableError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _UnreadableError(f"it is not JSON: {error.msg} at character {error.pos} of {len(error.doc)}") from None
    except RecursionError:
        raise _UnreadableError("it is nested too deeply") from None
    if not isinstance(body, dict):
        raise _UnreadableError("it is JSON, but not an object")
    return body


def _refuse_constant(name: str) -> NoReturn:
    raise _UnreadableError(f"it holds {name}, which is not JSON")


# The decoder of the standard library, because it alone reads integers of any size as they are.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _not_ours(request: Request, reply: Reply, reason: str, trace_id: str) -> KATOError:
    """Return the error for an answer that does not look as if a KATO server had given it."""
    if reply.status >= 400:
        excerpt = " ".join(reply.content[:200].decode(errors="replace").split())
        return KATOAPIError(
            reply.status,
            excerpt or "the answer is empty",
            trace_id=trace_id,
            recoverable=is_passing(reply.status),
        )
    if 300 <= reply.status < 400:
        reason = f"it redirects to {reply.headers.get('location', 'nowhere')[:200]}; give that address as base_url"
    return UnexpectedAnswer(
        f"The answer to {request} is not one of a KATO server (HTTP {reply.status}): {reason}",
        trace_id=trace_id,
    )


def is_passing(status: int) -> bool:
    """Say whether an error of this status may be gone when the request is repeated."""
    return status == 429 or status >= 500


def retry_after(reply: Reply, now: float) -> float | None:
    """
    Return how many seconds the server asks to wait, or None when it does not ask or cannot be understood.

    Args:
        reply: The answer; its Retry-After is a number of seconds or an HTTP date.
        now: Seconds since 1970, for dates.
    """
    value = reply.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - now)
