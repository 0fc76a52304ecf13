"""What happens when the session a client is in has ended."""

from __future__ import annotations

import logging
import threading

import pytest

from kato import (
    EmptyMemory,
    KATOAPIError,
    KATOClient,
    KATOSessionError,
    NoActiveSession,
    PatternNotFound,
    RouteNotFound,
    SessionExpired,
    SessionNotFound,
    UnexpectedAnswer,
)
from kato.client import calls, recovery
from kato.client.session_state import SessionState

NEXT = "session-" + "b" * 32 + "-2"


def created(harness, session_id=NEXT, **members):
    return harness.answer({"session_id": session_id, "warnings": [], **members})


@pytest.mark.parametrize("code", ["SESSION_EXPIRED", "SESSION_NOT_FOUND"])
@pytest.mark.parametrize(
    ("name", "arguments", "suffix"),
    [
        ("observe", (["a"],), "POST {}/observe"),
        ("observe_sequence", ([{"strings": ["a"]}],), "POST {}/observe-sequence"),
        ("get_predictions", (), "GET {}/predictions"),
    ],
)
def test_the_call_is_made_again_in_a_session_like_the_old_one(harness, code, name, arguments, suffix, caplog):
    harness.in_session(config={"recall_threshold": 0.3}, ttl=60, metadata={"who": "me"})
    harness.will(harness.gone(code), created(harness), harness.answer({"stm_length": 1, "warnings": ["w"]}))
    with caplog.at_level(logging.WARNING, "kato.client"):
        result = harness.do(name, *arguments)
    old, new = f"/sessions/{harness.session_id}", f"/sessions/{NEXT}"
    assert harness.paths() == [suffix.format(old), "POST /sessions", suffix.format(new)]
    assert harness.body(1) == {
        "node_id": "shop",
        "config": {"recall_threshold": 0.3},
        "ttl": 60,
        "metadata": {"who": "me"},
    }
    assert harness.body(0) == harness.body(2)
    assert result["warnings"][0] == "w"
    assert "begun again" in result["warnings"][1]
    assert harness.client.session_id == NEXT
    assert harness.client.stm_lost is True
    assert "what was observed since the last learning is gone" in caplog.text
    assert harness.session_id not in caplog.text


def test_learning_in_an_ended_session_says_that_the_memory_is_gone(harness):
    harness.in_session()
    harness.will(harness.gone(), created(harness))
    with pytest.raises(KATOSessionError, match="nothing was learned") as caught:
        harness.do("learn")
    assert isinstance(caught.value.__cause__, SessionExpired)
    assert caught.value.session_id == harness.session_id
    assert caught.value.trace_id == "kato-of-the-server"
    assert harness.paths() == [f"POST /sessions/{harness.session_id}/learn", "POST /sessions"]
    assert harness.client.session_id == NEXT


def test_a_pattern_that_lacks_its_beginning_is_announced_once(harness):
    harness.in_session()
    harness.will(harness.gone(), created(harness), harness.answer())
    harness.do("observe", ["b"])
    harness.will(
        harness.answer({"status": "learned", "warnings": []}),
        harness.answer({"status": "learned", "warnings": []}),
    )
    assert "not in the pattern" in harness.do("learn")["warnings"][0]
    assert harness.client.stm_lost is False
    assert harness.do("learn")["warnings"] == []


@pytest.mark.parametrize("name", ["clear_stm", "clear_all"])
def test_a_fresh_episode_misses_nothing(harness, name):
    harness.in_session()
    harness.will(created(harness))
    harness.do("reconnect")
    assert harness.client.stm_lost is True
    harness.do(name)
    assert harness.client.stm_lost is False


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("clear_stm", ()),
        ("get_stm", ()),
        ("get_session_info", ()),
        ("delete_session", ()),
        ("get_config", ()),
        ("update_config", ({},)),
    ],
)
def test_other_calls_say_that_the_session_is_gone(harness, name, arguments):
    harness.in_session()
    harness.will(harness.gone("SESSION_NOT_FOUND"))
    with pytest.raises(SessionNotFound) as caught:
        harness.do(name, *arguments)
    assert caught.value.session_id == harness.session_id
    assert len(harness.requests) == 1
    assert harness.client.session_id == harness.session_id


@pytest.mark.parametrize("name", ["observe", "learn", "get_predictions"])
@pytest.mark.parametrize("where", ["call", "session", "no node"])
def test_nothing_is_begun_again_unasked(harness, name, where):
    harness.in_session(auto_reconnect=where != "session")
    if where == "no node":
        harness.client.node_id = None
    harness.will(harness.gone())
    arguments = (["a"],) if name == "observe" else ()
    named = {"auto_reconnect": False} if where == "call" else {}
    with pytest.raises(SessionExpired):
        harness.do(name, *arguments, **named)
    assert len(harness.requests) == 1


def test_a_session_that_ends_twice_is_not_chased(harness):
    harness.in_session()
    harness.will(harness.gone(), created(harness), harness.gone())
    with pytest.raises(SessionExpired):
        harness.do("observe", ["a"])
    assert len(harness.requests) == 3


def test_reconnecting_restores_what_is_in_force_by_then(harness):
    """What update_config and extend_session changed is given to a new session as the server last said it."""
    harness.in_session(config={"recall_threshold": 0.3, "session_ttl": 30})
    harness.do("update_config", {"max_predictions": 5})
    harness.will(harness.answer({"config_overrides": {"max_predictions": 7}}))
    harness.do("update_config", {"max_predictions": 7, "recall_threshold": None})
    harness.do("extend_session", 90)
    harness.do("extend_session")
    harness.will(created(harness))
    assert harness.do("reconnect") == NEXT
    assert harness.body() == {"node_id": "shop", "config": {"max_predictions": 7}, "ttl": 90}


def test_without_a_word_of_the_server_the_overrides_are_those_given(harness):
    harness.in_session(config={"recall_threshold": 0.3, "session_ttl": 30})
    harness.do("update_config", {"max_predictions": 5, "session_ttl": 45})
    harness.will(created(harness))
    harness.do("reconnect")
    assert harness.body() == {
        "node_id": "shop",
        "config": {"recall_threshold": 0.3, "max_predictions": 5},
        "ttl": 45,
    }


def test_a_refused_change_is_not_restored(harness):
    harness.in_session(config={"recall_threshold": 0.3})
    harness.will(harness.refusal(400, "EMPTY_STM"))
    with pytest.raises(EmptyMemory):
        harness.do("update_config", {"recall_threshold": 0.9})
    harness.will(created(harness))
    harness.do("reconnect")
    assert harness.body()["config"] == {"recall_threshold": 0.3}


def test_the_configuration_that_was_given_is_not_shared_with_the_caller(harness):
    config = {"recall_threshold": 0.3}
    harness.in_session(config=config)
    config["recall_threshold"] = 0.9
    harness.will(created(harness))
    harness.do("reconnect")
    assert harness.body()["config"] == {"recall_threshold": 0.3}


def test_a_new_session_forgets_the_configuration_of_the_one_before(harness):
    harness.in_session(config={"recall_threshold": 0.3}, ttl=60, metadata={"a": 1})
    harness.in_session()
    harness.will(created(harness))
    harness.do("reconnect")
    assert harness.body() == {"node_id": "shop"}


def test_there_must_have_been_a_session_to_reconnect_to(harness):
    with pytest.raises(KATOSessionError, match="no session yet"):
        harness.do("reconnect")
    assert harness.requests == []


def test_a_deleted_session_is_forgotten_but_its_node_is_not(harness):
    harness.in_session()
    harness.do("delete_session")
    assert harness.client.session_id is None
    with pytest.raises(NoActiveSession):
        harness.do("get_stm")
    harness.will(created(harness))
    assert harness.do("reconnect") == NEXT


@pytest.mark.parametrize("body", [{}, {"session_id": None}, {"session_id": ""}])
def test_a_session_without_an_id_is_no_session(harness, body):
    harness.will(harness.answer(body))
    with pytest.raises(UnexpectedAnswer, match="member 'session_id' is missing"):
        harness.do("create_session", "shop")
    assert harness.client.session_id is None


def test_a_missing_pattern_or_route_is_no_ended_session(harness):
    harness.in_session()
    harness.will(harness.refusal(404, "PATTERN_NOT_FOUND"))
    with pytest.raises(PatternNotFound) as caught:
        harness.do("get_pattern", "x")
    assert not isinstance(caught.value, KATOSessionError)
    harness.will(harness.refusal(404, "NOT_FOUND"))
    with pytest.raises(RouteNotFound):
        harness.do("observe", ["a"])
    assert harness.client.session_id == harness.session_id
    assert len(harness.requests) == 2


def test_a_404_of_something_in_between_is_no_ended_session(harness):
    import httpx2

    harness.in_session()
    harness.will(httpx2.Response(404, text="nothing here"))
    with pytest.raises(KATOAPIError, match="HTTP 404: nothing here"):
        harness.do("observe", ["a"])
    assert len(harness.requests) == 1


def losing(state):
    """Observe up to the call for another session, as a thread does that finds the session gone."""
    doing = recovery.resent(state, calls.observe(state.session_id, ["a"]), auto_reconnect=True)
    next(doing)
    return doing, doing.throw(SessionExpired(state.session_id))


def test_all_who_miss_a_session_ask_for_the_same_one():
    """They ask under one key, so the server makes one session; the next loss has another key."""
    state = SessionState(session_id="lost", node_id="shop", config={"recall_threshold": 0.3})
    first, asked_first = losing(state)
    second, asked_second = losing(state)
    assert asked_first == asked_second
    for doing in (first, second):
        assert doing.send({"session_id": "made"}).path == {"session_id": "made"}
    assert state.session_id == "made"
    _, asked_later = losing(state)
    assert asked_later.idempotency_key != asked_first.idempotency_key


def test_different_wishes_have_different_keys():
    """A change of the configuration in between must not look like one key for two different requests."""
    state = SessionState(session_id="lost", node_id="shop")
    _, plain = losing(state)
    state.configured({"recall_threshold": 0.3}, {})
    _, configured = losing(state)
    assert plain.idempotency_key != configured.idempotency_key


def test_losing_the_same_session_id_twice_gives_two_sessions(harness):
    """A program may set a stale id again; what replaced it then must not come back with its memory."""
    harness.in_session()
    keys = []
    for _ in range(2):
        harness.client.session_id = "stale"
        harness.will(harness.gone(), created(harness), harness.answer())
        harness.do("observe", ["a"])
        keys.append(harness.requests[-2].headers["idempotency-key"])
    assert keys[0] != keys[1]


def test_who_comes_second_uses_the_session_of_who_came_first(harness):
    """Another thread begins a session while ours is being made: ours is superfluous and is deleted."""
    harness.in_session()
    other = "session-" + "c" * 32 + "-3"

    def meanwhile(request):
        harness.client.session_id = other
        return created(harness)

    harness.will(harness.gone(), meanwhile, harness.gone(), harness.answer())
    harness.do("observe", ["a"])
    assert harness.paths()[1:] == [
        "POST /sessions",
        f"DELETE /sessions/{NEXT}",
        f"POST /sessions/{other}/observe",
    ]
    assert harness.client.session_id == other


def test_who_notices_late_begins_no_session(harness):
    harness.in_session()

    def meanwhile(request):
        harness.client.session_id = NEXT
        return harness.gone()

    harness.will(meanwhile, harness.answer())
    harness.do("observe", ["a"])
    assert harness.paths()[1:] == [f"POST /sessions/{NEXT}/observe"]


def test_a_session_that_was_deleted_meanwhile_is_not_brought_back(harness):
    harness.in_session()

    def meanwhile(request):
        harness.client.session_id = None
        return created(harness)

    harness.will(harness.gone(), meanwhile, harness.answer())
    with pytest.raises(NoActiveSession):
        harness.do("observe", ["a"])
    assert harness.client.session_id is None


def test_threads_that_share_a_client_end_up_in_one_session():
    import httpx2

    alive = {"first"}
    made = []
    lock = threading.Lock()

    def server(request):
        path = request.url.path
        with lock:
            if request.method == "DELETE":
                alive.discard(path.split("/")[2])
                return httpx2.Response(200, json={"warnings": []})
            if path == "/sessions":
                made.append(f"made-{len(made)}" if alive or made else "first")
                alive.add(made[-1])
                return httpx2.Response(200, json={"session_id": made[-1], "warnings": []})
            if path.split("/")[2] in alive:
                return httpx2.Response(200, json={"warnings": []})
        error = {
            "code": "SESSION_EXPIRED",
            "type": "SessionExpiredError",
            "message": "gone",
            "recoverable": False,
        }
        return httpx2.Response(404, json={"detail": "gone", "status": 404, "error": error})

    with KATOClient("http://test", transport=httpx2.MockTransport(server)) as client:
        client.create_session("shop")
        alive.clear()
        failures = []

        def observe():
            try:
                client.observe(["a"])
            except BaseException as error:  # noqa: BLE001  # whatever it is, the test is to name it
                failures.append(error)

        threads = [threading.Thread(target=observe) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert alive == {client.session_id}
