"""History, undoing and the latest requests over HTTP: what only shows there."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kato import KATOClient

NODE = "correcting/ü"
PATH = "/nodes/correcting%2F%C3%BC"


@pytest.fixture
def learned(http):
    names = []
    for sequence in ([["a"], ["b"]], [["c"], ["d"]]):
        answer = http.post(f"{PATH}/learn", json={"sequences": [sequence]})
        names.append(answer.json()["results"][0]["pattern_name"])
    return names


def test_an_undoing_takes_effect_once_per_key(http, learned):
    head = http.get(PATH).json()["head"]
    first = http.post(f"{PATH}/undo", json={"count": 1}, headers={"Idempotency-Key": "take-back"})
    again = http.post(f"{PATH}/undo", json={"count": 1}, headers={"Idempotency-Key": "take-back"})
    assert first.json()["head"] == head + 1
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.json(), http.get(PATH).json()["head"]) == (first.json(), head + 1)
    undone = http.post(f"{PATH}/undo")
    assert (undone.json()["count"], undone.json()["restored"][0]["pattern_name"]) == (1, learned[1])


def test_an_undoing_that_may_not_be_says_why_and_changes_nothing(http, learned):
    head = http.get(PATH).json()["head"]
    for body, message in (
        ({"count": 0}, "body.count: must be an integer from 1 to 1000000"),
        ({"count": 1, "to": 0}, "body.to: must not be given together with count"),
        ({"to": head + 1}, f"body.to: must not be beyond the end of the log, {head}"),
        ({"expected_head": -1}, "body.expected_head: must be an integer from 0 to"),
    ):
        answer = http.post(f"{PATH}/undo", json=body)
        assert (answer.status_code, message in answer.json()["error"]["message"]) == (422, True), answer.text
    answer = http.post(f"{PATH}/undo", json={"expected_head": head + 7})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["details"]) == (
        409,
        "HEAD_CHANGED",
        {"expected": head + 7, "head": head},
    )
    assert http.get(PATH).json()["head"] == head
    assert "unknown key 'n' was ignored" in http.post(f"{PATH}/undo", json={"n": 2}).json()["warnings"]


def test_history_refuses_what_it_does_not_understand(http, learned):
    for query, status in (
        ({"limit": 0}, 422),
        ({"sort": "at"}, 422),
        ({"operation": "lose"}, 422),
        ({"cursor": "x"}, 422),
        ({"pattern": "x"}, 404),
    ):
        assert http.get(f"{PATH}/history", params=query).status_code == status, query
    page = http.get(f"{PATH}/history", params={"limit": 1, "pattern": learned[0].removeprefix("PTRN|").upper()}).json()
    assert (page["node_id"], page["entries"][0]["pattern_name"]) == (NODE, learned[0])


def test_the_latest_requests_are_told_newest_first(http):
    http.get("/nodes", headers={"X-Trace-ID": "first"})
    http.get("/pattern/unknown", headers={"X-Trace-ID": "second"})
    found = http.get("/requests").json()["requests"]
    told = [(each["method"], each["route"], each["status"], each["trace_id"]) for each in found[:2]]
    assert told == [("GET", "/pattern/{pattern_id}", 404, "second"), ("GET", "/nodes", 200, "first")]
    assert found[0]["duration_ms"] > 0
    (newest,) = http.get("/requests", params={"errors": "true", "limit": 1}).json()["requests"]
    assert newest["trace_id"] == "second"
    assert http.get("/requests", params={"limit": 501}).status_code == 422


def test_an_undoing_comes_to_its_end_beside_others_who_learn_all_the_time(server, http):
    ended, begun = threading.Event(), threading.Barrier(4, timeout=20)

    def learn_on(symbol):
        with KATOClient(server.url) as client:
            client.learn_many([[["busy"], [symbol]]], NODE)
            begun.wait()
            while not ended.is_set():
                client.learn_many([[["busy"], [symbol]]], NODE)

    with ThreadPoolExecutor(3) as pool:
        learning = [pool.submit(learn_on, symbol) for symbol in "xyz"]
        try:
            begun.wait()
            undone = [http.post(f"{PATH}/undo").json() for _ in range(30)]
        finally:
            ended.set()
        for each in learning:
            each.result()
    assert {each.get("status") for each in undone} == {"undone"}, undone
    assert all(each["from"] - each["to"] == each["count"] <= 1 for each in undone)
    assert sum(each["count"] for each in undone) > 20
