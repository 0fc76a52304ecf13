"""Every method's request: HTTP method, path, query and body."""

from __future__ import annotations

import json

import pytest

SID = "session-" + "a" * 32 + "-1"
S = f"/sessions/{SID}"

# method name, positional arguments, named arguments, HTTP method, target, body
EXCHANGES = [
    ("get_stm", (), {}, "GET", f"{S}/stm", None),
    ("learn", (), {}, "POST", f"{S}/learn", None),
    ("clear_stm", (), {}, "POST", f"{S}/clear-stm", None),
    ("clear_all", (), {}, "POST", f"{S}/clear-all", None),
    ("finalize_training", (), {}, "POST", f"{S}/finalize-training", None),
    ("get_percept_data", (), {}, "GET", f"{S}/percept-data", None),
    ("get_cognition_data", (), {}, "GET", f"{S}/cognition-data", None),
    ("get_session_info", (), {}, "GET", S, None),
    ("delete_session", (), {}, "DELETE", S, None),
    ("session_exists", (), {}, "GET", f"{S}/exists", None),
    ("session_exists", ("other",), {}, "GET", "/sessions/other/exists", None),
    ("extend_session", (60,), {}, "POST", f"{S}/extend", {"ttl_seconds": 60}),
    ("extend_session", (), {}, "POST", f"{S}/extend", {}),
    ("get_config", (), {}, "GET", f"{S}/config", None),
    (
        "update_config",
        ({"recall_threshold": 0.5, "vector_dim": None},),
        {},
        "PUT",
        f"{S}/config",
        {"config": {"recall_threshold": 0.5, "vector_dim": None}},
    ),
    (
        "observe",
        (["b", "a"],),
        {},
        "POST",
        f"{S}/observe",
        {"strings": ["b", "a"], "vectors": [], "emotives": {}, "metadata": {}},
    ),
    (
        "observe",
        (["a"], [[1.0, 2.5]], {"joy": 0.5}, {"who": ["me"]}, False),
        {"unique_id": "u", "include_predictions": True},
        "POST",
        f"{S}/observe",
        {
            "strings": ["a"],
            "vectors": [[1.0, 2.5]],
            "emotives": {"joy": 0.5},
            "metadata": {"who": ["me"]},
            "unique_id": "u",
            "include_predictions": True,
        },
    ),
    (
        "observe_sequence",
        ([{"strings": ["a"], "vectors": None}, {"emotives": {"joy": 1}}],),
        {"learn_at_end": True},
        "POST",
        f"{S}/observe-sequence",
        {"observations": [{"strings": ["a"]}, {"emotives": {"joy": 1}}], "learn_at_end": True},
    ),
    (
        "observe_sequence",
        ([], True, False, True, True),
        {},
        "POST",
        f"{S}/observe-sequence",
        {
            "observations": [],
            "learn_after_each": True,
            "clear_stm_between": True,
            "include_predictions": True,
        },
    ),
    ("get_predictions", (), {}, "GET", f"{S}/predictions", None),
    ("get_forecast", (), {}, "GET", f"{S}/forecast", None),
    (
        "get_forecast",
        (False,),
        {"horizon": 2, "ending": True, "limit": 3, "explain": True, "false_alarms": 0.01, "wait": True},
        "GET",
        f"{S}/forecast?horizon=2&ending=true&limit=3&explain=true&false_alarms=0.01&wait=true",
        None,
    ),
    ("forecast_many", ([[["a"]]], "n"), {}, "POST", "/nodes/n/forecast", {"stms": [[["a"]]]}),
    (
        "forecast_many",
        ([[["a"]]], "n"),
        {"as_if_left_out": [None], "limit": 1},
        "POST",
        "/nodes/n/forecast?limit=1",
        {"stms": [[["a"]]], "as_if_left_out": [None]},
    ),
    (
        "get_predictions",
        (),
        {
            "limit": 5,
            "recall_threshold": 0.25,
            "rank_sort_algo": "snr",
            "explain": True,
            "unique_id": "obs&1",
        },
        "GET",
        f"{S}/predictions?limit=5&recall_threshold=0.25&rank_sort_algo=snr&explain=true&unique_id=obs%261",
        None,
    ),
    ("list_session_patterns", (), {"sort": "-length"}, "GET", f"{S}/patterns?sort=-length", None),
    ("list_patterns", (), {}, "GET", "/patterns?node_id=shop", None),
    (
        "list_patterns",
        ("a/b é",),
        {"limit": 2, "cursor": "c+d", "search": "x y", "sort": "-frequency"},
        "GET",
        "/patterns?node_id=a%2Fb%20%C3%A9&limit=2&cursor=c%2Bd&search=x%20y&sort=-frequency",
        None,
    ),
    ("get_pattern", ("PTRN|ab",), {}, "GET", "/pattern/PTRN%7Cab?node_id=shop", None),
    ("get_pattern", ("a/../b?c#d",), {}, "GET", "/pattern/a%2F..%2Fb%3Fc%23d?node_id=shop", None),
    ("get_pattern", ("..", "n"), {}, "GET", "/pattern/%2E%2E?node_id=n", None),
    ("edit_pattern", ("ab",), {"frequency": 3}, "PATCH", "/pattern/ab?node_id=shop", {"frequency": 3}),
    (
        "edit_pattern",
        ("ab", "n"),
        {"emotives": [], "metadata": {}},
        "PATCH",
        "/pattern/ab?node_id=n",
        {"emotives": [], "metadata": {}},
    ),
    ("forget_pattern", ("ab", "n"), {}, "DELETE", "/pattern/ab?node_id=n", None),
    ("learn_many", ([[["a"], ["b"]]],), {}, "POST", "/nodes/shop/learn", {"sequences": [[["a"], ["b"]]]}),
    ("get_symbol_stats", (), {}, "GET", "/symbols/stats?node_id=shop", None),
    (
        "get_symbol_stats",
        ("n",),
        {"symbols": ["a", "b c"], "limit": 7, "cursor": "x"},
        "GET",
        "/symbols/stats?node_id=n&symbol=a&symbol=b%20c&limit=7&cursor=x",
        None,
    ),
    ("get_affinities", (), {"symbols": "ab"}, "GET", "/symbols/affinity?node_id=shop&symbol=ab", None),
    ("get_affinity", ("a/b%",), {}, "GET", "/symbols/a%2Fb%25/affinity?node_id=shop", None),
    ("get_affinity", ("",), {}, "GET", "/symbols/affinity?node_id=shop&symbol=", None),
    ("get_affinity", ("..",), {}, "GET", "/symbols/affinity?node_id=shop&symbol=..", None),
    ("list_sessions", (), {}, "GET", "/sessions", None),
    (
        "list_sessions",
        ("n",),
        {"limit": 1, "cursor": "c"},
        "GET",
        "/sessions?node_id=n&limit=1&cursor=c",
        None,
    ),
    ("list_nodes", (), {"limit": 1, "after": "n"}, "GET", "/nodes?limit=1&after=n", None),
    ("count_sessions", (), {}, "GET", "/sessions/count", None),
    ("info", (), {}, "GET", "/", None),
    ("health", (), {}, "GET", "/health", None),
    ("live", (), {}, "GET", "/health/live", None),
    ("ready", (), {}, "GET", "/health/ready", None),
    ("status", (), {}, "GET", "/status", None),
    ("metrics", (), {}, "GET", "/metrics", None),
    ("metric", ("kato_errors_total", 5), {}, "GET", "/metrics/kato_errors_total?minutes=5", None),
    ("stats", (), {}, "GET", "/stats", None),
    ("stats", (60,), {}, "GET", "/stats?minutes=60", None),
    ("concurrency", (), {}, "GET", "/concurrency", None),
    ("cache_stats", (), {}, "GET", "/cache/stats", None),
    ("invalidate_cache", ("s",), {}, "POST", "/cache/invalidate?session_id=s", None),
    ("distributed_stm_stats", (), {}, "GET", "/distributed-stm/stats", None),
    ("connection_pools", (), {}, "GET", "/connection-pools", None),
]


@pytest.mark.parametrize(("name", "positional", "named", "method", "target", "body"), EXCHANGES)
def test_a_method_sends_this_request(harness, name, positional, named, method, target, body):
    harness.in_session()
    harness.do(name, *positional, **named)
    assert harness.request.method == method
    assert harness.request.url.raw_path.decode() == target
    assert harness.body() == body
    assert ("idempotency-key" in harness.request.headers) is (method == "POST")


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({}, {"node_id": "shop"}),
        (
            {"config": {"recall_threshold": 0.3}, "ttl": 7200},
            {"node_id": "shop", "config": {"recall_threshold": 0.3}, "ttl": 7200},
        ),
        ({"ttl": 0}, {"node_id": "shop", "ttl": 0}),
        ({"metadata": {"who": "me"}}, {"node_id": "shop", "metadata": {"who": "me"}}),
    ],
)
def test_creating_a_session_sends_what_was_given(harness, arguments, body):
    harness.will(harness.answer({"session_id": SID}))
    assert harness.do("create_session", "shop", **arguments) == SID
    assert harness.paths() == ["POST /sessions"]
    assert harness.body() == body
    assert (harness.client.session_id, harness.client.node_id) == (SID, "shop")


def test_a_node_is_left_to_the_server_when_there_has_been_no_session(harness):
    harness.do("list_patterns")
    assert harness.paths() == ["GET /patterns"]


def test_every_request_names_client_trace_and_key(harness):
    harness.make(api_key="0123456789abcdef")
    harness.do("status")
    headers = harness.request.headers
    assert headers["user-agent"].startswith("kato-python/")
    assert headers["x-api-key"] == "0123456789abcdef"
    assert headers["x-trace-id"].startswith("kato-")


def test_without_a_key_no_key_is_sent(harness):
    harness.do("status")
    assert "x-api-key" not in harness.request.headers


def test_a_base_url_may_have_a_path_and_a_trailing_slash(harness):
    harness.make(base_url="http://test:8000/memory/")
    harness.do("status")
    assert str(harness.request.url) == "http://test:8000/memory/status"


def test_bodies_are_declared_as_json(harness):
    harness.in_session()
    harness.do("observe", ["a"])
    assert harness.request.headers["content-type"] == "application/json"


def test_a_post_without_members_has_neither_body_nor_content_type(harness):
    harness.in_session()
    harness.do("learn")
    assert harness.request.content == b""
    assert "content-type" not in harness.request.headers


def test_a_number_that_is_not_one_travels_as_such_and_is_not_turned_into_null(harness):
    harness.in_session()
    harness.do("observe", [], emotives={"joy": float("nan")})
    assert b"NaN" in harness.request.content


def test_integers_of_any_size_travel_both_ways(harness):
    harness.in_session()
    harness.will(harness.answer({"metadata": {"n": 10**30}}))
    assert harness.do("observe", [], metadata={"n": 10**30})["metadata"] == {"n": 10**30}
    assert json.loads(harness.request.content)["metadata"] == {"n": 10**30}


def test_arrays_are_taken_as_vectors(harness):
    numpy = pytest.importorskip("numpy")
    harness.in_session()
    harness.do("observe", [], numpy.array([[1.5, 2.0]]))
    harness.do("observe", [], [numpy.array([1.5, 2.0])])
    harness.do("observe_sequence", [{"vectors": numpy.array([[1.5, 2.0]])}])
    assert harness.body(0)["vectors"] == harness.body(1)["vectors"] == [[1.5, 2.0]]
    assert harness.body(2)["observations"] == [{"vectors": [[1.5, 2.0]]}]


def test_the_affinity_of_the_empty_symbol_looks_like_that_of_any_other(harness):
    page = {"affinities": {"": {"joy": 0.5}}, "node_id": "n", "kb_id": "n", "warnings": []}
    harness.will(harness.answer(page))
    found = harness.do("get_affinity", "", "n")
    assert found == {"symbol": "", "affinity": {"joy": 0.5}, "node_id": "n", "kb_id": "n", "warnings": []}


def test_walking_through_patterns_follows_the_cursors(harness):
    harness.will(
        harness.answer({"patterns": [{"name": "1"}, {"name": "2"}], "next_cursor": "x"}),
        harness.answer({"patterns": [{"name": "3"}], "next_cursor": None}),
    )
    found = harness.do("iterate_patterns", "n", page_size=2, search="s")
    assert [pattern["name"] for pattern in found] == ["1", "2", "3"]
    assert harness.paths() == [
        "GET /patterns?node_id=n&limit=2&search=s",
        "GET /patterns?node_id=n&limit=2&cursor=x&search=s",
    ]


@pytest.mark.parametrize(("method", "lacking"), [("iterate_patterns", "patterns"), ("iterate_history", "entries")])
@pytest.mark.parametrize("answer", [{}, {"patterns": None, "entries": "x"}])
def test_a_walk_ends_where_a_page_is_none(harness, method, lacking, answer):
    from kato import UnexpectedAnswer

    harness.will(harness.answer(answer))
    with pytest.raises(UnexpectedAnswer, match=f"its member '{lacking}' is missing, empty or no list") as raised:
        harness.do(method, "n")
    assert raised.value.trace_id


@pytest.mark.parametrize("method", ["get_pattern", "get_affinity", "list_patterns"])
def test_text_that_is_no_unicode_is_refused_before_it_is_sent(harness, method):
    from kato import InvalidInput

    with pytest.raises(InvalidInput, match="lone surrogates"):
        harness.do(method, "\ud800")
    assert harness.requests == []


SESSION_METHODS = [
    "observe",
    "observe_sequence",
    "observe_batch",
    "learn_and_test",
    "learn",
    "get_predictions",
    "clear_stm",
    "get_stm",
    "get_session_info",
    "delete_session",
    "extend_session",
    "get_config",
    "update_config",
]


@pytest.mark.parametrize("name", SESSION_METHODS)
def test_without_a_session_nothing_is_sent(harness, name):
    from kato import KATOSessionError, NoActiveSession

    arguments = {"learn_and_test": ([], []), "update_config": ({},)}.get(
        name, ([],) if name.startswith("observe") else ()
    )
    with pytest.raises(NoActiveSession, match="create_session"):
        harness.do(name, *arguments)
    assert issubclass(NoActiveSession, KATOSessionError)
    assert issubclass(NoActiveSession, ValueError)
    assert harness.requests == []


def test_what_has_the_wrong_shape_is_left_to_the_server_to_name(harness):
    harness.in_session()
    harness.do("observe", "word", vectors="12")
    harness.do("observe_sequence", ["word"])
    assert (harness.body(0)["strings"], harness.body(0)["vectors"]) == ("word", "12")
    assert harness.body(1)["observations"] == ["word"]
