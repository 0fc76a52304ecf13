"""A view shows one state of a node, whatever other threads learn meanwhile (rule 2.4)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from engine.building import Node, learning, node, settings
from kato.engine.event import vector_name
from kato.engine.knowledge import Change
from kato.engine.matching.plain import PlainKnowledge
from kato.engine.pattern import new_pattern


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Threads take turns as often as the interpreter can, so that every half-done change would be seen."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("restless_threads")
def test_rule_2_4_a_view_shows_a_learning_whole_or_not_at_all_and_every_finished_one() -> None:
    """Learning i makes pattern i of two symbols of its own, so every count of a view follows from its sequence."""
    knowledge = PlainKnowledge()
    patterns = [new_pattern(((f"s{i}",), (f"t{i}",)), [{"joy": 1.0}]) for i in range(400)]
    finished = [0]

    def learn_all() -> None:
        for sequence, pattern in enumerate(patterns, 1):
            knowledge.apply([Change(sequence, "learn", None, pattern)])
            finished[0] = sequence

    learner = threading.Thread(target=learn_all)
    learner.start()
    seen = 0
    while learner.is_alive():
        least = finished[0]
        view = knowledge.view()
        totals = view.totals
        assert (totals.patterns, totals.symbols, totals.frequency) == (
            view.sequence,
            2 * view.sequence,
            view.sequence,
        )
        assert len(view.symbols(with_affinity=True)) == totals.symbols
        assert view.sequence >= max(least, seen)
        seen = view.sequence
    learner.join()
    assert knowledge.view().sequence == len(patterns)


@pytest.mark.usefixtures("restless_threads")
def test_several_readers_of_one_view_get_one_answer() -> None:
    made = Node()
    for position in range(40):
        vector = (float(position), 1.0)
        name = vector_name(vector)
        made.learn(learning([[name], ["a"], [f"x{position % 3}"]], vectors={name: vector}))
    view = made.knowledge.view()
    start = threading.Barrier(4)
    answers: list[str] = []

    def read() -> None:
        start.wait()
        found = view.predict((("a",),), settings(recall_threshold=0.0))
        answers.append(repr((found, view.symbols(), view.nearest((3.2, 1.0), settings(vector_metric="cosine")))))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1


def test_a_batch_of_changes_appears_at_once() -> None:
    made = node("a b")
    before = made.knowledge.view()
    after = [new_pattern((("c",), (word,))) for word in "de"]
    made.knowledge.apply([Change(2 + position, "learn", None, each) for position, each in enumerate(after)])
    assert before.totals.patterns == 1
    assert made.knowledge.view().totals.patterns == 3


def test_a_view_is_made_once_per_state_and_its_vectors_once_per_set_of_vectors() -> None:
    """A node of many vectors would otherwise sort all of them after every learning."""
    name = vector_name((1.0, 2.0))
    made = Node()
    held = made.learn(learning([[name], ["a"]], vectors={name: (1.0, 2.0)}))
    first = made.knowledge.view()
    assert made.knowledge.view() is first
    made.learn(learning("b c"))
    second = made.knowledge.view()
    assert second is not first
    assert second._vectors is first._vectors
    made.forget(held)
    assert made.knowledge.view().totals.vectors == 0
    assert first.nearest((0.0, 0.0), settings()) == ((name, (1.0, 2.0)),)
