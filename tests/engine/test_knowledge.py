"""What a node knows follows from what it has learned and not forgotten, and from nothing else."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from engine.building import Node, learning, node, settings
from kato.engine.event import vector_name
from kato.engine.knowledge import Change
from kato.engine.learning import learn
from kato.engine.matching.plain import PlainKnowledge, PlainView
from kato.engine.memory import ShortTermMemory
from kato.engine.pattern import edited, new_pattern

lines = st.lists(st.sampled_from(["a", "b", "c", "d", "a,b", "a,a"]), min_size=2, max_size=4).map(" ".join)
feelings = st.dictionaries(st.sampled_from(["joy", "fear"]), st.floats(-1, 1), max_size=2)
learnings = st.lists(st.tuples(lines, feelings), max_size=7)


def everything(view: PlainView) -> str:
    """All a view says, as text: equal states, equal text."""
    chosen = settings(recall_threshold=0.0, affinity_emotive="joy")
    return repr((view.totals, view.symbols(), view.symbols(with_affinity=True), view.predict([("a",), ("b",)], chosen)))


def having_learned(taken: list[tuple[str, dict[str, float]]]) -> Node:
    made = Node()
    for line, felt in taken:
        made.learn(learning(line, emotives=[felt] if felt else []))
    return made


@budget(max_examples=60, deadline=None)
@given(learnings, learnings)
def test_a_forgotten_pattern_leaves_what_follows_from_what_remains(
    kept: list[tuple[str, dict[str, float]]], gone: list[tuple[str, dict[str, float]]]
) -> None:
    kept_events = {learning(line).events for line, _ in kept}
    gone = [(line, felt) for line, felt in gone if learning(line).events not in kept_events]
    made = having_learned([*gone, *kept])
    for events in {learning(line).events for line, _ in gone}:
        made.forget(made.patterns[events])
    assert everything(made.knowledge.view()) == everything(having_learned(kept).knowledge.view())


@budget(max_examples=40, deadline=None)
@given(learnings.flatmap(lambda taken: st.tuples(st.just(taken), st.permutations(taken))))
def test_the_order_of_learning_leaves_no_trace_in_statistics(
    orders: tuple[list[tuple[str, dict[str, float]]], list[tuple[str, dict[str, float]]]],
) -> None:
    one, other = (having_learned(order).knowledge.view() for order in orders)
    assert (one.totals, one.symbols()) == (other.totals, other.symbols())


@budget(max_examples=40, deadline=None)
@given(learnings)
def test_loading_what_was_learned_is_as_having_learned_it(taken: list[tuple[str, dict[str, float]]]) -> None:
    made = having_learned(taken)
    loaded = PlainKnowledge()
    loaded.load(reversed(made.patterns.values()), {}, made.knowledge.sequence)
    assert loaded.sequence == made.knowledge.sequence
    assert everything(loaded.view()) == everything(made.knowledge.view())


def test_a_view_does_not_change_while_learning_goes_on() -> None:
    made = node("a b c")
    view = made.knowledge.view()
    before = everything(view)
    made.learn(learning("a b c", emotives=[{"joy": 1.0}]), times=3)
    made.learn(learning("a d"))
    assert everything(view) == before
    assert everything(made.knowledge.view()) != before


def test_affinity_adds_the_mean_of_each_learning_to_every_distinct_symbol() -> None:
    """Means ½ and −¼ over two learnings of `a a b`; `b c` adds 1 to b and c: a ¼, b 1¼, c 1."""
    made = Node()
    made.learn(learning("a,a b", emotives=[{"joy": 1.0}, {"joy": 0.0}, {"fear": 2.0}]))
    made.learn(learning("a,a b", emotives=[{"joy": -0.25}]))
    made.learn(learning("b c", emotives=[{"joy": 1.0}]))
    felt = {symbol: dict(found.affinity) for symbol, found in made.knowledge.view().symbols()}
    assert felt == {"a": {"fear": 2.0, "joy": 0.25}, "b": {"fear": 2.0, "joy": 1.25}, "c": {"joy": 1.0}}


def test_a_tenth_and_a_fifth_less_a_fifth_is_a_tenth() -> None:
    made = Node()
    made.learn(learning("a b", emotives=[{"joy": 0.1}]))
    gone = made.learn(learning("a c", emotives=[{"joy": 0.2}]))
    made.forget(gone)
    assert made.patterns[("a",), ("b",)].affinity == {"joy": Fraction(0.1)}
    found = made.knowledge.view().symbol("a")
    assert found is not None
    assert found.affinity == {"joy": 0.1}


def test_an_edited_frequency_counts_as_so_many_learnings() -> None:
    made = node("a a b")
    pattern = made.patterns[("a",), ("a",), ("b",)]
    made.change(pattern, edited(pattern, frequency=5))
    view = made.knowledge.view()
    found = view.symbol("a")
    assert found is not None
    assert (found.frequency, found.pattern_member_frequency, view.totals.frequency) == (10, 1, 5)


def test_a_change_already_applied_is_skipped() -> None:
    made = node("a b")
    again = new_pattern((("c",), ("d",)))
    made.knowledge.apply([Change(1, "learn", None, again)])
    assert made.knowledge.view().totals.patterns == 1


def test_a_vector_is_learned_with_its_pattern_and_forgotten_with_the_last() -> None:
    name = vector_name([1.0, 2.0])
    made = Node()
    first = made.learn(learning([[name], ["a"]], vectors={name: (1.0, 2.0)}))
    second = made.learn(learning([[name], ["b"]]))
    made.forget(first)
    assert made.knowledge.view().nearest((0.0, 0.0), settings()) == ((name, (1.0, 2.0)),)
    assert made.knowledge.view().vector(name) == (1.0, 2.0)
    made.forget(second)
    assert not made.knowledge.view().has_dimension(2)
    assert made.knowledge.view().vector(name) is None


def test_two_symbols_in_one_event_are_a_pattern_and_one_symbol_is_none() -> None:
    _, taken = learn(ShortTermMemory(events=(("p", "q"),)))
    assert taken is not None
    assert new_pattern(taken.events).length == 2
    assert learn(ShortTermMemory(events=(("p",),), time=3)) == (ShortTermMemory(time=3), None)


def test_a_word_misspelt_twice_is_read_twice() -> None:
    prediction = node("apple banana apple").one("aple banana aple", fuzzy_token_threshold=0.8)
    assert prediction.metrics.similarity == 1
    assert [each.observed for each in prediction.anomalies] == ["aple", "aple"]
