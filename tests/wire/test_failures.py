"""An error that travels arrives as the class that was raised, with its facts."""

from __future__ import annotations

import json

import pytest

from kato import errors
from kato.errors import KATOAPIError, KATOError
from kato.wire.encoding import encode_answer
from kato.wire.failures import error_body, error_from_answer

PROBLEM = {"type": "t", "loc": ["body", "strings", 0], "msg": "must be a string", "input": 5}
RAISED = [
    errors.InvalidInput([PROBLEM]),
    errors.LimitExceeded([{**PROBLEM, "ctx": {"limit": 1, "actual": 2, "setting": "S"}}]),
    errors.MalformedJSON([PROBLEM]),
    errors.IdempotencyMismatch([PROBLEM]),
    errors.PayloadTooLarge("strings", 1, None, "KATO_MAX_STRINGS"),
    errors.UnsupportedMediaType("no"),
    errors.InvalidSettings({"recall_threshold": "must be a number from 0 to 1, got 2"}),
    errors.InvalidVector("no", vector_index=0, actual_dimension=0),
    errors.VectorDimensionMismatch("no", vector_index=0, actual_dimension=4, expected_dimension=3),
    errors.EmptyMemory(),
    errors.Unauthorized("no"),
    errors.Forbidden("no"),
    errors.OriginRefused("no"),
    errors.RouteNotFound("/x"),
    errors.MethodNotAllowed("PUT", ["GET"]),
    errors.KeyNotFound("key-1"),
    errors.KeyConflict("no"),
    errors.HeadChanged(12, 14),
    errors.PatternNotFound("p", "n"),
    errors.MetricNotFound("m", 5),
    errors.RateLimited(5, 30),
    errors.TooManySessions(5),
    errors.InternalError(),
    errors.Overloaded("no"),
    errors.NotReady("no"),
    errors.RequestTimedOut(5),
    errors.StorageUnavailable("no"),
    errors.StorageFull("no"),
    errors.SessionNotFound("session-a"),
    errors.SessionExpired("session-a"),
]


def there_and_back(error, session_id=None):
    body = error_body(error, trace_id="kato-1", session_id=session_id, timestamp="2026-01-01T00:00:00.000000Z")
    return error_from_answer(error.status_code, json.loads(encode_answer(body)), session_id=session_id)


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_an_error_comes_back_as_what_it_was(error):
    back = there_and_back(error, "session-a")
    assert type(back) is type(error)
    assert (back.message, back.status_code, back.code) == (error.message, error.status_code, error.code)
    assert (back.details, back.recoverable, back.trace_id) == (error.details, error.recoverable, "kato-1")
    assert json.loads(encode_answer({"d": back.detail})) == json.loads(encode_answer({"d": error.detail}))
    assert getattr(back, "session_id", None) == getattr(error, "session_id", None)
    for name in ("problems", "errors", "allowed"):
        assert getattr(back, name, None) == getattr(error, name, None)


def test_an_error_answer_has_one_shape():
    body = error_body(errors.EmptyMemory(), trace_id="t", session_id=None, timestamp="now")
    assert body == {
        "detail": "Cannot learn from empty STM",
        "status": 400,
        "error": {
            "code": "EMPTY_STM",
            "type": "LearningError",
            "message": "Cannot learn from empty STM",
            "details": {},
            "recoverable": False,
            "trace_id": "t",
            "timestamp": "now",
        },
    }


def test_every_code_of_ours_has_a_class():
    """A class added to the tree without its way back would arrive as a bare KATOAPIError."""
    ours = {type(error).code for error in RAISED}
    local = {"KATO_ERROR", "SERVER_UNREACHABLE", "DEADLINE_EXCEEDED", "UNEXPECTED_ANSWER"}
    found = {cls.code for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, KATOError)}
    assert found - local == ours


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "<html>Bad Gateway</html>",
        [],
        {},
        {"error": 5},
        {"error": {"code": 5, "message": None}},
        {"detail": "x"},
    ],
)
def test_an_answer_of_somebody_else_is_an_api_error_with_its_status(body):
    error = error_from_answer(502, body, session_id="session-a", trace_id="t")
    assert type(error) is KATOAPIError
    assert (error.status_code, error.trace_id) == (502, "t")
    assert error.message


def test_a_code_of_a_later_version_keeps_its_facts():
    body = {"error": {"code": "TOO_NEW", "message": "m", "details": {"a": 1}, "recoverable": True}}
    error = error_from_answer(418, body)
    assert (error.code, error.message, error.details, error.recoverable) == ("TOO_NEW", "m", {"a": 1}, True)
