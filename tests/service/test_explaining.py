"""What becomes of one pattern, and where it comes from, in the embedded memory and over both engines."""

from __future__ import annotations

import pytest

from engines import ENGINES
from kato import InvalidInput, Kato, PatternNotFound
from kato.service import explaining


@pytest.fixture(params=ENGINES)
def memory(request):
    with Kato(":memory:", engine=request.param) as found:
        found.learn_many([[["a"], ["b"], [end]] for end in "cdefg"] + [[["a"], ["x"]]], "n")
        yield found


def named(memory, *events):
    (found,) = (
        each["name"] for each in memory.list_patterns("n")["patterns"] if each["data"] == [list(e) for e in events]
    )
    return found


STM = [["a"], ["b"]]


def test_every_outcome_says_where_it_stands(memory):
    order = [each["pattern_name"] for each in memory.predict_many([STM], "n")["results"][0]["predictions"]]
    predicted = memory.explain_pattern(order[1], STM, "n", config={"max_predictions": 3, "ensemble_size": 5})
    assert (predicted["outcome"], predicted["sentence"]) == ("predicted", "It is prediction 2 of 5")
    assert predicted["prediction"]["pattern_name"] == order[1]
    assert predicted["prediction"]["explanation"]["rank"] == 2
    assert predicted["selection"]["place"] == 2
    assert predicted["selection"]["above"]["pattern_name"] == order[0]
    beyond = memory.explain_pattern(order[3], STM, "n", config={"max_predictions": 3, "ensemble_size": 5})
    assert (beyond["outcome"], beyond["prediction"]["explanation"]["rank"]) == ("beyond_limit", 4)
    assert beyond["sentence"] == "It is number 4 of 5; max_predictions is 3"
    far = memory.explain_pattern(order[5], STM, "n", config={"max_predictions": 3, "ensemble_size": 5})
    assert (far["outcome"], far["prediction"], far["selection"]["place"]) == ("beyond_ensemble", None, 6)
    assert far["sentence"] == "It matches, at place 6 by the key of the selection; the best 5 make the ensemble"
    filters = {"filter_pipeline": ["length"], "length_min_ratio": 1, "length_max_ratio": 1}
    filtered = memory.explain_pattern(order[0], STM, "n", config=filters)
    assert (filtered["outcome"], filtered["selection"], filtered["matched"]) == ("filtered", None, False)
    below = memory.explain_pattern(order[0], [["q"]], "n")
    assert (below["outcome"], below["prediction"]) == ("below_threshold", None)
    assert [each["kind"] for each in below["alignment"]] == ["missing"] * 3 + ["extra"]


def test_a_prediction_explained_alone_is_the_one_of_the_list(memory):
    memory.create_session("n", config={"rank_sort_algo": "similarity", "max_predictions": 4})
    for event in STM:
        memory.observe(event)
    for listed in memory.get_predictions(explain=True)["predictions"]:
        alone = memory.explain_pattern(listed["name"], STM, "n", config=memory.get_config()["config"])
        provenance = alone.pop("provenance")
        assert {**alone["prediction"]["explanation"], "provenance": provenance} == listed["explanation"]
        assert {**alone["prediction"], "explanation": 0} == {**listed, "explanation": 0}


def test_a_place_behind_very_many_is_not_looked_for(memory, monkeypatch):
    monkeypatch.setattr(explaining, "_PLACED", 2)
    order = [each["pattern_name"] for each in memory.predict_many([STM], "n")["results"][0]["predictions"]]
    far = memory.explain_pattern(order[5], STM, "n", config={"max_predictions": 1, "ensemble_size": 1})
    assert (far["outcome"], far["selection"]) == ("beyond_ensemble", None)
    assert far["sentence"].startswith("It matches, beyond place 2 by")


def test_provenance_is_counted_bounded_and_goes_on_in_the_history(memory, monkeypatch):
    name = named(memory, "a", "x")
    memory.learn_many([[["a"], ["x"]]] * 11, "n")
    told = memory.explain_pattern(name, STM, "n")["provenance"]
    assert (len(told["entries"]), told["total"], told["total_is_exact"], told["has_more"]) == (10, 12, True, True)
    rest = memory.get_history("n", pattern=name, cursor=told["next_cursor"])["entries"]
    sequences = [each["sequence"] for each in (*told["entries"], *rest)]
    assert sequences == [*range(17, 6, -1), 6]
    monkeypatch.setattr(explaining, "COUNTED", 5)
    monkeypatch.setattr("kato.operations.explaining.COUNTED", 5)
    told = memory.explain_pattern(name, STM, "n")["provenance"]
    assert (told["total"], told["total_is_exact"]) == (5, False)


def test_what_cannot_be_explained_is_refused(memory):
    with pytest.raises(PatternNotFound):
        memory.explain_pattern("0" * 40, STM, "n")
    with pytest.raises(PatternNotFound):
        memory.explain_pattern("nothing", STM, "n")
    for stm in ([], [[]], [["a", 1]]):
        with pytest.raises(InvalidInput, match=r"stm"):
            memory.explain_pattern(named(memory, "a", "x"), stm, "n")
    answer = memory.explain_pattern(
        named(memory, "a", "x"), [["a"]] * 1001, "n", config={"session_ttl": 5, "unheard_of": 1}
    )
    assert any("stm has 1001 events" in each for each in answer["warnings"])
    assert any("session_ttl was ignored" in each for each in answer["warnings"])
    assert any("unheard_of" in each for each in answer["warnings"])
