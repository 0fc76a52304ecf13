"""What a node has learned, over HTTP: which node is meant, symbols of any kind, lists that others learn into."""

from __future__ import annotations

import asyncio
import threading
from urllib.parse import quote

import pytest

from kato import KATOClient
from kato.settings import Settings
from kato.wire.answers import predictions
from kato.wire.encoding import encode_answer
from serving import running

STRANGE = [
    "a/b",
    "/",
    "..",
    ".",
    "a%2Fb",
    "?x=1&y#z",
    " leading and trailing ",
    "tab\tnew\nline\0nul",
    "'\"\\",
    "Ünïcødé",
    "日本語",
    "👩‍👩‍👧",
    "e\u0301",
    "é",
    "\u202eright to left",
    "x" * 2000,
]


@pytest.fixture
def kato(server):
    with KATOClient(server.url) as client:
        yield client


# --- which node -----------------------------------------------------------------------------------------------------------

WAYS = [
    ({"node_id": "a", "kb_id": "b"}, {"X-Test-ID": "c", "X-Node-ID": "d"}, "a"),
    ({"kb_id": "b"}, {"X-Test-ID": "c", "X-Node-ID": "d"}, "b"),
    ({}, {"X-Test-ID": "c", "X-Node-ID": "d"}, "test_c"),
    ({}, {"X-Test-ID": "test_c"}, "test_c"),
    ({}, {"X-Node-ID": "d"}, "d"),
    ({}, {"X-Node-ID": ""}, "default_node"),
    ({}, {}, "default_node"),
    ({"node_id": "ö/☕"}, {}, "ö/☕"),
]


@pytest.mark.parametrize(("query", "headers", "node"), WAYS)
@pytest.mark.parametrize(
    "path", ["/patterns", "/symbols/stats", "/symbols/affinity", "/symbols/x/affinity", "/percept-data"]
)
def test_the_node_is_the_one_named_first(http, path, query, headers, node):
    answer = http.get(path, params=query, headers=headers).json()
    assert (answer["node_id"], answer["kb_id"]) == (node, node)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_patterns_are_read_edited_and_forgotten_in_the_node_named_by_a_header(http, kato, method):
    node = f"by header {method}"
    name = kato.learn_many([[["a"], ["b"]]], node)["results"][0]["pattern_name"]
    body = {"json": {"frequency": 2}} if method == "PATCH" else {}
    for named in (name, name.removeprefix("PTRN|").upper()):
        path = f"/pattern/{quote(named, safe='')}"
        assert http.request(method, path, **body).status_code == 404
        answer = http.request(method, path, headers={"X-Node-ID": node}, **body)
        assert answer.status_code == 200 or method == "DELETE"
        assert method == "DELETE" or answer.json()["node_id"] == node


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"node_id": ""}, "VALIDATION_ERROR"),
        ({"node_id": "x" * 513}, "LIMIT_EXCEEDED"),
        ({"kb_id": "\x7f"}, "VALIDATION_ERROR"),
    ],
)
def test_a_name_that_can_be_no_node_is_422(http, query, code):
    answer = http.get("/patterns", params=query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)


def test_asking_an_unknown_node_does_not_make_it(http):
    for path in ("/patterns", "/symbols/stats", "/symbols/affinity", "/symbols/x/affinity"):
        assert http.get(path, params={"node_id": "never"}).status_code == 200
    assert [node["node_id"] for node in http.get("/nodes", params={"after": "neve", "limit": 1}).json()["nodes"]] != [
        "never"
    ]


def test_the_sessions_own_node_is_listed_whatever_the_query_says(http, session, kato):
    node = http.get(f"/sessions/{session}").json()["node_id"]
    kato.learn_many([[["own"], ["one"]]], node)
    answer = http.get(f"/sessions/{session}/patterns", params={"node_id": "other", "search": "own"}).json()
    assert (answer["total"], answer["node_id"]) == (1, node)
    assert answer["warnings"] == ["'node_id' was ignored: the session's own node is listed"]


# --- symbols of any kind --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strange(server):
    """A node that felt something for every strange symbol."""
    with KATOClient(server.url) as client:
        sequences = [
            {"events": [[symbol], ["end"]], "emotives": [{"joy": float(place)}]}
            for place, symbol in enumerate(STRANGE, 1)
        ]
        client.learn_many(sequences, "strange")
    return "strange"


@pytest.mark.parametrize(("place", "symbol"), [*enumerate(STRANGE, 1)], ids=[ascii(symbol)[:20] for symbol in STRANGE])
def test_every_symbol_is_reachable_by_path_query_search_and_client(http, kato, strange, place, symbol):
    if symbol not in {".", ".."}:  # those are steps of a path, for every program that sends one
        by_path = http.get(f"/symbols/{quote(symbol, safe='')}/affinity", params={"node_id": strange}).json()
        assert (by_path["symbol"], by_path["affinity"]) == (symbol, {"joy": place})
    by_query = http.get("/symbols/affinity", params={"node_id": strange, "symbol": symbol}).json()
    assert by_query["affinities"] == {symbol: {"joy": place}}
    stats = http.get("/symbols/stats", params={"node_id": strange, "symbol": symbol}).json()["symbols"]
    assert stats == {symbol: {"name": symbol, "frequency": 1, "pattern_member_frequency": 1}}
    assert kato.get_affinity(symbol, strange)["affinity"] == {"joy": place}
    found = kato.list_patterns(strange, search=symbol)["patterns"]
    assert [[symbol], ["end"]] in [pattern["data"] for pattern in found]


def test_the_empty_symbol_is_asked_by_query(http, kato):
    kato.learn_many([{"events": [[""], ["x"]], "emotives": [{"joy": 3}]}], "empty")
    answer = http.get("/symbols/affinity", params={"node_id": "empty", "symbol": ""}).json()
    assert answer["affinities"] == {"": {"joy": 3}}


@pytest.mark.parametrize("listing", ["stats", "affinity"])
def test_symbols_come_in_pages_by_code_point(http, strange, listing):
    member = "symbols" if listing == "stats" else "affinities"
    names, cursor = [], None
    while True:
        query = {"node_id": strange, "limit": 3} | ({"cursor": cursor} if cursor else {})
        page = http.get(f"/symbols/{listing}", params=query).json()
        assert page["count"] == len(page[member]) <= 3
        assert page["total"] == len(STRANGE) + 1
        names += page[member]
        cursor = page["next_cursor"]
        assert page["has_more"] == (cursor is not None)
        if cursor is None:
            break
    assert names == sorted([*STRANGE, "end"])


def test_restricting_to_symbols_counts_only_those(http, strange):
    query = [("node_id", strange), ("symbol", "é"), ("symbol", "/"), ("symbol", "unknown"), ("limit", "1")]
    page = http.get("/symbols/stats", params=query).json()
    assert (list(page["symbols"]), page["total"], page["has_more"]) == (["/"], 2, True)


# --- lists that others learn into -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", [None, "stays"])
def test_a_walk_by_name_finds_what_was_there_all_along_exactly_once(server, kato, search):
    node = f"busy {search}"
    stays = kato.learn_many([[["stays"], [str(number)]] for number in range(60)], node)
    names = {result["pattern_name"] for result in stays["results"]}
    going, stop = [], threading.Event()

    def disturb():
        with KATOClient(server.url) as other:
            for number in range(10_000):
                if stop.is_set():
                    return
                name = other.learn_many([[["passes"], [str(number)]]], node)["results"][0]["pattern_name"]
                going.append(name)
                if number % 2:
                    other.forget_pattern(name, node)
                if number % 5 == 0:
                    other.edit_pattern(next(iter(names)), node, frequency=number + 2)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(3):
            walked = [pattern["name"] for pattern in kato.iterate_patterns(node, page_size=7, search=search)]
            assert walked == sorted(walked)
            assert len(walked) == len(set(walked))
            assert names <= set(walked)
            assert set(walked) - names <= set(going)
    finally:
        stop.set()
        thread.join(30)
    assert going


@pytest.mark.parametrize("sort", ["name", "-name", "frequency", "-frequency", "length", "-length"])
@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_every_order_walks_all_pages_with_ties_by_name(kato, sort, limit):
    node = "ordered"
    if kato.list_patterns(node)["total"] == 0:
        kato.learn_many(
            [[["p"], [str(number)] * (1 + number % 3)] for number in range(10)] + [[["p"], ["3"]]] * 2, node
        )
    found = list(kato.iterate_patterns(node, page_size=limit, sort=sort))
    key = sort.removeprefix("-")
    expected = sorted(found, key=lambda pattern: pattern["name"], reverse=sort == "-name")
    if key != "name":
        expected = sorted(expected, key=lambda pattern: pattern[key], reverse=sort.startswith("-"))
    assert [pattern["name"] for pattern in found] == [pattern["name"] for pattern in expected]
    assert len(found) == 10


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "1001"}, {"cursor": "nonsense"}, {"sort": "colour"}, {"limit": "1.0"}, {"limit": ""}],
)
def test_bad_values_of_a_list_are_422(http, query):
    assert http.get("/patterns", params=query).status_code == 422


def test_a_cursor_belongs_to_its_order(http, kato):
    kato.learn_many([[["x"], ["1"]], [["x"], ["2"]]], "cursor")
    cursor = http.get("/patterns", params={"node_id": "cursor", "limit": 1}).json()["next_cursor"]
    answer = http.get("/patterns", params={"node_id": "cursor", "cursor": cursor, "sort": "length"})
    assert answer.status_code == 422


def test_search_finds_symbols_that_contain_a_text_and_names_that_begin_with_it(kato):
    first, second = kato.learn_many([[["rosemary"], ["x"]], [["y"], ["z"]]], "search")["results"]
    assert [p["name"] for p in kato.list_patterns("search", search="sema")["patterns"]] == [first["pattern_name"]]
    bare = second["pattern_name"].removeprefix("PTRN|")
    assert [p["name"] for p in kato.list_patterns("search", search=bare[:12])["patterns"]] == [second["pattern_name"]]
    assert kato.list_patterns("search", search=bare[1:13])["total"] == 0


# --- editing and forgetting -----------------------------------------------------------------------------------------------


def test_an_edit_changes_what_follows_from_a_frequency_and_nothing_else(kato):
    name = kato.learn_many(
        [{"events": [["a", "a"], ["b"]], "emotives": [{"joy": 1.0}], "metadata": [{"k": 1}]}], "edited"
    )["results"][0]["pattern_name"]
    answer = kato.edit_pattern(name, "edited", frequency=5)
    assert (answer["pattern"]["frequency"], answer["updated"]) == (5, ["frequency"])
    stats = kato.get_symbol_stats("edited")["symbols"]
    assert (stats["a"]["frequency"], stats["a"]["pattern_member_frequency"]) == (10, 1)
    assert kato.get_affinity("a", "edited")["affinity"] == {"joy": 1.0}
    answer = kato.edit_pattern(
        name, "edited", emotives=[{"joy": 2.0}, {"fear": 1.0}], metadata={"k": [1, "x"], "j": None}
    )
    assert answer["updated"] == ["emotives", "metadata"]
    assert answer["pattern"]["pattern"]["emotives"] == [{"joy": 2.0}, {"fear": 1.0}]
    assert answer["pattern"]["metadata"] == {"j": ["None"], "k": ['[1,"x"]']}
    assert kato.get_affinity("a", "edited")["affinity"] == {"joy": 1.0}


def test_forgetting_is_as_if_it_had_never_been_learned(kato):
    everything = [
        {"events": [["a"], ["b"]], "emotives": [{"joy": 0.1}]},
        {"events": [["a"], ["c"]], "emotives": [{"joy": 0.2}]},
        {"events": [["a"], ["d"]], "emotives": [{"joy": 0.3}]},
    ]
    kato.learn_many(everything, "forgot")
    kato.learn_many([everything[0], everything[2]], "never knew")
    (name,) = [p["name"] for p in kato.list_patterns("forgot", search="c")["patterns"] if ["c"] in p["data"]]
    kato.forget_pattern(name, "forgot")
    for ask in (kato.get_symbol_stats, kato.get_affinities):
        left, right = ask("forgot"), ask("never knew")
        assert {**left, "node_id": "", "kb_id": ""} == {**right, "node_id": "", "kb_id": ""}
    left, right = (kato.predict_many([[["a"]]], node)["results"] for node in ("forgot", "never knew"))
    assert left == right


def test_symbols_are_searched_and_sorted_page_by_page(http) -> None:
    node = "symbols sorted"
    sequences = [[["kettle"], ["cup", "tea"]], [["kettle"], ["cup"]], [["kettle"], ["work"]]]
    assert http.post(f"/nodes/{quote(node)}/learn", json={"sequences": sequences}).status_code == 200
    seen, cursor = [], None
    while True:
        query = {"node_id": node, "sort": "-frequency", "limit": "2", **({"cursor": cursor} if cursor else {})}
        page = http.get("/symbols/stats", params=query).json()
        assert page["total"] == 4
        seen += [(name, each["frequency"]) for name, each in page["symbols"].items()]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [("kettle", 3), ("cup", 2), ("tea", 1), ("work", 1)]
    found = http.get("/symbols/stats", params={"node_id": node, "search": "k", "sort": "-name"}).json()
    assert (list(found["symbols"]), found["total"]) == (["work", "kettle"], 2)
    two = http.get(
        "/symbols/stats", params={"node_id": node, "symbol": ["cup", "kettle", "none"], "sort": "-frequency"}
    )
    assert list(two.json()["symbols"]) == ["kettle", "cup"]
    first = http.get("/symbols/stats", params={"node_id": node, "limit": 1}).json()["next_cursor"]
    other = http.get("/symbols/stats", params={"node_id": node, "sort": "-name", "cursor": first})
    assert other.status_code == 422
    assert "sort=-name" in other.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"stms": [[["a"]]], "as_if_left_out": []},
        {"stms": [[["a"]]], "as_if_left_out": [3]},
        {"stms": [[["a"]]], "as_if_left_out": "PTRN"},
        {"stms": "a"},
    ],
)
def test_a_body_that_asks_for_no_forecasts_is_422(http, body):
    assert http.post("/nodes/n/forecast", json=body).status_code == 422


@pytest.mark.parametrize("query", ["horizon=-1", "horizon=101", "limit=0", "false_alarms=2", "ending=perhaps"])
def test_what_no_forecast_can_be_asked_for_is_422(http, query):
    assert http.post(f"/nodes/n/forecast?{query}", json={"stms": []}).status_code == 422


@pytest.mark.parametrize(("asked", "explain"), [(2, "false"), (100, "false"), (100, "true")])
def test_as_many_predictions_are_counted_as_are_told(http, asked, explain):
    node, config = f"counted {asked} {explain}", {"max_predictions": asked, "recall_threshold": 0.1}
    learned = {"sequences": [[["a"], [end]] for end in "bcd"]}
    assert http.post(f"/nodes/{node}/learn", json=learned).status_code == 200
    session = http.post("/sessions", json={"node_id": node, "config": config}).json()["session_id"]
    http.post(f"/sessions/{session}/observe", json={"strings": ["a"]})
    alone = http.get(f"/sessions/{session}/predictions", params={"explain": explain}).json()
    together = http.post(f"/nodes/{node}/predict", json={"stms": [[["a"]]], "config": config}).json()["results"][0]
    for answer in (alone, together):
        assert answer["count"] == len(answer["predictions"]) == min(asked, 3)


def test_explanations_are_made_where_they_delay_nobody(monkeypatch):
    """They are many times what they explain: made on the event loop, everybody would wait until the last is told."""
    where = []

    def made(*arguments):
        where.append(threading.current_thread())
        return predictions(*arguments)

    def encoded(answer):
        where.append(threading.current_thread())
        return encode_answer(answer)

    monkeypatch.setattr("kato.operations.predictions.predictions", made)
    monkeypatch.setattr("kato.wire.encoding.encode_answer", encoded)
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as server:
        loop = asyncio.run_coroutine_threadsafe(_thread(), server.loop).result(10)
        with KATOClient(server.url) as kato:
            kato.create_session("explained")
            kato.learn_many([[["a"], ["b"]], [["a"], ["c"]]])
            kato.observe(["a"])
            told = kato.get_predictions(explain=True)
    assert [each["explanation"]["rank"] for each in told["predictions"]] == [1, 2]
    assert len(where) == 3
    assert loop not in where


async def _thread():
    return threading.current_thread()
