"""What http-api says of transport: paths, methods, headers, bodies, error answers."""

from __future__ import annotations

import re
import socket
import time

import pytest


def test_every_answer_carries_a_trace_id_and_keeps_a_good_one(http):
    assert re.fullmatch(r"kato-[0-9a-f]{32}", http.get("/").headers["x-trace-id"])
    assert http.get("/", headers={"X-Trace-ID": "mine:1.2-3_4"}).headers["x-trace-id"] == "mine:1.2-3_4"
    assert http.get("/nope", headers={"X-Trace-ID": "spaces are not kept"}).headers["x-trace-id"].startswith("kato-")


def test_an_unknown_path_is_404_in_the_error_shape(http):
    answer = http.get("/nothing/here")
    body = answer.json()
    assert answer.status_code == body["status"] == 404
    assert body["error"]["code"] == "NOT_FOUND"
    assert body["error"]["trace_id"] == answer.headers["x-trace-id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", body["error"]["timestamp"])


def test_another_method_is_405_with_those_that_are_allowed(http):
    answer = http.delete("/sessions")
    assert answer.status_code == 405
    assert {"GET", "HEAD", "POST"} <= set(answer.headers["allow"].split(", "))
    assert answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"


def test_a_trailing_slash_makes_no_difference_and_causes_no_redirect(http):
    assert http.get("/health/").json()["status"] == "healthy"
    assert http.post("/sessions/", json={"node_id": "slash"}).status_code == 200


@pytest.mark.parametrize("path", ["/docs/", "/redoc/", "/openapi.json/"])
def test_the_description_needs_no_redirect_either(http, path):
    answer = http.get(path)
    assert answer.status_code == 200
    assert answer.headers["x-trace-id"].startswith("kato-")
    assert http.head(path).content == b""
    refused = http.post(path, json={})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", ["/sessions", "/health", "/docs", "/ui/"])
def test_what_is_refused_is_not_said_to_be_possible(http, path):
    refused = http.request("OPTIONS", path)
    assert refused.status_code == 405
    assert "OPTIONS" not in refused.headers["allow"]
    assert refused.json()["detail"].endswith(f"possible: {refused.headers['allow']}")


def test_head_answers_like_get_without_the_body(http):
    got, headed = http.get("/sessions/count"), http.head("/sessions/count")
    assert headed.status_code == 200
    assert headed.content == b""
    assert int(headed.headers["content-length"]) > 0
    assert got.json()["count"] >= 0


def test_an_encoded_slash_stays_inside_its_segment(http):
    answer = http.get("/symbols/a%2Fb/affinity", params={"node_id": "n"})
    assert answer.json()["symbol"] == "a/b"
    assert http.get("/pattern/a%2Fb").json()["error"]["code"] == "PATTERN_NOT_FOUND"


def test_a_path_value_that_is_not_utf8_is_refused(http):
    assert http.get("/symbols/%FF/affinity").status_code == 422


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_a_body_of_another_type_is_415(http, session, content_type):
    answer = http.post(f"/sessions/{session}/observe", content=b"{}", headers={"Content-Type": content_type})
    assert answer.status_code == 415
    assert answer.headers["x-session-id"] == session


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json", "model/x+json", None],
)
def test_json_and_undeclared_bodies_are_read(http, session, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    request = http.build_request("POST", f"/sessions/{session}/observe", content=b'{"strings":["a"]}', headers=headers)
    assert http.send(request).status_code == 200


def test_an_operation_without_a_body_accepts_an_empty_one_of_any_type(http, session):
    answer = http.post(f"/sessions/{session}/clear-stm", content=b"", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["observe", "config"])
def test_a_required_body_that_is_absent_is_422_and_changes_nothing(http, session, path):
    answer = http.post(f"/sessions/{session}/{path}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body"]
    assert http.get(f"/sessions/{session}/stm").json()["time"] == 0


def test_members_of_a_body_nobody_asked_for_are_named(http, session):
    answer = http.post(f"/sessions/{session}/clear-stm", json={"really": True})
    assert answer.json()["warnings"] == ["unknown key 'really' was ignored"]
    answer = http.request("DELETE", f"/sessions/{session}", json={"really": True})
    assert answer.json()["warnings"] == ["unknown key 'really' was ignored"]


@pytest.mark.parametrize(("method", "path"), [("POST", "learn"), ("POST", "observe"), ("PUT", "config")])
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "not visible"}])
def test_a_session_that_is_gone_goes_before_everything_in_its_body(http, method, path, headers):
    answer = http.request(method, f"/sessions/session-none/{path}", content=b"{nonsense", headers=headers)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "SESSION_NOT_FOUND"


@pytest.mark.parametrize(
    ("key", "code"),
    [("k" * 257, "LIMIT_EXCEEDED"), ("a b", "VALIDATION_ERROR"), ("é".encode(), "VALIDATION_ERROR")],
)
def test_an_idempotency_key_that_can_be_none_is_422_and_changes_nothing(http, session, key, code):
    answer = http.post(f"/sessions/{session}/observe", json={"strings": ["a"]}, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == code
    assert answer.json()["detail"][0]["loc"] == ["header", "Idempotency-Key"]
    if code == "LIMIT_EXCEEDED":
        assert answer.json()["detail"][0]["ctx"] == {"limit": 256, "actual": 257, "setting": "fixed"}
    assert http.get(f"/sessions/{session}/stm").json()["time"] == 0


@pytest.mark.parametrize("key", ["k" * 256, "!~", ""])
def test_an_idempotency_key_that_can_be_one_is_taken(http, session, key):
    answer = http.post(f"/sessions/{session}/observe", json={}, headers={"Idempotency-Key": key})
    assert answer.status_code == 200


@pytest.mark.parametrize("header", ["X-Node-ID", "X-Test-ID"])
def test_a_node_named_in_no_encoding_is_no_other_node(http, session, header):
    """Read as Latin-1 these bytes would be the name of another node."""
    answer = http.get("/patterns", headers={header: b"\xff"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["header", header]
    assert http.get("/patterns", headers={header: "ÿ".encode()}).json()["node_id"].endswith("ÿ")
    assert http.get(f"/sessions/{session}/stm", headers={header: b"\xff"}).status_code == 200


def test_a_compressed_body_is_415(http, session):
    answer = http.post(f"/sessions/{session}/observe", content=b"{}", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


def test_a_body_that_says_it_is_too_large_is_refused_unread(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(
            b"POST /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99999999999\r\n\r\n"
        )
        answer = connection.recv(65536)
    assert b" 413 " in answer.split(b"\r\n", 1)[0]


def test_a_body_found_too_large_while_reading_is_refused(http):
    def chunks():
        for _ in range(40):
            yield b" " * 2**20

    answer = http.post("/sessions", content=chunks(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["error"]["details"]["actual"] is None
    assert answer.json()["detail"]["setting"] == "KATO_MAX_BODY_BYTES"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "169.254.1.1", "localhost.evil.example", ""])
def test_a_foreign_host_name_is_refused(http, host):
    answer = http.get("/", headers={"Host": host})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "ORIGIN_REFUSED"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.1.2.3", "[::1]:8000"])
def test_loopback_host_names_are_served(http, host):
    assert http.get("/", headers={"Host": host}).status_code == 200


def test_a_foreign_origin_may_not_write(http):
    answer = http.post("/sessions", json={"node_id": "x"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_the_servers_own_origin_may_write(http, server):
    assert http.post("/sessions", json={"node_id": "x"}, headers={"Origin": server.url}).status_code == 200


def test_a_preflight_is_answered_before_anything_else(http):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = http.options("/sessions/unknown/observe", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_options_without_preflight_names_the_methods(http):
    assert http.options("/sessions").status_code == 405


def test_an_unknown_query_parameter_is_named(http):
    assert http.get("/health", params={"verbose": "1"}).json()["warnings"] == [
        "unknown query parameter 'verbose' was ignored"
    ]


def test_a_session_named_outside_its_paths_counts_as_accessed(http, session):
    assert http.get("/health", headers={"X-Session-ID": session}).headers["x-session-id"] == session
    assert http.get("/health", cookies={"session_id": session}).headers["x-session-id"] == session
    assert "x-session-id" not in http.get("/health", headers={"X-Session-ID": "session-none"}).headers


def test_the_description_lists_every_operation(http):
    from kato.operations import OPERATIONS

    paths = http.get("/openapi.json").json()["paths"]
    listed = {(method.upper(), path) for path, found in paths.items() for method in found}
    assert listed == {(operation.method, operation.template) for operation in OPERATIONS}
    assert http.get("/docs").status_code == http.get("/redoc").status_code == 200


def test_a_session_gone_is_404_before_the_body_is_judged(http):
    answer = http.post("/sessions/session-none/observe", content=b"not json")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "SESSION_NOT_FOUND"
    assert answer.json()["detail"] == "Session session-none not found or expired"


def test_an_error_on_a_live_session_names_it(http, session):
    answer = http.post(f"/sessions/{session}/learn")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Cannot learn from empty STM"
    assert answer.json()["error"]["session_id"] == session
    assert answer.headers["x-session-id"] == session


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/observe", 405), ("GET", "/nothing", 404), ("POST", "/config", 422), ("PUT", "/config", 415)],
)
def test_every_error_on_a_path_of_a_live_session_names_it(http, session, method, path, status):
    headers = {"Content-Type": "text/plain"} if status == 415 else {}
    answer = http.request(method, f"/sessions/{session}{path}", content=b"x" if status == 415 else b"", headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]["session_id"] == answer.headers["x-session-id"] == session
    gone = http.request(method, f"/sessions/session-none{path}", headers=headers)
    assert gone.json()["error"]["session_id"] == "session-none"
    assert "x-session-id" not in gone.headers


def test_a_live_session_named_outside_its_paths_is_echoed_on_errors_too(http, session):
    answer = http.get("/metrics/nothing", headers={"X-Session-ID": session})
    assert (answer.status_code, answer.headers["x-session-id"]) == (404, session)
    assert "session_id" not in answer.json()["error"]


def test_an_error_that_quotes_what_json_cannot_say_is_answered_all_the_same(http, session):
    body = b'{"strings":[1e400,123456789012345678901234567890]}'
    answer = http.post(f"/sessions/{session}/observe", content=body)
    assert answer.status_code == 422
    assert [each["input"] for each in answer.json()["detail"]] == ["inf", 123456789012345678901234567890]


@pytest.mark.parametrize("rest", [b"", b'{"strings":["half"]}'])
def test_a_request_whose_client_leaves_half_way_is_not_begun(http, server, session, rest):
    head = f"POST /sessions/{session}/observe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n"
    measures = server.application.system.measures
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head.encode() + rest)
        while not measures.arriving:
            time.sleep(0.01)
    while measures.arriving or measures.in_flight:
        time.sleep(0.01)
    assert http.get(f"/sessions/{session}/stm").json()["time"] == 0
    observed = ("POST", "/sessions/{session_id}/observe", 499)
    assert observed in measures.routes


def test_metadata_may_be_as_deep_as_the_largest_setting_allows(tmp_path):
    from kato.settings import Settings
    from kato.wire.limits import Limits
    from serving import client_of, running

    metadata: dict = {"n": 10**30}
    for _ in range(149):
        metadata = {"m": metadata}
    settings = Settings(data_dir=str(tmp_path), log_level="CRITICAL", limits=Limits(max_metadata_depth=150))
    with running(settings) as server, client_of(server.url) as client:
        made = client.post("/sessions", json={"node_id": "deep", "metadata": metadata})
        assert made.json()["metadata"] == metadata
        observe = f"/sessions/{made.json()['session_id']}/observe-sequence"
        observations = [{"strings": ["a", "b"], "metadata": metadata}]
        answer = client.post(observe, json={"observations": observations, "learn_at_end": True})
        assert answer.status_code == 200, answer.text
        assert client.post(observe, json={"observations": [{"metadata": {"m": metadata}}]}).status_code == 422


def test_an_unforeseen_error_is_a_500_without_its_text(http, server, monkeypatch):
    system = server.application.system
    monkeypatch.setattr(type(system.sessions), "count", lambda *_: 1 / 0)
    answer = http.get("/sessions/count")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "INTERNAL_ERROR"
    assert "division" not in answer.text


@pytest.fixture(scope="module")
def corpus() -> list[bytes]:
    depth = b'{"metadata":' + b'{"a":' * 150 + b"1" + b"}" * 151
    return [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{",
        b"}",
        b"\xff\xfe",
        b"\x00",
        b'{"strings":null}',
        b'{"strings":"a"}',
        b'{"strings":[null]}',
        b'{"strings":[1]}',
        b'{"strings":[["a"]]}',
        b'{"strings":["\\ud800"]}',
        b'{"vectors":[null]}',
        b'{"vectors":[[]]}',
        b'{"vectors":[[1e999]]}',
        b'{"vectors":[["1"]]}',
        b'{"vectors":[[true]]}',
        b'{"emotives":{"a":NaN}}',
        b'{"emotives":{"a":Infinity}}',
        b'{"emotives":{"a":1e999}}',
        b'{"emotives":{"a":' + b"9" * 400 + b"}}",
        b'{"emotives":{"a":true}}',
        b'{"emotives":[]}',
        b'{"metadata":[]}',
        b'{"metadata":{"a":1e999}}',
        b'{"metadata":{"a":' + b"9" * 5000 + b"}}",
        b'{"strings":[1e999,' + b"9" * 30 + b"]}",
        b'{"ttl":[1e999,' + b"9" * 30 + b"]}",
        b'{"unique_id":{"\\ud800":1}}',
        b"\x0b",
        depth,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"unique_id":5}',
        b'{"include_predictions":"yes"}',
        b'{"node_id":""}',
        b'{"node_id":"a\\u0000b"}',
        b'{"node_id":"x","ttl":0}',
        b'{"node_id":"x","ttl":1.0}',
        b'{"node_id":"x","ttl":true}',
        b'{"node_id":"x","config":[]}',
        b'{"node_id":"x","config":{"max_predictions":1e5}}',
        b'{"observations":{}}',
        b'{"observations":[1]}',
        b'{"observations":[{"strings":[1]}]}',
        b'{"config":null}',
        b'{"frequency":0}',
        b'{"sequences":[[1]]}',
        b'{"sequences":"a"}',
    ]


def test_no_body_breaks_any_operation(http, corpus):
    from kato.operations import OPERATIONS

    made = http.post("/sessions", json={"node_id": "hostile"}).json()["session_id"]
    for operation in OPERATIONS:
        if operation.method in {"GET", "DELETE"}:
            continue
        path = operation.template.format(session_id=made, pattern_id="0" * 40, node_id="hostile", name="x", symbol="x")
        for body in corpus:
            answer = http.request(operation.method, path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code < 500, (operation.method, path, body[:60], answer.text)


def test_concurrent_requests_beyond_the_limit_are_503(tmp_path):
    from kato.settings import Settings
    from serving import client_of, running

    settings = Settings(data_dir=":memory:", limit_concurrency=1, log_level="CRITICAL")
    with running(settings) as server, client_of(server.url) as client:
        server.application.system.measures.in_flight = 1
        answer = client.get("/sessions/count")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "OVERLOADED"
        assert answer.headers["retry-after"] == "1"
        assert client.get("/health").status_code == 200


def test_a_body_that_does_not_arrive_in_time_is_504():
    from kato.settings import Settings
    from serving import running

    settings = Settings(data_dir=":memory:", request_timeout=0.2, log_level="CRITICAL")
    with running(settings) as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"POST /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{")
        assert b" 504 " in connection.recv(65536).split(b"\r\n", 1)[0]


def test_a_request_that_takes_too_long_is_504(monkeypatch):
    import asyncio

    from kato.service import predicting
    from kato.settings import Settings
    from serving import client_of, running

    async def slow(*_):
        await asyncio.sleep(30)

    monkeypatch.setattr(predicting, "predict", slow)
    settings = Settings(data_dir=":memory:", request_timeout=0.2, log_level="CRITICAL")
    with running(settings) as server, client_of(server.url) as client:
        session = client.post("/sessions", json={"node_id": "slow"}).json()["session_id"]
        answer = client.get(f"/sessions/{session}/predictions")
        assert answer.status_code == 504
        assert answer.json()["error"]["recoverable"] is True
        assert client.get(f"/sessions/{session}/stm").status_code == 200
