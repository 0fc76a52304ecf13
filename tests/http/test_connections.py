"""What a connection may do before there is a request: how long a head may take, how large it may be, and what is no HTTP."""

from __future__ import annotations

import json
import socket
import time

import pytest

from kato.server import connections
from kato.settings import Settings
from serving import running

GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"


def connect(server, timeout=20):
    return socket.create_connection(("127.0.0.1", server.port), timeout=timeout)


def received(connection):
    """(status, headers, body) of the answer, read to the end of the connection or of the body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(headers.get(b"content-length", 0)):
        body += connection.recv(65536)
    return int(head.split()[1]), headers, json.loads(body)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health/live HTTP/1.1\r\n" + b"X-A: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        GET + b"".join(b"X-%d: a\r\n" % number for number in range(10_000)) + b"\r\n",
        GET + b"X-Endless: " + b"a" * 70_000,
    ],
    ids=["header", "path", "many headers", "unfinished"],
)
def test_a_head_that_is_too_large_is_413_and_the_end(server, head):
    with connect(server) as connection:
        connection.sendall(head)
        status, headers, body = received(connection)
        assert (status, body["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
        assert body["detail"]["limit"] == 65_536
        assert body["detail"]["message"] == "headers may be at most 65536; the limit is fixed"
        assert body["error"]["trace_id"] == headers[b"x-trace-id"].decode()
        assert connection.recv(1) == b""


def test_a_head_that_is_large_and_allowed_is_taken_also_byte_by_byte(server):
    with connect(server) as connection:
        for _ in range(2):
            head = GET + b"X-A: " + b"a" * 60_000 + b"\r\n\r\n"
            for start in range(0, len(head), 7_000):
                connection.sendall(head[start : start + 7_000])
            assert received(connection)[0] == 200


@pytest.mark.parametrize(
    "request_", [b"SSH-2.0-x\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nA\xff b\r\n\r\n", b"\x16\x03\x01\x02"]
)
def test_what_is_no_http_is_400_in_json(server, request_):
    with connect(server) as connection:
        connection.sendall(request_)
        status, headers, body = received(connection)
        assert (status, body["error"]["code"], body["status"]) == (400, "MALFORMED_REQUEST", 400)
        assert body["error"]["trace_id"] == headers[b"x-trace-id"].decode()
        assert connection.recv(1) == b""


class Wire:
    """A transport that keeps what each call of the system would have been given."""

    def __init__(self):
        self.calls = []

    def write(self, data):
        self.calls.append(bytes(data))

    def writelines(self, pieces):
        self.calls.append(b"".join(pieces))

    def close(self):
        self.calls.append("closed")


class Cycle:
    def __init__(self):
        self.transport, self.response_started = Wire(), False


@pytest.mark.parametrize("size", [0, 10, 100_000])
def test_the_head_of_an_answer_leaves_with_the_first_of_its_body(size):
    cycle = Cycle()
    gathering = connections.Gathering(cycle)
    gathering.write(b"100 Continue")
    cycle.response_started = True
    gathering.write(b"head;")
    assert cycle.transport.calls == [b"100 Continue"]
    gathering.write(b"x" * size)
    gathering.write(b"more")
    gathering.close()
    assert cycle.transport.calls == [b"100 Continue", b"head;" + b"x" * size, b"more", "closed"]


def test_a_head_without_a_body_leaves_when_the_connection_ends():
    cycle = Cycle()
    cycle.response_started = True
    gathering = connections.Gathering(cycle)
    gathering.write(b"head")
    gathering.close()
    assert cycle.transport.calls == [b"head", "closed"]


def test_heads_alone_and_permissions_to_go_on_are_not_held_back(server):
    with connect(server) as connection:
        connection.sendall(b"HEAD /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
        body = b'{"node_id":"expected"}'
        head = (
            b"POST /sessions HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n"
        )
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert received(connection)[2]["node_id"] == "expected"


@pytest.mark.parametrize(
    "sent", [b"", GET[:10], GET, GET + b"\r\n" + GET[:10]], ids=["nothing", "half a line", "half", "next"]
)
def test_who_sends_no_head_is_let_go(monkeypatch, sent):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as server, connect(server) as connection:
        connection.sendall(sent)
        if sent.endswith(GET[:10]) and len(sent) > 20:
            assert received(connection)[0] == 200
        assert connection.recv(1) == b""


def test_a_body_may_take_longer_than_a_head(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as server, connect(server) as connection:
        body = b'{"node_id": "slow"}'
        connection.sendall(b"POST /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body))
        for byte in body[:4]:
            time.sleep(0.1)
            connection.sendall(bytes([byte]))
        connection.sendall(body[4:])
        assert received(connection)[0] == 200


def test_a_body_that_nobody_needs_any_more_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    settings = Settings(data_dir=":memory:", log_level="CRITICAL")
    with running(settings) as server, connect(server) as connection:
        connection.sendall(b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{")
        assert received(connection)[0] == 404
        with pytest.raises(OSError):  # noqa: PT012 - reset, or broken pipe: it is over
            for _ in range(100):
                connection.sendall(b" ")
                time.sleep(0.05)


def test_slow_senders_take_no_place_of_those_who_have_sent(monkeypatch):
    """The limit of requests in flight is 3, ten are still arriving."""
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", limit_concurrency=3)
    with running(settings) as server:
        slow = [connect(server) for _ in range(10)]
        for connection in slow:
            connection.sendall(b"POST /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        with connect(server) as connection:
            for _ in range(20):
                connection.sendall(b"GET /sessions/count HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert received(connection)[0] == 200
            connection.sendall(b"GET /concurrency HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert received(connection)[2]["current"]["concurrent_requests"] == 1
        for connection in slow:
            connection.close()
