"""The WebSocket: snapshot, events, filters, and what closes it."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from datetime import datetime

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from kato import Kato, KATOClient
from kato.errors import StorageFull, StorageUnavailable, StoredDataCorrupt
from kato.server.watching import CLOSING, TOO_SLOW, Watcher, Watching
from kato.service.events import PatternsLearned
from kato.settings import Settings
from serving import running


def watch(server, query="", **more):
    return connect(f"ws://127.0.0.1:{server.port}/ws/events{query}", **more)


def make(server, node_id, **more):
    """A session that nobody of this test talks to; its id."""
    with KATOClient(server.url) as kato:
        return kato.create_session(node_id, **more)


def next_event(connection, kind=None):
    while True:
        event = json.loads(connection.recv(timeout=10))
        assert event["event_id"].startswith("evt-")
        assert event["timestamp"].endswith("Z")
        if kind is None or event["event_type"] == kind:
            return event["data"]


def test_a_watcher_sees_a_session_live_and_learn(server):
    with watch(server, "?node_id=watched") as connection, KATOClient(server.url) as kato:
        assert next_event(connection, "state.snapshot")["system_status"] == "healthy"
        session_id = kato.create_session("watched")
        make(server, "elsewhere")
        assert next_event(connection)["session_id"] == session_id
        kato.observe(["a"], emotives={"joy": 1.0})
        updated = next_event(connection)
        assert (updated["updated_fields"], updated["stm_length"]) == (["short_term_memory", "emotives"], 1)
        kato.observe(["b"], metadata={"k": 1})
        kato.observe(["c"])
        learned = kato.learn()
        told = next_event(connection)
        assert (told["pattern_name"], told["is_new"], told["trigger"]) == (learned["pattern_name"], True, "learn")
        together = next_event(connection, "session.updated")
        assert together["stm_length"] == 0
        assert {"short_term_memory", "metadata"} <= set(together["updated_fields"])
        kato.delete_session()
        assert next_event(connection)["reason"] == "explicit_delete"


def test_corrections_are_told(server):
    with watch(server, "?node_id=corrected") as connection, KATOClient(server.url) as kato:
        next_event(connection, "state.snapshot")
        kato.learn_many([[["a"], ["b"]], [["c"], ["d"]]], "corrected")
        one, other = next_event(connection)["pattern_names"]
        kato.edit_pattern(one, "corrected", frequency=7)
        kato.forget_pattern(other, "corrected")
        kato.undo(2, node_id="corrected")
        kato.undo(node_id="elsewhere")  # there is nothing to undo, so nothing is told
        session_id = kato.create_session("corrected")
        kato.clear_all()
        told = [json.loads(connection.recv(timeout=10)) for _ in range(6)]
    seen = {"session_id": None, "node_id": "corrected"}
    for event in told:
        event["data"].pop("changed_at", None) or event["data"].pop("forgotten_at", None)
    assert [(event["event_type"], event["data"]) for event in told if event["event_type"].startswith("pattern.")] == [
        ("pattern.changed", seen | names(one) | {"count": 1, "frequency": 7, "trigger": "edit"}),
        ("pattern.forgotten", seen | names(other) | {"count": 1, "frequency": 0, "trigger": "forget"}),
        ("pattern.changed", seen | names(one, other) | {"count": 2, "frequency": 1, "trigger": "undo"}),
        (
            "pattern.forgotten",
            {**seen, "session_id": session_id, "pattern_name": None, "pattern_names": [], "count": 2}
            | {"frequency": 0, "trigger": "clear_all"},
        ),
    ]


def names(*several):
    return {"pattern_name": several[-1], "pattern_names": list(several)}


def test_a_node_that_knows_nothing_forgets_nothing(server):
    with watch(server, "?event_type=pattern.forgotten&event_type=session.destroyed") as connection:
        next_event(connection, "state.snapshot")
        with KATOClient(server.url) as kato:
            kato.create_session("blank")
            kato.clear_all()
            kato.delete_session()
        assert json.loads(connection.recv(timeout=10))["event_type"] == "session.destroyed"


@pytest.mark.parametrize("refusal", [StorageUnavailable("The disk refuses"), StorageFull("The disk is full")])
def test_a_storage_that_fails_is_told_once_and_so_is_its_recovery(refusal, monkeypatch):
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as server:
        storage = server.application.system.storage
        commit = storage.commit

        def refuse(*_, **__):
            raise refusal

        with watch(server, "?event_type=system.error") as connection, KATOClient(server.url, max_retries=0) as kato:
            next_event(connection, "state.snapshot")
            monkeypatch.setattr(storage, "commit", refuse)
            monkeypatch.setattr(storage, "check", refuse)
            for _ in range(2):
                with pytest.raises(type(refusal)):
                    kato.create_session("node")
            monkeypatch.setattr(storage, "commit", commit)
            monkeypatch.setattr(storage, "check", lambda: None)
            assert [next_event(connection), next_event(connection)] == [
                {
                    "error_type": refusal.kind,
                    "severity": severity,
                    "message": message,
                    "affected_component": "storage",
                }
                for severity, message in (("critical", refusal.message), ("info", "The storage takes writes again"))
            ]


def test_what_concerns_one_request_says_nothing_of_the_storage():
    with Kato() as kato:
        told = []
        kato.system.events.watch(told.append)
        kato.system.dependency.note(StoredDataCorrupt("A row is damaged"))
        assert (told, kato.system.dependency.failure) == ([], None)


def test_expiry_is_told_when_it_happens(server):
    with watch(server, "?event_type=session.expired&event_type=session.destroyed") as connection:
        next_event(connection, "state.snapshot")
        session_id = make(server, "brief", ttl=1)
        assert next_event(connection)["session_id"] == session_id
        assert next_event(connection)["reason"] == "expired"


def test_filters_can_be_changed_and_nonsense_is_ignored(server):
    with watch(server) as connection:
        next_event(connection, "state.snapshot")
        connection.send("ping")
        assert connection.recv(timeout=5) == "pong"
        for nonsense in ("hello", "[1]", "{}", '{"action": 5}', '{"action": [1]}', '{"action": {}}', "{", "[" * 9_999):
            connection.send(nonsense)
        connection.send(json.dumps({"action": "subscribe", "node_id": ["x", 5], "event_types": "session.created"}))
        assert next_event(connection) == {"filter": {"node_id": ["x"], "event_type": ["session.created"]}}
        make(server, "y")
        wanted = make(server, "x")
        assert next_event(connection)["session_id"] == wanted
        connection.send('{"action": "unsubscribe"}')
        assert next_event(connection) == {"filter": {}}


@pytest.mark.parametrize(("frame", "code"), [(b"bytes", 1003), ("x" * 65_537, 1009)])
def test_frames_that_are_not_understood_close_the_connection(server, frame, code):
    with watch(server, max_size=None) as connection:
        next_event(connection, "state.snapshot")
        connection.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=5)
        assert closed.value.rcvd.code == code


def test_foreign_pages_and_too_many_watchers_are_refused():
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", ws_max_connections=1)
    with running(settings) as server:
        with pytest.raises(InvalidStatus) as refused, watch(server, origin="https://evil.example"):
            pass
        assert refused.value.response.status_code == 403
        detail = json.loads(refused.value.response.body)["detail"]
        assert detail.endswith("may not watch here; add it to KATO_WS_ORIGINS")
        with watch(server, origin=server.url) as first:
            next_event(first, "state.snapshot")
            with pytest.raises(InvalidStatus) as refused, watch(server):
                pass
            assert refused.value.response.status_code == 503
        with pytest.raises(InvalidStatus), connect(f"ws://127.0.0.1:{server.port}/ws/other"):
            pass


def test_a_server_that_stops_says_that_it_goes_away():
    with ExitStack() as stack:
        with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as server:
            connection = stack.enter_context(watch(server))
            next_event(connection, "state.snapshot")
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=10)
        assert closed.value.rcvd.code == 1001


def test_a_watcher_too_far_behind_is_closed_and_stopping_closes_all():
    async def fall_behind():
        slow, stopping = Watcher({}), Watcher({})
        for number in range(1002):
            slow.put(str(number))
        stopping.put("frame")
        stopping.close(CLOSING)
        return slow, stopping

    slow, stopping = asyncio.run(fall_behind())
    assert (slow.closed, slow.frames.qsize(), slow.frames.get_nowait()) == (True, 1, TOO_SLOW)
    assert stopping.frames.get_nowait() == CLOSING
    slow.put("ignored")
    assert slow.frames.empty()


def test_one_who_does_not_read_is_closed_and_delays_nobody(server):
    """Thousands of frames for a watcher that reads none: another sees its own, and requests go on."""
    noise = PatternsLearned(None, "noise", 0, ("0" * 40,) * 100, 1, True, "learn")
    tell = server.application.system.events.learned

    def tell_often():
        for _ in range(600):
            tell(noise)

    with watch(server, "?node_id=noise", max_queue=1) as deaf, watch(server, "?node_id=quiet") as other:
        next_event(other, "state.snapshot")
        watchers = server.application.watching._watchers
        (watcher,) = [each for each in watchers if each.filter["node_id"] == ["noise"]]
        for _ in range(200):
            server.loop.call_soon_threadsafe(tell_often)
            make(server, "quiet")
            assert next_event(other, "session.created")["node_id"] == "quiet"
            if watcher.closed:
                break
        assert watcher.closed
        assert closing_code(deaf) == TOO_SLOW


def closing_code(connection):
    """With what the server closed it, once everything before that has been read."""
    try:
        while True:
            connection.recv(timeout=20)
    except ConnectionClosed as closed:
        return closed.rcvd.code


@pytest.mark.parametrize(
    ("given", "comes"), [({}, True), ({"node_id": ["x"]}, True), ({"event_type": ["session.created"]}, False)]
)
def test_a_heartbeat_comes_while_nothing_happens(given, comes):
    async def beat():
        with Kato() as kato:
            watching = Watching(kato.system, most=1, heartbeat_seconds=0.01)
            watcher = Watcher(given)
            beating = asyncio.create_task(watching._beating(watcher))
            await asyncio.sleep(0.2)
            beating.cancel()
            return [json.loads(watcher.frames.get_nowait()) for _ in range(watcher.frames.qsize())]

    frames = asyncio.run(beat())
    assert bool(frames) == comes
    assert all((frame["event_type"], frame["data"]) == ("heartbeat", {}) for frame in frames)


def test_an_expiry_is_told_once_and_never_after_it_was_over(server):
    with watch(server, "?node_id=once") as connection:
        next_event(connection, "state.snapshot")
        session_id = make(server, "once", ttl=1)
        told = []
        while not told or told[-1]["event_type"] != "session.destroyed":
            told.append(json.loads(connection.recv(timeout=10)))
        with KATOClient(server.url) as kato:
            kato.create_session("once")
        told.append(json.loads(connection.recv(timeout=10)))
    assert [event["event_type"] for event in told] == [
        "session.created",
        "session.expired",
        "session.destroyed",
        "session.created",
    ]
    expired = told[1]["data"]
    assert (expired["session_id"], expired["reason"]) == (session_id, "expired")
    assert 0 <= seconds(expired["expired_at"]) - seconds(told[0]["data"]["expires_at"]) <= 2


def seconds(text):
    return datetime.fromisoformat(text).timestamp()
