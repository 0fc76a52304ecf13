"""When a client tries again, how long it waits, and what it says when it gives up."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import httpx2
import pytest

from kato import (
    DeadlineExceeded,
    EmptyMemory,
    InternalError,
    KATOAPIError,
    NotReady,
    Overloaded,
    RateLimited,
    ServerUnreachable,
    StorageFull,
    UnexpectedAnswer,
)
from kato.client.retrying import RetryPolicy

# 14 November 2023, 22:13:20 GMT is the moment at which the harness stands still.
TEN_SECONDS_LATER = "Tue, 14 Nov 2023 22:13:30 GMT"
EARLIER = "Tue, 14 Nov 2023 22:00:00 GMT"


def overloaded(harness, **headers):
    return harness.refusal(503, "OVERLOADED", recoverable=True, **headers)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_a_passing_failure_is_tried_again_until_it_has_passed(harness, status):
    harness.in_session()
    codes = {500: "INTERNAL_ERROR", 503: "OVERLOADED", 504: "TIMEOUT", 429: "RATE_LIMITED"}
    code = codes.get(status, "UNHEARD_OF")
    harness.will(harness.refusal(status, code, recoverable=True), harness.answer({"length": 2}))
    assert harness.do("get_stm") == {"length": 2}
    assert len(harness.requests) == 2


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx2.ReadError(""),
    ],
)
def test_a_lost_connection_is_tried_again(harness, failure):
    harness.in_session()
    harness.will(failure, harness.answer({"status": "learned"}))
    assert harness.do("learn") == {"status": "learned"}


def test_pauses_double_and_every_attempt_is_the_same_request(harness):
    harness.in_session()
    harness.otherwise = lambda request: harness.refusal(500, "INTERNAL_ERROR", recoverable=True)
    with pytest.raises(InternalError) as caught:
        harness.do("observe", ["a"])
    assert caught.value.status_code == 500
    assert harness.clock.slept == [0.5, 1.0, 2.0]
    assert len(harness.requests) == 4
    assert len({request.content for request in harness.requests}) == 1
    for name in ("idempotency-key", "x-trace-id"):
        assert len({request.headers[name] for request in harness.requests}) == 1


def test_two_calls_have_two_idempotency_keys(harness):
    harness.in_session()
    harness.do("learn")
    harness.do("learn")
    first, second = (request.headers["idempotency-key"] for request in harness.requests)
    assert first != second


def test_no_retries_means_one_attempt(harness):
    harness.make(max_retries=0)
    harness.will(overloaded(harness))
    with pytest.raises(Overloaded):
        harness.do("status")
    assert len(harness.requests) == 1
    assert harness.clock.slept == []


def test_retries_may_be_changed_on_a_living_client(harness):
    harness.client.max_retries = 1
    harness.otherwise = lambda request: overloaded(harness)
    with pytest.raises(Overloaded):
        harness.do("status")
    assert len(harness.requests) == 2


def test_an_unreachable_server_is_named_as_such(harness):
    harness.otherwise = lambda request: (_ for _ in ()).throw(httpx2.ConnectError("refused"))
    with pytest.raises(ServerUnreachable, match=r"GET /status in 4 attempts: ConnectError: refused") as caught:
        harness.do("status")
    assert isinstance(caught.value.__cause__, httpx2.ConnectError)
    assert caught.value.trace_id == harness.requests[0].headers["x-trace-id"]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(400, "EMPTY_STM", EmptyMemory), (507, "STORAGE_FULL", StorageFull)],
)
def test_a_lasting_refusal_is_final(harness, status, code, error):
    harness.in_session()
    harness.will(harness.refusal(status, code, detail="Cannot learn from empty STM"))
    with pytest.raises(error) as caught:
        harness.do("learn")
    assert (caught.value.status_code, caught.value.trace_id) == (status, "kato-of-the-server")
    assert len(harness.requests) == 1


@pytest.mark.parametrize("probe", ["health", "live", "ready"])
def test_a_probe_is_answered_at_once(harness, probe):
    harness.will(harness.refusal(503, "NOT_READY", recoverable=True))
    with pytest.raises(NotReady):
        harness.do(probe)
    assert len(harness.requests) == 1


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [("7", 7.5), (TEN_SECONDS_LATER, 10.5), (EARLIER, 0.5), ("0", 0.5), ("soon", 0.5), ("-3", 0.5)],
)
def test_the_server_is_given_the_time_it_asks_for(harness, wish, seconds):
    harness.will(overloaded(harness, retry_after=wish), harness.answer())
    harness.do("status")
    assert harness.clock.slept == [seconds]


def test_a_wish_beyond_all_patience_ends_the_call_with_the_servers_reason(harness):
    harness.will(harness.refusal(429, "RATE_LIMITED", recoverable=True, retry_after="3600"))
    with pytest.raises(RateLimited):
        harness.do("status")
    assert harness.clock.slept == []


def test_a_call_that_would_outlast_its_deadline_ends_before_the_pause(harness):
    harness.make(deadline_seconds=5)
    harness.will(overloaded(harness, retry_after="6"))
    with pytest.raises(DeadlineExceeded, match="within 5 seconds: one attempt failed") as caught:
        harness.do("status")
    assert isinstance(caught.value.__cause__, Overloaded)
    assert harness.clock.slept == []


def test_the_deadline_covers_attempts_and_pauses_together(harness):
    harness.make(deadline_seconds=10, max_retries=50)

    def slow(request):
        harness.clock.seconds += 3
        raise httpx2.ReadTimeout("slow")

    harness.otherwise = slow
    with pytest.raises(DeadlineExceeded, match="3 attempts failed"):
        harness.do("status")
    assert harness.clock.slept == [
        0.5,
        1.0,
    ]  # 3 + 0.5 + 3 + 1 leaves 2.5 seconds to a third attempt that takes 3


def test_an_attempt_gets_no_more_time_than_is_left(harness):
    harness.make(deadline_seconds=10, timeout=8)

    def slow(request):
        harness.clock.seconds += 4
        return overloaded(harness)

    harness.will(slow, harness.answer())
    harness.do("status")
    first, second = (request.extensions["timeout"]["read"] for request in harness.requests)
    assert (first, second) == (8, 5.5)


def test_the_deadline_covers_a_reconnection_too(harness):
    harness.make(deadline_seconds=10)
    harness.in_session()

    def slow(request):
        harness.clock.seconds += 11
        return harness.gone()

    harness.will(slow)
    with pytest.raises(DeadlineExceeded):
        harness.do("observe", ["a"])
    assert len(harness.requests) == 1


def test_an_answer_that_is_still_arriving_at_the_deadline_is_given_up(harness):
    harness.make(deadline_seconds=0.05)

    def trickle():
        yield b'{"length"'
        harness.clock.seconds += 1
        yield b": 2}"

    async def never():
        yield b'{"length"'
        await asyncio.Event().wait()

    harness.will(httpx2.Response(200, content=trickle() if harness.kind == "sync" else never()))
    if harness.kind == "async":
        # The event loop keeps real time; the moment it gives up is already past on the client's own clock.
        policy = harness.client._patience
        moments = iter([1000.0, 1000.0, 1000.0])
        harness.client._patience = replace(policy, clock=lambda: next(moments, 1001.0))
    with pytest.raises(DeadlineExceeded, match="one attempt failed"):
        harness.do("get_pattern", "x", "n")
    assert len(harness.requests) == 1


def test_waiting_for_a_free_connection_is_no_fault_of_the_server(harness):
    harness.do("status")
    assert harness.request.extensions["timeout"]["pool"] is None


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        (b'{"length": 2', "application/json", "not JSON"),
        (b"", "application/json", "not JSON"),
        (b"[1]", "application/json", "not an object"),
        (b'{"x": NaN}', "application/json", "NaN"),
        (b'{"x": "\xff"}', "application/json", "UTF-8"),
        (b"[" * 100_000, "application/json", "too deeply"),
        (b"<html>hello</html>", "text/html; charset=utf-8", "text/html"),
    ],
)
def test_an_answer_that_is_not_ours_is_not_taken_for_one(harness, content, kind, sentence):
    harness.will(httpx2.Response(200, content=content, headers={"content-type": kind, "x-trace-id": "t-1"}))
    with pytest.raises(UnexpectedAnswer, match=sentence) as caught:
        harness.do("status")
    assert caught.value.trace_id == "t-1"
    assert len(harness.requests) == 1


def test_json_under_another_name_of_json_is_read(harness):
    harness.will(httpx2.Response(200, content=b'{"a": 1}', headers={"content-type": "application/problem+json"}))
    assert harness.do("status") == {"a": 1}


def test_a_redirect_says_where_to(harness):
    harness.will(httpx2.Response(307, headers={"location": "https://test/status"}))
    with pytest.raises(UnexpectedAnswer, match="https://test/status"):
        harness.do("status")


def test_a_page_of_something_in_between_is_an_error_with_its_words(harness):
    harness.make(max_retries=1)
    page = httpx2.Response(502, content=b"<h1>Bad\n gateway</h1>", headers={"content-type": "text/html"})
    harness.will(page, page)
    with pytest.raises(KATOAPIError, match="HTTP 502: <h1>Bad gateway</h1>"):
        harness.do("status")
    assert len(harness.requests) == 2


def test_json_of_something_in_between_is_no_answer_of_the_server(harness):
    harness.will(harness.answer({"detail": "no upstream"}, 503), harness.answer({"a": 1}))
    assert harness.do("status") == {"a": 1}


def test_a_refusal_of_something_in_between_is_final(harness):
    harness.will(httpx2.Response(403, content=b"", headers={"content-type": "text/html"}))
    with pytest.raises(KATOAPIError, match="HTTP 403: the answer is empty"):
        harness.do("status")
    assert len(harness.requests) == 1


def test_retries_are_logged_without_the_session_id(harness, caplog):
    harness.in_session()
    harness.will(overloaded(harness), harness.answer())
    with caplog.at_level(logging.WARNING, "kato.client"):
        harness.do("learn")
    [record] = caplog.records
    assert "Attempt 1 of 4 of POST /sessions/{session_id}/learn failed: HTTP 503" in record.getMessage()
    assert harness.session_id not in record.getMessage()


def test_pauses_have_full_jitter_and_an_upper_end():
    asked = []
    policy = RetryPolicy(jitter=lambda most: asked.append(most) or most / 4)
    assert [policy.pause(attempt) for attempt in (1, 2, 3, 1000)] == [0.125, 0.25, 0.5, 15.0]
    assert asked == [0.5, 1.0, 2.0, 60.0]


def test_the_default_jitter_stays_within_its_bounds():
    draws = [RetryPolicy().pause(3) for _ in range(200)]
    assert all(0 <= draw <= 2.0 for draw in draws)
    assert len(set(draws)) > 100


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"base_url": "localhost:8000"}, "base_url"),
        ({"base_url": "ftp://localhost"}, "base_url"),
        ({"base_url": "http://"}, "base_url"),
        ({"base_url": "http://h/?a=b"}, "base_url"),
        ({"timeout": 0}, "timeout"),
        ({"max_retries": -1}, "max_retries"),
        ({"max_retries": True}, "max_retries"),
        ({"deadline_seconds": 0}, "deadline_seconds"),
        ({"api_key": "two words"}, "api_key"),
        ({"api_key": "line\nbreak"}, "api_key"),
    ],
)
def test_a_bad_argument_is_named_when_the_client_is_made(harness, arguments, name):
    with pytest.raises(ValueError, match=name) as caught:
        harness.make(**arguments)
    assert "two words" not in str(caught.value)
