"""Sequences sent as endless lines: learned in chunks, answered line by line, taken up again where they broke off."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import tracemalloc

import pytest

from kato.errors import StorageUnavailable
from kato.operations import uploading
from kato.server.streaming import Spool
from kato.settings import Settings
from kato.wire.limits import Limits
from serving import client_of, running

LINES = {"Content-Type": "application/x-ndjson"}


def text(*sequences):
    return b"".join(json.dumps(sequence).encode() + b"\n" for sequence in sequences)


def send(http, node, content, **headers):
    answer = http.post(f"/nodes/{node}/learn", content=content, headers={**LINES, **headers})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    *results, end = [json.loads(line) for line in answer.text.splitlines()]
    return results, end


def test_every_line_is_answered_and_the_last_one_sums_up(http):
    content = (
        text([["a"], ["b"]], [["a"], ["b"]], [["lonely"]])
        + b"\n"
        + text({"events": [["c"], ["d"]], "emotives": [{"joy": 1}], "colour": "red"})
        + b"{not json\n"
        + text([["e"], 5])[:-1]
    )
    results, end = send(http, "lines", content)
    assert [(each["line"], each["status"]) for each in results] == [
        (1, "learned"),
        (2, "learned"),
        (3, "insufficient_data"),
        (5, "learned"),
        (6, "refused"),
        (7, "refused"),
    ]
    assert [(each["frequency"], each["is_new"]) for each in results[:2]] == [(1, True), (2, False)]
    assert results[3]["warnings"] == ["unknown key 'colour' was ignored"]
    assert results[4]["error"]["code"] == "MALFORMED_JSON"
    assert results[5]["error"]["details"]["validation_errors"][0]["field"] == "body.1"
    assert end == {
        "status": "completed",
        "lines": 7,
        "learned": 3,
        "insufficient_data": 1,
        "refused": 2,
        "replayed": 0,
        "node_id": "lines",
        "kb_id": "lines",
        "warnings": [],
    }
    assert http.get("/patterns", params={"node_id": "lines"}).json()["total"] == 2


def test_a_body_without_lines_is_an_upload_of_none(http):
    assert send(http, "none", b"") == ([], {**send(http, "none", b"\n\n")[1], "lines": 0})
    assert http.get("/nodes", params={"after": "nond"}).json()["nodes"][:1] != [{"node_id": "none"}]


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"Content-Encoding": "gzip"}, "", 415),
        ({"Idempotency-Key": "not visible"}, "", 422),
        ({}, "?persistence=0", 422),
    ],
)
def test_what_is_wrong_with_the_whole_is_said_at_once(http, headers, query, status):
    answer = http.post(f"/nodes/whole/learn{query}", content=text([["a"], ["b"]]), headers={**LINES, **headers})
    assert answer.status_code == status
    assert http.get("/patterns", params={"node_id": "whole"}).json()["total"] == 0


def test_other_operations_take_no_lines(http, session):
    assert http.post(f"/sessions/{session}/observe", content=b"{}", headers=LINES).status_code == 415


def test_settings_of_the_query_hold_for_every_line(http):
    content = text([["b", "a"]])
    answer = http.post("/nodes/sorted/learn?sort_symbols=false&what=1", content=content, headers=LINES)
    assert json.loads(answer.text.splitlines()[-1])["warnings"] == ["unknown query parameter 'what' was ignored"]
    assert http.get("/patterns", params={"node_id": "sorted"}).json()["patterns"][0]["data"] == [["b", "a"]]


# --- the same upload again ------------------------------------------------------------------------------------------------


def test_the_same_lines_under_the_same_key_are_told_what_they_were_told_and_learned_once(http, monkeypatch):
    monkeypatch.setattr(uploading, "CHUNK_LINES", 2)
    content = text([["a"], ["b"]], [["a"], ["b"]], [["x"]], [["c"], ["d"]]) + b"?\n"
    first, end = send(http, "again", content, **{"Idempotency-Key": "one"})
    again, repeated = send(http, "again", content, **{"Idempotency-Key": "one"})
    assert again == first
    assert repeated == {**end, "replayed": 3}
    patterns = http.get("/patterns", params={"node_id": "again", "sort": "-frequency"}).json()["patterns"]
    assert [pattern["frequency"] for pattern in patterns] == [2, 1]
    assert send(http, "again", content, **{"Idempotency-Key": "two"})[1]["replayed"] == 0


def test_other_lines_under_the_same_key_are_refused_and_change_nothing(http, monkeypatch):
    monkeypatch.setattr(uploading, "CHUNK_LINES", 1)
    send(http, "other", text([["a"], ["b"]], [["c"], ["d"]]), **{"Idempotency-Key": "other"})
    answer = http.post(
        "/nodes/other/learn", content=text([["x"], ["y"]]), headers={**LINES, "Idempotency-Key": "other"}
    )
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "IDEMPOTENCY_MISMATCH"
    results, end = send(http, "other", text([["a"], ["b"]], [["x"], ["y"]]), **{"Idempotency-Key": "other"})
    assert (len(results), end["status"], end["error"]["code"]) == (1, "failed", "IDEMPOTENCY_MISMATCH")
    assert http.get("/patterns", params={"node_id": "other"}).json()["total"] == 2


def test_a_key_of_an_upload_is_no_key_for_anything_else(http):
    lines, body = text([["a"], ["b"]]), {"sequences": [[["a"], ["b"]]]}
    send(http, "upload", lines, **{"Idempotency-Key": "upload"})
    assert http.post("/nodes/whole/learn", json=body, headers={"Idempotency-Key": "whole"}).status_code == 200
    for node, key, given in (
        ("elsewhere", "upload", {"content": lines, "headers": LINES}),
        ("upload", "upload", {"json": body}),
        ("whole", "whole", {"content": lines, "headers": LINES}),
    ):
        given["headers"] = {**given.get("headers", {}), "Idempotency-Key": key}
        answer = http.post(f"/nodes/{node}/learn", **given)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "IDEMPOTENCY_MISMATCH"), node
    found = [
        http.get("/patterns", params={"node_id": node}).json()["patterns"] for node in ("upload", "whole", "elsewhere")
    ]
    assert [[pattern["frequency"] for pattern in patterns] for patterns in found] == [[1], [1], []]


def broken_off(server, node, content, key, *, after):
    """An upload whose connection ends when so many of its lines have been answered."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = (
            f"POST /nodes/{node}/learn HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
            f"Idempotency-Key: {key}\r\nContent-Length: 1000000\r\n\r\n"
        )
        connection.sendall(head.encode() + content)
        received = b""
        while received.count(b'"line"') < after:
            received += connection.recv(65536)
    return received


def test_an_upload_that_broke_off_goes_on_where_it_was(server, http):
    """The lines that were whole are kept; the half one is not begun."""
    lines = [[[f"s{number}"], ["end"]] for number in range(10)]
    received = broken_off(server, "broken", text(*lines[:4]) + text(lines[4])[:-5], "key", after=4)
    assert b"100 Continue" not in received
    results, end = send(http, "broken", text(*lines), **{"Idempotency-Key": "key"})
    assert (end["learned"], end["replayed"]) == (10, 4)
    patterns = http.get("/patterns", params={"node_id": "broken"}).json()["patterns"]
    assert [pattern["frequency"] for pattern in patterns] == [1] * 10
    assert [each["line"] for each in results] == list(range(1, 11))


def test_a_key_outlives_a_restart(tmp_path, monkeypatch):
    monkeypatch.setattr(uploading, "CHUNK_LINES", 2)
    settings = Settings(data_dir=str(tmp_path), log_level="CRITICAL")
    content = text(*([[[f"s{number}"], ["end"]] for number in range(5)]))
    told = []
    for _ in range(2):
        with running(settings) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            connection.request("POST", "/nodes/n/learn", content, {**LINES, "Idempotency-Key": "kept"})
            told.append([json.loads(line) for line in connection.getresponse().read().splitlines()])
            connection.close()
    assert told[0][:-1] == told[1][:-1]
    assert told[1][-1]["replayed"] == 5


def test_two_at_once_under_one_key_learn_once(server, http):
    content = text(*([[[f"s{number}"], ["end"]] for number in range(50)]))
    ends = []

    def upload():
        with client_of(server.url, timeout=20) as client:
            ends.append(send(client, "twice", content, **{"Idempotency-Key": "k"})[1])

    threads = [threading.Thread(target=upload) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(end["replayed"] for end in ends) == [0, 50, 50, 50]
    patterns = http.get("/patterns", params={"node_id": "twice"}).json()["patterns"]
    assert {pattern["frequency"] for pattern in patterns} == {1}


# --- without end ----------------------------------------------------------------------------------------------------------


def test_each_line_is_answered_while_the_next_is_still_being_thought_of(server):
    """A conversation on one connection: chunked upload, one line, its answer, the next line."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(
            b"POST /nodes/talk/learn HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        received = b""
        for number in (1, 2, 3):
            line = text([["a"], [str(number)]])
            connection.sendall(b"%x\r\n%s\r\n" % (len(line), line))
            while f'"line":{number}'.encode() not in received:
                received += connection.recv(65536)
        connection.sendall(b"0\r\n\r\n")
        while b'"completed"' not in received:
            received += connection.recv(65536)


def test_a_client_that_reads_nothing_before_it_has_sent_all_is_no_dead_end():
    """Its answers are several times what sockets hold."""
    settings = Settings(data_dir=":memory:", log_level="CRITICAL")
    with running(settings) as server:
        line, count = text([["only one"]]), 150_000
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(
                b"POST /nodes/deaf/learn HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
                b"Connection: close\r\nContent-Length: %d\r\n\r\n" % (len(line) * count)
            )
            for _ in range(count // 1000):
                connection.sendall(line * 1000)
            received, tail = 0, b""
            while piece := connection.recv(1 << 20):
                received += len(piece)
                tail = (tail + piece)[-400:]
        assert f'"insufficient_data":{count}'.encode() in tail
        assert received > 10_000_000


def test_memory_does_not_grow_with_what_waits():
    spool = Spool()
    piece = b"x" * 100_000
    tracemalloc.start()
    try:
        for _ in range(300):
            spool.write(piece)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    size = 0
    while data := spool.read():
        size += len(data)
    assert size == 30_000_000
    spool.write(b"more")
    assert (spool.read(), spool.read()) == (b"more", b"")
    spool.close()


def test_a_line_longer_than_a_body_may_be_is_refused_without_being_held():
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", limits=Limits(max_body_bytes=1000))
    with running(settings) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        content = text([["a"], ["b"]], [["x" * 5000], ["y"]], [["c"], ["d"]])
        connection.request("POST", "/nodes/n/learn", content, LINES)
        answers = [json.loads(line) for line in connection.getresponse().read().splitlines()]
        connection.close()
    assert [each["status"] for each in answers] == ["learned", "refused", "learned", "completed"]
    assert answers[1]["error"]["code"] == "LIMIT_EXCEEDED"


def test_a_storage_that_fails_on_the_way_is_told_in_the_last_line(monkeypatch):
    monkeypatch.setattr(uploading, "CHUNK_LINES", 2)
    settings = Settings(data_dir=":memory:", log_level="CRITICAL")
    with running(settings) as server:
        storage = server.application.system.storage
        commit, left = storage.commit, [1]

        def failing(transactions, **how):
            if any(transaction.operations for transaction in transactions):
                left[0] -= 1
                if left[0] < 0:
                    raise StorageUnavailable("The disk is gone")
            return commit(transactions, **how)

        monkeypatch.setattr(storage, "commit", failing)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        content = text(*([[[f"s{number}"], ["end"]] for number in range(5)]))
        statuses = []
        for _ in range(2):
            connection.request("POST", "/nodes/n/learn", content, LINES)
            answer = connection.getresponse()
            statuses.append(answer.status)
            lines = [json.loads(line) for line in answer.read().splitlines()]
            if answer.status == 200:
                assert [each["status"] for each in lines] == ["learned", "learned", "failed"]
                assert (lines[-1]["learned"], lines[-1]["error"]["code"]) == (2, "STORAGE_UNAVAILABLE")
        connection.close()
    assert statuses == [200, 503]


def test_a_fault_on_the_way_is_told_too_without_its_text(monkeypatch):
    monkeypatch.setattr(uploading, "CHUNK_LINES", 1)
    settings = Settings(data_dir=":memory:", log_level="CRITICAL")
    learn = uploading.Upload.learn

    async def failing(self, chunk, earlier):
        if chunk.first > 1:
            raise ZeroDivisionError("secret")
        return await learn(self, chunk, earlier)

    monkeypatch.setattr(uploading.Upload, "learn", failing)
    with running(settings) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("POST", "/nodes/n/learn", text([["a"], ["b"]], [["c"], ["d"]]), LINES)
        received = connection.getresponse().read()
        connection.close()
    assert b"secret" not in received
    assert json.loads(received.splitlines()[-1])["error"]["code"] == "INTERNAL_ERROR"


def test_waiting_for_more_lines_ends_with_the_time_a_request_has():
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", request_timeout=1)
    with running(settings) as server:
        received = b""
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(
                b"POST /nodes/slow/learn HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
                b"Content-Length: 1000\r\n\r\n" + text([["a"], ["b"]])
            )
            while b'"failed"' not in received:
                received += connection.recv(65536)
    assert b'"TIMEOUT"' in received
    assert b'"line":1' in received
