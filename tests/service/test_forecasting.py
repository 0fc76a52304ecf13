"""Forecasts as a service: choices are made in the background, kept with the node, and made again when it has grown."""

from __future__ import annotations

import random
from concurrent.futures import Future

import pytest

from kato import Kato, PatternNotFound
from kato.engine.forecasting.question import Kind
from kato.service.forecasting import LAST_POINT, _Due, _name, point
from kato.storage.backing_up import make_backup, restore
from kato.storage.transferring import export, import_lines

LINES = 40


def walks(seed, count):
    chance = random.Random(seed)
    after = {a: chance.sample("abcdef", 3) for a in "abcdef"}
    made = []
    for _ in range(count):
        walk = [chance.choice("abc")]
        while len(walk) < 4 or chance.random() < 0.6:
            walk.append(chance.choices(after[walk[-1]], (8, 3, 1))[0])
        made.append([[symbol] for symbol in walk])
    return made


@pytest.fixture
def place(tmp_path):
    with Kato(tmp_path / "kato.db") as memory:
        memory.learn_many(walks(1, LINES), "n")
    return tmp_path / "kato.db"


STMS = [[["a"], ["b"]], [["zz"]], []]


def test_the_first_answer_does_not_wait_and_says_so(place):
    with Kato(place) as memory:
        (first, *_) = memory.forecast_many(STMS, "n")["results"]
    assert first["profile"]["tested"] == 0
    assert first["profile"]["hit_rate"] is None
    assert first["novelty"]["is_novel"] is None


def test_a_choice_outlives_the_process_and_gives_the_same_answers(place):
    with Kato(place) as memory:
        told = memory.forecast_many(STMS, "n", wait=True, explain=True)
        assert memory.forecast_many(STMS, "n", explain=True) == told
    assert told["results"][0]["profile"]["tested"] > 16
    assert told["results"][0]["profile"]["sequence"] == 32
    assert told["results"][1]["novelty"]["is_novel"] is True
    with Kato(place) as memory:
        assert memory.forecast_many(STMS, "n", explain=True) == told


def test_a_choice_that_cannot_be_read_is_made_again(place):
    with Kato(place) as memory:
        told = memory.forecast_many(STMS, "n", wait=True)
        memory.system.storage.keep_derived("n", _name(Kind()), 1, "{}")
    with Kato(place) as memory:
        assert memory.forecast_many(STMS, "n", wait=True) == told


def test_a_node_that_has_grown_asks_itself_again(place):
    with Kato(place) as memory:
        memory.forecast_many(STMS, "n", wait=True)
        memory.learn_many(walks(2, 2 * LINES), "n")
        standing = memory.forecast_many(STMS, "n")["results"][0]["profile"]
        assert standing["sequence"] == 32
        renewed = memory.forecast_many(STMS, "n", wait=True)["results"][0]["profile"]
    assert renewed["sequence"] == 96


def test_the_points_at_which_choices_are_made():
    points = sorted({point(sequence) for sequence in range(200)})
    assert points == [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192]
    assert [point(sequence) for sequence in (31, 32, 47, 48)] == [24, 32, 32, 48]
    assert point(LAST_POINT - 1) == 3 * LAST_POINT // 4
    assert point(LAST_POINT) == point(10 * LAST_POINT) == LAST_POINT


def test_when_it_is_asked_first_changes_no_forecast(tmp_path):
    """Nodes with the same log: one asked all along, one at the end, one in a backup, one whose log was exported and imported."""
    with Kato(tmp_path / "often.db") as memory:
        for line in walks(4, 50):
            memory.learn_many([line], "n")
            memory.forecast_many(STMS, "n", wait=True)
        often = memory.forecast_many(STMS, "n", wait=True, explain=True)
    with Kato(tmp_path / "late.db") as memory:
        memory.learn_many(walks(4, 50), "n")
        assert memory.forecast_many(STMS, "n", wait=True, explain=True) == often
    assert often["results"][0]["profile"]["sequence"] == 48
    lines: list[bytes] = []
    export(tmp_path / "often.db", lines.append)
    import_lines(tmp_path / "imported.db", lines)
    make_backup(tmp_path / "often.db", tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored.db")
    for copy in ("imported.db", "restored.db", "often.db"):
        with Kato(tmp_path / copy) as memory:
            assert memory.forecast_many(STMS, "n", wait=True, explain=True) == often


def test_questions_of_each_kind_have_a_choice_of_their_own(place):
    with Kato(place) as memory:
        memory.forecast_many(STMS, "n", wait=True)
        assert memory.forecast_many(STMS, "n", ending=True)["results"][0]["profile"]["tested"] == 0
        assert memory.forecast_many(STMS, "n", ending=True, wait=True)["results"][0]["profile"]["tested"] > 0
        assert memory.forecast_many(STMS, "n", horizon=2)["horizon"] == 2
        assert memory.forecast_many(STMS, "n", horizon=0)["horizon"] == 0


def test_what_is_left_out_does_not_vote(place):
    with Kato(place) as memory:
        name = memory.learn_many([[["only"], ["once"]]], "n")["results"][0]["pattern_name"]
        with_it, without = memory.forecast_many([[["only"]]] * 2, "n", as_if_left_out=[None, name])["results"]
        assert with_it["forecast"][0]["symbol"] == "once"
        assert "once" not in {entry["symbol"] for entry in without["forecast"]}
        with pytest.raises(PatternNotFound):
            memory.forecast_many([[["only"]]], "n", as_if_left_out=["PTRN|" + "0" * 40])


def test_a_session_is_told_what_comes_after_its_memory():
    with Kato(":memory:") as memory:
        memory.create_session("empty")
        assert memory.get_forecast()["forecast"] == []
        memory.learn_many([[["a"], ["b"], ["c"]]], "empty")
        memory.observe(["a"])
        memory.observe(["b"])
        told = memory.get_forecast(limit=1)
        assert told["forecast"][0]["symbol"] == "c"
        assert told["time"] == 2


def test_a_failure_in_the_background_reaches_whoever_waits_and_nobody_else(place, monkeypatch):
    with Kato(place) as memory:

        def fail(*args):
            raise RuntimeError("no room")

        monkeypatch.setattr(memory.system.storage, "keep_derived", fail)
        with pytest.raises(RuntimeError, match="no room"):
            memory.forecast_many(STMS, "n", wait=True)
        assert memory.forecast_many(STMS, "n")["results"][0]["profile"]["tested"] > 0


def test_after_closing_nothing_is_set_about(place):
    memory = Kato(place)
    memory.forecast_many(STMS, "n")
    memory.close()
    memory.system.forecasts.close()
    assert memory.system.forecasts._set_about(_Due("n", Kind(), 0, Future())) is None
