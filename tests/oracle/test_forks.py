"""A fork of a knowledge begins as it is and goes its own way; what leads back leads to what filling a new one gives."""

from __future__ import annotations

import random
import threading

import pytest

from engines import ENGINES
from kato.engine.event import vector_name
from kato.engine.knowledge import Change
from kato.engine.matching import choose
from kato.engine.pattern import edited, learned_again, new_pattern
from kato.engine.settings import EngineSettings

SETTINGS = EngineSettings(recall_threshold=0.0, affinity_emotive="joy")
VECTOR = (1.0, 0.5)


@pytest.fixture(params=ENGINES)
def make(request):
    return choose(request.param)


def everything(knowledge):
    """All that a knowledge can be asked, in a form that is equal for equal states."""
    view = knowledge.view()
    return (
        view.sequence,
        view.totals,
        view.symbols(with_affinity=True),
        view.symbols(),
        view.list_patterns("-frequency", None, 10**6, ""),
        view.predict([("a",), ("b",)], SETTINGS),
        view.predict([("c", "d"), (vector_name(VECTOR),)], SETTINGS),
        view.nearest((1.0, 0.25), SETTINGS),
    )


def history(chance, length):
    """Random changes, each of something that is there or is not."""
    known, changes = {}, []
    for sequence in range(1, length + 1):
        kind = chance.random()
        if known and kind < 0.25:
            before = known.pop(chance.choice(sorted(known)))
            changes.append(Change(sequence, "forget", before, None))
            continue
        symbols = [*chance.choices("abcdef", k=3), *([vector_name(VECTOR)] if chance.random() < 0.2 else [])]
        events = tuple((symbol,) for symbol in symbols)
        before = known.get(events)
        felt = [{"joy": chance.random()}]
        after = learned_again(before, felt, (), 5) if before else new_pattern(events, felt, [{"k": [kind]}], 5)
        known[events] = after
        vectors = {vector_name(VECTOR): VECTOR} if vector_name(VECTOR) in symbols else {}
        changes.append(Change(sequence, "learn", before, after, vectors))
    return changes


def having(make, changes):
    made = make()
    made.apply(changes)
    return made


@pytest.mark.parametrize("seed", range(2))
def test_both_go_their_own_ways(make, seed):
    chance = random.Random(seed)
    changes = history(chance, 700)
    for at in (0, 1, 512, 513, 700):
        one = having(make, changes[:at])
        other = one.fork()
        assert everything(other) == everything(one)
        one.apply(changes[at:])
        assert everything(other) == everything(having(make, changes[:at]))
        other.apply(changes[at : at + 50])
        while one.tend() or other.tend():
            pass
        assert everything(one) == everything(having(make, changes))
        assert everything(other) == everything(having(make, changes[: at + 50]))


def back(changes):
    """What leads back, patterns that come back first."""
    first, last, vectors = {}, {}, {}
    for change in changes:
        events = (change.before or change.after).events
        first.setdefault(events, change.before)
        last[events] = change.after
        vectors[events] = {vector_name(VECTOR): VECTOR} if (vector_name(VECTOR),) in events else {}
    found = [Change(0, "undo", last[key], first[key], vectors[key]) for key in first if last[key] != first[key]]
    return sorted(found, key=lambda change: change.after is None)


@pytest.mark.parametrize("seed", range(2))
def test_what_leads_back_leads_to_what_was(make, seed):
    chance = random.Random(seed)
    changes = history(chance, 400)
    present = having(make, changes)
    before = everything(present)
    for to in (0, 5, 399, 200):
        state = present.fork()
        state.rewind(back(changes[to:]), to)
        assert state.sequence == to
        assert everything(state) == everything(having(make, changes[:to]))
        state.apply(changes[to:])
        assert everything(state) == before, "and it can go on from there"
    assert everything(present) == before


def test_many_at_once_lead_back_too(make):
    """So many that their patterns are gathered for one segment."""
    known = [new_pattern(((f"s{number % 97}",), (f"t{number}",)), (), (), 5) for number in range(2500)]
    full = having(make, [Change(at, "learn", None, each) for at, each in enumerate(known, 1)])
    empty = full.fork()
    empty.rewind([Change(0, "undo", each, None) for each in known], 0)
    assert everything(empty) == everything(make())
    again = empty.fork()
    again.rewind([Change(0, "undo", None, each) for each in known], 2500)
    assert everything(again) == everything(full)


def test_a_node_that_went_over_to_the_plain_engine_forks_and_comes_back(make):
    """Numbers too large for the kernel; leading back to small ones leaves it where it is, with the same answers."""
    small = new_pattern((("a",), ("b",)), [{"joy": 0.5}], (), 5)
    large = edited(small, frequency=2**53)
    present = having(make, [Change(1, "learn", None, small), Change(2, "edit", small, large)])
    state = present.fork()
    assert everything(state) == everything(present)
    state.rewind([Change(0, "undo", large, small)], 1)
    assert everything(state) == everything(having(make, [Change(1, "learn", None, small)]))
    other = having(make, [Change(1, "learn", None, small)]).fork()
    other.rewind([Change(0, "undo", small, large)], 9)
    assert other.sequence == 9
    assert other.view().totals.frequency == 2**53
    other.apply([Change(10, "edit", large, small)])
    assert other.view().totals.frequency == 1


def test_forks_are_made_while_others_learn_read_and_tend(make):
    changes = history(random.Random(9), 1000)
    live = make()
    dues = {at: having(make, changes[:at]).view().totals for at in range(0, 1001, 250)}
    wrong, finished = [], threading.Event()

    def fork():
        while not finished.is_set():
            state = live.fork()
            at = state.sequence - state.sequence % 250
            state.rewind(back(changes[at : state.sequence]), at)
            if state.view().totals != dues[at]:
                wrong.append(at)
                return

    def tend():
        while not finished.is_set():
            live.tend()

    threads = [threading.Thread(target=each) for each in (fork, fork, tend)]
    for thread in threads:
        thread.start()
    for change in changes:
        live.apply([change])
    finished.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert everything(live) == everything(having(make, changes))
