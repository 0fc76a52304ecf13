"""Numbers about the service: true, exact at once, the same wherever they are told, and never with an id."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kato import KATOClient, NotReady
from kato.errors import StorageUnavailable
from kato.operations.monitoring import prefers_text
from kato.operations.prometheus import MEANING
from kato.service import snapshots
from kato.service.numbers import NAMES
from kato.settings import Settings
from serving import client_of, running

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def server():
    """A server that nobody else uses, so that its counts are known."""
    with running(Settings(data_dir=":memory:", log_level="CRITICAL", limit_concurrency=20)) as found:
        yield found


@pytest.fixture
def kato(server):
    with KATOClient(server.url) as client:
        yield client


@pytest.fixture
def http(server):
    with client_of(server.url, timeout=20) as client:
        yield client


def series(http):
    """Every sample of the Prometheus text: (name, labels) → value."""
    answer = http.get("/metrics/prometheus")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation for family in families)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def counts(http):
    return {name: value for (name, labels), value in series(http).items() if not labels}


def test_what_was_done_is_counted_at_once_and_alike_everywhere(kato, http):
    before = counts(http)
    with kato.node("counted").session() as session:
        for symbol in "abc":
            session.observe([symbol])
        session.learn()
        kato.learn_many([[["x"], ["y"]]] * 4, "counted")
        session.observe(["a"])
        session.get_predictions()
        kato.predict_many([[["a"]], [["x"]]], "counted")
        kept = kato.create_session("counted")
    after = counts(http)
    rise = {name: after[name] - before[name] for name in before}
    assert rise["kato_observations_total"] == 4
    assert rise["kato_learns_total"] == 5
    assert rise["kato_predictions_total"] == 3
    assert rise["kato_patterns_considered_total"] == 6
    assert 3 <= rise["kato_patterns_evaluated_total"] <= 6  # those that share a symbol, or all
    assert rise["kato_patterns_total"] == 2
    assert (rise["kato_learn_batch_size_count"], rise["kato_learn_batch_size_sum"]) == (2, 5)
    assert (rise["kato_sessions_total"], rise["kato_sessions_deleted"], rise["kato_sessions_active"]) == (2, 1, 1)
    assert after["kato_nodes"] == after["kato_nodes_loaded"] == before["kato_nodes"] + 1
    status, metrics = kato.status(), kato.metrics()
    assert status["sessions"]["total_created"] == metrics["sessions"]["total_created"] == after["kato_sessions_total"]
    assert status["sessions"]["active"] == kato.count_sessions()["count"] == after["kato_sessions_active"]
    assert status["processors"]["patterns_count"] == after["kato_patterns_total"]
    assert metrics["observations_processed"] == after["kato_observations_total"]
    assert metrics["patterns_learned"] == after["kato_learns_total"]
    assert metrics["databases"]["memory"]["operations"] >= after["kato_storage_operations_total"]
    (node,) = [each for each in status["processors"]["processors"] if each["node_id"] == "counted"]
    assert node["access_count"] == 2
    assert kato.status()["session_id"] is None
    assert http.get("/status", headers={"X-Session-ID": kept}).json()["session_id"] == kept


def test_every_series_of_the_history_is_in_the_text_and_means_something(http):
    names = {name for name, _ in series(http)}
    for name in NAMES:
        assert name in names or f"{name}_count" in names, name
    assert MEANING.keys() == set(NAMES) - {"kato_requests_total", "kato_request_duration_seconds"}


def test_labels_are_templates_and_never_ids(kato, http):
    session = kato.create_session("secret-node")
    kato.observe(["secret-symbol"])
    http.get("/symbols/secret-symbol/affinity")
    http.get("/sessions/secret-session/stm")
    http.get("/secret/path")
    found = series(http)
    text = json.dumps([[name, labels] for name, labels in found])
    assert "secret" not in text
    assert session not in text
    key = (("method", "POST"), ("route", "/sessions/{session_id}/observe"), ("status", "200"))
    assert found[("kato_requests_total", key)] >= 1
    assert found[("kato_request_duration_seconds_bucket", (("le", "+Inf"), *key[:2]))] >= 1
    assert ("kato_requests_total", (("method", "GET"), ("route", "unmatched"), ("status", "404"))) in found


def test_every_series_is_documented(http):
    page = (DOCS / "monitoring.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`(kato_\w+)`", page))
    families = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name, _ in series(http)}
    assert {name for name in families if name.startswith("kato_")} == documented


def test_the_dashboard_loads_and_asks_for_series_that_exist(http):
    dashboard = json.loads((DOCS / "grafana" / "kato.json").read_text(encoding="utf-8"))
    assert dashboard["title"] == "KATO"
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    expressions += [variable["definition"] for variable in dashboard["templating"]["list"] if "definition" in variable]
    asked = {name for expression in expressions for name in re.findall(r"kato_\w+", expression)}
    there = {name for name, _ in series(http)}
    assert asked <= there, asked - there
    assert len(asked) > 20
    labels = set(re.findall(r"by \(([\w, ]+)\)", " ".join(expressions)))
    assert {label for each in labels for label in each.split(", ")} <= {"le", "route", "method", "status"}


@pytest.mark.parametrize(
    ("accept", "text"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/plain", True),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", True),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", True),
        ("text/plain;q=0.5,application/json", False),
        ("text/html,text/plain;q=oops", False),
    ],
)
def test_the_accept_header_chooses_the_form(http, accept, text):
    assert prefers_text(accept) == text
    answer = http.get("/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("text/plain" if text else "application/json")
    assert http.get("/metrics?format=json", headers={"Accept": accept}).json()["error"] is None
    assert http.get("/metrics?format=prometheus").text.startswith("# HELP")


@pytest.mark.parametrize("name", [*NAMES, "requests_total", "cpu_percent", "memory_percent", "disk_percent"])
def test_every_series_has_a_history(kato, name):
    answer = kato.metric(name)
    points = answer["data_points"]
    values = [point["value"] for point in points]
    assert answer["metric_name"] == name
    assert answer["statistics"]["count"] == len(points) >= 1
    assert answer["statistics"]["min"] == min(values)
    assert answer["statistics"]["max"] == max(values)
    assert set(kato.stats(minutes=1440)["time_series"]) == set(NAMES)


@pytest.mark.parametrize("minutes", ["0", "1441", "x", "1.5"])
def test_minutes_outside_their_range_are_422(http, minutes):
    assert http.get("/stats", params={"minutes": minutes}).status_code == 422
    assert http.get("/metrics/cpu_percent", params={"minutes": minutes}).status_code == 422


def test_an_unknown_metric_is_404(http):
    answer = http.get("/metrics/never_heard_of")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "METRIC_NOT_FOUND")
    assert answer.json()["detail"].startswith("No data available")


@pytest.mark.parametrize(
    ("in_flight", "status", "levels"),
    [(1, "healthy", []), (16, "warning", ["warning"]), (19, "critical", ["critical"])],
)
def test_concurrency_says_how_near_the_limit_is(server, http, in_flight, status, levels):
    measures = server.application.system.measures
    measures.in_flight += in_flight - 1  # the asking request is one of them
    try:
        answer = http.get("/concurrency").json()
    finally:
        measures.in_flight -= in_flight - 1
    assert answer["status"] == status
    assert answer["current"] == {"concurrent_requests": in_flight, "utilization_percent": in_flight * 5}
    assert answer["limits"] == {
        "per_worker": 20,
        "warning_threshold": 16,
        "critical_threshold": 19,
        "total_capacity": 20,
    }
    assert [each["level"] for each in answer["recommendations"]] == levels
    assert answer["peak"]["concurrent_requests"] >= 1


def test_beyond_the_limit_requests_are_refused_and_health_is_not(server, http):
    measures = server.application.system.measures
    measures.in_flight += 20
    try:
        refused, health = http.get("/status"), http.get("/health")
    finally:
        measures.in_flight -= 20
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "OVERLOADED")
    assert (refused.headers["retry-after"], refused.json()["error"]["recoverable"]) == ("1", True)
    assert health.json()["status"] == "healthy"


def test_a_storage_that_does_not_answer_is_told_honestly(server, kato, http, monkeypatch):
    def silent():
        raise StorageUnavailable("The storage does not answer")

    monkeypatch.setattr(server.application.system.storage, "check", silent)
    health = kato.health()
    assert (health["status"], health["processor_status"]) == ("unhealthy", "unhealthy")
    assert health["issues"] == ["The storage does not answer"]
    assert health["dependencies"]["storage"]["status"] == "unhealthy"
    with pytest.raises(NotReady) as refused:
        kato.ready()
    assert refused.value.details["dependencies"]["storage"]["status"] == "unhealthy"
    assert http.get("/health/ready").headers["retry-after"] == "1"
    assert kato.live()["status"] == "alive"
    assert kato.status()["status"] == "unhealthy"
    pools = kato.connection_pools()
    assert (pools["status"], pools["health"]["memory"]["last_error"]) == ("unhealthy", "unavailable")
    assert kato.metrics()["databases"]["memory"]["status"] == "unhealthy"
    assert kato.stats()["current_status"]["issues"] == ["The storage does not answer"]


def test_what_does_not_exist_says_so_and_why(kato):
    for answer in (kato.cache_stats()["cache_performance"], kato.distributed_stm_stats(), kato.invalidate_cache("s")):
        assert answer["status"] == "disabled"
        assert answer["reason"]
    assert kato.invalidate_cache("s")["session_id"] == "s"
    assert kato.invalidate_cache()["session_id"] is None


def test_the_health_counts_the_points_that_were_recorded(kato, server):
    health = kato.health()
    assert health["metrics_collected"] == server.application.system.measures.points_recorded > 0
    assert health["last_collection"] <= health["timestamp"]


def test_what_nodes_cost_in_memory_is_told_alike_everywhere(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "_LEAST_LEAVING", 5)
    settings = Settings(data_dir=str(tmp_path), log_level="CRITICAL", memory_budget=1)
    with running(settings) as server, KATOClient(server.url) as kato, client_of(server.url) as http:
        for node in ("one", "two"):
            kato.learn_many([[[f"{node} {n}"], ["x"]] for n in range(20)], node_id=node)
            kato.predict_many([[["x"]]], node_id=node)
        held = kato.status()["processors"]
        (node,) = held["processors"]
        assert (node["node_id"], node["patterns"], node["is_loading"]) == ("two", 20, False)
        assert held["memory_bytes"] == node["memory_bytes"] == node["index_bytes"] + node["rest_bytes"] > 0
        assert (held["memory_budget_bytes"], held["evictions"]) == (1, 1)
        shown = series(http)
        assert shown["kato_nodes_evicted_total", ()] == 1
        assert shown["kato_memory_budget_bytes", ()] == 1
        assert shown["kato_nodes_memory_bytes", (("part", "index"),)] == node["index_bytes"] > 0
        assert shown["kato_nodes_memory_bytes", (("part", "rest"),)] == node["rest_bytes"]
        if kato.status()["engine"] == "native":
            until = time.monotonic() + 30
            while not kato.status()["processors"]["snapshots_written"] and time.monotonic() < until:
                time.sleep(0.02)
            kato.predict_many([[["x"]]], node_id="one")
            assert kato.status()["processors"]["snapshots_used"] == 1
            assert series(http)["kato_snapshots_total", (("done", "used"),)] == 1
