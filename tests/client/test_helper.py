"""Short questions to predictions."""

from __future__ import annotations

import pytest

from kato import PredictionHelper

PREDICTION = {
    "future": [["code", "work"], [], ["evening", "relax"]],
    "missing": [[], ["tea"]],
    "confidence": 0.75,
    "metrics": {"confidence": 0.75},
}


def test_the_top_prediction_is_the_first():
    answer = {"predictions": [PREDICTION, {"future": []}], "count": 2}
    assert PredictionHelper.get_top_prediction(answer) is PREDICTION


@pytest.mark.parametrize("answer", [{}, {"predictions": []}, {"predictions": None}])
def test_there_may_be_no_top_prediction(answer):
    assert PredictionHelper.get_top_prediction(answer) is None


def test_the_future_is_read_event_by_event():
    assert PredictionHelper.get_future_strings(PREDICTION) == ["code", "work", "evening", "relax"]
    assert PredictionHelper.get_next_event(PREDICTION) == ["code", "work"]


def test_a_pattern_that_ends_has_no_future():
    assert PredictionHelper.get_future_strings({"future": []}) == []
    assert PredictionHelper.get_next_event({"future": []}) is None
    assert PredictionHelper.get_next_event({}) is None


@pytest.mark.parametrize(("missing", "found"), [([], False), ([[]], False), ([[], []], False), ([[], ["a"]], True)])
def test_symbols_are_missing_when_any_event_misses_one(missing, found):
    assert PredictionHelper.has_missing_symbols({"missing": missing}) is found


@pytest.mark.parametrize(
    ("prediction", "confidence"),
    [
        (PREDICTION, 0.75),
        ({"metrics": {"confidence": 1}}, 1.0),
        ({"confidence": 0.5}, 0.5),
        ({"metrics": {}}, 0.0),
        ({"metrics": {"confidence": None}}, 0.0),
        ({}, 0.0),
    ],
)
def test_confidence_is_a_number_whatever_there_is(prediction, confidence):
    assert PredictionHelper().get_confidence(prediction) == confidence
