"""Undoing and history, by the calls people make, on the memory they are made on most."""

from __future__ import annotations

import random

import pytest

from engines import ENGINES
from kato import HeadChanged, InvalidInput, Kato, PatternNotFound, PayloadTooLarge
from kato.service import correcting
from kato.service.runtime import drive
from kato.storage.checking import check_file
from kato.storage.interface import Learn, Transaction

AB, CD, EF = [["a"], ["b"]], [["c"], ["d"]], [["e"], ["f"]]


@pytest.fixture(params=ENGINES)
def memory(request, tmp_path):
    with Kato(tmp_path, engine=request.param) as found:
        yield found
    assert check_file(tmp_path / "kato.db").findings == []


def learn(memory, *sequences, node="n"):
    return [each["pattern_name"] for each in memory.learn_many(sequences, node)["results"]]


def state(memory, node="n"):
    """All that a node knows, by whichever way it can be asked."""
    patterns = {each["name"]: each for each in memory.list_patterns(node, limit=1000)["patterns"]}
    facts = memory.get_node(node)
    return (
        patterns,
        memory.get_symbol_stats(node)["symbols"],
        memory.get_affinities(node)["affinities"],
        {name: facts[name] for name in ("patterns", "symbols", "frequency", "vectors")},
        memory.predict_many([[["a"]], [["c"], ["x"]], [["e"]]], node)["results"],
    )


def test_undoing_takes_back_the_newest_changes_and_undoing_that_brings_them_back(memory):
    a, c = learn(memory, AB, CD)
    memory.create_session("n")
    memory.observe(["a"], emotives={"joy": 0.1}, metadata={"k": 1})
    memory.observe(["b"])
    moments = {2: state(memory)}
    memory.learn()
    moments[3] = state(memory)
    memory.edit_pattern(c, "n", frequency=9, metadata={"m": 2})
    moments[4] = state(memory)
    memory.forget_pattern(a, "n")
    moments[5] = state(memory)
    assert len({str(each) for each in moments.values()}) == 4

    undone = memory.undo(node_id="n")
    assert state(memory) == moments[4]
    assert (undone["count"], undone["from"], undone["to"], undone["head"]) == (1, 5, 4, 6)
    assert undone["restored"] == [{"pattern_name": a, "frequency_before": 0, "frequency": 2}]
    memory.undo(node_id="n")  # undoes the undoing
    assert state(memory) == moments[5]
    assert memory.undo(3, "n")["to"] == 4  # that, the undoing before it, and the forgetting
    assert state(memory) == moments[4]
    assert memory.undo(node_id="n", to=2)["count"] == 6
    assert state(memory) == moments[2]
    assert memory.undo(1, "n")["restored_count"] == 2  # its two rows are one change
    assert state(memory) == moments[4]
    last = memory.get_history("n", limit=2)["entries"]
    assert [(each["operation"], each["details"]["part"], each["details"]["parts"]) for each in last] == [
        ("undo", 2, 2),
        ("undo", 1, 2),
    ]


def test_more_than_there_is_takes_back_everything_and_says_so(memory):
    learn(memory, AB, CD)
    undone = memory.undo(5, "n")
    assert (undone["count"], undone["to"], undone["restored_count"]) == (2, 0, 2)
    assert undone["warnings"] == ["there were only 2 changes to undo"]
    assert memory.list_patterns("n")["total"] == 0
    nothing = memory.undo(node_id="nobody")
    assert (nothing["count"], nothing["head"], nothing["restored"]) == (0, 0, [])
    assert [each["node_id"] for each in memory.list_nodes()["nodes"]] == ["n"]


def test_forgetting_everything_can_be_undone(memory):
    memory.create_session("n", config={"vector_neighbors": 2})
    memory.observe(["a"], vectors=[[1.0, 2.0]], emotives={"joy": 0.5})
    memory.observe(["b"])
    memory.learn()
    learn(memory, CD, EF, EF)
    before = state(memory)
    assert before[3]["vectors"] == 1
    memory.clear_all()
    assert memory.list_patterns("n")["total"] == 0
    undone = memory.undo(node_id="n")
    assert (undone["count"], undone["restored_count"]) == (1, 3)
    assert state(memory) == before
    assert memory.observe(["x"], vectors=[[1.0, 2.5]])["symbols"][0].startswith("VCTR|")
    memory.undo(node_id="n")
    assert memory.list_patterns("n")["total"] == 0


def test_nothing_is_undone_where_the_log_ends_elsewhere_than_expected(memory):
    learn(memory, AB, CD)
    with pytest.raises(HeadChanged, match="ends at 2, not at 1") as refused:
        memory.undo(node_id="n", expected_head=1)
    assert refused.value.details == {"expected": 1, "head": 2}
    assert memory.list_patterns("n")["total"] == 2
    assert memory.undo(node_id="n", expected_head=2)["head"] == 3
    with pytest.raises(InvalidInput, match="beyond the end of the log, 3"):
        memory.undo(node_id="n", to=4)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_who_learns_meanwhile_makes_the_undoing_begin_again(memory, monkeypatch, times):
    learn(memory, AB)
    plan, begun = correcting._plan, []

    def planned(storage, *args):
        found = plan(storage, *args)
        begun.append(1)
        if len(begun) <= times:
            storage.commit([Transaction(1, "n", (Learn((("x",), (str(len(begun)),))),))], durable=False)
        return found

    monkeypatch.setattr(correcting, "_plan", planned)
    if times == 3:  # nobody can learn while the third is made; here somebody goes round the writer
        with pytest.raises(HeadChanged):
            memory.undo(node_id="n")
        return
    undone = memory.undo(node_id="n")
    assert (undone["from"], undone["to"]) == (times + 1, times)


def test_an_undoing_has_its_bounds(memory, monkeypatch):
    learn(memory, AB, CD, EF)
    monkeypatch.setattr(correcting, "MOST_UNDONE", 2)
    with pytest.raises(PayloadTooLarge, match="the changes of one undoing may be at most 2, got 3"):
        memory.undo(3, "n")
    memory.create_session("n")
    memory.clear_all()
    with pytest.raises(PayloadTooLarge, match="the patterns of one undoing may be at most 2, got 3"):
        memory.undo(node_id="n")
    assert memory.get_node("n")["head"] == 4


def test_any_history_can_be_walked_back_and_forth(memory):
    """Random histories: after every undoing the node knows, to the last bit, what it knew at that moment."""
    chance = random.Random(7)
    memory.create_session("n")
    moments = {0: state(memory)}
    names = set()
    for _ in range(60):
        head = memory.get_node("n")["head"]
        kind = chance.random()
        if kind < 0.5:
            memory.observe(chance.choices("abcde", k=2), emotives={"joy": chance.random()})
            memory.observe(chance.choices("abcde", k=1), metadata={"n": chance.randint(0, 3)})
            names.add(memory.learn()["pattern_name"])
        elif kind < 0.65 and (present := sorted(moments[head][0])):
            memory.edit_pattern(chance.choice(present), "n", frequency=chance.randint(1, 9), emotives=[{"joy": 0.25}])
        elif kind < 0.75 and (present := sorted(moments[head][0])):
            memory.forget_pattern(chance.choice(present), "n")
        elif kind < 0.8:
            memory.clear_all()
        else:
            wanted = chance.choice(sorted(moments))
            memory.undo(node_id="n", to=wanted)
            assert state(memory) == moments[wanted]
        moments[memory.get_node("n")["head"]] = state(memory)


def test_history_is_paged_filtered_and_counted(memory):
    a, c = learn(memory, AB, CD)
    memory.edit_pattern(a, "n", frequency=3)
    memory.create_session("n")
    memory.observe(["a"])
    memory.observe(["b"], emotives={"joy": 0.5}, metadata={"k": 1})
    memory.learn()
    memory.forget_pattern(c, "n")
    page = memory.get_history("n", limit=2)
    assert [each["sequence"] for each in page["entries"]] == [5, 4]
    assert (page["head"], page["has_more"]) == (5, True)
    rest = memory.get_history("n", limit=3, cursor=page["next_cursor"])
    assert ([each["sequence"] for each in rest["entries"]], rest["next_cursor"]) == ([3, 2, 1], None)
    assert [each["sequence"] for each in memory.iterate_history("n", sort="sequence", page_size=2)] == [1, 2, 3, 4, 5]
    of_a = memory.get_history("n", pattern=a)["entries"]
    assert [(each["sequence"], each["operation"]) for each in of_a] == [(4, "learn"), (3, "edit"), (1, "learn")]
    assert of_a[0]["details"] == {"emotives": [{"joy": 0.5}], "metadata": [{"k": 1}]}
    assert of_a[0]["session_id"] == memory.session_id
    assert (of_a[1]["details"], of_a[1]["session_id"], of_a[1]["actor"]) == ({"frequency": 3}, None, None)
    assert of_a[2]["details"] == {"events": AB}
    (gone,) = memory.get_history("n", pattern=c, operation="forget")["entries"]
    assert (gone["pattern_name"], gone["details"]) == (c, {})
    assert memory.get_history("nobody")["entries"] == []
    with pytest.raises(PatternNotFound):
        memory.get_history("n", pattern="xyz")


def test_a_page_of_one_kind_looks_at_so_many_rows_and_goes_on_from_there(memory, monkeypatch):
    learn(memory, AB, CD, EF, AB)
    memory.forget_pattern(learn(memory, CD)[0], "n")
    monkeypatch.setattr(correcting, "_LOOKED_AT", 3)
    for sort, kind, due in (("sequence", "forget", [6]), ("-sequence", "forget", [6]), ("sequence", "undo", [])):
        found = memory.iterate_history("n", sort=sort, operation=kind, page_size=1)
        assert [each["sequence"] for each in found] == due
    page = memory.get_history("n", sort="sequence", operation="forget")
    assert (page["entries"], page["has_more"]) == ([], True)
    found = memory.iterate_history("n", operation="learn", page_size=2)
    assert [each["sequence"] for each in found] == [5, 4, 3, 2, 1]


def test_the_log_says_who_undid(memory):
    learn(memory, AB)
    drive(correcting.undo(memory.system, "n", actor="ops"))
    assert memory.get_history("n", limit=1)["entries"][0]["actor"] == "ops"


def test_a_node_tells_its_size_and_a_list_loads_nothing(memory, tmp_path):
    learn(memory, AB, CD)
    facts = memory.get_node("n")
    assert (facts["patterns"], facts["symbols"], facts["frequency"], facts["sequence"], facts["head"]) == (
        2,
        4,
        2,
        2,
        2,
    )
    (listed,) = memory.list_nodes()["nodes"]
    assert (listed["is_loaded"], listed["symbols"], listed["size_bytes"]) == (True, 4, facts["size_bytes"])
    unknown = memory.get_node("nobody")
    assert (unknown["patterns"], unknown["created_at"], unknown["size_bytes"]) == (0, None, 0)
    memory.close()
    with Kato(tmp_path) as again:
        (listed,) = again.list_nodes()["nodes"]
        assert (listed["is_loaded"], listed["symbols"], listed["size_bytes"], listed["patterns"]) == (
            False,
            None,
            None,
            2,
        )
