"""The latest lines of the server's log over HTTP: what happened, and nothing of what was observed."""

from __future__ import annotations

import logging

import httpx2
import pytest

from guarding import NODE, Asking, guarded
from kato.server.logs import TAIL, logger, set_up
from kato.service.log_tail import LogTail


@pytest.fixture
def log(tmp_path):
    yield tmp_path / "log"
    set_up("CRITICAL", "human", "stdout")


@pytest.mark.parametrize("form", ["json", "human"])
def test_requests_are_there_newest_first_with_what_the_log_has(tmp_path, log, form):
    with (
        guarded(tmp_path / "data", log_level="INFO", log_format=form, log_output=str(log)) as server,
        Asking(server) as ask,
    ):
        session = ask.session()
        ask.as_("write", "POST", f"/sessions/{session}/observe", json={"strings": [{"secret": 1}]})
        ask.as_("write", "GET", "/symbols/secret-symbol/affinity", params={"node_id": NODE})
        found = ask.as_("admin", "GET", "/server-log", params={"limit": 2})
        newest, before = found.json()["lines"]
        assert (newest["event"], newest["level"], newest["status"]) == ("request", "info", 200)
        assert (newest["method"], newest["route"]) == ("GET", "/symbols/{symbol}/affinity")
        assert (newest["node_id"], newest["key_id"]) == (NODE, server.ids["write"])
        assert newest["duration_ms"] >= 0
        assert (before["status"], before["session_id"]) == (422, f"{session[:16]}…")
        whole = ask.as_("admin", "GET", "/server-log", params={"limit": 1000}).text
    assert "secret" not in whole
    assert session not in whole
    assert not any(secret in whole for secret in server.secrets.values())


def test_what_failed_is_told_without_its_text(log):
    """Tracebacks, reasons and paths are for whoever reads the log itself."""
    set_up("INFO", "json", str(log))
    try:
        raise ValueError("secret-of-the-exception")
    except ValueError:
        logger().exception("upkeep failed", task="sweep")
    logger().error("keys cannot be read", reason="/secret/path cannot be read")
    logging.getLogger("kato.service.snapshots").warning("The snapshot of node %r was thrown away: %s.", "secret", "why")
    logging.getLogger("uvicorn.error").info("of ordinary life")
    snapshot, keys, upkeep = list(TAIL.newest("warning"))[:3]
    assert (upkeep.event, upkeep.members, upkeep.withheld) == ("upkeep failed", {"task": "sweep"}, ("exc_info",))
    assert (keys.event, keys.members, keys.withheld) == ("keys cannot be read", {}, ("reason",))
    assert (snapshot.event, snapshot.level) == ("The snapshot of node … was thrown away: ….", "warning")
    assert "secret" not in repr([snapshot, keys, upkeep])
    assert "secret" in log.read_text(encoding="utf-8"), "the log itself has it"


def test_lines_about_other_nodes_are_not_for_everybody(tmp_path, log):
    with guarded(tmp_path / "data", log_level="INFO", log_output=str(log)) as server, Asking(server) as ask:
        ask.session()
        ask.as_("other tenant", "POST", "/sessions", json={"node_id": "theirs/x"})
        lines = ask.as_("other tenant's admin", "GET", "/server-log").json()["lines"]
        nodes = {line["node_id"] for line in lines}
        assert "theirs/x" in nodes
        assert NODE not in nodes
        assert {"theirs/x", NODE} <= {
            line["node_id"] for line in ask.as_("admin", "GET", "/server-log").json()["lines"]
        }
        assert ask.as_("write", "GET", "/server-log").status_code == 403


def test_levels_and_limits(log, http):
    set_up("DEBUG", "json", str(log))
    logger().debug("quiet")
    logger().warning("loud")
    for level, there in (("debug", {"quiet", "loud"}), ("warning", {"loud"}), ("critical", set())):
        lines = http.get("/server-log", params={"level": level, "limit": 1000}).json()["lines"]
        assert {line["event"] for line in lines} & {"quiet", "loud"} == there
    for wrong in ({"limit": 0}, {"limit": 1001}, {"level": "loud"}):
        assert http.get("/server-log", params=wrong).status_code == 422


def test_so_many_are_kept_and_no_more():
    tail = LogTail(3)
    for number in range(5):
        tail.add(f"{number}", {"timestamp": "now", "level": "info", "event": "x"})
    assert [line.event for line in tail.newest("info")] == ["4", "3", "2"]


def test_without_keys_everybody_on_this_machine_may_look(http: httpx2.Client):
    assert http.get("/server-log").json()["kept"] == 1000
