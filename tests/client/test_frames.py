from __future__ import annotations

import pytest

from kato import Kato, frames, plot


@pytest.fixture
def kato():
    with Kato(":memory:") as memory:
        memory.create_session("kitchen")
        for words in (("kettle", "cup", "work"), ("kettle", "$cup$", "news")):
            for word in words:
                memory.observe([word, "morning"], emotives={"joy": 0.5}, metadata={"room": word})
            memory.learn()
        memory.observe(["kettle", "morning"])
        memory.observe(["cup", "biscuit"])
        yield memory


def test_predictions_become_rows_without_what_is_said_twice(kato):
    answer = kato.get_predictions()
    found = frames.rows(answer)
    assert [row["potential"] for row in found] == [each["potential"] for each in answer["predictions"]]
    assert "metrics" not in found[0]
    assert found == frames.rows(answer["predictions"])


def test_patterns_symbols_and_affinities_become_rows(kato):
    patterns = frames.rows(kato.list_patterns("kitchen", sort="-length"))
    assert [row["frequency"] for row in patterns] == [1, 1]
    assert "pattern_data" not in patterns[0]
    assert frames.rows(kato.iterate_patterns("kitchen", sort="-length")) == patterns
    symbols = {row["name"]: row["frequency"] for row in frames.rows(kato.get_symbol_stats("kitchen"))}
    assert symbols["morning"] == 6
    felt = frames.rows(kato.get_affinities("kitchen"))
    assert {"name": "work", "emotive": "joy", "affinity": 0.5} in felt


def test_anything_else_is_refused(kato):
    with pytest.raises(ValueError, match="no predictions, patterns or symbols in an answer with the members"):
        frames.rows(kato.get_stm())


def test_pandas(kato):
    pytest.importorskip("pandas")
    answer = kato.get_predictions()
    table = frames.to_pandas(answer)
    assert list(table["length"]) == [6, 6]
    assert list(table["future"]) == [each["future"] for each in answer["predictions"]]


def test_polars(kato):
    polars = pytest.importorskip("polars")
    table = frames.to_polars(kato.get_predictions())
    assert table["potential"].dtype == polars.Float64
    assert table["emotives"][0] == '{"joy": 0.5}'
    assert frames.to_polars(kato.list_patterns("kitchen"))["data"][0].to_list()[0] == ["kettle", "morning"]
    assert frames.to_polars(kato.get_symbol_stats("kitchen")).height == 6


def test_a_prediction_is_laid_under_the_memory():
    prediction = {
        "past": [["a"]],
        "present": [["b", "c"], ["d"], ["e"]],
        "missing": [["c"], ["d"], []],
        "extras": [["x"], [], []],
        "future": [["f", "g"]],
    }
    words = plot.lay_out([["b", "x"], ["e"], []], prediction)
    assert [(word.column, word.text, word.kind) for word in words] == [
        (-1, "a", "past"),
        (0, "b", "match"),
        (0, "c", "missing"),
        (0, "d", "missing"),
        (1, "e", "match"),
        (0, "x", "extra"),
        (3, "f", "future"),
        (3, "g", "future"),
    ]


def test_pictures(kato):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    answer = kato.get_predictions()
    axes = plot.alignment(answer, kato.get_stm()["stm"], most=1)
    told = [text.get_text() for text in axes.texts]
    assert "+biscuit" in told
    assert "kettle" in told
    assert axes.get_yticklabels()[0].get_text() == "memory"
    bars = plot.distribution(answer)
    assert len(bars.patches) == len(answer["future_potentials"])
    own = pyplot.figure().subplots()
    assert plot.distribution(answer, of="symbols", most=2, ax=own) is own
    assert len(own.patches) == 2
    for each in (axes, bars, own):
        each.figure.canvas.draw()  # "$cup$" is a symbol and no formula
    with pytest.raises(ValueError, match="none of 'words'"):
        plot.distribution(answer, of="words")
    pyplot.close("all")
