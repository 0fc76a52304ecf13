"""
Every error KATO raises.

    KATOError
    ├── KATOAPIError                 an operation was refused or failed; carries status_code and message
    │   ├── InvalidInput             a member or parameter has a wrong type or value
    │   │   ├── LimitExceeded        a single value is beyond its limit
    │   │   ├── MalformedJSON        the body is not JSON in UTF-8
    │   │   └── IdempotencyMismatch  one idempotency key was used for two different requests
    │   ├── PayloadTooLarge          a body or a count is beyond its limit
    │   ├── UnsupportedMediaType     the body is not declared as JSON
    │   ├── InvalidSettings          a configuration that may not be
    │   ├── InvalidVector            an empty vector, or one with a component that is not finite
    │   ├── VectorDimensionMismatch  a vector of another dimension than the session's
    │   ├── EmptyMemory              learning was asked for with nothing in the short-term memory
    │   ├── Unauthorized · Forbidden · OriginRefused
    │   ├── RouteNotFound · MethodNotAllowed
    │   ├── PatternNotFound · MetricNotFound
    │   ├── KeyNotFound              no usable API key of that id
    │   ├── KeyConflict              the server's keys cannot be changed so
    │   ├── HeadChanged              something changed since the state that an undoing is about
    │   ├── RateLimited · TooManySessions · Overloaded · NotReady · RequestTimedOut
    │   ├── StorageError
    │   │   ├── StorageUnavailable · StorageFull · StorageInUse
    │   │   └── StoredDataCorrupt
    │   └── InternalError            a fault of ours
    ├── KATOSessionError             the session is gone, or there is none
    │   ├── SessionNotFound · SessionExpired
    │   └── NoActiveSession
    ├── ServerUnreachable            no answer from the server (client only)
    ├── DeadlineExceeded             the whole call took longer than it was given (client only)
    └── UnexpectedAnswer             the server's answer is not what the protocol says (client only)

Each class takes facts and writes its own sentence. `code`, `kind`, `status_code` and `recoverable` are the same in
process and over HTTP, so that a program catches the same thing whichever door it uses (docs/decisions/0002).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class KATOError(Exception):
    """Base class of everything KATO raises on purpose."""

    code: ClassVar[str] = "KATO_ERROR"
    kind: ClassVar[str] = "KATOError"
    recoverable: bool = False
    status_code: int = 500

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None, trace_id: str | None = None) -> None:
        self.message = message
        self.details: dict[str, Any] = dict(details or {})
        self.trace_id = trace_id
        super().__init__(message)

    @property
    def detail(self) -> Any:
        """What stands in the `detail` member of an error answer: a sentence, an object or a list."""
        return self.message


class KATOAPIError(KATOError):
    """An operation was refused or failed. `status_code` is its HTTP status, `message` a sentence about it."""

    def __init__(
        self,
        status_code: int,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        trace_id: str | None = None,
        recoverable: bool | None = None,
    ) -> None:
        super().__init__(message, details=details, trace_id=trace_id)
        self.status_code = status_code
        if code is not None:
            self.code = code  # type: ignore[misc]  # an answer whose code this version has no class for
        if recoverable is not None:
            self.recoverable = recoverable

    def __str__(self) -> str:
        return f"HTTP {self.status_code}: {self.message}"


class _Refusal(KATOAPIError):
    """A KATOAPIError whose status belongs to its class."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None, trace_id: str | None = None) -> None:
        super().__init__(self.status, message, details=details, trace_id=trace_id)


class InvalidInput(_Refusal):
    """
    A member or parameter has a wrong type or value.

    Args:
        problems: One mapping per fault, in the order found: `type`, `loc` (list of names and positions, the first
            being "body", "query", "header" or "path"), `msg`, `input` (any JSON value) and optionally `ctx`.
    """

    code = "VALIDATION_ERROR"
    kind = "ValidationError"
    status = 422

    def __init__(self, problems: Sequence[Mapping[str, Any]], *, trace_id: str | None = None) -> None:
        self.problems = [dict(problem) for problem in problems]
        facts = [
            {
                "field": ".".join(str(part) for part in problem["loc"]),
                "message": problem["msg"],
                "type": problem["type"],
            }
            for problem in self.problems
        ]
        message = "; ".join(f"{fact['field']}: {fact['message']}" for fact in facts) or "invalid input"
        super().__init__(message, details={"validation_errors": facts}, trace_id=trace_id)

    @property
    def detail(self) -> Any:
        """The problems, one entry each."""
        return self.problems


class LimitExceeded(InvalidInput):
    """A single value is beyond its limit; each problem carries `ctx` {limit, actual, setting}."""

    code = "LIMIT_EXCEEDED"


class MalformedJSON(InvalidInput):
    """The body is not JSON in UTF-8."""

    code = "MALFORMED_JSON"


class IdempotencyMismatch(InvalidInput):
    """One idempotency key came with two different requests."""

    code = "IDEMPOTENCY_MISMATCH"


class PayloadTooLarge(_Refusal):
    """A body or a count is beyond its limit. `actual` is None for a body cut off while it was read."""

    code = "PAYLOAD_TOO_LARGE"
    kind = "LimitExceededError"
    status = 413

    def __init__(self, field: str, limit: int, actual: int | None, setting: str) -> None:
        seen = f", got {actual}" if actual is not None else ""
        source = "the limit is fixed" if setting == "fixed" else f"the limit is set by {setting}"
        message = f"{field} may be at most {limit}{seen}; {source}"
        super().__init__(
            message,
            details={
                "error": "LimitExceeded",
                "message": message,
                "field": field,
                "limit": limit,
                "actual": actual,
                "setting": setting,
            },
        )

    @property
    def detail(self) -> Any:
        """The limit and what went beyond it."""
        return self.details


class UnsupportedMediaType(_Refusal):
    """The body is not declared as JSON, or is compressed."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    kind = "MediaTypeError"
    status = 415


class InvalidSettings(_Refusal):
    """A configuration that may not be. `errors` maps each bad key to a sentence."""

    code = "CONFIGURATION_INVALID"
    kind = "ConfigurationError"
    status = 400

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        message = "; ".join(f"{key} {sentence.split(', got ')[0]}" for key, sentence in self.errors.items())
        super().__init__(
            message,
            details={"error": "ConfigurationError", "message": message, "validation_errors": self.errors},
        )

    @property
    def detail(self) -> Any:
        """The bad keys, each with its sentence."""
        return self.details


class InvalidVector(_Refusal):
    """An empty vector, or one with a component that is not finite. Positions are 0-based."""

    code = "VECTOR_INVALID"
    kind = "VectorError"
    status = 400
    error: ClassVar[str] = "VectorError"

    def __init__(
        self,
        message: str,
        *,
        vector_index: int,
        actual_dimension: int,
        expected_dimension: int | None = None,
        vector_name: str | None = None,
        observation_index: int | None = None,
    ) -> None:
        facts: dict[str, Any] = {
            "error": self.error,
            "message": message,
            "expected_dimension": expected_dimension,
            "actual_dimension": actual_dimension,
            "vector_name": vector_name,
            "vector_index": vector_index,
        }
        if observation_index is not None:
            facts["observation_index"] = observation_index
        super().__init__(message, details=facts)

    @property
    def detail(self) -> Any:
        """The facts about the vector."""
        return self.details


class VectorDimensionMismatch(InvalidVector):
    """A vector of another dimension than the session's `vector_dim`."""

    code = "VECTOR_DIMENSION_MISMATCH"
    kind = "VectorDimensionError"
    error = "VectorDimensionError"


class EmptyMemory(_Refusal):
    """Learning was asked for with nothing in the short-term memory."""

    code = "EMPTY_STM"
    kind = "LearningError"
    status = 400

    def __init__(self) -> None:
        super().__init__("Cannot learn from empty STM")


class Unauthorized(_Refusal):
    """The API key is missing or unknown."""

    code = "UNAUTHORIZED"
    kind = "AuthenticationError"
    status = 401


class Forbidden(_Refusal):
    """The API key's scope or prefixes do not reach this far."""

    code = "FORBIDDEN"
    kind = "AuthorizationError"
    status = 403


class OriginRefused(_Refusal):
    """The request came from a web page or by a host name that is not allowed."""

    code = "ORIGIN_REFUSED"
    kind = "AuthorizationError"
    status = 403


class RouteNotFound(_Refusal):
    """No such path."""

    code = "NOT_FOUND"
    kind = "RouteNotFoundError"
    status = 404

    def __init__(self, path: str) -> None:
        super().__init__(f"There is nothing at {path[:200]}; the endpoints are listed at /docs")


class MethodNotAllowed(_Refusal):
    """The path exists, the method does not; `allowed` lists those that do."""

    code = "METHOD_NOT_ALLOWED"
    kind = "MethodNotAllowedError"
    status = 405

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        # OPTIONS is, as a preflight; one that asks for nothing is told what else there is.
        self.allowed = tuple(each for each in allowed if each != method)
        message = f"{method} is not possible here; possible: {', '.join(self.allowed)}"
        super().__init__(message, details={"allowed": list(self.allowed)})


class PatternNotFound(_Refusal):
    """The node has no pattern of that name."""

    code = "PATTERN_NOT_FOUND"
    kind = "ResourceNotFoundError"
    status = 404

    def __init__(self, pattern_id: str, node_id: str) -> None:
        super().__init__(f"Pattern {pattern_id[:200]} not found in node {node_id[:200]}")


class MetricNotFound(_Refusal):
    """There is no such metric, or no point of it in the window."""

    code = "METRIC_NOT_FOUND"
    kind = "ResourceNotFoundError"
    status = 404

    def __init__(self, name: str, minutes: int) -> None:
        super().__init__(f"No data available for metric {name[:200]} in the last {minutes} minutes")


class KeyNotFound(_Refusal):
    """There is no usable API key of that id among those the caller may manage."""

    code = "KEY_NOT_FOUND"
    kind = "ResourceNotFoundError"
    status = 404

    def __init__(self, key_id: str) -> None:
        super().__init__(f"There is no usable key {key_id[:200]!r} among those that this key may manage")


class KeyConflict(_Refusal):
    """The API keys are not such that this could be done to them; the message says why."""

    code = "KEY_CONFLICT"
    kind = "ConflictError"
    status = 409


class HeadChanged(_Refusal):
    """The log of a node ends elsewhere than whoever wants to change it believes."""

    code = "HEAD_CHANGED"
    kind = "ConflictError"
    status = 409

    def __init__(self, expected: int, head: int) -> None:
        super().__init__(
            f"The log of the node ends at {head}, not at {expected}: something changed meanwhile. Nothing was undone",
            details={"expected": expected, "head": head},
        )


class RateLimited(_Refusal):
    """More requests in a minute than allowed; `details` says after how many seconds there may be another."""

    code = "RATE_LIMITED"
    kind = "RateLimitExceededError"
    status = 429
    recoverable = True

    def __init__(self, limit: int, retry_after_seconds: int) -> None:
        super().__init__(
            f"{limit} requests in a minute are as many as KATO_RATE_LIMIT_PER_MINUTE allows; "
            f"the next is possible in {retry_after_seconds} s",
            details={
                "limit": limit,
                "setting": "KATO_RATE_LIMIT_PER_MINUTE",
                "retry_after_seconds": retry_after_seconds,
            },
        )


class TooManySessions(_Refusal):
    """As many sessions are alive as may be."""

    code = "SESSION_LIMIT_EXCEEDED"
    kind = "SessionLimitExceededError"
    status = 429
    recoverable = True

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} sessions are alive, as many as KATO_MAX_SESSIONS allows; delete one or wait for one to expire",
            details={"limit": limit, "setting": "KATO_MAX_SESSIONS"},
        )


class InternalError(_Refusal):
    """A fault of ours; the trace id finds it in the log."""

    code = "INTERNAL_ERROR"
    kind = "InternalError"
    status = 500
    recoverable = True

    def __init__(self) -> None:
        super().__init__("The server failed to answer; the trace id finds the reason in its log")


class Overloaded(_Refusal):
    """More requests are in flight than allowed."""

    code = "OVERLOADED"
    kind = "ResourceExhaustedError"
    status = 503
    recoverable = True


class NotReady(_Refusal):
    """The server is starting or stopping."""

    code = "NOT_READY"
    kind = "NotReadyError"
    status = 503
    recoverable = True


class RequestTimedOut(_Refusal):
    """The request took longer than KATO_REQUEST_TIMEOUT."""

    code = "TIMEOUT"
    kind = "TimeoutError"
    status = 504
    recoverable = True

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The request took longer than {seconds:g} seconds, the limit set by KATO_REQUEST_TIMEOUT")


class StorageError(_Refusal):
    """Something is wrong with where things are kept."""

    code = "STORAGE_UNAVAILABLE"
    kind = "StorageError"
    status = 503
    recoverable = True


class StorageUnavailable(StorageError):
    """The storage does not answer, or refuses to write; nothing was changed."""


class StorageInUse(StorageError):
    """Another process holds the data directory."""


class StorageFull(StorageError):
    """There is no room to store the change; nothing was changed."""

    code = "STORAGE_FULL"
    kind = "ResourceExhaustedError"
    status = 507
    recoverable = False


class StoredDataCorrupt(StorageError):
    """What is stored is not what was written."""

    code = "INTERNAL_ERROR"
    kind = "InternalError"
    status = 500


class KATOSessionError(KATOError):
    """The session is gone, or there is none."""

    code = "SESSION_NOT_FOUND"
    kind = "SessionNotFoundError"
    status_code = 404

    def __init__(self, message: str, *, session_id: str | None = None, trace_id: str | None = None) -> None:
        self.session_id = session_id
        super().__init__(message, trace_id=trace_id)


class SessionNotFound(KATOSessionError):
    """The session never existed, was deleted, or ended too long ago."""

    def __init__(self, session_id: str, *, trace_id: str | None = None) -> None:
        super().__init__(f"Session {session_id[:200]} not found or expired", session_id=session_id, trace_id=trace_id)


class SessionExpired(KATOSessionError):
    """The session's lifetime has passed."""

    code = "SESSION_EXPIRED"
    kind = "SessionExpiredError"

    def __init__(self, session_id: str, *, trace_id: str | None = None) -> None:
        super().__init__(f"Session {session_id[:200]} not found or expired", session_id=session_id, trace_id=trace_id)


class NoActiveSession(KATOSessionError, ValueError):
    """A call that needs a session was made before create_session(); a ValueError too, for it is the program's mistake."""

    def __init__(self) -> None:
        super().__init__("No active session. Call create_session() first.")


class ServerUnreachable(KATOError):
    """No answer came from the server in any of the attempts."""

    code = "SERVER_UNREACHABLE"
    kind = "ServerUnreachable"
    recoverable = True


class DeadlineExceeded(KATOError):
    """The whole call, its retries included, took longer than it was given."""

    code = "DEADLINE_EXCEEDED"
    kind = "DeadlineExceeded"
    recoverable = True


class UnexpectedAnswer(KATOError):
    """The server's answer is not what the protocol says."""

    code = "UNEXPECTED_ANSWER"
    kind = "UnexpectedAnswer"
