"""Nodes in memory: within a budget, and tended while others go on."""

from __future__ import annotations

import threading
import time

import pytest

from kato.engine.event import Event
from kato.engine.matching import choose, native_knowledge
from kato.service import nodes as nodes_module
from kato.service.nodes import Nodes
from kato.service.runtime import ThreadRuntime, drive
from kato.service.upkeep import Upkeep
from kato.storage.interface import Learn, Transaction
from kato.storage.memory import MemoryStorage


def learn(storage: MemoryStorage, node_id: str, *events: Event, session_id: str | None = None) -> None:
    storage.commit(
        [Transaction(at=1, node_id=node_id, operations=(Learn(events=events),), session_id=session_id)], durable=False
    )


def patterns(nodes: Nodes, node_id: str) -> int:
    return drive(nodes.view(node_id)).totals.patterns


@pytest.fixture
def storage():
    made = MemoryStorage()
    for node_id in ("one", "two", "three"):
        learn(made, node_id, ("a",), (node_id,))
    return made


def test_what_was_used_longest_ago_is_let_go_and_comes_back_with_all_it_learned(storage):
    times = iter(range(1, 1000))
    nodes = Nodes(storage, choose(None), ThreadRuntime(clock=lambda: next(times)), memory_budget=1)
    try:
        old = drive(nodes.view("one"))
        assert patterns(nodes, "two") == 1
        assert [node.node_id for node in nodes.loaded()] == ["two"]
        assert nodes.evicted == 1
        learn(storage, "one", ("b",), ("c",))
        assert patterns(nodes, "one") == 2
        assert old.totals.patterns == 1
    finally:
        nodes.close()


@pytest.mark.skipif(native_knowledge() is None, reason="sizes of the native engine")
def test_the_budget_holds_while_nodes_grow(storage, monkeypatch):
    monkeypatch.setattr(nodes_module, "_WEIGHED", 10)
    times = iter(range(1, 10_000))
    nodes = Nodes(storage, choose("native"), ThreadRuntime(clock=lambda: next(times)), memory_budget=2**30)
    try:
        for node_id in ("one", "two", "three"):
            drive(nodes.view(node_id))
        before = [node.node_id for node in nodes.loaded()]
        taken = sum(cost.total for _, cost, _ in nodes.costs())
        assert (before, nodes.evicted) == (["three", "two", "one"], 0)
        nodes.budget = taken + 50_000
        for number in range(3000):
            learn(storage, "three", (f"a{number}",), ("b",))
            if nodes.evicted == 2:
                break
        until = time.monotonic() + 20
        while nodes.evicted < 2 and time.monotonic() < until:
            time.sleep(0.01)
        assert [node.node_id for node in nodes.loaded()] == ["three"]
        assert patterns(nodes, "one") == 1
    finally:
        nodes.close()


def test_within_the_budget_and_without_one_all_stay(storage):
    for budget in (None, 2**30):
        nodes = Nodes(storage, choose(None), ThreadRuntime(), memory_budget=budget)
        assert [patterns(nodes, each) for each in ("one", "two", "three")] == [1, 1, 1]
        assert (len(nodes.loaded()), nodes.evicted) == (3, 0)
        nodes.close()


def test_a_node_whose_changes_are_being_captured_stays(storage):
    nodes = Nodes(storage, choose(None), ThreadRuntime(), memory_budget=1)
    try:
        capture = drive(nodes.capture("one", "session"))
        assert patterns(nodes, "two") == 1
        learn(storage, "one", ("b",), ("c",), session_id="session")
        assert [view.totals.patterns for view in capture.views] == [2]
        nodes.release("one", "session")
        assert patterns(nodes, "three") == 1
        assert [node.node_id for node in nodes.loaded()] == ["three"]
    finally:
        nodes.close()


class Untidy:
    """A knowledge with a number of steps to do; it says which thread did them."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.threads: set[str] = set()
        self.done = threading.Event()

    def tend(self) -> bool:
        self.threads.add(threading.current_thread().name)
        self.steps -= 1
        if self.steps <= 0:
            self.done.set()
        return self.steps > 0


def test_upkeep_goes_on_until_there_is_nothing_to_do_in_a_thread_of_its_own():
    upkeep = Upkeep()
    first, second = Untidy(5), Untidy(2)
    for knowledge in (first, second, first):
        upkeep.due(knowledge)
    assert first.done.wait(10)
    assert second.done.wait(10)
    assert first.threads == second.threads == {"kato-upkeep"}
    upkeep.close()
    late = Untidy(1)
    upkeep.due(late)
    assert not late.threads
