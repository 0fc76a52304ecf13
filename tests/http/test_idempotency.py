"""One effect per key: what a POST answers when it comes again, and what it must not do a second time."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import httpx2
import pytest

from kato import IdempotencyMismatch, Kato, KATOClient
from kato.errors import StorageUnavailable
from kato.operations import OPERATIONS, idempotency
from kato.settings import Settings
from serving import client_of, running

PREDICTING = {"strings": ["a"], "include_predictions": True}
POSTS = [
    ("/sessions", {"node_id": "{node}", "config": {"recall_threshold": 0.3}}),
    ("/sessions/{session_id}/extend", {"ttl": 77}),
    ("/sessions/{session_id}/config", {"config": {"recall_threshold": 0.7}}),
    ("/sessions/{session_id}/config", {"config": {}}),
    ("/sessions/{session_id}/observe", {"strings": ["c"], "emotives": {"joy": 1}}),
    ("/sessions/{session_id}/observe", PREDICTING),
    ("/sessions/{session_id}/observe-sequence", {"observations": [{"strings": ["x"]}, {"strings": ["y"]}]}),
    (
        "/sessions/{session_id}/observe-sequence",
        {
            "observations": [PREDICTING, {"strings": ["b"]}, PREDICTING],
            "learn_after_each": True,
            "include_predictions": True,
        },
    ),
    ("/sessions/{session_id}/learn", None),
    ("/sessions/{session_id}/clear-stm", {"unasked": 1}),
    ("/sessions/{session_id}/clear-all", None),
    ("/sessions/{session_id}/finalize-training", None),
    ("/cache/invalidate", None),
    ("/nodes/{node}/learn", {"sequences": [[["a"], ["b"]], [["one"]]]}),
    ("/nodes/{node}/learn", {"sequences": [[["one"]]]}),
    ("/nodes/{node}/predict", {"stms": [[["a"]], []]}),
    ("/nodes/{node}/undo", {"count": 2}),
    ("/nodes/{node}/forecast", {"stms": [[["a"]], []]}),
    ("/nodes/{node}/explain", {"stm": [["a"]], "pattern": "b98534b32c1d7489d4ce1a48724aa65aeecbdba9"}),
]


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def filled(value, **values):
    if isinstance(value, str):
        return value.format_map(values)
    return {key: filled(each, **values) if isinstance(each, str) else each for key, each in value.items()}


def begun(http: httpx2.Client, node: str) -> str:
    """A session with an open episode, of a node that has learned something."""
    http.post(f"/nodes/{node}/learn", json={"sequences": [[["a"], ["b"], ["c"]]] * 3})
    session_id: str = http.post("/sessions", json={"node_id": node}).json()["session_id"]
    for symbol in "ab":
        http.post(f"/sessions/{session_id}/observe", json={"strings": [symbol]})
    return session_id


def everything(http: httpx2.Client, node: str, session_id: str) -> dict[str, object]:
    """All that a second effect would show in."""
    session = http.get(f"/sessions/{session_id}").json()
    stm = http.get(f"/sessions/{session_id}/stm").json()
    return {
        "patterns": http.get("/patterns", params={"node_id": node}).json()["patterns"],
        "nodes": [(each["node_id"], each["sequence"]) for each in http.get("/nodes").json()["nodes"]],
        "stm": (stm["stm"], stm["time"]),
        "session": (session["config_overrides"], session["ttl"]),
        "sessions": http.get("/sessions/count").json()["total_sessions"],
    }


def test_every_post_is_tried_here():
    elsewhere = {"/keys"}  # a key is not told again, so its answers differ: test_keys.py
    assert elsewhere | {path.replace("{node}", "{node_id}") for path, _ in POSTS} == {
        operation.template for operation in OPERATIONS if operation.method == "POST"
    }


@pytest.mark.parametrize(("path", "body"), POSTS, ids=lambda value: value if isinstance(value, str) else "")
def test_what_comes_again_under_its_key_is_answered_again_and_not_done_again(tmp_path, path, body):
    """Also after a restart, word for word."""
    settings = Settings(data_dir=str(tmp_path), log_level="CRITICAL")
    answers = []
    with running(settings) as server, client_of(server.url, timeout=20) as http:
        session_id = begun(http, "n")
        where = filled(path, node="n", session_id=session_id)
        said = filled(body, node="n") if body is not None else None
        answers = [http.post(where, json=said, headers=keyed("k")) for _ in range(2)]
        after = everything(http, "n", session_id)
    with running(settings) as server, client_of(server.url, timeout=20) as http:
        answers.append(http.post(where, json=said, headers=keyed("k")))
        assert everything(http, "n", session_id) == after
        other = http.post(where, json={"else": 1}, headers=keyed("k"))
        assert (other.status_code, other.json()["error"]["code"]) == (422, "IDEMPOTENCY_MISMATCH")
        another = "/sessions/{session_id}/learn" if path.endswith("clear-stm") else "/sessions/{session_id}/clear-stm"
        another = "/cache/invalidate" if path == "/sessions" else another if "session_id" in path else "/sessions"
        other = http.post(filled(another, session_id=session_id), json=said, headers=keyed("k"))
        assert (other.status_code, other.json()["error"]["code"]) == (422, "IDEMPOTENCY_MISMATCH")
        assert everything(http, "n", session_id) == after
        assert "idempotency-replayed" not in http.post(where, json=said, headers=keyed("another")).headers
    assert [answer.status_code for answer in answers] == [200, 200, 200], answers[0].text
    assert answers[0].content == answers[1].content == answers[2].content
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    named = {answer.headers.get("x-session-id") for answer in answers}
    told = answers[0].json().get("session_id")
    assert named == {told if path.startswith("/sessions") else None}


def test_the_same_key_in_another_session_is_another_key(http, session, request):
    other = begun(http, request.node.nodeid[-400:])
    for number, where in enumerate((session, other)):
        answer = http.post(f"/sessions/{where}/observe", json={"strings": ["z"]}, headers=keyed("shared"))
        assert "idempotency-replayed" not in answer.headers, number


def test_what_failed_is_not_remembered(http, session):
    where = f"/sessions/{session}/learn"
    assert http.post(where, headers=keyed("k")).json()["error"]["code"] == "EMPTY_STM"
    http.post(f"/sessions/{session}/observe", json={"strings": ["a", "b"]})
    answer = http.post(where, headers=keyed("k"))
    assert (answer.json()["status"], answer.headers.get("idempotency-replayed")) == ("learned", None)
    assert http.post(where, headers=keyed("k")).headers["idempotency-replayed"] == "true"


def test_what_comes_again_while_the_first_still_runs_waits_for_it(server, http, session, monkeypatch):
    """The first is held while it holds its session's turn; the others come meanwhile."""
    commit, let_go, begun_to_commit = server.application.system.storage.commit, threading.Event(), threading.Event()

    def held(transactions, **how):
        if any(transaction.reply is not None for transaction in transactions):
            begun_to_commit.set()
            assert let_go.wait(20)
        return commit(transactions, **how)

    monkeypatch.setattr(server.application.system.storage, "commit", held)
    answers = []

    def post():
        answers.append(
            httpx2.post(f"{server.url}/sessions/{session}/observe", json={"strings": ["a"]}, headers=keyed("k"))
        )

    threads = [threading.Thread(target=post) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert begun_to_commit.wait(20)
    let_go.set()
    for thread in threads:
        thread.join()
    assert sorted(answer.headers.get("idempotency-replayed", "first") for answer in answers) == ["first"] + ["true"] * 4
    assert len({answer.content for answer in answers}) == 1
    assert http.get(f"/sessions/{session}/stm").json()["length"] == 1


def test_the_effect_and_its_answer_are_stored_together_or_not_at_all(server, http, session, monkeypatch):
    """The write of the answer fails: the effect is not there either, and the repetition has it."""
    http.post(f"/sessions/{session}/observe", json={"strings": ["a", "b"]})
    with monkeypatch.context() as patch:
        patch.setattr(
            "kato.storage.memory_contents._remember", lambda *_: (_ for _ in ()).throw(StorageUnavailable("no"))
        )
        answer = http.post(f"/sessions/{session}/learn", headers=keyed("k"))
        assert answer.status_code == 503
    assert http.get(f"/sessions/{session}/stm").json()["length"] == 1
    answer = http.post(f"/sessions/{session}/learn", headers=keyed("k"))
    assert (answer.json()["frequency"], answer.headers.get("idempotency-replayed")) == (1, None)


def test_what_was_done_is_told_again_after_the_session_has_ended(http, session):
    first = http.post(f"/sessions/{session}/observe", json={"strings": ["a"]}, headers=keyed("k"))
    http.delete(f"/sessions/{session}")
    again = http.post(f"/sessions/{session}/observe", json={"strings": ["a"]}, headers=keyed("k"))
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert "x-session-id" not in again.headers
    for key, body in (("k", {"strings": ["b"]}), ("other", {"strings": ["a"]}), ("not visible", {})):
        answer = http.post(f"/sessions/{session}/observe", json=body, headers=keyed(key))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "SESSION_NOT_FOUND"), key


def test_a_repetition_renews_the_session(http, session):
    for _ in range(2):
        before = http.get(f"/sessions/{session}").json()["expires_at"]
        http.post(f"/sessions/{session}/clear-stm", headers=keyed("k"))
    assert http.get(f"/sessions/{session}").json()["expires_at"] >= before


def test_the_newest_keys_of_a_session_are_remembered(http, session, monkeypatch):
    kept = 30
    assert (idempotency.KEPT_PER_SESSION, idempotency.KEPT_PER_API_KEY) == (1000, 10_000)
    monkeypatch.setattr(idempotency, "KEPT_PER_SESSION", kept)
    for number in range(kept + 1):
        http.post(f"/sessions/{session}/clear-stm", headers=keyed(str(number)))
    replayed = [
        http.post(f"/sessions/{session}/clear-stm", headers=keyed(key)).headers.get("idempotency-replayed")
        for key in (str(kept), "1", "0")
    ]
    assert replayed == ["true", "true", None]


def test_keys_are_remembered_as_long_as_the_settings_say(tmp_path):
    for seconds, expected in ((60, "true"), (0, None)):
        settings = Settings(data_dir=str(tmp_path / str(seconds)), log_level="CRITICAL", idempotency_seconds=seconds)
        with running(settings) as server, client_of(server.url, timeout=20) as http:
            sessions = [http.post("/sessions", json={"node_id": "n"}, headers=keyed("k")) for _ in range(2)]
            assert sessions[1].headers.get("idempotency-replayed") == expected
            assert len({answer.json()["session_id"] for answer in sessions}) == (1 if expected else 2)


def test_other_methods_and_reads_have_no_keys(http, session):
    for method, path, body in (("PUT", "config", {"config": {"recall_threshold": 0.9}}), ("GET", "stm", None)):
        for _ in range(2):
            answer = http.request(method, f"/sessions/{session}/{path}", json=body, headers=keyed("k"))
            assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (200, None)


def test_predictions_that_were_not_yet_made_are_missed_in_words(server, http, session, monkeypatch):
    """The server goes between the commit and the predictions of what it learned: the effect stands, the answer says so."""
    body = {"observations": [PREDICTING, PREDICTING], "learn_after_each": True}

    async def gone(*_):
        return None

    with monkeypatch.context() as patch:
        patch.setattr("kato.service.observing._remember", gone)
        http.post(
            f"/sessions/{session}/observe-sequence",
            json={**body, "observations": [{"strings": ["a", "b"]}, PREDICTING]},
        )
        http.post(
            f"/sessions/{session}/observe-sequence",
            json={**body, "observations": [{"strings": ["a", "b"]}, PREDICTING]},
            headers=keyed("k"),
        )
    again = http.post(
        f"/sessions/{session}/observe-sequence",
        json={**body, "observations": [{"strings": ["a", "b"]}, PREDICTING]},
        headers=keyed("k"),
    )
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["results"][1]["predictions"] == []
    assert "were not made" in again.json()["warnings"][0]
    patterns = http.get(f"/sessions/{session}/patterns").json()["patterns"]
    assert [pattern["frequency"] for pattern in patterns] == [2]


def test_the_embedded_memory_honours_a_key_that_is_given():
    with Kato(":memory:") as kato:
        answers = [kato.learn_many([[["a"], ["b"]]], node_id="n", idempotency_key="mine") for _ in range(2)]
        assert answers[0] == answers[1]
        with pytest.raises(IdempotencyMismatch):
            kato.learn_many([[["a"], ["c"]]], node_id="n", idempotency_key="mine")
        assert [each["frequency"] for each in kato.node("n").iterate_patterns()] == [1]


class Losing(httpx2.HTTPTransport):
    """Loses the first answer to a path, after something else has happened."""

    def __init__(self, ending: str, meanwhile) -> None:
        super().__init__()
        self.ending, self.meanwhile = ending, meanwhile

    def handle_request(self, request):
        response = super().handle_request(request)
        if self.ending and request.url.path.endswith(self.ending):
            self.ending = ""
            response.read()
            self.meanwhile()
            raise httpx2.ReadError("the answer was lost")
        return response


def impatient(client: KATOClient) -> KATOClient:
    client._patience = replace(client._patience, first_pause_seconds=0.001)
    return client


@pytest.mark.parametrize("ending", ["/learn", "/observe-sequence"])
def test_a_client_whose_session_ends_before_its_repetition_learns_once(server, http, ending):
    """The repetition is told what happened; nothing is begun again for it, so nothing is learned in a session after."""
    node = f"ends {ending}"
    transport = Losing(ending, lambda: http.delete(f"/sessions/{client.session_id}"))
    with impatient(KATOClient(server.url, transport=transport)) as client:
        session = client.create_session(node)
        if ending == "/learn":
            client.observe(["a"])
            client.observe(["b"])
            assert client.learn()["frequency"] == 1
        else:
            client.observe_sequence([{"strings": ["a"]}, {"strings": ["b"]}], learn_at_end=True)
        assert client.session_id == session
        assert [each["frequency"] for each in client.node(node).iterate_patterns()] == [1]
        client.observe(["c"])  # the next call finds the session gone, and begins another
        assert client.session_id != session


def test_a_client_that_loses_the_answer_to_its_reconnection_gets_one_session(server, http):
    transport = Losing("", lambda: None)
    with impatient(KATOClient(server.url, transport=transport)) as client:
        lost = client.create_session("one in its place")
        http.delete(f"/sessions/{lost}")
        transport.ending = "/sessions"
        client.observe(["a"])
        listed = http.get("/sessions", params={"node_id": "one in its place"}).json()["sessions"]
        assert [each["session_id"] for each in listed] == [client.session_id]


@pytest.mark.parametrize("key", [None, "k"])
def test_what_has_happened_is_not_told_as_out_of_time(monkeypatch, key):
    """The time is up while predictions are made of what was just learned: the learning stands, so the answer is no 504."""
    from kato.service import observing

    predict_from = observing.predict_from

    async def slow(system, view, events, settings):
        if view.totals.patterns:
            await asyncio.sleep(30)
        return await predict_from(system, view, events, settings)

    monkeypatch.setattr(observing, "predict_from", slow)
    settings = Settings(data_dir=":memory:", request_timeout=1, log_level="CRITICAL")
    body = {"observations": [{"strings": ["a", "b"]}, PREDICTING], "learn_after_each": True}
    with running(settings) as server, client_of(server.url, timeout=20) as http:
        session = http.post("/sessions", json={"node_id": "n"}).json()["session_id"]
        answer = http.post(
            f"/sessions/{session}/observe-sequence", json=body, headers=keyed(key) if key is not None else {}
        )
        assert answer.status_code == 200
        assert "were not made" in answer.json()["warnings"][0]
        assert len(answer.json()["patterns_learned"]) == 1
        if key is not None:
            again = http.post(f"/sessions/{session}/observe-sequence", json=body, headers=keyed(key))
            assert (again.content, again.headers["idempotency-replayed"]) == (answer.content, "true")
        assert http.get(f"/sessions/{session}/patterns").json()["patterns"][0]["frequency"] == 1
