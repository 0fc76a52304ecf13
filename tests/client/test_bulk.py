"""Any number of sequences and memories, in requests of a size that servers take."""

from __future__ import annotations

import json

import pytest

from kato import Kato, KATOClient, Progress, StorageUnavailable
from kato.client import bulk
from kato.settings import Settings
from serving import running


def learned(request):
    """What a server would say of the sequences of a request."""
    import httpx2

    sequences = json.loads(request.content)["sequences"]
    results = [
        {"status": "learned", "pattern_name": "PTRN|x", "frequency": 1, "is_new": len(sequence) > 1}
        if len(sequence) > 0
        else {"status": "insufficient_data", "pattern_name": "", "frequency": 0, "is_new": False}
        for sequence in sequences
    ]
    return httpx2.Response(200, json={"results": results, "warnings": []})


def test_sequences_go_in_batches_and_the_progress_is_told(harness):
    harness.otherwise = learned
    told = []
    sequences = ([["a"]] * (number % 3) for number in range(7))
    end = harness.do("learn_all", sequences, "n", batch_size=3, progress=told.append, persistence=7, sort_symbols=False)
    assert harness.paths() == ["POST /nodes/n/learn?persistence=7&sort_symbols=false"] * 3
    assert [len(harness.body(position)["sequences"]) for position in range(3)] == [3, 3, 1]
    assert [each.done for each in told] == [3, 6, 7]
    assert end == told[-1] == Progress(done=7, learned=4, new=2, too_short=3)


def test_nothing_is_sent_for_nothing(harness):
    assert harness.do("learn_all", [], "n") == Progress()
    assert harness.do("predict_all", [], "n") == []
    assert harness.requests == []


def test_each_batch_has_a_key_of_its_own_that_is_the_same_next_time(harness):
    harness.otherwise = learned
    for _ in range(2):
        harness.do("learn_all", [[["a"], ["b"]]] * 5, "n", batch_size=2, idempotency_key="mine")
    keys = [request.headers["idempotency-key"] for request in harness.requests]
    assert keys == ["mine-1", "mine-3", "mine-5"] * 2


def test_sequences_are_taken_from_the_iterable_only_as_they_are_sent(harness):
    taken = []

    def endless():
        for number in range(1_000_000):
            taken.append(number)
            yield [["a"], ["b"]]

    harness.otherwise = lambda request: harness.refusal(503, "STORAGE_UNAVAILABLE")
    with pytest.raises(StorageUnavailable):
        harness.do("learn_all", endless(), "n", batch_size=10)
    assert len(taken) == 11


def test_memories_are_asked_for_when_their_answers_are_needed(harness):
    harness.will(
        harness.answer({"results": [{"count": 1}, {"count": 2}], "warnings": []}),
        harness.answer({"results": [{"count": 3}], "warnings": []}),
    )
    told = []
    config = {"recall_threshold": 0.5}
    stms = [[["a"]], [["b"]], [["c"]]]
    found = harness.do("predict_all", stms, "n", config=config, batch_size=2, progress=told.append)
    assert [each["count"] for each in found] == [1, 2, 3]
    assert [each.done for each in told] == [2, 3]
    assert harness.body(0) == {"stms": [[["a"]], [["b"]]], "config": config}
    assert harness.body(1) == {"stms": [[["c"]]], "config": config}


def test_a_request_is_cut_short_before_it_is_too_large_for_a_server():
    long = [["x" * 1_000_000]]
    assert [len(batch) for batch in bulk.batches([long] * 10, 1000, bulk.characters)] == [3, 3, 3, 1]
    assert bulk.characters({"events": [["ab"], ["c"]]}) == 9
    assert bulk.characters(5) == bulk.characters([5]) == bulk.characters([[5]]) == 0


@pytest.fixture(params=["embedded", "server"])
def memory(request):
    if request.param == "embedded":
        with Kato() as kato:
            yield kato
    else:
        settings = Settings(data_dir=":memory:", log_level="CRITICAL")
        with running(settings) as server, KATOClient(server.url) as kato:
            yield kato


def test_what_is_learned_in_bulk_is_what_a_session_would_have_learned(memory):
    sequences = [
        [["kettle"], ["cup", "tea", "cup"]],
        {"events": [["kettle"], ["milk"]], "emotives": [{"joy": 0.5}, {"joy": 1.0}], "metadata": [{"room": 1}]},
        [["one"]],
        {"events": [["b", "a"], [], ["c"]], "emotives": [{"joy": each} for each in range(9)], "persistence": 2},
    ]
    done = memory.learn_all(sequences, "bulk", batch_size=3)
    assert done == Progress(done=4, learned=3, new=3, too_short=1)
    with memory.node("alone").session() as session:
        session.observe(["kettle"])
        session.observe(["cup", "tea", "cup"])
        session.learn()
        session.observe(["kettle"], emotives={"joy": 0.5}, metadata={"room": 1})
        session.observe(["milk"], emotives={"joy": 1.0})
        session.learn()
        session.update_config({"persistence": 2})
        session.observe(["b", "a"], emotives={"joy": 0})
        session.observe([], emotives={"joy": 1})
        session.observe(["c"], emotives={"joy": 2})
        for number in range(3, 9):
            session.observe([], emotives={"joy": number})
        session.learn()
    bulk_patterns, alone = (list(memory.iterate_patterns(node)) for node in ("bulk", "alone"))
    assert bulk_patterns == alone
    assert memory.get_affinities("bulk")["affinities"] == memory.get_affinities("alone")["affinities"]


def test_order_within_an_event_stays_where_that_is_asked_for(memory):
    memory.learn_many([[["b", "a"]]], "kept", sort_symbols=False)
    (pattern,) = memory.list_patterns("kept")["patterns"]
    assert pattern["data"] == [["b", "a"]]


CONFIGS = [
    {},
    {"recall_threshold": 0.6, "max_predictions": 1},
    {"rank_sort_algo": "similarity", "use_token_matching": False},
    {"affinity_emotive": "joy", "rank_sort_algo": "weighted_confidence", "ensemble_size": 1},
    {"sort_symbols": False, "fuzzy_token_threshold": 0.8},
    {"process_predictions": False, "filter_pipeline": ["length", "jaccard"], "jaccard_min_overlap": 1},
]


@pytest.mark.parametrize("config", CONFIGS)
def test_every_memory_is_answered_as_a_session_would_answer_it(memory, config):
    memory.learn_many(
        [
            [["kettle"], ["cup", "tea"], ["sofa"]],
            {"events": [["kettle"], ["milk"], ["sofa"]], "emotives": [{"joy": 2.0}]},
            [["bus"], ["work"], ["sofa"]],
        ],
        "asked",
    )
    stms = [[["kettle"]], [["tea", "cup"], ["sofa"]], [], [["ketle"], [], ["nothing"]], [["kettle"]] * 3]
    before = memory.count_sessions()["count"]
    answer = memory.predict_many(stms, "asked", config=config)
    assert memory.count_sessions()["count"] == before
    for stm, result in zip(stms, answer["results"], strict=True):
        with memory.node("asked").session(config) as session:
            for event in stm:
                session.observe(event)
            expected = session.get_predictions()
        assert result == {name: expected[name] for name in result}
    assert list(memory.predict_all(stms, "asked", config=config, batch_size=2)) == answer["results"]
    assert any(result["predictions"] for result in answer["results"])


def test_a_memory_longer_than_a_session_holds_keeps_its_newest_events(memory):
    memory.learn_many([[["a"], ["b"], ["c"]]], "window")
    long, kept = [["z"]] * 5 + [["a"]] * 1000, [["a"]] * 1000
    answer = memory.predict_many([long, kept], "window", config={"recall_threshold": 0, "session_ttl": 5})
    assert answer["results"][0] == answer["results"][1]
    assert answer["warnings"] == [
        "config.session_ttl was ignored: there is no session",
        "stms[0] has 1005 events; the newest 1000 are held",
    ]
