"""The log: one line per request that says who asked for what, and never what was observed."""

from __future__ import annotations

import json
import logging

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from kato.server.logs import logger, set_up
from kato.settings import Settings
from serving import client_of, running


@pytest.fixture(params=["json", "human"])
def log(request, tmp_path):
    """(form, file) of a log that tests write; afterwards the log is silent again."""
    file = tmp_path / "log"
    yield request.param, file
    set_up("CRITICAL", "human", "stdout")


def test_every_request_is_one_line_without_contents(log):
    form, file = log
    settings = Settings(data_dir=":memory:", log_format=form, log_output=str(file))
    with running(settings) as server, client_of(server.url) as http:
        session = http.post("/sessions", json={"node_id": "logged"}).json()["session_id"]
        observed = {"strings": ["secret-symbol"], "metadata": {"k": "secret-metadata"}}
        http.post(f"/sessions/{session}/observe", json=observed, headers={"X-Trace-ID": "mine"})
        http.post(f"/sessions/{session}/observe", json={"strings": [{"secret": 1}]})
        http.get("/nothing/secret")
    text = file.read_text(encoding="utf-8")
    assert "secret" not in text
    if form == "json":
        lines = [json.loads(line) for line in text.splitlines()]
        routes = [(each["method"], each["route"], each["status"]) for each in lines if each["event"] == "request"]
        observe = ("POST", "/sessions/{session_id}/observe")
        assert routes == [("POST", "/sessions", 200), (*observe, 200), (*observe, 422), ("GET", "unmatched", 404)]
        assert lines[1]["trace_id"] == "mine"
        assert (lines[1]["session_id"], lines[1]["node_id"]) == (f"{session[:16]}…", "logged")
        assert session not in text
        assert lines[1]["duration_ms"] >= 0


def test_a_refused_handshake_is_one_line_as_any_refused_request(log):
    form, file = log
    settings = Settings(data_dir=":memory:", log_format=form, log_output=str(file), ws_max_connections=0)
    with (
        running(settings) as server,
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://127.0.0.1:{server.port}/ws/events?api_key=secret"),
    ):
        pass
    text = file.read_text(encoding="utf-8")
    assert "secret" not in text
    (line,) = text.splitlines()
    trace_id = refused.value.response.headers["X-Trace-ID"]
    assert trace_id in line
    if form == "json":
        found = json.loads(line)
        assert (found["event"], found["level"], found["route"]) == ("request", "info", "/ws/events")
        assert found["status"] == refused.value.response.status_code == 503


def test_a_traceback_says_where_without_the_values_of_variables(log):
    form, file = log
    set_up("INFO", form, str(file))

    def fail(observed):
        return len(observed) / 0

    try:
        fail(["secret" + "-symbol"])
    except ZeroDivisionError:
        logger().exception("unforeseen error", trace_id="t")
    text = file.read_text(encoding="utf-8")
    assert "secret-symbol" not in text
    assert "ZeroDivisionError" in text
    assert "test_logs.py" in text


def test_lines_of_the_http_library_look_like_ours_and_go_where_ours_go(log):
    form, file = log
    set_up("INFO", form, str(file))
    logging.getLogger("uvicorn.error").info("of ordinary life")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    (line,) = file.read_text(encoding="utf-8").splitlines()
    assert "Invalid HTTP request received." in line
    if form == "json":
        found = json.loads(line)
        assert (found["event"], found["level"]) == ("Invalid HTTP request received.", "warning")


def test_the_level_holds_for_all(log):
    form, file = log
    set_up("CRITICAL", form, str(file))
    logger().info("request")
    logging.getLogger("uvicorn.error").error("failed")
    assert file.read_text(encoding="utf-8") == ""
