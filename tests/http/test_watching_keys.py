"""The WebSocket with keys: who is let in, and who is told what."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from guarding import KEYS, NODE, STRANGERS, Asking, guarded
from kato.server.watching import NOT_WELCOME
from kato.settings import Settings
from kato.storage.opening import key_file
from serving import running


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with guarded(tmp_path_factory.mktemp("keys"), ws_max_connections=20) as found:
        yield found


def watch(server, query="", **headers):
    return connect(f"ws://127.0.0.1:{server.server.port}/ws/events{query}", additional_headers=headers)


def refusal(server, query="", **headers):
    with pytest.raises(InvalidStatus) as refused, watch(server, query, **headers):
        pass
    response = refused.value.response
    return response.status_code, json.loads(response.body)["error"]["code"], response.headers


@pytest.mark.parametrize("who", [*STRANGERS, *KEYS])
def test_everybody_with_a_key_may_watch_and_nobody_without(server, who):
    if who in STRANGERS:
        status, code, headers = refusal(server, **server.headers(who))
        assert (status, code, headers["WWW-Authenticate"]) == (401, "UNAUTHORIZED", "Bearer")
        return
    secret = server.secrets[who]
    bearer = {"Authorization": f"Bearer {secret}"}
    for query, headers in (
        ("", {"X-API-Key": secret}),
        ("", bearer),
        (f"?api_key={secret}", {}),
        (f"?token={secret}", {}),
    ):
        with watch(server, query, **headers) as connection:
            assert json.loads(connection.recv(timeout=10))["event_type"] == "state.snapshot"
    assert refusal(server, f"?api_key={secret[:-1]}")[0] == 401
    assert refusal(server, f"?key={secret}")[0] == 401


@pytest.mark.parametrize(
    ("who", "node", "let_in"), [("read", NODE, True), ("read", "theirs/x", False), ("admin", "theirs/x", True)]
)
def test_a_filter_names_a_node_as_any_request_does(server, who, node, let_in):
    if let_in:
        with watch(server, f"?node_id={node}", **server.headers(who)) as connection:
            assert json.loads(connection.recv(timeout=10))["event_type"] == "state.snapshot"
    else:
        assert refusal(server, f"?node_id={node}", **server.headers(who))[:2] == (403, "FORBIDDEN")


def test_events_tell_a_key_of_what_it_may_touch(server):
    with Asking(server) as ask, ExitStack() as open_ones:
        watchers = {who: open_ones.enter_context(watch(server, **server.headers(who))) for who in KEYS}
        snapshots = {
            who: json.loads(each.recv(timeout=10))["data"]["active_sessions"] for who, each in watchers.items()
        }
        assert snapshots == dict.fromkeys(KEYS, 0)
        session = ask.session()
        ask.as_("write", "DELETE", f"/sessions/{session}")
        theirs = ask.as_("other tenant", "POST", "/sessions", json={"node_id": "theirs/x"}).json()["session_id"]
        ask.as_("other tenant", "DELETE", f"/sessions/{theirs}")
        for each in watchers.values():
            each.send("ping")
        told = {}
        for who, each in watchers.items():
            told[who] = []
            while (text := each.recv(timeout=10)) != "pong":
                told[who].append(json.loads(text))
    seen = {
        who: {
            (event["event_type"], event["data"]["session_id"])
            for event in events
            if event["event_type"] != "session.updated"
        }
        for who, events in told.items()
    }
    begun = lambda of: {("session.created", of), ("session.destroyed", of)}  # noqa: E731 - a name for a pair
    assert seen == {
        "write": {*begun(session), ("pattern.learned", session)},
        "admin": {*begun(session), *begun(theirs), ("pattern.learned", session)},
        "read": {("pattern.learned", None)},
        "same tenant": {("pattern.learned", None)},
        "other tenant": begun(theirs),
        "other tenant's admin": begun(theirs),
    }
    updates = {who for who, events in told.items() if any(each["event_type"] == "session.updated" for each in events)}
    assert updates == {"write", "admin"}


def test_a_filter_by_another_keys_session_tells_nothing_of_it(server):
    with Asking(server) as ask:
        session = ask.as_("write", "POST", "/sessions", json={"node_id": NODE}).json()["session_id"]
        with watch(server, f"?session_id={session}", **server.headers("same tenant")) as connection:
            connection.recv(timeout=10)
            for symbol in ("a", "b"):
                ask.as_("write", "POST", f"/sessions/{session}/observe", json={"strings": [symbol]})
            ask.as_("write", "POST", f"/sessions/{session}/learn")
            connection.send("ping")
            assert connection.recv(timeout=10) == "pong"


def test_who_watches_with_a_revoked_key_is_closed_and_so_is_who_came_before_any_key(tmp_path):
    file = key_file(tmp_path)
    with running(Settings(data_dir=str(tmp_path), log_level="CRITICAL")) as server:
        url = f"ws://127.0.0.1:{server.port}/ws/events"

        def closing_code(connection):
            try:
                while True:
                    connection.recv(timeout=10)
            except ConnectionClosed as closed:
                return closed.rcvd.code

        with connect(url) as early:
            secret, made = file.create("", "read", ())
            assert closing_code(early) == NOT_WELCOME
        with connect(f"{url}?api_key={secret}") as watcher:
            file.create("", "read", ())
            watcher.recv(timeout=10)
            file.revoke(made.key_id)
            assert closing_code(watcher) == NOT_WELCOME


def test_handshakes_count_as_requests(tmp_path):
    with guarded(tmp_path, rate_limit_per_minute=2) as server:
        for _ in range(2):
            with watch(server, **server.headers("read")):
                pass
        status, code, headers = refusal(server, **server.headers("read"))
        assert (status, code) == (429, "RATE_LIMITED")
        assert int(headers["Retry-After"]) >= 1
