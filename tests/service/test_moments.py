"""A node as it was: after every change of random histories it answers what it answered then, to the last bit."""

from __future__ import annotations

import random

import pytest

from engines import ENGINES
from kato import InvalidInput, Kato, PatternNotFound, PayloadTooLarge
from kato.service import moments
from kato.storage import recollecting

STMS = [[["a"]], [["b", "c"], ["a"]], [["e"]]]


@pytest.fixture(params=ENGINES)
def memory(request):
    now = [1_700_000_000_000_000]

    def clock():
        now[0] += 1_000_000
        return now[0]

    with Kato(":memory:", engine=request.param, clock=clock, session_ttl=10**7) as found:
        yield found


def state(memory, **at):
    """What can be asked of a moment, without what tells which it is."""
    answers = [
        memory.list_patterns("n", sort="-frequency", limit=1000, **at),
        memory.list_patterns("n", search="b", **at),
        memory.get_symbol_stats("n", **at),
        memory.get_symbol_stats("n", symbols=["a", "e"], **at),
        memory.get_affinities("n", **at),
        memory.predict_many(STMS, "n", config={"affinity_emotive": "joy"}, **at),
    ]
    facts = memory.get_node("n", **at)
    told = {name: facts[name] for name in ("patterns", "symbols", "frequency", "vectors", "sequence")}
    return [{name: value for name, value in each.items() if name != "at"} for each in answers], told


def live(memory):
    """A random history, its states on the way, and when they were."""
    chance = random.Random(3)
    memory.create_session("n", config={"vector_neighbors": 1})
    states, times = {0: state(memory)}, {}
    for _ in range(30):
        memory.observe(chance.choices("abcde", k=2), emotives={"joy": chance.random()})
        memory.observe(chance.choices("abcde", k=1), vectors=[[chance.randint(0, 2), 0.5]])
        name = memory.learn()["pattern_name"]
        kind = chance.random()
        if kind < 0.2:
            memory.forget_pattern(name, "n")
        elif kind < 0.3:
            memory.edit_pattern(name, "n", frequency=7, metadata={"k": 1})
        elif kind < 0.35:
            memory.clear_all()
        elif kind < 0.45:
            memory.undo(2, "n")
        head = memory.get_node("n")["head"]
        states[head] = state(memory)
        times[head] = memory.get_history("n", limit=1)["entries"][0]["at"]
    return states, times


def test_every_moment_is_what_it_was(memory):
    states, times = live(memory)
    for sequence, due in states.items():
        assert state(memory, at=sequence) == due
    for sequence, at in list(times.items())[::5]:
        assert state(memory, at=at) == states[sequence]
    told = memory.list_patterns("n", at=3)
    assert told["at"] == {"sequence": 3, "head": max(states)}
    assert "at" not in memory.list_patterns("n")


def test_one_pattern_and_its_explanation_are_asked_of_a_moment_too(memory):
    name = memory.learn_many([[["a"], ["b"]]], "n")["results"][0]["pattern_name"]
    memory.edit_pattern(name, "n", frequency=5)
    memory.learn_many([[["a"], ["c"]]], "n")
    memory.forget_pattern(name, "n")
    assert [memory.get_pattern(name, "n", at=at)["pattern"]["frequency"] for at in (1, 2, 3)] == [1, 5, 5]
    for at in (0, 4):
        with pytest.raises(PatternNotFound):
            memory.get_pattern(name, "n", at=at)
    with pytest.raises(PatternNotFound):
        memory.get_pattern(name, "n")
    told = memory.explain_pattern(name, [["a"]], "n", at=3)
    assert (told["outcome"], told["prediction"]["frequency"], told["sequence"]) == ("predicted", 5, 3)
    assert [each["sequence"] for each in told["provenance"]["entries"]] == [2, 1]
    assert told["at"] == {"sequence": 3, "head": 4}


def test_times_mean_the_newest_change_until_then(memory):
    memory.learn_many([[["a"], ["b"]]], "n")
    memory.learn_many([[["c"], ["d"]]], "n")
    first, second = (each["at"] for each in memory.iterate_history("n", sort="sequence"))
    for at, sequence in (
        ("1999-12-31", 0),
        (first, 1),
        (first.replace("Z", "+00:00"), 1),
        (first.replace("Z", " 00:00"), 1),
        (first.removesuffix("Z"), 1),
        (second, 2),
        ("2999-01-01T00:00:00Z", 2),
    ):
        assert memory.get_node("n", at=at)["sequence"] == sequence, at
    assert memory.get_node("nobody", at="2999-01-01")["patterns"] == 0
    for wrong in ("yesterday", "-1", 3, "1e3"):
        with pytest.raises(InvalidInput, match=r"query\.at"):
            memory.get_node("n", at=wrong)


def test_the_present_is_not_made_again_and_few_moments_are_kept(memory, monkeypatch):
    memory.learn_many([[["a"], [str(number)]] for number in range(9)], "n")
    made = []
    recollect = moments.recollect
    monkeypatch.setattr(moments, "recollect", lambda *asked: made.append(asked[2]) or recollect(*asked))
    for at in (9, 1, 2, 1, 3, 4, 5, 1, 5, 2):
        assert memory.get_node("n", at=at)["patterns"] == at
    assert made == [1, 2, 3, 4, 5, 2]
    memory.system.moments._budget = 0
    for at in (6, 7, 7, 6):
        assert memory.get_node("n", at=at)["patterns"] == at
    assert made[6:] == [6, 7, 6]


def test_a_log_too_long_to_repeat_is_refused(memory, monkeypatch):
    memory.learn_many([[["a"], ["b"]], [["c"], ["d"]], [["e"], ["f"]]], "n")
    monkeypatch.setattr(recollecting, "MOST_REPEATED", 1)
    with pytest.raises(PayloadTooLarge, match="the changes before that moment may be at most 1, got 2"):
        memory.list_patterns("n", at=2)
    assert memory.list_patterns("n", at=3)["total"] == 3


def test_two_moments_are_compared(memory):
    a, b, c = (
        each["pattern_name"]
        for each in memory.learn_many([[["a"], ["x"]], [["b"], ["x"]], [["c"], ["x"]]], "n")["results"]
    )
    memory.create_session("n")
    memory.observe(["b"], emotives={"joy": 0.5}, metadata={"k": 1})
    memory.observe(["x"])
    memory.learn()
    memory.forget_pattern(c, "n")
    d = memory.learn_many([[["d"], ["x"]]], "n")["results"][0]["pattern_name"]
    found = memory.compare(3, node_id="n")
    assert (found["from"], found["to"]) == ({"sequence": 3, "patterns": 3}, {"sequence": 6, "patterns": 3})
    assert (found["added"], found["removed"], found["changed"], found["total"]) == (1, 1, 1, 3)
    by_name = {each["pattern_name"]: each for each in found["differences"]}
    assert list(by_name) == sorted([b, c, d])
    assert (by_name[d]["change"], by_name[d]["frequency_before"], by_name[d]["frequency"]) == ("added", 0, 1)
    assert (by_name[c]["change"], by_name[c]["frequency"], by_name[c]["pattern_data"]) == ("removed", 0, [["c"], ["x"]])
    assert by_name[b]["change"] == "changed"
    assert by_name[b]["members"] == ["frequency", "emotives", "metadata", "affinity"]
    page = memory.compare(3, 6, "n", limit=2)
    memory.learn_many([[["later"], ["x"]]], "n")
    rest = memory.compare(3, 6, "n", limit=2, cursor=page["next_cursor"])
    assert [*page["differences"], *rest["differences"]] == found["differences"]
    assert (page["has_more"], rest["has_more"]) == (True, False)
    assert memory.compare(0, 2, "n")["from"]["patterns"] == 0
    assert memory.compare(5, 5, "n")["differences"] == []
    assert memory.compare(0, node_id="nobody")["total"] == 0
    for earlier, later in ((4, 3), (99, None), (0, 99)):
        with pytest.raises(InvalidInput):
            memory.compare(earlier, later, "n")
    with pytest.raises(InvalidInput, match=r"query\.cursor"):
        memory.compare(2, 6, "n", cursor=page["next_cursor"])
    assert a not in by_name


def test_a_walk_to_now_stays_at_the_moment_it_began(memory):
    memory.learn_many([[[name], ["x"]] for name in "abc"], "n")
    page = memory.compare(0, node_id="n", limit=2)
    memory.learn_many([[[name], ["x"]] for name in "defghi"], "n")
    rest = memory.compare(0, node_id="n", limit=2, cursor=page["next_cursor"])
    assert (rest["to"]["sequence"], rest["total"], rest["count"], rest["has_more"]) == (3, 3, 1, False)
    for at in range(6):
        memory.compare(0, at, "n")
    assert len(memory.system.moments._compared) == 4


def test_comparing_needs_a_beginning(memory):
    from kato.client.calls import Call

    with pytest.raises(InvalidInput, match=r"query\.from: is required"):
        memory._send(Call("GET", "/nodes/{node_id}/compare", {"node_id": "n"}))
