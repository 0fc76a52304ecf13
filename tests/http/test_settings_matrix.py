"""
Every setting of a session at both ends of its range: not its echo, its effect.

What a prediction setting does is looked at in every place that predicts: a session made with it, a session whose setting
is changed (from the next call on), predictions asked for with an observation, the cognition, and bulk prediction. All of
them must show the same.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any

import pytest

from kato import InvalidInput, InvalidSettings, InvalidVector, KATOClient
from kato.engine.settings import KEYS, RANKINGS


@pytest.fixture(scope="module")
def kato(server):
    with KATOClient(server.url) as client:
        yield client


def events_of(text):
    """`a b [c,d]` as events."""
    return [word[1:-1].split(",") if word.startswith("[") else [word] for word in text.split()]


@dataclass(frozen=True)
class Case:
    """Patterns that a node learned, a memory, what to look at, and what values of the setting show."""

    knows: tuple[Any, ...]
    memory: str
    look: Any
    shows: tuple[tuple[Any, Any], ...]
    """(value of the setting, what is seen), both ends of its range among them."""
    beside: dict[str, Any] = field(default_factory=dict)


def sequences(answer):
    return sorted("".join(symbol for event in each["sequence"] for symbol in event) for each in answer["predictions"])


def count(answer):
    return len(answer["predictions"])


def priors(answer):
    return [each["bayesian_prior"] for each in answer["predictions"]]


def first(name):
    return lambda answer: answer["predictions"][0][name]


ABC = ("a b", "a b c d", "x y")
EQUAL = (("a b c", "a b d", "a b e", "a x"), "a b", lambda answer: answer["predictions"])
FELT = ({"events": events_of("a b c"), "emotives": [{"joy": 3.0}]}, "a b d")
SAME = ("same", "same")

CASES: dict[str, Case] = {
    "recall_threshold": Case(ABC, "a b", sequences, ((0, ["ab", "abcd", "xy"]), (0.5, ["ab", "abcd"]), (1, ["ab"]))),
    "max_predictions": Case(("a b c", "a b d", "a b e"), "a b", count, ((1, 1), (2, 2), (10_000, 3))),
    "ensemble_size": Case(
        ("a b c", "a b d", "a b e", "a b f"),
        "a b",
        priors,
        ((0, [0.25]), (1_000_000, [0.25]), (2, [0.5]), (1, [1.0])),
        {"max_predictions": 1},
    ),
    "use_token_matching": Case(("abc def",), "abc dxf", first("similarity"), ((True, 0.5), (False, 12 / 14))),
    "fuzzy_token_threshold": Case(
        ("apple pie",),
        "aple pie",
        lambda answer: [(each["observed"], each["expected"]) for each in answer["predictions"][0]["anomalies"]],
        ((0, []), (0.8, [("aple", "apple")]), (1, [])),
    ),
    "affinity_emotive": Case(
        FELT, "a b", lambda answer: first("weighted_similarity")(answer) is not None, ((None, False), ("joy", True))
    ),
    "filter_pipeline": Case(
        ("a b", "a b c d e f", "a x y"),
        "a b",
        sequences,
        (
            ([], ["ab", "abcdef", "axy"]),
            (["length"], ["ab", "axy"]),
            (["jaccard"], ["ab", "abcdef"]),
            (["length", "jaccard", "minhash", "bloom", "rapidfuzz"], ["ab"]),
        ),
    ),
    "length_min_ratio": Case(
        ("a b c d", "a b"), "a b c d", sequences, ((0, ["ab", "abcd"]), (1, ["abcd"])), {"filter_pipeline": ["length"]}
    ),
    "length_max_ratio": Case(
        ("a b c d", "a b"), "a b", sequences, ((1, ["ab"]), (1e308, ["ab", "abcd"])), {"filter_pipeline": ["length"]}
    ),
    "jaccard_threshold": Case(
        ("a b c d", "a b"),
        "a b",
        sequences,
        ((0, ["ab", "abcd"]), (0.5, ["ab", "abcd"]), (1, ["ab"])),
        {"filter_pipeline": ["jaccard"]},
    ),
    "jaccard_min_overlap": Case(
        ("a b c", "a x"),
        "a b",
        sequences,
        ((1, ["abc", "ax"]), (2, ["abc"]), (10**12, [])),
        {"filter_pipeline": ["jaccard"], "jaccard_threshold": 0},
    ),
    "minhash_threshold": Case(
        ("a b c d", "a b"),
        "a b",
        sequences,
        ((0, ["ab", "abcd"]), (1, ["ab"])),
        {"filter_pipeline": ["minhash"]},
    ),
    "enable_filter_metrics": Case(
        ("a b c", "a x"),
        "a b",
        sequences,
        ((True, ["abc", "ax"]), (False, ["abc", "ax"])),
        {"filter_pipeline": ["bloom"]},
    ),
}
NEVER_A_RESULT = {
    "minhash_bands": (1, 100),
    "minhash_rows": (1, 20),
    "minhash_num_hashes": (100,),
    "bloom_false_positive_rate": (0.0001, 0.1),
    "max_candidates_per_stage": (100, 10**12),
    "indexer_type": ("VI", "LSH", "ANNOY", "FAISS"),
}
"""Settings of which the definition says that they change no prediction."""
ELSEWHERE = {
    "rank_sort_algo",
    "process_predictions",
    "sort_symbols",
    "max_pattern_length",
    "stm_mode",
    "persistence",
    "vector_neighbors",
    "vector_max_distance",
    "vector_metric",
    "vector_dim",
}
"""Settings with a test of their own below."""


def test_every_setting_is_looked_at():
    assert {key.name for key in KEYS} == CASES.keys() | NEVER_A_RESULT.keys() | ELSEWHERE


def taught(kato, request, *knows):
    """A node of the test's own that has learned something; its id."""
    node = f"{request.node.name}"
    kato.learn_many([events_of(each) if isinstance(each, str) else each for each in knows], node)
    return node


def remember(session, memory):
    for event in events_of(memory):
        session.observe(event)


def made(kato, node, memory, config, other):
    """A session that was made so."""
    with kato.node(node).session(config) as session:
        remember(session, memory)
        return session.get_predictions()


def changed(kato, node, memory, config, other):
    """A session that was made otherwise, and is changed before the question."""
    with kato.node(node).session(other) as session:
        remember(session, memory)
        session.get_predictions()
        session.update_config(config)
        return session.get_predictions()


def observed(kato, node, memory, config, other):
    """What the last observation brings along, in a session changed just before it."""
    *before, last = events_of(memory)
    with kato.node(node).session(other) as session:
        for event in before:
            session.observe(event, include_predictions=True)
        session.update_config(config)
        return session.observe(last, include_predictions=True)


def sequence(kato, node, memory, config, other):
    """What the last observation of a sequence brings along."""
    with kato.node(node).session(config) as session:
        items = [{"strings": event} for event in events_of(memory)]
        answer = session.observe_sequence(items, include_predictions=True)
        return {"predictions": answer["final_predictions"]}


def recalled(kato, node, memory, config, other):
    """What is on the session's mind, after a change."""
    with kato.node(node).session(other) as session:
        remember(session, memory)
        session.update_config(config)
        return session.get_cognition_data()["cognition_data"]


def many(kato, node, memory, config, other):
    """One memory of many."""
    return kato.predict_many([events_of(memory)], node, config=config)["results"][0]


WAYS = [made, changed, observed, sequence, recalled, many]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("key", CASES)
def test_a_prediction_setting_has_its_effect_wherever_something_is_predicted(kato, request, key, way):
    case = CASES[key]
    node = taught(kato, request, *case.knows)
    values = [value for value, _ in case.shows]
    for position, (value, seen) in enumerate(case.shows):
        other = {**case.beside, key: values[position - 1]}
        assert case.look(way(kato, node, case.memory, {**case.beside, key: value}, other)) == seen, value


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("key", NEVER_A_RESULT)
def test_a_setting_that_is_never_a_result_changes_none(kato, request, key, way):
    node = taught(kato, request, "a b c", "a b d", "a x")
    config = {"filter_pipeline": ["length", "jaccard", "minhash", "bloom"], "minhash_threshold": 0.2}
    answers = [way(kato, node, "a b", {**config, key: value}, config)["predictions"] for value in NEVER_A_RESULT[key]]
    answers.append(way(kato, node, "a b", config, config)["predictions"])
    assert answers[0]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(("bands", "rows"), [(2, 5), (100, 20)])
def test_the_number_of_hashes_follows_the_layout_at_both_ends(kato, request, bands, rows):
    node = taught(kato, request, "a b c")
    layout = {"minhash_bands": bands, "minhash_rows": rows}
    with kato.node(node).session({**layout, "minhash_num_hashes": bands * rows}) as session:
        assert session.get_config()["config"]["minhash_num_hashes"] == bands * rows
        session.update_config({"minhash_num_hashes": None})
        assert session.get_config()["config"]["minhash_num_hashes"] == bands * rows
        with pytest.raises(InvalidSettings) as refused:
            session.update_config({"minhash_num_hashes": bands * rows + 1})
        assert set(refused.value.errors) == {"minhash_num_hashes"}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("ranking", RANKINGS)
def test_every_ranking_orders_by_its_own_number(kato, request, ranking, way):
    knows = (
        {"events": events_of("a b c"), "emotives": [{"joy": 5.0}]},
        {"events": events_of("b x c z"), "emotives": [{"joy": -1.0}]},
        "a c",
        "a c",
        "a c",
        "a y b y c y d",
        "c",
        "q [a,c]",
    )
    node = taught(kato, request, *knows)
    config = {"rank_sort_algo": ranking, "affinity_emotive": "joy", "recall_threshold": 0}
    other = {"rank_sort_algo": "frequency" if ranking != "frequency" else "snr", "recall_threshold": 0}
    found = [each[ranking] for each in way(kato, node, "a b c", config, other)["predictions"]]
    assert len(found) == 5
    if ranking == "fragmentation":
        assert found == sorted(found, key=lambda value: (value == -1, value))
    else:
        assert found == sorted(found, reverse=True)
    if ranking not in {"global_normalized_entropy", "predictive_information"}:
        assert len(set(found)) > 1, "equal numbers show no order"


def test_a_weighted_ranking_needs_an_emotive(kato):
    with pytest.raises(InvalidSettings):
        kato.node("w").session({"rank_sort_algo": "weighted_snr"})


def test_process_predictions_silences_what_is_not_asked_for_itself(kato, request):
    node = taught(kato, request, "a b c")
    with kato.node(node).session({"process_predictions": False}) as session:
        quiet = session.observe(["a"], include_predictions=True)
        assert (quiet["predictions"], quiet["future_potentials"], quiet["symbol_potentials"]) == ([], [], [])
        assert quiet["warnings"] == ["process_predictions is false for this session, so no predictions were made"]
        sequence = session.observe_sequence([{"strings": ["b"], "include_predictions": True}], include_predictions=True)
        assert (sequence["results"][0]["predictions"], sequence["final_predictions"]) == ([], [])
        assert session.get_cognition_data()["cognition_data"]["predictions"] == []
        asked = session.get_predictions()
        assert asked["predictions"]
        session.update_config({"process_predictions": True})
        assert session.get_cognition_data()["cognition_data"]["predictions"] == asked["predictions"]
        session.clear_stm()
        assert session.observe(["a"], include_predictions=True)["predictions"]


def test_explain_counts_what_each_filter_left_where_that_is_enabled(kato, request):
    node = taught(kato, request, "a b c", "a x", "a b d e f")
    with kato.node(node).session({"filter_pipeline": ["length", "jaccard"]}) as session:
        remember(session, "a b")
        assert session.get_predictions(explain=True)["explain"]["filters"] == [
            {"name": "length", "passed": 2},
            {"name": "jaccard", "passed": 1},
        ]
        session.update_config({"enable_filter_metrics": False})
        assert session.get_predictions(explain=True)["explain"]["filters"] == []


@pytest.fixture
def heard():
    """What the parts of the server say in the log."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = logging.getLogger("kato.service.predicting")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield messages
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(handler)


@pytest.mark.parametrize(("enabled", "said"), [(True, "length 101, bloom 101"), (False, "filters 101")])
def test_a_stage_that_leaves_more_than_expected_is_logged(kato, request, heard, enabled, said):
    node = taught(kato, request, *[f"a b {number}" for number in range(101)])
    config = {"filter_pipeline": ["length", "bloom"], "enable_filter_metrics": enabled}
    counted = [f"Of 101 patterns passed {said}"] if enabled else []
    for most, warned in (
        (100_000, []),
        (101, []),
        (100, [f"More than max_candidates_per_stage, 100, are left: {said}"]),
    ):
        heard.clear()
        kato.predict_many([events_of("a b")], node, config={**config, "max_candidates_per_stage": most})
        assert heard == counted + warned


def test_sort_symbols_orders_the_strings_of_an_event_from_the_next_on(kato, request):
    with kato.node(request.node.name).session({"sort_symbols": False}) as session:
        assert session.observe(["b", "a", "b"])["sorted"] == ["b", "a", "b"]
        session.update_config({"sort_symbols": True})
        assert session.observe(["b", "a", "b"])["symbols"] == ["a", "b", "b"]
        assert session.get_stm()["stm"] == [["b", "a", "b"], ["a", "b", "b"]]


@pytest.mark.parametrize(("given", "sorts"), [(True, True), (False, False)])
def test_sort_symbols_follows_token_matching_when_that_alone_is_given(kato, request, given, sorts):
    with kato.node(request.node.name).session({"use_token_matching": given}) as session:
        assert session.observe(["b", "a"])["symbols"] == (["a", "b"] if sorts else ["b", "a"])


def observe_all(session, text):
    return [session.observe(event)["stm_length"] for event in events_of(text)]


def test_max_pattern_length_learns_by_itself_at_its_length_and_never_at_0(kato, request):
    node = kato.node(request.node.name)
    with node.session({"max_pattern_length": 0}) as session:
        assert observe_all(session, "a b c d") == [1, 2, 3, 4]
        session.update_config({"max_pattern_length": 2})
        answer = session.observe(["e"])
        assert (answer["stm_length"], answer["auto_learned_pattern"] is not None) == (0, True)
        session.update_config({"max_pattern_length": 1})
        assert (
            session.observe(["x", "y"])["auto_learned_pattern"] == node.list_patterns(search="x")["patterns"][0]["name"]
        )
        assert session.observe(["lonely"])["auto_learned_pattern"] is None
        assert session.get_stm()["stm"] == []
        warned = session.update_config({"max_pattern_length": 10**9})["warnings"]
        assert "never learned by itself" in warned[0]
        assert observe_all(session, "a b c d") == [1, 2, 3, 4]
    assert {pattern["length"] for pattern in node.list_patterns()["patterns"]} == {2, 5}


@pytest.mark.parametrize(
    ("mode", "lengths", "learned"),
    [("CLEAR", [1, 2, 0, 1], ["abc"]), ("ROLLING", [1, 2, 2, 2], ["abc", "bcd"]), ("other", [1, 2, 0, 1], ["abc"])],
)
def test_stm_mode_says_what_stays_after_auto_learning(kato, request, mode, lengths, learned):
    node = kato.node(request.node.name)
    with node.session({"max_pattern_length": 3}) as session:
        warned = session.update_config({"stm_mode": mode})["warnings"]
        assert (warned != []) == (mode == "other")
        assert observe_all(session, "a b c d") == lengths
    assert (
        sorted(
            "".join(symbol for event in each["data"] for symbol in event) for each in node.list_patterns()["patterns"]
        )
        == learned
    )


@pytest.mark.parametrize("persistence", [1, 100])
def test_persistence_is_how_many_emotive_dictionaries_a_pattern_keeps(kato, request, persistence):
    node = kato.node(request.node.name)
    with node.session({"persistence": 7}) as session:
        session.update_config({"persistence": persistence})
        for number in range(101):
            session.observe(["a"] if number in {0, 1} else [], emotives={"joy": number})
        session.learn()
    (pattern,) = node.list_patterns()["patterns"]
    assert [each["joy"] for each in pattern["emotives"]] == list(range(101 - persistence, 101))


VECTORS = [[1.0, 0.0], [2.0, 0.0], [0.0, 10.0], [5.0, 5.0]]


def neighbours(kato, request, config, vector=(1.1, 0.0)):
    """The places in VECTORS of the learned vectors that come with a new one."""
    node = kato.node(request.node.name)
    names = []
    with node.session({"vector_neighbors": 0}) as session:
        for learned in VECTORS:
            names.append(session.observe([], vectors=[learned])["symbols"][0])
        session.learn()
        session.update_config({"vector_neighbors": None, **config})
        symbols = session.observe([], vectors=[list(vector)])["symbols"]
    return sorted(names.index(symbol) for symbol in symbols if symbol in names)


@pytest.mark.parametrize(("most", "found"), [(0, []), (1, [0]), (3, [0, 1, 3]), (100, [0, 1, 2, 3])])
def test_vector_neighbors_is_how_many_learned_ones_come_along(kato, request, most, found):
    assert neighbours(kato, request, {"vector_neighbors": most}) == found


@pytest.mark.parametrize(
    ("nearer", "found"), [(5e-324, []), (0.5, [0]), (1.0, [0, 1]), (1e308, [0, 1, 3]), (None, [0, 1, 3])]
)
def test_vector_max_distance_keeps_the_far_ones_away(kato, request, nearer, found):
    assert neighbours(kato, request, {"vector_max_distance": nearer}) == found


@pytest.mark.parametrize(("metric", "found"), [("euclidean", [0]), ("cosine", [3])])
def test_vector_metric_is_what_near_means(kato, request, metric, found):
    assert neighbours(kato, request, {"vector_neighbors": 1, "vector_metric": metric}, (1.2, 0.9)) == found


@pytest.mark.parametrize("indexer", ["VI", "LSH", "ANNOY", "FAISS"])
def test_every_indexer_finds_the_nearest_among_few(kato, request, indexer):
    assert neighbours(kato, request, {"indexer_type": indexer}) == [0, 1, 3]


@pytest.mark.parametrize("dimension", [1, 16_384])
def test_vector_dim_is_the_only_dimension_taken(kato, request, dimension):
    with kato.node(request.node.name).session() as session:
        session.observe([], vectors=[[1.0, 2.0]])
        session.update_config({"vector_dim": dimension})
        with pytest.raises(InvalidVector) as refused:
            session.observe([], vectors=[[1.0, 2.0]])
        assert refused.value.details["expected_dimension"] == dimension
        assert session.observe([], vectors=[[1.0] * dimension])["stm_length"] == 2
        session.update_config({"vector_dim": None})
        assert session.observe([], vectors=[[1.0, 2.0]])["stm_length"] == 3


# --- the ends of the ranges -----------------------------------------------------------------------------------------------

BEYOND = {
    "recall_threshold": (-0.01, 1.01),
    "max_predictions": (0, 10_001),
    "rank_sort_algo": ("", "weights"),
    "ensemble_size": (-1, 1_000_001),
    "use_token_matching": (0, "true"),
    "fuzzy_token_threshold": (-0.01, 1.01),
    "affinity_emotive": (5, ["joy"]),
    "process_predictions": (1, "no"),
    "sort_symbols": (1, []),
    "max_pattern_length": (-1, 1.5),
    "stm_mode": (5, False),
    "persistence": (0, 101),
    "filter_pipeline": ("length", ["lengths"]),
    "length_min_ratio": (-0.01, 1.01),
    "length_max_ratio": (0.99, "2"),
    "jaccard_threshold": (-0.01, 1.01),
    "jaccard_min_overlap": (0, 1.0),
    "minhash_threshold": (-0.01, 1.01),
    "minhash_bands": (0, 101),
    "minhash_rows": (0, 21),
    "minhash_num_hashes": (9, 2001),
    "bloom_false_positive_rate": (0.00009, 0.11),
    "max_candidates_per_stage": (99, 100.0),
    "enable_filter_metrics": (0, 1),
    "indexer_type": ("vi", "HNSW"),
    "vector_neighbors": (-1, 101),
    "vector_max_distance": (0, "far"),
    "vector_metric": ("manhattan", True),
    "vector_dim": (0, 16_385),
}


@pytest.mark.parametrize("key", [key.name for key in KEYS])
def test_what_is_beyond_an_end_is_refused_with_its_name_and_changes_nothing(kato, key):
    with kato.node("beyond").session() as session:
        before = session.get_config()["config"]
        for value in BEYOND[key]:
            with pytest.raises(InvalidSettings) as refused:
                session.update_config({key: value, "persistence" if key != "persistence" else "ensemble_size": 9})
            assert set(refused.value.errors) == {key}
            with pytest.raises(InvalidSettings):
                kato.node("beyond").session({key: value})
        assert session.get_config()["config"] == before


@pytest.mark.parametrize("key", [key for key in KEYS if not key.name.startswith("minhash_")], ids=lambda key: key.name)
def test_null_gives_the_default_back_or_is_a_value_of_its_own(kato, key):
    other = {"affinity_emotive": "joy", "vector_dim": 4}.get(key.name)
    with kato.node("null").session({key.name: key.default if other is None else other}) as session:
        answer = session.update_config({key.name: None})
        assert answer["config"][key.name] == key.default
        assert answer["config_overrides"].get(key.name, "absent") == (None if key.nullable else "absent")
    assert json.loads(json.dumps(answer["config"])) == answer["config"]


def test_a_configuration_can_be_given_to_another_session(kato):
    with kato.node("one").session({"recall_threshold": 0.4, "minhash_bands": 10, "vector_dim": 3}) as session:
        config = session.get_config()["config"]
    with kato.node("two").session(config) as session:
        assert session.get_config()["config"] == config


@pytest.mark.parametrize("ttl", [1, 31_536_000])
def test_session_ttl_sets_the_lifetime_and_is_no_part_of_the_configuration(kato, ttl):
    with kato.node("ttl").session({"session_ttl": ttl}) as session:
        info = session.get_session_info()
        assert (info["ttl"], "session_ttl" in info["config"]) == (ttl, False)
        answer = session.update_config({"session_ttl": 77})
        assert (answer["ttl"], answer["updated"]) == (77, ["session_ttl"])
        for wrong in (0, 31_536_001, 1.0, True, "1"):
            with pytest.raises(InvalidInput):
                session.update_config({"session_ttl": wrong})
