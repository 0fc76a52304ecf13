"""A page of patterns or symbols is the same from every engine: the one the definition gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from building import ENGINE, events_of, knowing
from kato.engine.knowledge import Change
from kato.engine.listing import PatternOrder, PatternPage, page_of, symbol_page
from kato.engine.matching.plain import PlainKnowledge
from kato.engine.pattern import Pattern, learned_again, new_pattern

PATTERN_ORDERS = ("name", "-name", "frequency", "-frequency", "length", "-length")
SYMBOL_ORDERS = ("name", "-name", "frequency", "-frequency")


def often(text: str, times: int) -> Pattern:
    pattern = new_pattern(events_of(text))
    for _ in range(times - 1):
        pattern = learned_again(pattern)
    return pattern


def shown(page: PatternPage) -> list[tuple[str, int]]:
    return [(" ".join(symbol for event in each.events for symbol in event), each.frequency) for each in page.patterns]


def test_patterns_by_frequency_the_most_frequent_first_and_ties_by_name() -> None:
    view = knowing(often("a b", 1), often("c d e", 3), often("f g", 3)).view()
    names = sorted(("c d e", "f g"), key=lambda text: new_pattern(events_of(text)).name)
    page = view.list_patterns("-frequency", None, 2, "")
    assert shown(page) == [(name, 3) for name in names]
    assert page.total == 3
    rest = view.list_patterns("-frequency", page.position, 2, "")
    assert (shown(rest), rest.position, rest.total) == ([("a b", 1)], None, 3)


def test_a_search_finds_parts_of_symbols_in_their_own_case_and_beginnings_of_names_in_any() -> None:
    view = knowing("kettle cup", "Kettle work", "tea cup").view()
    found = {text: shown(view.list_patterns("name", None, 9, text)) for text in ("kett", "CUP", "up", "nowhere")}
    assert [each[0] for each in found["kett"]] == ["kettle cup"]
    assert {each[0] for each in found["up"]} == {"kettle cup", "tea cup"}
    assert found["CUP"] == found["nowhere"] == []
    name = new_pattern(events_of("tea cup")).name
    for text in (name[:9], f"PTRN|{name[:9].upper()}", name):
        assert shown(view.list_patterns("name", None, 9, text)) == [("tea cup", 1)]
    assert shown(view.list_patterns("name", None, 9, name + "0")) == []


@pytest.mark.parametrize("symbol", ['quo"te', "back\\slash", "new\nline", "nul\0", "é", "%", "_", "'"])
def test_a_search_takes_every_character_for_itself(symbol: str) -> None:
    """Neither as JSON writes it nor as a pattern of a database."""
    pattern = new_pattern(((f"pre{symbol}post",), ("z",)))
    view = knowing(pattern, "other things").view()

    def found(text: str) -> list[str]:
        page = view.list_patterns("name", None, 9, text)
        assert page.total == len(page.patterns)
        return [each.name for each in page.patterns]

    assert found(symbol) == found(f"e{symbol}p") == [pattern.name]
    assert found("nowhere") == found('","') == found("\\n") == found("u0000") == []


def test_a_name_is_searched_from_its_beginning_alone() -> None:
    patterns = [new_pattern((("Zebra",), (str(number),))) for number in range(20)]
    view = knowing(*patterns).view()
    for pattern in patterns:
        for text in (pattern.name[:8], pattern.name[2:10]):
            page = view.list_patterns("name", None, 20, text)
            assert [each.name for each in page.patterns] == sorted(
                each.name for each in patterns if each.name.startswith(text)
            )


@pytest.mark.parametrize("order", PATTERN_ORDERS)
def test_a_walk_holds_every_pattern_once_in_its_order(order: PatternOrder) -> None:
    patterns = [often(" ".join([*["x"] * (number % 4 + 1), f"w{number}"]), number % 3 + 1) for number in range(23)]
    view = knowing(*patterns).view()
    found: list[Pattern] = []
    after = None
    for _ in range(5):
        page = view.list_patterns(order, after, 5, "")
        assert page.total == 23
        found += page.patterns
        after = page.position
    assert after is None
    expected = sorted(patterns, key=lambda pattern: pattern.name, reverse=order == "-name")
    if not order.endswith("name"):
        expected.sort(key=lambda pattern: getattr(pattern, order.strip("-")), reverse=order.startswith("-"))
    assert found == expected


@pytest.mark.parametrize("order", ["name", "-name"])
def test_a_walk_by_name_is_right_while_others_learn_and_forget(order: PatternOrder) -> None:
    stay = [new_pattern((("x",), (str(number),))) for number in range(20)]
    knowledge = knowing(*stay)
    found: list[str] = []
    after, passing = None, None
    for step in range(100):
        page = knowledge.view().list_patterns(order, after, 3, "")
        found += [each.name for each in page.patterns]
        after = page.position
        if after is None:
            break
        learned = new_pattern((("y",), (str(step),)))
        changes = [Change(knowledge.sequence + 1, "learn", None, learned)]
        if passing is not None:
            changes.append(Change(knowledge.sequence + 2, "forget", passing, None))
        knowledge.apply(changes)
        passing = learned
    assert after is None
    assert found == sorted(set(found), reverse=order == "-name")
    assert {each.name for each in stay} <= set(found)


def test_symbols_by_frequency_and_by_name() -> None:
    view = knowing(often("a b", 2), often("b cup", 1)).view()
    page = view.list_symbols("-frequency", None, 2, "")
    assert [(name, facts.frequency) for name, facts in page.symbols] == [("b", 3), ("a", 2)]
    assert page.total == 3
    rest = view.list_symbols("-frequency", page.position, 2, "")
    assert ([name for name, _ in rest.symbols], rest.position) == (["cup"], None)
    assert [name for name, _ in view.list_symbols("-name", None, None, "").symbols] == ["cup", "b", "a"]
    assert [name for name, _ in view.list_symbols("name", None, 9, "u").symbols] == ["cup"]


def test_what_was_forgotten_is_not_listed() -> None:
    knowledge = knowing("a b", "c d")
    gone = new_pattern(events_of("a b"))
    knowledge.apply([Change(knowledge.sequence + 1, "forget", gone, None)])
    view = knowledge.view()
    assert shown(view.list_patterns("name", None, 9, "")) == [("c d", 1)]
    assert shown(view.list_patterns("name", None, 9, "a")) == []
    assert [name for name, _ in view.list_symbols("name", None, 9, "").symbols] == ["c", "d"]


def test_patterns_of_one_name_are_all_listed_page_by_page() -> None:
    """Two contents of one name do not occur unless somebody makes them; even then a walk loses none."""
    twins = [Pattern("a" * 40, (("x",), ("y",)), 2), Pattern("a" * 40, (("x",), ("z",)), 2), often("a b", 2)]
    for order in PATTERN_ORDERS:
        seen, after = [], None
        for _ in range(3):
            page = page_of(twins, order, after, 1, "")
            seen += shown(page)
            after = page.position
        assert after is None
        assert sorted(seen) == [("a b", 2), ("x y", 2), ("x z", 2)]


WORDS = st.lists(st.sampled_from(["a", "b", "ab", "aé", "PTRN|c", "😀", "d\0"]), min_size=1, max_size=4)
LEARNED = st.lists(st.tuples(WORDS, st.integers(1, 3), st.booleans()), max_size=12)


@pytest.mark.parametrize("crowd", [0, pytest.param(600, marks=pytest.mark.no_cover)])
@trying(max_examples=60, deadline=None)
@given(
    learned=LEARNED, search=st.sampled_from(["", "a", "b", "PTRN|", "|", "é", "0", "c3", "zz"]), limit=st.integers(1, 5)
)
def test_every_walk_is_that_of_the_definition(
    crowd: int, learned: list[tuple[list[str], int, bool]], search: str, limit: int
) -> None:
    knowledge, plain = ENGINE(), PlainKnowledge()
    crowded = [(["crowd", str(number)], 1, False) for number in range(crowd)]  # enough for a segment
    known: dict[tuple[tuple[str, ...], ...], Pattern] = {}
    changes = []
    for words, times, is_forgotten in [*crowded, *learned]:
        pattern = new_pattern(tuple((word,) for word in words))
        for _ in range(times - 1):
            pattern = learned_again(pattern)
        before = known.get(pattern.events)
        changes.append(Change(len(changes) + 1, "learn", before, pattern))
        known[pattern.events] = pattern
        if is_forgotten:
            changes.append(Change(len(changes) + 1, "forget", pattern, None))
            del known[pattern.events]
    for each in (knowledge, plain):
        each.apply(changes)
    view, judge = knowledge.view(), plain.view()
    for order in PATTERN_ORDERS:
        after = None
        while True:
            page = view.list_patterns(order, after, limit + crowd, search)
            right = page_of(known.values(), order, after, limit + crowd, search)
            assert (list(page.patterns), page.position, page.total) == (
                list(right.patterns),
                right.position,
                right.total,
            )
            after = page.position
            if after is None:
                break
    for symbols in SYMBOL_ORDERS:
        last = None
        while True:
            found = view.list_symbols(symbols, last, limit + crowd, search)
            rightly = symbol_page(dict(judge.symbols()), symbols, last, limit + crowd, search)
            assert (list(found.symbols), found.position, found.total) == (
                list(rightly.symbols),
                rightly.position,
                rightly.total,
            )
            last = found.position
            if last is None:
                break
