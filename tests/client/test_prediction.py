"""Predictions are dictionaries like any other, and can explain themselves."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

from kato import Kato, PredictionHelper
from kato.client.prediction import ExplainedPattern, Prediction, with_predictions


@pytest.fixture
def memory():
    with Kato(":memory:", config={"fuzzy_token_threshold": 0.8, "recall_threshold": 0.3}) as found:
        found.create_session("n")
        for strings, emotives in ((["start"], {}), (["kettle"], {"joy": 0.5}), (["cup", "milk"], {}), (["tea"], {})):
            found.observe(strings, emotives=emotives)
        found.learn()
        found.learn_many([[["kettle"], ["cup"], ["coffee"]], [["x"], ["y"], ["kettel"]]], "n")
        found.observe(["kettle"])
        found.observe(["cup"])
        yield found


def test_a_prediction_is_the_dictionary_it_was(memory):
    answer = memory.get_predictions()
    first = answer["predictions"][0]
    assert type(first) is Prediction
    assert json.loads(json.dumps(first)) == first == dict(first)
    assert PredictionHelper.get_top_prediction(answer) is first
    assert PredictionHelper.get_confidence(first) == first["metrics"]["confidence"]


def test_predictions_explain_themselves_wherever_an_answer_has_them(memory):
    observed = memory.observe(["tea"], include_predictions=True)
    sequence = memory.observe_sequence(
        [{"strings": ["kettle"], "include_predictions": True}], include_predictions=True, clear_stm_between=True
    )
    mind = memory.get_cognition_data()["cognition_data"]
    many = memory.predict_many([[["kettle"]]], "n")["results"][0]
    for found in (
        observed["predictions"],
        sequence["final_predictions"],
        sequence["results"][0]["predictions"],
        sequence["individual_results"][0]["predictions"],
        mind["predictions"],
        many["predictions"],
    ):
        assert found
        assert all(type(each) is Prediction for each in found)


def test_other_answers_stay_what_they_are():
    for answer in ({"results": [{"pattern_name": "x"}]}, {"results": []}, {"results": 3}, {"cognition_data": None}):
        assert with_predictions(dict(answer)) == answer
        assert type(with_predictions(dict(answer))) is dict


def test_an_explanation_tells_alignment_places_numbers_and_provenance(memory, capsys):
    first, second = memory.get_predictions(explain=True)["predictions"][:2]
    first.explain()
    told = capsys.readouterr().out
    for line in (
        f"{first['pattern_name']}, learned once",
        "  - · kettle cup · coffee",
        "  match   kettle cup",
        "  future  coffee",
        f"  ranked 1 of 3 by potential, {first['potential']:.6g}",
        f"    beats {second['pattern_name']}, {second['potential']:.6g}: potential decides",
        "where it comes from: 1 change",
    ):
        assert line in told.split("\n"), told
    assert f"  {'potential':30}" in told
    assert told.rstrip().endswith("  learn")
    second.explain()
    told = capsys.readouterr().out
    assert f"    beaten by {first['pattern_name']}" in told
    for line in ("  past    start", "  match   kettle cup", "  missing milk", "  future  tea"):
        assert line in told.split("\n"), told
    assert f"in {memory.session_id}" in told


def test_the_tree_is_told_as_deep_as_one_asks(memory, capsys):
    first = memory.get_predictions(explain=True)["predictions"][0]
    first.explain()
    told = capsys.readouterr().out
    assert "more numbers: explain(levels=99) shows them" in told
    assert "patterns that hold 'kettle'" not in told
    first.explain(levels=99)
    deep = capsys.readouterr().out
    assert "patterns that hold 'kettle'" in deep
    assert "more numbers" not in deep
    first.explain(levels=0)
    assert "evidence = matches / pattern" in capsys.readouterr().out, "every metric with its formula"


def test_events_of_several_symbols_stay_together_and_long_runs_are_wrapped(memory, capsys):
    words = [f"word{number}" for number in range(40)]
    memory.learn_many([[["kettle"], ["cup", "saucer"], *([word] for word in words)]], "n")
    (pattern,) = (each["name"] for each in memory.list_patterns("n", search="saucer")["patterns"])
    memory.explain_pattern(pattern, [["kettle"], ["cup", "saucer"]], "n", config={"recall_threshold": 0.0}).explain()
    lines = capsys.readouterr().out.split("\n")
    assert "  match   kettle cup+saucer" in lines
    future = next(at for at, line in enumerate(lines) if line.startswith("  future  "))
    assert lines[future + 1].startswith(" " * 10 + "word")
    assert max(map(len, lines[future : future + 4])) <= 100


def test_without_explanation_a_prediction_tells_what_it_has_and_how_to_get_the_rest(memory, capsys):
    memory.observe(["tea"])
    memory.get_predictions()["predictions"][0].explain()
    told = capsys.readouterr().out
    assert "matches kettle cup" in told
    assert "missing -" in told
    assert "extras  tea" in told
    assert "explain=True" in told


def test_a_pattern_that_does_not_match_says_why(memory, capsys):
    (pattern,) = (each["name"] for each in memory.list_patterns("n", search="kettel")["patterns"])
    answer = memory.explain_pattern(pattern, [["kettle"], ["cup"], ["saucer"], ["plate"]], "n")
    assert type(answer) is ExplainedPattern
    assert answer["prediction"] is None
    answer.explain()
    told = capsys.readouterr().out
    assert "It is not predicted: similarity" in told
    assert "  FAILED  similarity" in told
    assert "  extra   cup" in told
    again = memory.explain_pattern(pattern, [["kettle"]], "n", config={"fuzzy_token_threshold": 0.8})
    again.explain()
    told = capsys.readouterr().out
    assert "kettle read as kettel, likeness 0.833" in told
    assert type(again["prediction"]) is Prediction


def test_a_pattern_beyond_the_ensemble_tells_its_place(memory, capsys):
    config = {"ensemble_size": 1, "max_predictions": 1, "recall_threshold": 0.5}
    found = {}
    for each in memory.list_patterns("n")["patterns"]:
        answer = memory.explain_pattern(each["name"], [["kettle"], ["cup"]], "n", config=config)
        found[answer["outcome"]] = answer
    assert set(found) == {"predicted", "beyond_ensemble", "below_threshold"}
    found["beyond_ensemble"].explain()
    assert "  selected 2 of 2 by quality" in capsys.readouterr().out


def test_many_learnings_are_told_in_part(memory, capsys):
    memory.learn_many([[["kettle"], ["cup"], ["coffee"]]] * 12, "n")
    memory.edit_pattern(memory.list_patterns("n", search="coffee")["patterns"][0]["name"], "n", frequency=5)
    memory.undo(node_id="n")
    memory.get_predictions(explain=True)["predictions"][0].explain()
    told = capsys.readouterr().out
    assert "where it comes from: 15 changes" in told
    assert "undo, back to 15, frequency 13" in told
    assert "… and older ones" in told


def test_a_notebook_gets_a_table_in_which_everything_is_text(memory, monkeypatch, capsys):
    memory.observe(["<script>alert(1)</script>"])
    shown = []
    display = SimpleNamespace(display=shown.append, HTML=lambda html: html)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1)))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    memory.get_predictions(explain=True)["predictions"][0].explain()
    (html,) = shown
    assert "<small" in html
    assert "<summary>potential <b>" in html
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "<p></p>" in memory.get_predictions()["predictions"][0]._repr_html_()
    pattern = memory.list_patterns("n")["patterns"][0]["name"]
    memory.explain_pattern(pattern, [["z"]], "n").explain()
    assert "It is not predicted" in shown[1]
    assert capsys.readouterr().out == ""
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    memory.get_predictions()["predictions"][0].explain()
    assert capsys.readouterr().out
