"""The numbered rules of the definition, sections 1 and 2."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import ask, events_of, knowing, settings
from kato.engine.event import make_event, vector_name
from kato.engine.knowledge import Change
from kato.engine.matching.plain import PlainKnowledge
from kato.engine.memory import Observation, ShortTermMemory, learn
from kato.engine.pattern import bare_name, edited, learned_again, metadata_text, new_pattern, pattern_name

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


def observe(memory, *strings, window=1000, emotives=None, metadata=None, vectors=(), neighbours=(), **overrides):
    observation = Observation(tuple(strings), tuple(vectors), emotives or {}, metadata or {})
    return memory.observe(observation, neighbours=neighbours, settings=settings(**overrides), window=window)


def test_rule_1_1_symbols_are_any_text_and_are_never_changed():
    strange = ("", " a ", "'\"", "a/b", "\0", "é", "e\u0301", "日本", "\u202e")
    knowledge = knowing(new_pattern((strange,)))
    assert {symbol for symbol, _ in knowledge.view().symbols()} == set(strange)


def test_rule_1_2_strings_are_sorted_by_code_point_after_the_vectors():
    assert make_event(["apple", "Zoo", "10", "2", "", "Apple"], ["VCTR|b", "VCTR|a"], sort_symbols=True) == (
        "VCTR|a",
        "VCTR|b",
        "",
        "10",
        "2",
        "Apple",
        "Zoo",
        "apple",
    )
    assert make_event(["b", "a", "b"], [], sort_symbols=False) == ("b", "a", "b")


def test_rule_1_3_an_observation_without_content_adds_no_event_but_gathers():
    seen = observe(ShortTermMemory(), emotives={"joy": 1.0}, metadata={"k": 1}, max_pattern_length=1)
    assert (seen.event, seen.learned, seen.memory.events) == ((), None, ())
    assert (seen.memory.time, seen.memory.emotives, seen.memory.metadata) == (1, ({"joy": 1.0},), ({"k": 1},))


def test_rule_1_4_the_oldest_events_fall_off():
    memory = ShortTermMemory()
    for word in "abcd":
        seen = observe(memory, word, window=3)
        memory = seen.memory
    assert (memory.events, seen.dropped, memory.time) == (events_of("b c d"), 1, 4)


def test_rule_1_5_emotives_and_metadata_keep_the_newest():
    memory = ShortTermMemory()
    for value in (1.0, 2.0, 3.0):
        memory = observe(memory, "a", emotives={"joy": value}, metadata={"n": value}, window=2).memory
    assert memory.emotives == ({"joy": 2.0}, {"joy": 3.0})
    assert memory.metadata == ({"n": 2.0}, {"n": 3.0})


@pytest.mark.parametrize(("mode", "length", "kept"), [("CLEAR", 3, ""), ("ROLLING", 3, "b c"), ("ROLLING", 1, "")])
def test_rule_1_6_a_full_memory_is_learned_and_what_remains_depends_on_the_mode(mode, length, kept):
    memory = ShortTermMemory()
    words = ("a", "b", "c")[:length] if length > 1 else ("[a,z]",)
    for word in words:
        strings = events_of(word)[0]
        seen = observe(memory, *strings, emotives={"joy": 1.0}, max_pattern_length=length, stm_mode=mode)
        memory = seen.memory
    assert seen.learned is not None
    assert seen.learned.events == seen.before_learning.events
    assert len(seen.learned.emotives) == len(words)
    assert memory.events == events_of(kept)
    assert (memory.emotives, memory.metadata) == ((), ())


def test_rule_1_6_a_single_symbol_is_not_learned_but_treated_the_same():
    seen = observe(ShortTermMemory(), "alone", emotives={"joy": 1.0}, max_pattern_length=1)
    assert (seen.learned, seen.memory.events, seen.memory.emotives) == (None, (), ())


def test_rule_1_6_rolling_forgets_the_vectors_of_what_went():
    memory = ShortTermMemory()
    for vector in ((1.0,), (2.0,)):
        memory = observe(memory, "s", vectors=[vector], max_pattern_length=2, stm_mode="ROLLING").memory
    assert dict(memory.vectors) == {vector_name((2.0,)): (2.0,)}


def test_rule_1_7_a_vector_is_named_by_its_components():
    assert vector_name([1.0, -0.0]) == vector_name([1.0, 0.0])
    assert len(vector_name([1.0])) == 45
    assert vector_name([1.0]) != vector_name([1.0, 0.0])


def test_rule_1_7_an_event_names_a_vector_and_its_neighbours_once():
    own, near = vector_name((1.0,)), vector_name((2.0,))
    neighbours = [((near, (2.0,)),), ((near, (2.0,)), (own, (1.0,)))]
    seen = observe(ShortTermMemory(), vectors=[(1.0,), (3.0,)], neighbours=neighbours)
    assert seen.event == tuple(sorted({own, near, vector_name((3.0,))}))


def test_rule_1_8_an_explicit_learn_ends_the_episode_whether_or_not_anything_was_learned():
    memory = observe(ShortTermMemory(), "alone", emotives={"joy": 1.0}).memory
    after, learning = learn(memory)
    assert learning is None
    assert after == ShortTermMemory(time=1)


def test_rule_2_1_one_event_of_two_symbols_is_enough():
    _, learning = learn(observe(ShortTermMemory(), "a", "b", vectors=[(1.0,)]).memory)
    assert learning is not None
    assert list(learning.vectors) == [vector_name((1.0,))]


@pytest.mark.parametrize(
    ("events", "name"),
    [
        ("alpha beta gamma", "24e0f524f26eecfb14849cf3b3b57c44f3e705c2"),
        ("a b c", "b98534b32c1d7489d4ce1a48724aa65aeecbdba9"),
        ("[p,q]", "4a9c76f95de41cd46b8b35e5d2fd1e314da69367"),
    ],
)
def test_rule_2_2_names_follow_from_content(events, name):
    assert pattern_name(events_of(events)) == name
    assert bare_name("PTRN|" + name.upper()) == name
    assert bare_name(name[:-1]) is None
    assert bare_name("PTRN|PTRN|" + name) is None


awkward = st.text(st.sampled_from(list("ab'\"\\,[] \n\0\x7f\xa0é日\u202e\U0001f600")), max_size=4) | text


@given(st.lists(st.lists(awkward, max_size=3).map(tuple), max_size=4).map(tuple))
def test_rule_2_2_a_name_is_the_hash_of_what_python_writes(events):
    written = str([list(event) for event in events])
    assert pattern_name(events) == hashlib.sha1(written.encode()).hexdigest()


def test_rule_2_2_two_contents_of_one_name_do_not_merge(monkeypatch):
    monkeypatch.setattr("kato.engine.pattern.pattern_name", lambda _: "0" * 40)
    knowledge = knowing("a b", "a c")
    assert [each.events for each in ask(knowledge, "a").ranked] == [events_of("a b"), events_of("a c")]


def test_rule_2_3_the_first_learning():
    pattern = new_pattern(
        events_of("a b"),
        [{"joy": 1.0}, {"joy": 0.0, "fear": 0.5}, {"joy": 0.5}],
        [{"k": True, "n": None}, {"k": "x"}],
        persistence=2,
    )
    assert pattern.frequency == 1
    assert pattern.emotives == ({"joy": 0.0, "fear": 0.5}, {"joy": 0.5})
    assert pattern.metadata == {"k": ("True", "x"), "n": ("None",)}
    assert pattern.affinity == {"fear": Fraction(1, 2), "joy": Fraction(1, 2)}


def test_rule_2_3_learning_again():
    first = new_pattern(events_of("a b"), [{"joy": 1.0}], [{"k": 2}])
    again = learned_again(first, [{"joy": 0.5}], [{"k": 1}, {"k": 2}], persistence=1)
    assert (again.frequency, again.emotives) == (2, ({"joy": 0.5},))
    assert again.metadata == {"k": ("1", "2")}
    assert again.affinity == {"joy": Fraction(3, 2)}
    assert learned_again(first).metadata == first.metadata


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "x"),
        (True, "True"),
        (None, "None"),
        (1, "1"),
        (1.5, "1.5"),
        ([1, "é"], '[1,"é"]'),
        ({"b": 1, "a": "/"}, '{"a":"/","b":1}'),
    ],
)
def test_rule_2_3_metadata_values_become_texts(value, expected):
    assert metadata_text(value) == expected


def test_rule_2_3_statistics():
    knowledge = knowing("a b a", times=2)
    knowledge.apply([Change(9, "learn", None, new_pattern(events_of("b c"), [{"joy": 0.5}]))])
    view = knowledge.view()
    found = {symbol: (each.frequency, each.pattern_member_frequency) for symbol, each in view.symbols()}
    assert found == {"a": (4, 1), "b": (3, 2), "c": (1, 1)}
    assert dict(view.symbol("b").affinity) == {"joy": 0.5}
    assert view.symbol("z") is None
    assert (view.totals.patterns, view.totals.symbols, view.totals.frequency) == (2, 3, 3)
    assert [symbol for symbol, _ in view.symbols(after="a", limit=1)] == ["b"]
    assert [symbol for symbol, _ in view.symbols(only=["c", "z"])] == ["c"]
    assert [symbol for symbol, _ in view.symbols(with_affinity=True)] == ["b", "c"]


def test_rule_2_5_forgetting_leaves_what_follows_from_the_rest():
    one = new_pattern(events_of("a b"), [{"joy": 0.1}])
    two = new_pattern(events_of("a c"), [{"joy": 0.2}])
    knowledge = knowing(one, two)
    knowledge.apply([Change(3, "forget", two, None), Change(3, "forget", one, None)])
    assert dict(knowledge.view().symbol("a").affinity) == {"joy": 0.1}
    assert knowledge.view().symbol("c") is None
    assert knowledge.view().predict(events_of("a"), settings()) == knowing(one).view().predict(
        events_of("a"), settings()
    )


def test_rule_2_5_editing_keeps_events_and_affinities():
    pattern = new_pattern(events_of("a b"), [{"joy": 1.0}], [{"k": 1}])
    changed = edited(pattern, frequency=5, emotives=[{"joy": 0.0}], metadata={"m": 2})
    assert (changed.frequency, changed.emotives, changed.metadata) == (5, ({"joy": 0.0},), {"m": ("2",)})
    assert (changed.events, changed.affinity) == (pattern.events, pattern.affinity)
    assert edited(pattern) == pattern


def test_vectors_live_as_long_as_a_pattern_that_holds_them():
    name = vector_name((1.0, 2.0))
    held, other = new_pattern(((name,), ("a",))), new_pattern(((name,), ("b",)))
    knowledge = PlainKnowledge()
    knowledge.apply([Change(1, "learn", None, held, {name: (1.0, 2.0)}), Change(2, "learn", None, other)])
    assert knowledge.view().has_dimension(2)
    knowledge.apply([Change(3, "forget", held, None)])
    assert knowledge.view().nearest((0.0, 0.0), settings()) == ((name, (1.0, 2.0)),)
    knowledge.apply([Change(4, "forget", other, None)])
    assert knowledge.view().totals.vectors == 0


def test_forgetting_all_leaves_nothing():
    knowledge = knowing("a b", "b c")
    knowledge.apply([Change(3, "forget_all", None, None)])
    assert knowledge.view().totals == PlainKnowledge().view().totals
    assert knowledge.view() is knowledge.view()


def test_loading_is_as_learning():
    patterns = [new_pattern(events_of("a b")), learned_again(new_pattern(events_of("b c")))]
    loaded = PlainKnowledge()
    loaded.load(patterns, {"VCTR|unheld": (1.0,)}, 7)
    assert loaded.sequence == 7
    assert loaded.view().totals == knowing(*patterns).view().totals
    loaded.apply([Change(7, "forget", patterns[0], None)])
    assert loaded.view().totals.patterns == 2


@given(st.lists(st.lists(text, min_size=1, max_size=3).map(tuple), min_size=1, max_size=4).map(tuple))
def test_names_tell_contents_apart(events):
    import ast

    assert tuple(map(tuple, ast.literal_eval(str([list(event) for event in events])))) == events
    assert bare_name(pattern_name(events)) == pattern_name(events)
