"""A sample of `python -m harness.crash`, and that it notices when a promise does not hold."""

from __future__ import annotations

import random
from copy import deepcopy

import pytest

from harness.command import Broken
from harness.crash import Journal, begin, compare, run
from harness.doing import apply, do
from kato import Kato


@pytest.mark.parametrize("door", ["server", "embedded"])
def test_what_was_acknowledged_survives_kills(door):
    counts = run(door, kills=8, seed=11, say=lambda _: None)
    assert counts["kills"] == 8
    assert counts["acknowledged"] > 0


@pytest.fixture
def played():
    """A memory with some work done, and the writers and journal that tell of it."""
    chance = random.Random(5)
    with Kato(":memory:") as memory:
        writers, journal = begin(memory, 2), Journal()
        for _ in range(120):
            for writer in writers:
                operation = writer.choose(chance)
                journal.begin(writer.number, operation)
                do(memory, operation, writer.ids.__getitem__)
                journal.end(writer.number)
                apply(writer.model, operation)
        yield memory, writers, journal


def test_a_memory_that_kept_everything_passes(played):
    assert compare(*played, "seed")["acknowledged"] == 240


def acknowledged(writers, journal, operation):
    apply(writers[0].model, operation)
    journal.done[0].append(operation)


@pytest.mark.parametrize(
    "operation",
    [
        ("observe", {"session": "shared", "strings": ["w0 a"]}),
        ("configure", {"session": "own", "config": {"recall_threshold": 0.77}}),
        ("learn_many", {"node": "own 0", "sequences": [[["w0 a"], ["w0 z"]]]}),
        ("learn_many", {"node": "shared 0", "sequences": [[["common"], ["to all"]]]}),
        ("clear_all", {"session": "own"}),
    ],
    ids=lambda operation: operation[0],
)
def test_a_lost_a_repeated_and_a_half_operation_are_noticed(played, operation):
    memory, writers, journal = played
    before = deepcopy(writers)
    acknowledged(writers, journal, operation)
    with pytest.raises(Broken):  # it was acknowledged and is not there
        compare(memory, writers, journal, "seed")
    journal.begun[0] = operation
    assert compare(memory, deepcopy(before), journal, "seed")["lost in flight"] == 1
    do(memory, operation, writers[0].ids.__getitem__)
    kept = deepcopy(before)
    assert compare(memory, kept, journal, "seed")["kept in flight"] == 1
    if operation[0] in {"observe", "learn_many"}:
        do(memory, operation, writers[0].ids.__getitem__)
        with pytest.raises(Broken):  # it is there twice
            compare(memory, deepcopy(before), journal, "seed")


def test_a_session_that_went_on_without_its_node_is_noticed(played):
    memory, writers, journal = played
    for strings in (["w0 a"], ["w0 b"]):
        acknowledged(writers, journal, ("observe", {"session": "own", "strings": strings}))
        do(memory, journal.done[0][-1], writers[0].ids.__getitem__)
    if not writers[0].model.sessions["own"].events:
        pytest.fail("the episode must be open for what follows")
    journal.begun[0] = ("learn", {"session": "own"})
    do(memory, ("clear_stm", {"session": "own"}), writers[0].ids.__getitem__)
    with pytest.raises(Broken):  # the episode is over, but nothing was learned
        compare(memory, writers, journal, "seed")
