"""A node as it was: after every change of random histories it answers what it answered then, to the last bit."""

from __future__ import annotations

import random

import pytest

from engines import ENGINES
from kato import InvalidInput, Kato, PatternNotFound, PayloadTooLarge
from kato.engine.event import vector_name
from kato.engine.settings import EngineSettings
from kato.service import moments
from kato.service.runtime import drive
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
    rewound = moments.rewound

    def rewind(storage, node_id, later, sequence):
        made.append((later.sequence, sequence))
        return rewound(storage, node_id, later, sequence)

    monkeypatch.setattr(moments, "rewound", rewind)
    for at in (9, 5, 2, 5, 3, 4, 1, 5, 1, 2):
        assert memory.get_node("n", at=at)["patterns"] == at
    assert made == [(9, 5), (5, 2), (5, 3), (5, 4), (2, 1), (3, 2)], "from the nearest at hand"
    memory.system.moments._budget = 0
    for at in (7, 6, 6, 7):
        assert memory.get_node("n", at=at)["patterns"] == at
    assert made[6:] == [(9, 7), (7, 6), (9, 7)]


def test_a_log_too_long_to_repeat_is_refused(memory, monkeypatch):
    memory.learn_many([[["a"], ["b"]], [["c"], ["d"]], [["e"], ["f"]]], "n")
    monkeypatch.setattr(recollecting, "MOST_REPEATED", 1)
    assert memory.list_patterns("n", at=2)["total"] == 2, "it need not be repeated"
    memory.create_session("n")
    memory.clear_all()
    with pytest.raises(PayloadTooLarge, match="the changes before that moment may be at most 1, got 3"):
        memory.list_patterns("n", at=3)
    assert memory.list_patterns("n", at=4)["total"] == 0


def repeated(memory, sequence):
    """What the whole log, repeated, says of a moment."""
    made = moments.repeated(memory.system.storage, memory.system.moments._make, "n", sequence)
    view = made.view()
    events = [(("a",), ("b",)), (("c",), (VECTOR,)), (("d",),)]
    settings = EngineSettings(recall_threshold=0.0, affinity_emotive="joy")
    return everything(view, events, settings)


def everything(view, events, settings):
    """All that a state can be asked, in a form that is equal for equal states."""
    return (
        view.sequence,
        view.totals,
        view.symbols(with_affinity=True),
        view.symbols(),
        [view.list_patterns(order, None, 1000, "") for order in ("name", "-frequency", "length")],
        [view.predict(each, settings) for each in events],
        view.nearest((1.0, 0.5), settings),
    )


VECTOR = vector_name((1.0, 0.5))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_put_back_is_what_the_whole_log_gives(memory, monkeypatch, seed):
    """From the present and from one another, forwards and backwards through a random history without a forgetting of all."""
    chance = random.Random(seed)
    memory.create_session("n", config={"persistence": 2})
    for _ in range(40):
        kind = chance.random()
        known = memory.list_patterns("n", limit=1000)["patterns"]
        if kind < 0.6 or not known:
            for _ in range(chance.randint(1, 3)):
                vectors = [[float(chance.randint(0, 2)), 0.5]] if chance.random() < 0.3 else []
                words = [*chance.choices("abcd", k=1), *([VECTOR] if chance.random() < 0.05 else [])]
                memory.observe(
                    words, vectors=vectors, emotives={"joy": chance.random()}, metadata={"k": chance.random()}
                )
            memory.learn()
        elif kind < 0.75:
            memory.forget_pattern(chance.choice(known)["name"], "n")
        elif kind < 0.85:
            memory.edit_pattern(
                chance.choice(known)["name"], "n", frequency=chance.randint(1, 9), emotives=[{"fear": 1.0}]
            )
        else:
            memory.undo(chance.randint(1, 3), "n")
    head = memory.get_node("n")["head"]
    recollect, rewinding = moments.recollect, []
    monkeypatch.setattr(moments, "recollect", lambda *asked: rewinding.append(asked[2]) or recollect(*asked))
    settings = EngineSettings(recall_threshold=0.0, affinity_emotive="joy")
    events = [(("a",), ("b",)), (("c",), (VECTOR,)), (("d",),)]
    for sequence in [*range(head, 0, -1), *chance.sample(range(1, head + 1), 10)]:
        view = drive(memory.system.moments.view("n", sequence))
        found = everything(view, events, settings)
        taken = len(rewinding)
        assert found == repeated(memory, sequence), (sequence, head)
        del rewinding[taken:]
    assert len(rewinding) < head / 2, "mostly it is put back"


def test_where_a_vector_got_its_components_from_another_pattern_the_log_is_repeated(memory, monkeypatch):
    """A symbol can be observed by its name, without components; that they came later is not to be seen from the changed rows."""
    memory.create_session("n")
    memory.observe([VECTOR, "a"])
    memory.observe(["b"])
    memory.learn()
    memory.observe(["c"], vectors=[[1.0, 0.5]])
    memory.observe(["d"])
    memory.learn()
    recollect, made = moments.recollect, []
    monkeypatch.setattr(moments, "recollect", lambda *asked: made.append(asked[2]) or recollect(*asked))
    assert memory.get_node("n", at=2)["vectors"] == 1
    assert memory.get_node("n", at=1)["vectors"] == 0
    assert made == [1]


def test_very_many_changes_are_not_put_back_one_by_one(memory, monkeypatch):
    memory.learn_many([[["a"], [str(number)]] for number in range(40)], "n")
    monkeypatch.setattr(recollecting, "_FEW", 3)
    recollect, made = moments.recollect, []
    monkeypatch.setattr(moments, "recollect", lambda *asked: made.append(asked[2]) or recollect(*asked))
    assert [memory.get_node("n", at=at)["patterns"] for at in (35, 20)] == [35, 20]
    assert made == [20], "five of forty are few, fifteen of thirty-five are not"


def test_a_moment_goes_on_being_what_it_was_while_the_node_learns(memory):
    memory.learn_many([[["a"], ["b"]], [["a"], ["c"]]], "n")
    then = drive(memory.system.moments.view("n", 1))
    before = [view.list_patterns("name", None, 10, "") for view in (then,)]
    memory.learn_many([[["a"], ["b"]]] * 3 + [[["a"], ["d"]]], "n")
    memory.forget_pattern(before[0].patterns[0].name, "n")
    assert [view.list_patterns("name", None, 10, "") for view in (then,)] == before
    assert memory.list_patterns("n", at=1)["patterns"][0]["frequency"] == 1
    assert memory.get_node("n", at=6)["patterns"] == 3
    assert memory.get_node("n")["patterns"] == 2


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
