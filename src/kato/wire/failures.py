"""Errors as JSON, and back into the classes of `kato.errors`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kato import errors
from kato.errors import KATOAPIError, KATOError

_CODES: dict[str, type[KATOError]] = {
    cls.code: cls
    for cls in (
        errors.InvalidInput,
        errors.LimitExceeded,
        errors.MalformedJSON,
        errors.IdempotencyMismatch,
        errors.PayloadTooLarge,
        errors.UnsupportedMediaType,
        errors.InvalidSettings,
        errors.InvalidVector,
        errors.VectorDimensionMismatch,
        errors.EmptyMemory,
        errors.Unauthorized,
        errors.Forbidden,
        errors.OriginRefused,
        errors.RouteNotFound,
        errors.MethodNotAllowed,
        errors.KeyNotFound,
        errors.KeyConflict,
        errors.HeadChanged,
        errors.PatternNotFound,
        errors.MetricNotFound,
        errors.RateLimited,
        errors.TooManySessions,
        errors.InternalError,
        errors.Overloaded,
        errors.NotReady,
        errors.RequestTimedOut,
        errors.StorageUnavailable,
        errors.StorageFull,
    )
}


def error_body(error: KATOError, *, trace_id: str, session_id: str | None, timestamp: str) -> dict[str, Any]:
    """The JSON object of an error answer."""
    facts: dict[str, Any] = {
        "code": error.code,
        "type": error.kind,
        "message": error.message,
        "details": error.details,
        "recoverable": error.recoverable,
    }
    if session_id is not None:
        facts["session_id"] = session_id
    facts |= {"trace_id": trace_id, "timestamp": timestamp}
    return {"detail": error.detail, "status": error.status_code, "error": facts}


def error_from_answer(
    status: int, body: Any, *, session_id: str | None = None, trace_id: str | None = None
) -> KATOError:
    """
    The error an answer stands for, of the class that says so.

    Args:
        body: The decoded JSON, or the text where it was none.

    Returns:
        A class of `kato.errors` by its code; a KATOAPIError for a code this version does not know.
    """
    facts: Mapping[str, Any] = body.get("error", {}) if isinstance(body, Mapping) else {}
    if not isinstance(facts, Mapping):
        facts = {}
    code = facts.get("code")
    message = facts.get("message")
    if not isinstance(message, str):
        message = str(body)[:500] if body not in (None, "") else f"status {status} without a message"
    trace_id = facts.get("trace_id") if isinstance(facts.get("trace_id"), str) else trace_id
    if code in {"SESSION_NOT_FOUND", "SESSION_EXPIRED"}:
        cls = errors.SessionExpired if code == "SESSION_EXPIRED" else errors.SessionNotFound
        return cls(str(facts.get("session_id") or session_id or ""), trace_id=trace_id)
    details = facts.get("details")
    known = _CODES.get(code) if isinstance(code, str) else None
    if known is None:
        return KATOAPIError(
            status,
            message,
            code=code if isinstance(code, str) else None,
            details=details if isinstance(details, Mapping) else None,
            trace_id=trace_id,
            recoverable=bool(facts.get("recoverable")),
        )
    return _rebuilt(known, status, message, details if isinstance(details, Mapping) else {}, body, trace_id)


def _rebuilt(
    cls: type[KATOError], status: int, message: str, details: Mapping[str, Any], body: Any, trace_id: str | None
) -> KATOError:
    """An instance with the facts of the answer; the classes' own constructors take the facts apart, not the sentence."""
    error = cls.__new__(cls)
    KATOAPIError.__init__(error, status, message, details=details, trace_id=trace_id)  # type: ignore[arg-type]
    if isinstance(error, errors.InvalidInput):
        detail = body.get("detail") if isinstance(body, Mapping) else None
        error.problems = (
            [dict(each) for each in detail if isinstance(each, Mapping)] if isinstance(detail, list) else []
        )
    elif isinstance(error, errors.InvalidSettings):
        found = details.get("validation_errors", {})
        error.errors = dict(found) if isinstance(found, Mapping) else {}
    elif isinstance(error, errors.MethodNotAllowed):
        allowed = details.get("allowed", ())
        error.allowed = tuple(allowed) if isinstance(allowed, list) else ()
    return error
