"""Several nodes and sessions at once, through one client."""

from __future__ import annotations

import pytest

from kato import InternalError

NEXT = "session-" + "b" * 32 + "-2"


def begun(harness, session_id=NEXT, **arguments):
    node = harness.client.node("bakery")
    harness.will(harness.answer({"session_id": session_id, "warnings": []}))
    return harness.do("session", on=node, **arguments)


def test_a_node_handle_sends_nothing_by_itself(harness):
    assert harness.client.node("bakery").node_id == "bakery"
    assert harness.requests == []


def test_sessions_of_one_client_do_not_mix(harness):
    harness.in_session()
    session = begun(harness, config={"recall_threshold": 0.5}, ttl=60, metadata={"a": 1})
    assert harness.body() == {
        "node_id": "bakery",
        "config": {"recall_threshold": 0.5},
        "ttl": 60,
        "metadata": {"a": 1},
    }
    harness.do("observe", ["a"], on=session)
    harness.do("observe", ["a"])
    assert harness.paths()[1:] == [
        f"POST /sessions/{NEXT}/observe",
        f"POST /sessions/{harness.session_id}/observe",
    ]
    assert (session.session_id, session.node_id) == (NEXT, "bakery")
    assert (harness.client.session_id, harness.client.node_id) == (harness.session_id, "shop")


def test_a_handle_begins_its_own_session_again(harness):
    harness.in_session()
    session = begun(harness)
    harness.will(harness.gone(), harness.answer({"session_id": "third"}), harness.answer())
    harness.do("observe", ["a"], on=session)
    assert (session.session_id, session.stm_lost) == ("third", True)
    assert (harness.client.session_id, harness.client.stm_lost) == (harness.session_id, False)


def test_a_node_handle_asks_about_its_own_node(harness):
    harness.in_session()
    node = harness.client.node("bakery")
    harness.do("list_patterns", on=node)
    harness.do("get_pattern", "ab", on=node)
    harness.do("learn_many", [], on=node)
    assert harness.paths() == [
        "GET /patterns?node_id=bakery",
        "GET /pattern/ab?node_id=bakery",
        "POST /nodes/bakery/learn",
    ]


def enter_and_leave(harness, session, inside=lambda: None):
    if harness.kind == "sync":
        with session:
            inside()
        return

    async def block():
        async with session:
            inside()

    harness.wait(block())


def test_a_session_ends_with_its_block(harness):
    session = begun(harness)
    enter_and_leave(harness, session)
    assert harness.paths()[-1] == f"DELETE /sessions/{NEXT}"
    assert session.session_id is None


@pytest.mark.parametrize("end", ["expired", "deleted"])
def test_a_session_that_ended_inside_its_block_is_left_quietly(harness, end):
    session = begun(harness)
    if end == "deleted":
        harness.do("delete_session", on=session)
    else:
        harness.will(harness.gone())
    enter_and_leave(harness, session)
    assert session.session_id is None
    assert sum(path.startswith("DELETE") for path in harness.paths()) == 1


def test_a_session_that_cannot_be_ended_says_so(harness):
    harness.make(max_retries=0)
    session = begun(harness)
    harness.will(harness.refusal(500, "INTERNAL_ERROR", recoverable=True))
    with pytest.raises(InternalError):
        enter_and_leave(harness, session)


def test_the_error_inside_the_block_is_the_news(harness, caplog):
    harness.make(max_retries=0)
    session = begun(harness)
    harness.will(harness.refusal(500, "INTERNAL_ERROR", recoverable=True))

    def inside():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        enter_and_leave(harness, session, inside)
    assert "could not be ended" in caplog.text


def test_a_client_closes_its_connections_with_its_block(harness):
    enter_and_leave(harness, harness.client, lambda: None)
    assert harness.client._http.is_closed
    harness.do("close")  # once more does no harm
