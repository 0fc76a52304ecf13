"""One test per rule of the limits table: a clear refusal that names the field and the limit, and nothing changed."""

from __future__ import annotations

import json

import pytest

from kato.settings import Settings
from kato.wire.limits import Limits
from serving import client_of, running

DEEP = {"a": 1}
for _ in range(40):
    DEEP = {"a": DEEP}

COUNTS = [
    ("strings", {"strings": ["a"] * 10_001}, 10_000, 10_001, "KATO_MAX_STRINGS"),
    ("vectors", {"vectors": [[1.0]] * 65}, 64, 65, "KATO_MAX_VECTORS"),
    ("emotives", {"emotives": {f"e{n}": 1 for n in range(1001)}}, 1_000, 1_001, "KATO_MAX_EMOTIVES"),
]
VALUES = [
    ("strings.0", {"strings": ["a" * 65_537]}, 65_536, 65_537, "KATO_MAX_SYMBOL_BYTES"),
    ("strings.1", {"strings": ["ok", "é" * 40_000]}, 65_536, 80_000, "KATO_MAX_SYMBOL_BYTES"),
    ("emotives." + "e" * 200, {"emotives": {"e" * 65_537: 1}}, 65_536, 65_537, "KATO_MAX_SYMBOL_BYTES"),
    ("vectors.0", {"vectors": [[0.0] * 16_385]}, 16_384, 16_385, "KATO_MAX_VECTOR_DIM"),
    ("metadata", {"metadata": DEEP}, 32, 41, "KATO_MAX_METADATA_DEPTH"),
    ("unique_id", {"unique_id": "u" * 257}, 256, 257, "fixed"),
]


def stm(http, session):
    return http.get(f"/sessions/{session}/stm").json()


@pytest.mark.parametrize(("field", "body", "limit", "actual", "setting"), COUNTS)
def test_a_count_beyond_its_limit_is_413(http, session, field, body, limit, actual, setting):
    before = stm(http, session)
    answer = http.post(f"/sessions/{session}/observe", json=body)
    assert answer.status_code == 413
    found = answer.json()
    expected = {"error": "LimitExceeded", "field": field, "limit": limit, "actual": actual, "setting": setting}
    assert found["detail"] == found["error"]["details"] == {**expected, "message": found["detail"]["message"]}
    assert found["error"]["code"] == "PAYLOAD_TOO_LARGE"
    assert stm(http, session) == before


@pytest.mark.parametrize(("field", "body", "limit", "actual", "setting"), VALUES)
def test_a_value_beyond_its_limit_is_422(http, session, field, body, limit, actual, setting):
    before = stm(http, session)
    answer = http.post(f"/sessions/{session}/observe", json=body)
    assert answer.status_code == 422
    found = answer.json()
    assert found["error"]["code"] == "LIMIT_EXCEEDED"
    entry = found["detail"][0]
    assert ".".join(map(str, entry["loc"][1:])) == field
    assert entry["ctx"] == {"limit": limit, "actual": actual, "setting": setting}
    assert len(str(entry["input"])) <= 200
    assert stm(http, session) == before


def test_a_count_goes_before_a_wrong_member(http, session):
    body = {"emotives": {"a": "wrong"}, "strings": ["a"] * 10_001}
    assert http.post(f"/sessions/{session}/observe", json=body).status_code == 413


def test_the_longest_that_is_allowed_is_taken(http, session):
    body = {"strings": ["a" * 65_536], "vectors": [[0.5] * 16_384], "unique_id": "u" * 256}
    assert http.post(f"/sessions/{session}/observe", json=body).status_code == 200


def test_a_sequence_is_refused_whole(http, session):
    items = [{"strings": ["a"]}] * 10_001
    answer = http.post(f"/sessions/{session}/observe-sequence", json={"observations": items})
    assert answer.status_code == 413
    assert answer.json()["detail"]["field"] == "observations"
    bad = {"observations": [{"strings": ["a"]}, {"strings": ["b", 5]}]}
    answer = http.post(f"/sessions/{session}/observe-sequence", json=bad)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "observations", 1, "strings", 1]
    bad = {"observations": [{"strings": ["a"]}, {"vectors": [[]]}]}
    answer = http.post(f"/sessions/{session}/observe-sequence", json=bad)
    assert answer.status_code == 400
    assert answer.json()["detail"]["observation_index"] == 1
    assert stm(http, session)["time"] == 0


@pytest.mark.parametrize("where", ["body", "query", "header", "path"])
def test_a_node_id_beyond_its_limit_is_422(http, where):
    name = "n" * 513
    answer = {
        "body": lambda: http.post("/sessions", json={"node_id": name}),
        "query": lambda: http.get("/patterns", params={"node_id": name}),
        "header": lambda: http.get("/patterns", headers={"X-Node-ID": name}),
        "path": lambda: http.post(f"/nodes/{name}/learn", json={"sequences": []}),
    }[where]()
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["ctx"] == {"limit": 512, "actual": 513, "setting": "KATO_MAX_NODE_ID"}


@pytest.mark.parametrize("node_id", ["", "a\u0000b", "a\nb", "\u0085"])
def test_a_node_id_without_sense_is_422(http, node_id):
    assert http.post("/sessions", json={"node_id": node_id}).status_code == 422


def test_the_newest_events_are_kept_and_the_rest_is_said(http, session):
    items = [{"strings": [str(n)], "emotives": {"e": n}} for n in range(1_003)]
    answer = http.post(f"/sessions/{session}/observe-sequence", json={"observations": items}).json()
    assert answer["final_stm_length"] == 1000
    assert any("3 fell off" in warning for warning in answer["warnings"])
    assert stm(http, session)["stm"][0] == ["3"]


def test_live_sessions_have_a_ceiling():
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", limits=Limits(max_sessions=1))
    with running(settings) as server, client_of(server.url) as client:
        first = client.post("/sessions", json={"node_id": "a"}).json()["session_id"]
        refused = client.post("/sessions", json={"node_id": "b"})
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "SESSION_LIMIT_EXCEEDED"
        assert "retry-after" in refused.headers
        assert client.delete(f"/sessions/{first}").json()["deleted"] is True
        assert client.post("/sessions", json={"node_id": "b"}).status_code == 200


@pytest.mark.parametrize("value", [0, -1, 31_536_001, 1.0, True, "60"])
@pytest.mark.parametrize("member", ["ttl", "ttl_seconds", "session_ttl"])
def test_a_lifetime_that_is_none_is_422(http, member, value):
    body = {"node_id": "x", "config": {member: value}} if member == "session_ttl" else {"node_id": "x", member: value}
    assert http.post("/sessions", json=body).status_code == 422


@pytest.mark.parametrize(
    ("body", "loc"), [({"session_ttl": 0}, ["body"]), ({"config": {"session_ttl": 0}}, ["body", "config"])]
)
def test_a_lifetime_in_a_configuration_is_named_where_it_stands(http, session, body, loc):
    answer = http.put(f"/sessions/{session}/config", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == [*loc, "session_ttl"]


def test_two_lifetimes_that_differ_are_422(http):
    assert http.post("/sessions", json={"node_id": "x", "ttl": 5, "ttl_seconds": 6}).status_code == 422


CONFIGURATIONS = {
    "recall_threshold": [-0.1, 1.1, "0.5", True],
    "max_predictions": [0, 10_001, 5.0, True],
    "rank_sort_algo": ["best", 5, "weighted_snr"],
    "ensemble_size": [-1, 1_000_001],
    "use_token_matching": [1, "true"],
    "fuzzy_token_threshold": [-1, 2],
    "affinity_emotive": [5, True],
    "max_pattern_length": [-1, 2.0],
    "stm_mode": [5],
    "persistence": [0, 101],
    "filter_pipeline": ["length", ["nope"], [5]],
    "length_min_ratio": [-0.1, 1.1],
    "length_max_ratio": [0.9],
    "jaccard_min_overlap": [0],
    "minhash_bands": [0, 101],
    "minhash_rows": [0, 21],
    "minhash_num_hashes": [9, 2001, 50],
    "bloom_false_positive_rate": [0, 0.2],
    "max_candidates_per_stage": [99],
    "indexer_type": ["XX"],
    "vector_neighbors": [-1, 101],
    "vector_max_distance": [0, -1],
    "vector_metric": ["manhattan"],
    "vector_dim": [0, 16_385],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in CONFIGURATIONS.items() for value in values])
def test_a_configuration_that_may_not_be_is_400_and_changes_nothing(http, session, key, value):
    before = http.get(f"/sessions/{session}/config").json()["config"]
    answer = http.put(f"/sessions/{session}/config", json={key: value, "jaccard_threshold": 0.5})
    assert answer.status_code == 400, answer.text
    detail = answer.json()["detail"]
    assert detail["error"] == "ConfigurationError"
    assert list(detail["validation_errors"]) == [key]
    assert ", got " in detail["validation_errors"][key]
    assert http.get(f"/sessions/{session}/config").json()["config"] == before


def test_an_effective_configuration_is_valid_input(http, session):
    config = http.get(f"/sessions/{session}/config").json()["config"]
    assert len(config) == 29
    made = http.post("/sessions", json={"node_id": "copy", "config": json.loads(json.dumps(config))})
    assert made.status_code == 200
    assert made.json()["config"] == config
