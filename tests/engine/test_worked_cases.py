"""The worked cases of the definition: each can be checked on paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.building import events, lists, node


@dataclass(frozen=True)
class Case:
    """One pattern, one memory, and what the prediction must say."""

    pattern: str
    memory: str
    shape: dict[str, list[list[str]]] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    matches: list[str] | None = None
    given: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case(
        "alpha beta gamma",
        "alpha beta",
        {"past": [], "present": events("alpha beta"), "future": [["gamma"]]},
        {
            "similarity": 0.8,
            "evidence": 2 / 3,
            "confidence": 1,
            "snr": 1,
            "fragmentation": 0,
            "phi": 1,
            "entropy": 1.0,
            "normalized_entropy": 0.63093,
            "global_normalized_entropy": 0,
            "itfdf_similarity": 1,
            "tfidf_score": 0.5,
            "confluence": 0,
            "predictive_information": 0.8,
            "bayesian_prior": 1,
            "bayesian_likelihood": 0.8,
            "bayesian_posterior": 1,
            "pattern_probability": 1,
            "weighted_strength": 0.8,
            "potential": 3.66667,
        },
        ["alpha", "beta"],
    ),
    Case(
        "a b c d",
        "b a",
        {"past": [], "present": [["a"]], "future": events("b c d"), "missing": [[]], "extras": [["b"], []]},
        {"similarity": 1 / 3, "evidence": 0.25, "confidence": 1, "snr": 1 / 3},
        ["a"],
    ),
    Case(
        "a b c d",
        "d c b a",
        {"extras": [["d"], ["c"], ["b"], []]},
        {"similarity": 0.25, "snr": -0.2},
        ["a"],
    ),
    Case(
        "a,b c,d e,f",
        "a c",
        {"past": [], "present": events("a,b c,d"), "missing": [["b"], ["d"]], "future": events("e,f")},
        {"similarity": 0.5, "fragmentation": 1},
        ["a", "c"],
    ),
    Case("a,b c,d", "a,x c,y", {"missing": [["b"], ["d"]], "extras": [["x"], ["y"]]}),
    Case("a b", "a,x b y", {"extras": [["x"], [], ["y"]]}, {"snr": 1 / 3}),
    Case(
        "a b c d e",
        "a c e",
        {"past": [], "present": events("a b c d e"), "missing": [[], ["b"], [], ["d"], []], "future": []},
        {"fragmentation": 2},
    ),
    Case(
        "beginning middle end",
        "middle end",
        {"past": [["beginning"]], "present": events("middle end"), "future": []},
    ),
    Case(
        "begin,start middle end",
        "start middle",
        {"past": [], "present": events("begin,start middle"), "missing": [["begin"], []], "future": [["end"]]},
    ),
    Case(
        "A,x A,B C",
        "A,B",
        {"past": [["A", "x"]], "present": [["A", "B"]], "missing": [[]], "future": [["C"]]},
        {"confidence": 1},
    ),
    Case("A B C A B C A", "A B", {"past": [], "present": events("A B"), "future": events("C A B C A")}),
    Case("A B C A B C A", "C A", {"past": events("A B"), "present": events("C A"), "future": events("B C A")}),
    Case(
        "r r u r e",
        "r r r",
        {"present": events("r r u r"), "missing": [[], [], ["u"], []], "future": [["e"]]},
        {"fragmentation": 1},
    ),
    Case("a b c", "a a b", {"extras": [["a"], [], []]}, {"snr": 0.6}),
    Case("a,a,b,b,c", "a,b", {"missing": [["a", "b", "c"]]}, {"similarity": 4 / 7}),
    Case(
        "u v w",
        "x y",
        {
            "past": [],
            "present": events("u v w"),
            "future": [],
            "missing": [["u"], ["v"], ["w"]],
            "extras": [["x"], ["y"]],
        },
        {"similarity": 0, "snr": -1, "fragmentation": -1, "phi": 0, "evidence": 0, "confidence": 0},
        [],
        {"recall_threshold": 0.0},
    ),
    Case(
        "apple banana cherry",
        "apple bannana chery",
        {"missing": [[], [], []], "extras": [[], [], []]},
        {"similarity": 1, "evidence": 1, "confidence": 1},
        ["apple", "bannana", "chery"],
        {"fuzzy_token_threshold": 0.85},
    ),
    Case("a b c", "b", {"past": [["a"]], "present": [["b"]], "future": [["c"]]}),
    Case("a b c d", "a b", {}, {"similarity": 2 / 3}, ["a", "b"], {"recall_threshold": 0.65}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.pattern} ← {case.memory}")
def test_the_worked_cases_come_out_as_written(case: Case) -> None:
    prediction = node(case.pattern).one(case.memory, **case.given)
    for part, expected in case.shape.items():
        assert lists(getattr(prediction, part)) == expected, part
    for metric, value in case.numbers.items():
        assert round(getattr(prediction.metrics, metric), 5) == round(value, 5), metric
    if case.matches is not None:
        assert list(prediction.matches) == case.matches


@pytest.mark.parametrize(
    ("pattern", "memory", "threshold"),
    [("u v w", "x y", 0.1), ("a b c d", "a b", 0.7), ("Hello World", "hello world", 0.1)],
)
def test_what_does_not_pass_the_gate_gives_no_prediction(pattern: str, memory: str, threshold: float) -> None:
    assert node(pattern).predict(memory, recall_threshold=threshold).ranked == ()


def test_the_misspelt_fruit_are_two_anomalies() -> None:
    prediction = node("apple banana cherry").one("apple bannana chery", fuzzy_token_threshold=0.85)
    found = [(each.observed, each.expected, round(each.similarity, 4)) for each in prediction.anomalies]
    assert found == [("bannana", "banana", 0.9231), ("chery", "cherry", 0.9091)]
