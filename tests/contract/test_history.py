"""What every storage tells of its past, and how it is put back to it."""

from __future__ import annotations

import sqlite3
from fractions import Fraction

import pytest

from contract.asking import AB, CD, NOWHERE, commit, everything, patterns, repeat
from kato.engine.event import vector_name
from kato.engine.pattern import Pattern, pattern_name
from kato.errors import HeadChanged, PatternNotFound, StoredDataCorrupt
from kato.storage import records
from kato.storage.interface import Edit, Forget, ForgetAll, Learn, LogEntry, Restore
from kato.storage.memory import MemoryStorage
from kato.storage.recollecting import Recollection, differences, recollect, recollect_name
from kato.storage.sqlite import SqliteStorage

A, C = pattern_name(AB), pattern_name(CD)
VECTOR = (1.0, -2.5)
V = vector_name(VECTOR)
WITH_VECTOR = ((V, "a"),)


def restored(difference, to=0):
    """What puts a difference back."""
    pattern = difference.pattern
    return Restore(pattern.name, pattern.events, difference.before, to, vectors=difference.vectors)


def fill(store):
    """Nine rows: learnings, an edit, forgettings, of two names and then of all, and what came after."""
    commit(store, Learn(AB, ({"joy": 0.1},), ({"k": 1},)), at=1, session="s")
    commit(store, Learn(CD), at=2)
    commit(store, Learn(AB, ({"joy": 0.2},)), at=3)
    commit(store, Edit(A, frequency=7, emotives=()), at=4)
    commit(store, Forget(A), at=5)
    commit(store, Learn(WITH_VECTOR, vectors={V: VECTOR}), at=6)
    commit(store, ForgetAll(), at=7)
    commit(store, Learn(AB), at=8)
    commit(store, Learn(CD), at=9)


def test_history_is_read_from_either_end_between_two_rows_and_by_name(store):
    fill(store)
    commit(store, Learn(AB), node="other")

    def told(**asked):
        return [entry.sequence for entry in store.history("node", **asked)]

    assert told() == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert told(newest_first=False, after=2, before=6) == [3, 4, 5]
    assert told(before=4, limit=2) == [3, 2]
    assert told(before=0) == told(before=1) == told(after=9) == []
    assert told(name=A) == [8, 7, 5, 4, 3, 1]
    assert told(name=A, after=3, before=8, newest_first=False) == [4, 5, 7]
    assert told(name=A, limit=2) == [8, 7]
    assert told(name=C) == [9, 7, 2]
    assert told(name="") == told(name=NOWHERE) == [7]
    assert store.history("unknown") == []
    assert [store.count_history("node", name, most=4) for name in (A, C, NOWHERE)] == [4, 3, 1]
    assert store.count_history("unknown", A, most=4) == 0
    assert store.history("node", newest_first=False) == store.log("node")


def test_what_the_first_question_about_a_pattern_waits_for_can_be_done_before(store):
    fill(store)
    store.prepare_history()
    assert store.count_history("node", A, most=9) == 6


def test_rows_about_several_names_are_read_together(store):
    fill(store)
    commit(store, Learn(AB), node="other")

    def told(*names, after=0, before=10, limit=20):
        return [row.sequence for row in store.rows_about("node", names, after=after, before=before, limit=limit)]

    assert told(A, C, NOWHERE) == [1, 2, 3, 4, 5, 8, 9]
    assert told(C, C) == [2, 9]
    assert told(A, C, after=2, before=9) == [3, 4, 5, 8]
    assert told(A, C, limit=3) == [1, 2, 3]
    assert told() == told("") == told(NOWHERE) == []
    assert store.rows_about("unknown", [A], after=0, before=9, limit=9) == []


def test_history_by_name_tells_names_apart_that_begin_alike(store, monkeypatch):
    alike = iter(["ab" * 8 + "0" * 24, "ab" * 8 + "1" * 24])
    for module in ("kato.storage.sqlite_writing", "kato.storage.memory_contents"):
        monkeypatch.setattr(f"{module}.pattern_name", lambda _: next(alike))
    commit(store, Learn(AB))
    commit(store, Learn(CD))
    assert [entry.sequence for entry in store.history("node", name="ab" * 8 + "1" * 24)] == [2]
    (row,) = store.rows_about("node", ["ab" * 8 + "1" * 24], after=0, before=3, limit=1)
    assert row.sequence == 2


def test_a_restored_pattern_is_what_it_was_and_the_log_tells_all_of_it(store):
    fill(store)
    before = patterns(store)
    state = Pattern(A, AB, 3, ({"joy": 0.5},), {"k": ("1", "x")}, {"joy": Fraction(1, 3)})
    vectors = Pattern(pattern_name(WITH_VECTOR), WITH_VECTOR, 2)
    changes = commit(
        store,
        Restore(A, AB, state, 4, 1, 3),
        Restore(vectors.name, WITH_VECTOR, vectors, 4, 2, 3, {V: VECTOR}),
        Restore(C, CD, None, 4, 3, 3),
        at=10,
        actor="ops",
    )
    assert [(each.operation, each.before, each.after) for each in changes] == [
        ("undo", before[0], state),
        ("undo", None, vectors),
        ("undo", before[1], None),
    ]
    assert patterns(store) == [state, vectors]
    assert dict(store.load("node").vectors) == {V: VECTOR}
    assert (store.node("node").patterns, store.node("node").head) == (2, 12)
    assert [entry.actor for entry in store.history("node", limit=3)] == ["ops"] * 3
    commit(store, Restore(vectors.name, WITH_VECTOR, None, 9))
    assert dict(store.load("node").vectors) == {}
    store.verify_log("node")
    copy = MemoryStorage()
    repeat(store.log("node"), copy)
    assert everything(copy) == everything(store)


def test_restoring_what_is_so_already_changes_nothing(store):
    commit(store, Learn(AB))
    before = everything(store)
    assert commit(store, Restore(A, AB, patterns(store)[0], 1), Restore(C, CD, None, 1)) == ()
    assert everything(store) == before


def test_a_transaction_that_expects_another_end_of_the_log_changes_nothing(store):
    for node, head in (("node", 2), ("unknown", 0)):
        commit(store, Learn(AB), Learn(CD))
        with pytest.raises(HeadChanged) as refused:
            commit(store, Learn(AB), node=node, expected_head=1)
        assert refused.value.details == {"expected": 1, "head": head}
    assert store.node("unknown") is None
    assert len(commit(store, Learn(AB), expected_head=4)) == 1
    assert len(commit(store, Learn(AB), node="new", expected_head=0)) == 1


def test_a_failing_transaction_takes_back_what_it_restored(store):
    fill(store)
    before = everything(store)
    with pytest.raises(PatternNotFound):
        commit(store, Restore(A, AB, None, 1), Restore(A, AB, Pattern(A, AB, 9), 1), Forget(NOWHERE))
    assert everything(store) == before


def test_every_moment_can_be_recollected(store):
    other = MemoryStorage()
    fill(store)
    commit(store, Restore(A, AB, None, 4), Restore(C, CD, Pattern(C, CD, 5), 4))
    log = store.log("node")
    for sequence in range(len(log) + 1):
        found = recollect(store, "node", sequence)
        due = other.load("node")
        assert (found.sequence, list(found.patterns.values())) == (sequence, list(due.patterns))
        assert found.vectors == due.vectors
        for name in (A, C, NOWHERE):
            of_name = recollect_name(store, "node", name, sequence).patterns
            assert list(of_name.values()) == [each for each in found.patterns.values() if each.name == name]
        repeat(log[sequence : sequence + 1], other)
    assert recollect(store, "unknown", 3).patterns == {}


@pytest.mark.parametrize(("few", "page"), [(0, 1000), (2000, 1000), (2000, 2)])
def test_differences_lead_from_every_moment_back_to_every_other(store, monkeypatch, few, page):
    """All ways to find them, and undoing an undoing."""
    monkeypatch.setattr("kato.storage.recollecting._FEW", few)
    monkeypatch.setattr("kato.storage.recollecting._PAGE", page)
    fill(store)
    for earlier in (0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 1):
        head = store.node("node").head
        due = recollect(store, "node", earlier)
        found = differences(store, "node", earlier, head)
        if found:
            commit(store, *(restored(each, earlier) for each in found))
        loaded = store.load("node")
        by_name = sorted(loaded.patterns, key=lambda each: each.name)
        assert by_name == sorted(due.patterns.values(), key=lambda each: each.name)
        assert loaded.vectors == due.vectors
    assert differences(store, "node", 4, 4) == differences(store, "unknown", 0, 3) == []


def test_contents_of_one_name_are_recollected_apart(store, monkeypatch):
    for module in ("kato.storage.sqlite_writing", "kato.storage.memory_contents"):
        monkeypatch.setattr(f"{module}.pattern_name", lambda _: "ab" * 20)
    commit(store, Learn(AB), Learn(CD), Learn(CD), Forget("ab" * 20))
    assert [(each.events, each.frequency) for each in recollect(store, "node", 3).patterns.values()] == [
        (AB, 1),
        (CD, 2),
    ]
    found = differences(store, "node", 1, 4)
    assert [(each.before and each.before.events, each.after and each.after.events) for each in found] == [
        (AB, None),
        (None, CD),
    ]
    commit(store, *(restored(each, 1) for each in found))
    assert [each.events for each in patterns(store)] == [AB]
    copy = MemoryStorage()
    repeat(store.log("node"), copy)
    assert everything(copy) == everything(store)


def test_a_log_that_cannot_be_repeated_names_the_row():
    for operation, payload in (
        ("learn", b'{"name":"x"}'),
        ("learn", b"no JSON"),
        ("edit", b'{"name":"%b"}' % A.encode()),
    ):
        with pytest.raises(StoredDataCorrupt, match="sequence 7"):
            Recollection("node").repeat(LogEntry("node", 7, 1, operation, None, None, payload, b""))


def test_a_damaged_log_recollects_nothing(tmp_path):
    store = SqliteStorage(tmp_path / "kato.db")
    fill(store)
    store.close()
    connection = sqlite3.connect(tmp_path / "kato.db")
    connection.execute("UPDATE log SET at = 99 WHERE id % 16 = 3")
    connection.commit()
    connection.close()
    store = SqliteStorage(tmp_path / "kato.db")
    with pytest.raises(StoredDataCorrupt, match="sequence 3"):
        recollect(store, "node", 9)
    store.close()


def test_every_payload_begins_with_the_name_that_its_row_is_found_by():
    pattern = Pattern(A, AB, 2)
    for operation in (Learn(AB), Edit(A, frequency=2), Forget(A), Restore(A, AB, pattern, 1), Restore(A, AB, None, 1)):
        for events in (None, records.events_text(AB)):
            assert records.subject_of(records.payload_of(operation, A, events=events)) == A
    assert records.subject_of(records.payload_of(ForgetAll(), None)) is None
