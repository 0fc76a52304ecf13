"""Every endpoint of the surface, and every member of every answer, against a running server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from guarding import Asking, guarded
from kato.operations import OPERATIONS
from kato.operations.predictions import PARAMETERS as PREDICTION_PARAMETERS
from kato.server.logs import set_up
from kato.wire.schemas import COMPONENTS
from serving import client_of
from surface import BEYOND, EQUAL, FIELDS, PROMISED, endpoints, fields

TABLE = [*endpoints(PROMISED), *endpoints(BEYOND)]
PLACES = {"sid": "session_id", "id": "pattern_id", "node": "node_id", "key": "key_id"}
NODE = "the whole surface"


def named(path):
    """A path of the table with the names that the operations use."""
    return re.sub(r"\{(\w+)\}", lambda found: "{" + PLACES.get(found[1], found[1]) + "}", path)


def test_the_server_has_these_routes_and_no_others():
    here = {(operation.method, operation.template) for operation in OPERATIONS}
    there = {(method, named(path)) for method, path, _ in TABLE}
    assert here - there == set(), "routes that stand in no table"
    assert there - here == set(), "rows without a route"
    assert len(OPERATIONS) == len(TABLE)


def test_every_row_says_what_its_answer_holds():
    rows = {f"{method} {path}" for method, path, _ in TABLE}
    assert rows - FIELDS.keys() == {"GET /metrics/prometheus"}, "its answer is text"
    assert FIELDS.keys() <= rows
    assert EQUAL.keys() <= rows


# --- one life of a node, so that every member has something in it ---------------------------------------------------------

KETTLE = {"strings": ["kettle", "water"], "emotives": {"joy": 0.5}, "metadata": {"room": "kitchen"}}
CONFIG = {"affinity_emotive": "joy", "filter_pipeline": ["length"], "length_min_ratio": 0, "recall_threshold": 0.0}


def _about_keys(directory):
    """What a server that asks for keys answers about them, and about its log."""
    with guarded(directory, log_level="INFO", log_output=str(directory / "log")) as guard, Asking(guard) as ask:
        made = ask.as_("admin", "POST", "/keys", json={"name": "shop", "scope": "read", "prefixes": ["shop/"]})
        assert made.headers["cache-control"] == "no-store"
        revoked = ask.as_("admin", "DELETE", f"/keys/{made.json()['id']}")
        found = {
            "POST /keys": made,
            "DELETE /keys/{key}": revoked,
            "GET /keys": ask.as_("admin", "GET", "/keys"),
            "GET /server-log": ask.as_("admin", "GET", "/server-log"),
        }
    set_up("CRITICAL", "human", "stdout")
    assert {answer.status_code for answer in found.values()} == {200}
    return {row: answer.json() for row, answer in found.items()}


@pytest.fixture(scope="module")
def answers(server, tmp_path_factory):
    """Every endpoint's answer, by its row."""

    found: dict[str, Any] = _about_keys(tmp_path_factory.mktemp("keys"))
    with client_of(server.url, timeout=20) as http:

        def ask(row, path=None, **more):
            method, template = row.split()
            answer = http.request(method, path or template, **more)
            assert answer.status_code == 200, f"{row}: {answer.text}"
            assert answer.headers["x-trace-id"]
            found[row] = answer.json() if "json" in answer.headers["content-type"] else {"text": answer.text}
            if "{sid}" in template and method != "DELETE":
                assert answer.headers["x-session-id"]
            return found[row]

        made = ask("POST /sessions", json={"node_id": NODE, "config": CONFIG, "ttl": 600, "metadata": {"a": 1}})
        sid = made["session_id"]

        def in_session(row, **more):
            return ask(row, row.split()[1].replace("{sid}", sid), **more)

        learned = [{"strings": ["early"]}, KETTLE, {"strings": ["cup"], "vectors": [[1.0, 2.0]]}, {"strings": ["tea"]}]
        for item in learned:
            http.post(f"/sessions/{sid}/observe", json=item)
        in_session("POST /sessions/{sid}/learn")
        in_session(
            "POST /sessions/{sid}/observe", json={**KETTLE, "vectors": [[1.0, 2.5]], "include_predictions": True}
        )
        in_session("GET /sessions/{sid}/stm")
        in_session("GET /sessions/{sid}/percept-data")
        in_session("GET /sessions/{sid}/cognition-data")
        in_session("GET /sessions/{sid}/predictions", params={"explain": "true"})
        http.post(f"/sessions/{sid}/observe", json={"strings": ["never seen"]})
        in_session("GET /sessions/{sid}/forecast", params={"explain": "true"})
        in_session("GET /sessions/{sid}/exists")
        in_session("GET /sessions/{sid}")
        in_session("GET /sessions/{sid}/config")
        for method in ("POST", "PUT", "PATCH"):
            in_session(f"{method} /sessions/{{sid}}/config", json={"config": {"persistence": 6}})
        in_session("POST /sessions/{sid}/extend", json={"ttl": 500})
        in_session("POST /sessions/{sid}/finalize-training")
        in_session("GET /sessions/{sid}/patterns")
        in_session(
            "POST /sessions/{sid}/observe-sequence",
            json={
                "observations": [
                    {**KETTLE, "include_predictions": True},
                    {"strings": ["cup"], "include_predictions": True},
                ],
                "learn_at_end": True,
                "include_predictions": True,
            },
        )
        pattern = found["POST /sessions/{sid}/learn"]["pattern_name"]
        node = {"node_id": NODE}
        ask("GET /sessions")
        ask("GET /sessions/count")
        ask("GET /patterns", params={**node, "search": "early"})
        ask("GET /nodes")
        ask("GET /symbols/stats", params={**node, "vectors": "true"})
        ask("GET /symbols/affinity", params=node)
        ask("GET /symbols/{symbol}/affinity", "/symbols/kettle/affinity", params=node)
        ask("GET /percept-data")
        ask("GET /cognition-data")
        many = {"sequences": [[["a"], ["b"], ["c"]]]}
        ask("POST /nodes/{node}/learn", f"/nodes/{NODE}/learn", json=many)
        ask(
            "POST /nodes/{node}/predict",
            f"/nodes/{NODE}/predict",
            json={"stms": [[["early"], ["kettle", "water"]], [["kettle", "water"], ["tea"]]], "config": CONFIG},
        )
        ask(
            "POST /nodes/{node}/forecast",
            f"/nodes/{NODE}/forecast?explain=true",
            json={
                "stms": [[["early"], ["kettle", "water"]], [["tea"], ["unheard of"]]],
                "as_if_left_out": [pattern, None],
            },
        )
        ask(
            "POST /nodes/{node}/explain",
            f"/nodes/{NODE}/explain",
            json={"stm": [["kettle", "water"], ["x"]], "pattern": pattern, "config": CONFIG},
        )
        for path in ("/pattern", "/patterns"):
            ask(f"GET {path}/{{id}}", f"{path}/{pattern}", params=node)
            ask(f"PATCH {path}/{{id}}", f"{path}/{pattern}", params=node, json={"frequency": 3})
        ask("DELETE /pattern/{id}", f"/pattern/{pattern}", params=node)
        again = http.post(f"/nodes/{NODE}/learn", json=many).json()["results"][0]["pattern_name"]
        ask("DELETE /patterns/{id}", f"/patterns/{again}", params=node)
        ask("GET /nodes/{node}", f"/nodes/{NODE}")
        ask("GET /nodes/{node}/history", f"/nodes/{NODE}/history")
        ask("POST /nodes/{node}/undo", f"/nodes/{NODE}/undo", json={"count": 2})
        ask("GET /nodes/{node}/compare", f"/nodes/{NODE}/compare", params={"from": 0})
        ask("GET /requests")
        for path in ("/", "/health", "/health/live", "/health/ready", "/metrics", "/metrics/prometheus", "/stats"):
            ask(f"GET {path}")
        ask("GET /status", headers={"X-Session-ID": sid})
        ask("GET /metrics/{name}", "/metrics/sessions_active")
        for path in ("/concurrency", "/cache/stats", "/distributed-stm/stats", "/connection-pools"):
            ask(f"GET {path}")
        ask("POST /cache/invalidate", params={"session_id": sid})
        in_session("POST /sessions/{sid}/clear-stm")
        in_session("POST /sessions/{sid}/clear-all")
        in_session("DELETE /sessions/{sid}")
    return found


def values(answer, path):
    """The values at a path, each with the place it was found at."""
    found = [("", answer)]
    for part in re.findall(r"[^.\[\]{}]+|\[\]|\{\}", path):
        following = []
        for place, value in found:
            if part == "[]":
                assert type(value) is list, f"{place} is no list: {value!r}"
                following += [(f"{place}[{number}]", each) for number, each in enumerate(value)]
            elif part == "{}":
                assert type(value) is dict, f"{place} is no object: {value!r}"
                following += [(f"{place}[{name}]", each) for name, each in value.items()]
            else:
                assert type(value) is dict, f"{place} is no object: {value!r}"
                assert part in value, f"{place}.{part} is missing; there are {sorted(value)}"
                following.append((f"{place}.{part}", value[part]))
        found = following
    return found


KINDS = {
    "str": lambda value: type(value) is str,
    "int": lambda value: type(value) is int,
    "num": lambda value: type(value) in {int, float},
    "bool": lambda value: type(value) is bool,
    "obj": lambda value: type(value) is dict,
    "list": lambda value: type(value) is list,
    "null": lambda value: value is None,
    "time": lambda value: bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value)),
    "pattern": lambda value: bool(re.fullmatch(r"PTRN\|[0-9a-f]{40}", value)),
    "name": lambda value: bool(re.fullmatch(r"[0-9a-f]{40}", value)),
}


def fits(value, kind):
    if kind.startswith("="):
        return str(value) == kind[1:]
    if kind.endswith("?"):
        return value is None or KINDS[kind[:-1]](value)
    return KINDS[kind](value)


@pytest.mark.parametrize("row", FIELDS)
def test_every_member_is_there_with_its_type(answers, row):
    for path, kind in fields(row):
        found = values(answers[row], path)
        assert found, f"{path}: nothing to look at"
        for place, value in found:
            assert fits(value, kind), f"{place} is {value!r}, not {kind}"
    assert all(type(sentence) is str for sentence in answers[row]["warnings"])


@pytest.mark.parametrize("row", EQUAL)
def test_names_of_one_value_carry_one_value(answers, row):
    for paths in EQUAL[row]:
        first, *others = [[value for _, value in values(answers[row], path)] for path in paths.split()]
        assert first
        for other in others:
            assert other == first, paths


def test_the_whole_surface_is_walked(answers):
    assert {f"{method} {path}" for method, path, _ in TABLE} == answers.keys()
    assert {parameter.name for parameter in PREDICTION_PARAMETERS} == {
        "limit",
        "recall_threshold",
        "rank_sort_algo",
        "explain",
        "unique_id",
    }


def test_the_prediction_members_of_the_whole_life_are_not_null_under_an_emotive(answers):
    first = answers["GET /sessions/{sid}/predictions"]["predictions"][0]
    assert all(first[name] is not None for name in first if name.startswith("weighted_"))


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.answer], ids=lambda each: f"{each.method} {each.template}"
)
def test_every_answer_is_as_its_schema_says(answers, operation):
    row = next(
        f"{method} {path}"
        for method, path, _ in TABLE
        if (method, named(path)) == (operation.method, operation.template)
    )
    schema = {**operation.answer, "components": {"schemas": COMPONENTS}}
    problems = [f"{each.json_path}: {each.message}" for each in Draft202012Validator(schema).iter_errors(answers[row])]
    assert problems == []


def operation_of(row):
    method, path = row.split()
    (found,) = [each for each in OPERATIONS if (each.method, each.template) == (method, named(path))]
    return found


def parts_of(schema, path):
    """The schemas at a path of an answer's schema."""
    found = [schema]
    for part in re.findall(r"[^.\[\]{}]+|\[\]|\{\}", path):
        found = [each["anyOf"][0] if "anyOf" in each else each for each in found]
        found = [COMPONENTS[each["$ref"].rsplit("/", 1)[-1]] if "$ref" in each else each for each in found]
        if part in {"[]", "{}"}:
            found = [each["items" if part == "[]" else "additionalProperties"] for each in found]
        else:
            found = [
                each["properties"][part] if "properties" in each else each["additionalProperties"] for each in found
            ]
    return found


@pytest.mark.parametrize("row", FIELDS)
def test_the_description_names_every_member(row):
    operation = operation_of(row)
    for path, _ in fields(row):
        assert parts_of(operation.answer, path), path
