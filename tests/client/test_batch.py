"""Many observations at once."""

from __future__ import annotations

import logging

import pytest

from kato import BatchKATOClient, KATOClient, KATOSessionError, UnexpectedAnswer


def results(*lengths):
    return [
        {
            "status": "okay",
            "error": None,
            "sequence_position": position,
            "session_id": "s",
            "stm_length": length,
            "time": position + 1,
            "unique_id": f"seq-obs-{position}",
            "symbols": ["VCTR|1", "a", "b"],
            "auto_learned_pattern": None,
        }
        for position, length in enumerate(lengths)
    ]


def completed(harness, *lengths, warnings=()):
    return harness.answer({"results": results(*lengths), "node_id": "shop", "warnings": list(warnings)})


def test_a_batch_is_one_request_and_one_result_each(harness):
    harness.in_session()
    harness.will(completed(harness, 1, 2))
    first, second = harness.do(
        "observe_batch",
        [
            {"strings": ["b", "a"], "vectors": [[1.0]], "emotives": {"joy": 1.0}},
            {"strings": ["b"], "metadata": None},
        ],
    )
    assert harness.paths() == [f"POST /sessions/{harness.session_id}/observe-sequence"]
    assert harness.body()["observations"][1] == {"strings": ["b"]}
    assert (first["stm_length"], first["length"], first["time"], first["node_id"]) == (1, 1, 1, "shop")
    assert (first["strings"], first["sorted"], first["emotives"]) == (["b", "a"], ["a", "b"], {"joy": 1.0})
    assert (second["stm_length"], second["sorted"], second["metadata"]) == (2, ["b"], {})


def test_an_empty_batch_has_no_results(harness):
    harness.in_session()
    harness.will(completed(harness))
    assert harness.do("observe_batch", []) == []


def test_observations_may_come_from_a_generator(harness):
    harness.in_session()
    harness.will(completed(harness, 1, 2))
    assert len(harness.do("observe_batch", ({"strings": [word]} for word in "ab"))) == 2


def test_warnings_about_the_whole_batch_are_logged(harness, caplog):
    harness.in_session()
    harness.will(completed(harness, 1, warnings=["unknown key 'observations.0.colour' was ignored"]))
    with caplog.at_level(logging.WARNING, "kato.client"):
        harness.do("observe_batch", [{"strings": ["a"], "colour": "red"}])
    assert "colour" in caplog.text


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": []}])
def test_a_batch_that_was_not_answered_item_by_item_is_not_passed_on(harness, body):
    harness.in_session()
    harness.will(harness.answer(body))
    with pytest.raises(UnexpectedAnswer, match="no list of 1"):
        harness.do("observe_batch", [{"strings": ["a"]}])


def test_learning_and_testing_takes_five_requests(harness):
    harness.in_session()
    harness.will(
        completed(harness, 1, 2),
        harness.answer({"pattern_name": "PTRN|1"}),
        harness.answer(),
        completed(harness, 1),
        harness.answer({"predictions": []}),
    )
    found = harness.do("learn_and_test", [{"strings": ["a"]}, {"strings": ["b"]}], [{"strings": ["a"]}])
    assert found == {"pattern": {"pattern_name": "PTRN|1"}, "predictions": {"predictions": []}}
    steps = [path.rpartition("/")[2] for path in harness.paths()]
    assert steps == ["observe-sequence", "learn", "clear-stm", "observe-sequence", "predictions"]


def test_a_session_lost_between_training_and_learning_is_no_pattern(harness):
    harness.in_session()
    harness.will(completed(harness, 1), harness.gone(), harness.answer({"session_id": "next"}))
    with pytest.raises(KATOSessionError, match="nothing was learned"):
        harness.do("learn_and_test", [{"strings": ["a"]}], [])


def test_a_session_lost_before_training_is_begun_again(harness):
    harness.in_session()
    harness.will(
        harness.gone(),
        harness.answer({"session_id": "next"}),
        completed(harness, 1),
        harness.answer({"pattern_name": "PTRN|1"}),
        harness.answer(),
        completed(harness, 1),
        harness.answer({"predictions": []}),
    )
    harness.do("learn_and_test", [{"strings": ["a"]}], [{"strings": ["a"]}])
    assert all("/sessions/next/" in path for path in harness.paths()[2:])


def test_the_batch_client_is_a_client():
    assert issubclass(BatchKATOClient, KATOClient)
