"""The native engine gives the plain engine's answers, to the last bit."""

from __future__ import annotations

import math
import random
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import orjson
import pytest

from kato.engine.event import vector_name
from kato.engine.forecasting.profiles import UNTESTED
from kato.engine.forecasting.question import Kind, ask
from kato.engine.knowledge import Change, Knowledge, Written, WrittenPatterns
from kato.engine.matching import _kernel
from kato.engine.matching.index import NativeKnowledge, NativeView
from kato.engine.matching.plain import PlainKnowledge
from kato.engine.matching.shared_table import SharedTable
from kato.engine.metrics.weighted import LEAST
from kato.engine.pattern import Pattern, edited, learned_again, new_pattern
from kato.engine.settings import FILTERS, RANKINGS, EngineSettings
from oracle import cases
from oracle.cases import Case, World, a_content, compare, shrunk
from oracle.forecast_cases import compare as compare_forecasts

SETTINGS = EngineSettings()


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(8))
def test_generated_cases_have_equal_answers(seed):
    assert compare(seed, 400) == ""


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(4))
def test_generated_cases_are_foretold_alike(seed):
    assert compare_forecasts(seed, 60) == ""


def test_a_large_node_elects_alike():
    """Segments, a tail, forgotten rows, and more equals than can vote."""
    chance = random.Random(11)
    known = [new_pattern(tuple((chance.choice("abcdefgh"),) for _ in range(6))) for _ in range(7000)]
    known = list({pattern.events: pattern for pattern in known}.values())
    plain, native = both(known)
    for sequence, pattern in enumerate(known[::3], len(known) + 1):
        for engine in (plain, native):
            engine.apply([Change(sequence, "forget", pattern, None)])
    questions = [ask(known[5].events[:3], Kind()), ask((("a",), ("zz",)), Kind(), known[1].events), ask((), Kind())]
    one, other = plain.view().forecasting(), native.view().forecasting()
    for question in questions:
        assert [voter.name for voter in one.electorate(question)] == [
            voter.name for voter in other.electorate(question)
        ]
        assert one.familiarity(question) == other.familiarity(question)
        assert one.tally(question, UNTESTED, 0.3, 20) == other.tally(question, UNTESTED, 0.3, 20)
    smallest = one.smallest(3000), other.smallest(3000)
    assert [told[1:] for told in smallest[0]] == [told[1:] for told in smallest[1]]
    for number in (7, 700, 2999):
        before = [ask(known[5].events[:3], Kind(), before=told[number][0]) for told in smallest]
        voters = [source.electorate(question) for source, question in zip((one, other), before, strict=True)]
        assert [voter.name for voter in voters[0]] == [voter.name for voter in voters[1]]


def patterns(seed: int, count: int, symbols: int) -> list[Pattern]:
    chance = random.Random(seed)
    vocabulary = [f"s{number}" for number in range(symbols)]
    return [new_pattern(events) for events in {a_content(chance, vocabulary): None for _ in range(count)}]


def both(known: list[Pattern]) -> list[Knowledge]:
    engines: list[Knowledge] = [PlainKnowledge(), NativeKnowledge()]
    for engine in engines:
        engine.load(known, {}, len(known))
    return engines


def test_the_generated_cases_reach_everything(monkeypatch):
    """Every ranking, filter and option, long memories and patterns, losses, segments beside a tail, exact thresholds."""
    monkeypatch.setattr(cases, "LONG", 0.2)
    seen: set[object] = set()
    for number, (world, of_world) in enumerate(cases.generated(3)):
        if number == 150:
            break
        steps = [what for what, _, _ in world.steps]
        seen.update(steps)
        if "seal" in steps and steps[-1] == "learn":
            seen.add("segments beside a tail")
        seen.add(("longest", max(sum(map(len, content)) for content in world.contents)))
        for case in of_world:
            asked = case.settings
            memory, pattern = sum(map(len, case.events)), [sum(map(len, content)) for content in world.contents]
            seen.update((asked.rank_sort_algo, *asked.filter_pipeline, ("events", len(case.events))))
            seen.update(("single symbol",) if memory == 1 else ())
            seen.add(("threshold", "zero" if asked.recall_threshold == 0 else "above"))
            for length in pattern:
                for common in range(1, min(memory, length, 20) + 1):
                    edge = 2 * common / (memory + length)
                    if asked.recall_threshold == edge:
                        seen.add("just passes")
                    if asked.recall_threshold == math.nextafter(edge, 2):
                        seen.add("just fails")
            for name in ("ensemble_size", "use_token_matching", "fuzzy_token_threshold", "affinity_emotive"):
                seen.add((name, getattr(asked, name)))
    expected: set[object] = {*RANKINGS, *FILTERS, "learn", "edit", "forget", "seal", "segments beside a tail"}
    expected |= {"single symbol", "just passes", "just fails", ("events", 1000), ("longest", 65_000)}
    expected |= {
        ("threshold", "zero"),
        ("ensemble_size", 0),
        ("use_token_matching", False),
        ("affinity_emotive", "joy"),
    }
    expected |= {("fuzzy_token_threshold", 1.0), ("fuzzy_token_threshold", 0.3)}
    assert expected - seen == set()


@pytest.fixture(scope="module")
def large():
    """Several tails, segments and mergings deep; ties in masses. What it knows, and both engines."""
    known = patterns(5, 3000, 40)
    plain, native = both([])
    for sequence, pattern in enumerate(known, 1):
        for engine in (plain, native):
            engine.apply([Change(sequence, "learn", None, pattern)])
        if sequence % 500 == 0:
            while native.tend():
                pass
    return known, plain, native


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "ranking", ["potential", "similarity", "frequency", "bayesian_posterior", "fragmentation", "snr"]
)
def test_large_nodes_have_equal_answers(large, ranking):
    """And the best is found without looking at most."""
    known, plain, native = large
    chance = random.Random(7)
    for _ in range(12):
        memory = chance.choice(known).events[:4]
        for threshold in (0.0, 0.1, 0.6):
            asked = replace(SETTINGS, rank_sort_algo=ranking, ensemble_size=20, recall_threshold=threshold)
            assert plain.view().predict(memory, asked) == native.view().predict(memory, asked)
    examined = [
        native.view().predict(each.events[:4], replace(SETTINGS, ensemble_size=1, max_predictions=1)).examined
        for each in known[:20]
    ]
    assert sum(examined) < 20 * len(known) / 2


@pytest.mark.parametrize("widest", [1, 3, 20])
def test_pairs_in_events_of_any_size_have_equal_answers(widest):
    """Most patterns share nothing but one pair of common symbols, and differ in the sizes of the events it lies in."""
    chance = random.Random(widest)
    rare = [f"r{number}" for number in range(400)]

    def an_event() -> tuple[str, ...]:
        symbols = chance.choices("ab", k=chance.randint(0, 2)) + chance.choices(rare, k=chance.randint(0, widest - 1))
        return tuple(sorted(symbols)) or ("c",)

    contents = {tuple(an_event() for _ in range(chance.randint(2, 8))): None for _ in range(1500)}
    plain, native = (each.view() for each in both([new_pattern(events) for events in contents if len(events) > 1]))
    settings = EngineSettings(recall_threshold=0.05, ensemble_size=20, max_predictions=20)
    for size in (2, 3, 4, 6, 7, 8, 12):
        memory = [chance.choice(rare) for _ in range(size)]
        at = chance.randrange(size - 1)
        memory[at : at + 2] = chance.choice((("a", "b"), ("b", "a"), ("a", "a")))
        events = tuple((symbol,) for symbol in memory)
        assert native.predict(events, settings) == plain.predict(events, settings)


def test_long_memories_and_long_patterns_have_equal_answers():
    chance = random.Random(3)
    long = [tuple((chance.choice("abcdefgh"),) for _ in range(size)) for size in (70, 130, 300, 1000)]
    plain, native = both([new_pattern(events) for events in long])
    for events in (*long, tuple((symbol, symbol) for symbol in "abcdefgh" * 40), (("a",) * 300,)):
        for tokens in (True, False):
            asked = replace(SETTINGS, use_token_matching=tokens, recall_threshold=0.0)
            assert plain.view().predict(events, asked) == native.view().predict(events, asked)


def test_a_pattern_with_more_pairs_than_are_kept_is_aligned_all_the_same():
    pattern, memory = (("a",) * 1100, ("b",)), (("a",) * 1000,)
    plain, native = both([new_pattern(pattern)])
    assert plain.view().predict(memory, SETTINGS) == native.view().predict(memory, SETTINGS)


def test_many_changes_at_once_become_one_segment():
    known = patterns(9, 3500, 30)
    assert len(known) > 2500
    plain, native = both([])
    changes = [Change(sequence, "learn", None, pattern) for sequence, pattern in enumerate(known, 1)]
    for engine in (plain, native):
        engine.apply(changes)
    assert plain.view().totals == native.view().totals
    assert plain.view().predict(known[5].events, SETTINGS) == native.view().predict(known[5].events, SETTINGS)


def test_what_is_mostly_forgotten_is_made_small():
    known = patterns(1, 1200, 30)
    plain, native = both(known)
    before = native.cost.total
    for sequence, pattern in enumerate(known[: len(known) * 4 // 5], len(known) + 1):
        for engine in (plain, native):
            engine.apply([Change(sequence, "forget", pattern, None)])
    assert native.is_untidy
    while native.tend():
        pass
    assert not native.is_untidy
    assert native.cost.total < before
    assert plain.view().totals == native.view().totals
    assert plain.view().predict(known[-1].events, SETTINGS) == native.view().predict(known[-1].events, SETTINGS)


def test_forgotten_patterns_are_not_examined():
    known = patterns(1, 300, 6)
    native = both(known)[1]
    for sequence, pattern in enumerate(known, len(known) + 1):
        native.apply([Change(sequence, "forget", pattern, None)])
        if sequence % 100 == 0:
            assert native.view().predict(known[0].events, SETTINGS).examined <= native.view().totals.patterns
    assert native.view().predict(known[0].events, SETTINGS) == PlainKnowledge().view().predict(
        known[0].events, SETTINGS
    )
    assert native.view().predict(known[0].events, SETTINGS).examined == 0


def test_numbers_beyond_what_doubles_count_are_left_to_the_plain_engine():
    one, two = new_pattern((("a",), ("b",))), new_pattern((("a",), ("c",)))
    huge = edited(one, frequency=2**53)
    for changes in (
        [Change(3, "edit", one, huge), Change(4, "learn", two, learned_again(two))],
        [Change(3, "edit", one, huge), Change(4, "forget", huge, None)],
        [Change(3, "forget", one, None), Change(4, "learn", None, huge), Change(5, "forget_all", None, None)],
        [Change(3, "edit", one, huge), Change(4, "learn", None, new_pattern((("x",), ("y",))))],
    ):
        plain, native = both([one, two])
        for engine in (plain, native):
            engine.apply(changes)
        assert plain.view().totals == native.view().totals
        assert plain.view().predict((("a",),), SETTINGS) == native.view().predict((("a",),), SETTINGS)
        assert native.sequence == plain.sequence == changes[-1].sequence


def test_two_contents_of_one_name_are_two_patterns():
    one = new_pattern((("a",), ("b",)))
    twin = new_pattern((("a",), ("c",)), name=one.name)
    longer = new_pattern((("a",), ("b",), ("c",)), name=one.name)
    for other in (twin, longer):
        plain, native = both([one, other])
        assert native.view().totals.patterns == 2
        assert plain.view().predict((("a",),), SETTINGS) == native.view().predict((("a",),), SETTINGS)


@pytest.mark.parametrize("odd", ["", "twin", "huge"])
def test_many_changes_at_once_are_as_one_after_the_other(odd):
    """New patterns among others that are not; at the odd one a node goes over to the plain engine, in the midst of it."""
    known = patterns(12, 3000, 30)
    changes = [Change(n, "learn", None, each) for n, each in enumerate(known, 1)]
    felt = new_pattern((("felt",), ("s1",)), [{"joy": 0.25}], [{"from": "here"}])
    held = vector_name((1.0,))
    further: list[tuple[Pattern | None, Pattern | None, dict[str, tuple[float, ...]]]] = [
        (None, felt, {}),
        (None, new_pattern(((held,), ("s2",))), {held: (1.0,)}),
        (known[2], None, {}),
        (known[3], learned_again(known[3]), {}),
        (None, new_pattern((("new",), ("s3",))), {}),
    ]
    if odd == "twin":
        further.insert(1, (None, new_pattern((("a",), ("b",)), name=known[7].name), {}))
    if odd == "huge":
        further.insert(1, (None, edited(new_pattern((("a",), ("b",))), frequency=2**70), {}))
    changes += [Change(len(known) + n, "any", *each) for n, each in enumerate(further, 1)]
    plain, native = both([])
    for engine in (plain, native):
        engine.apply(changes[:5])
        engine.apply(changes)
        engine.apply(changes)
    assert native.sequence == len(changes)
    assert isinstance(native.view(), NativeView) is not bool(odd)
    assert plain.view().totals == native.view().totals
    assert plain.view().symbols(with_affinity=True) == native.view().symbols(with_affinity=True)
    for memory in (felt.events, known[9].events[:3], (("new",),)):
        assert plain.view().predict(memory, SETTINGS) == native.view().predict(memory, SETTINGS)


@pytest.mark.parametrize("amount", [1e300, -1.7e308])
def test_weights_beyond_what_can_be_summed_are_left_to_the_plain_engine(amount):
    known = [new_pattern((("a",), (end,)), [{"joy": amount}]) for end in "bcd"]
    plain, native = both(known)
    for ranking in ("weighted_snr", "potential"):
        asked = replace(SETTINGS, affinity_emotive="joy", rank_sort_algo=ranking)
        memory = (("a",), ("b",), ("x",))
        assert plain.view().predict(memory, asked) == native.view().predict(memory, asked)
        assert plain.view().explain(memory, asked) == native.view().explain(memory, asked)


def test_explanations_are_equal():
    known = [new_pattern(each.events, [{"joy": 0.3}]) for each in patterns(2, 40, 12)]
    plain, native = both(known)
    for ranking in RANKINGS:
        asked = replace(SETTINGS, rank_sort_algo=ranking, affinity_emotive="joy", fuzzy_token_threshold=0.5)
        memory = known[3].events[:3]
        assert plain.view().explain(memory, asked) == native.view().explain(memory, asked)
    assert native.view().explain((), SETTINGS) == {}


def test_symbols_are_listed_alike():
    known = [new_pattern(each.events, [{"joy": 0.5}] if i % 2 else ()) for i, each in enumerate(patterns(4, 30, 20))]
    plain, native = both(known)
    for asked in (
        {},
        {"after": "s3", "limit": 4},
        {"only": ["s1", "s2", "none"]},
        {"only": ["s1", "s2"], "with_affinity": True},
        {"with_affinity": True, "limit": 3},
    ):
        assert plain.view().symbols(**asked) == native.view().symbols(**asked)
    assert native.view().symbol("none") is plain.view().symbol("none") is None
    assert native.view().has_dimension(3) is False


def test_the_stages_of_a_question_are_timed():
    known = patterns(6, 400, 12)
    native = both(known)[1]
    view = native.view()
    assert isinstance(view, NativeView)
    told = view.kernel.stages(known[0].events[:3], SETTINGS, "quality", None, LEAST, None)
    assert list(told) == ["reading", "counting", "ordering", "comparing", "measuring", "making"]
    assert sum(told.values()) > 0


def test_a_view_never_changes():
    known = patterns(6, 400, 12)
    plain, native = both(known[:200])
    old = native.view()
    expected = [plain.view().predict(each.events[:3], SETTINGS) for each in known[:30]]
    for sequence, pattern in enumerate(known[200:], 1000):
        native.apply([Change(sequence, "learn", None, pattern)])
    for sequence, pattern in enumerate(known[:100], 2000):
        native.apply([Change(sequence, "forget", pattern, None)])
    assert [old.predict(each.events[:3], SETTINGS) for each in known[:30]] == expected
    assert old.totals.patterns == 200
    assert isinstance(old, NativeView)


def test_a_difference_is_told_and_made_small(monkeypatch):
    """The judge itself can fail: with a wrong answer in the native engine's place it names a small case."""
    honest = NativeView.predict
    monkeypatch.setattr(
        NativeView, "predict", lambda view, events, settings: honest(view, events, replace(settings, ensemble_size=1))
    )
    told = compare(0, 2000)
    assert "plain:" in told
    world = World(((("a",), ("b",)), (("a",), ("c",))), (("learn", 0, ()), ("seal", 0, None), ("learn", 1, ())))
    small = shrunk(Case(world, (("x",), ("a",)), replace(SETTINGS, recall_threshold=0.0, max_predictions=1)))
    assert len(small.events) == 1


def test_a_shared_table_keeps_what_was_handed_out():
    table: SharedTable[Fraction] = SharedTable()
    assert not table.share()
    assert table.get(700) is None
    table.set(700, Fraction(1))
    table.set(1, None)
    seen = table.share()
    table.set(700, Fraction(2))
    table.set(3, Fraction(3))
    assert (seen.get(700), seen.get(3), seen.get(10_000), table.get(700)) == (1, None, None, 2)
    assert dict(table.share().items()) == {3: 3, 700: 2}
    table.set(700, None)
    assert table.get(700) is None


@pytest.fixture
def restless_threads() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.no_cover
@pytest.mark.usefixtures("restless_threads")
def test_readers_beside_a_writer_see_the_plain_answer_of_some_state_between():
    """Every answer must be the plain engine's for a state between the question's beginning and its end."""
    known = patterns(8, 700, 14)
    memory = known[0].events[:3]
    asked = replace(SETTINGS, ensemble_size=5, max_predictions=5)
    plain, native = both([])
    changes: list[Change] = []
    for sequence, pattern in enumerate(known, 1):
        gone = sequence % 7 == 0
        changes.append(Change(2 * sequence - 1, "learn", None, pattern))
        changes.append(
            Change(2 * sequence, "forget" if gone else "learn", pattern, None if gone else learned_again(pattern))
        )
    answers = [plain.view().predict(memory, asked)]
    for change in changes:
        plain.apply([change])
        answers.append(plain.view().predict(memory, asked))
    wrong: list[str] = []
    finished = threading.Event()

    def read() -> None:
        while not finished.is_set():
            before = native.sequence
            found = native.view().predict(memory, asked)
            if found not in answers[before : native.sequence + 2]:
                wrong.append(f"between {before} and {native.sequence}")
                return

    def tend() -> None:
        while not finished.is_set():
            native.tend()

    threads = [threading.Thread(target=read) for _ in range(3)] + [threading.Thread(target=tend)]
    for thread in threads:
        thread.start()
    for change in changes:
        native.apply([change])
    finished.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert native.view().predict(memory, asked) == answers[-1]


def test_vectors_are_learned_and_forgotten_alike():
    """Only with a pattern that holds their name; gone with the last of them; also after going over to the plain engine."""
    held, absent = vector_name((1.0, 0.0)), vector_name((5.0,))
    one, two = new_pattern(((held,), ("a",))), new_pattern(((held,), ("b",)))
    learned = [
        Change(1, "learn", None, one, {held: (1.0, 0.0), absent: (5.0,)}),
        Change(2, "learn", None, two, {held: (1.0, 0.0)}),
    ]
    for further in ([Change(3, "forget", one, None)], [Change(3, "edit", one, edited(one, frequency=2**53))]):
        plain, native = both([])
        for changes in (learned, further, [Change(4, "forget", two, None)]):
            for engine in (plain, native):
                engine.apply(changes)
            assert plain.view().totals == native.view().totals
            assert plain.view().nearest((0.0, 1.0), SETTINGS) == native.view().nearest((0.0, 1.0), SETTINGS)
        assert native.view().has_dimension(1) is False


def test_a_node_that_is_filled_with_what_only_the_plain_engine_holds_is_held_by_it():
    known = [edited(each, frequency=2**52) for each in patterns(3, 6, 5)]
    held = vector_name((1.0,))
    known.append(new_pattern(((held,), ("z",))))
    plain, native = PlainKnowledge(), NativeKnowledge()
    for engine in (plain, native):
        engine.load(known, {held: (1.0,)}, 9)
    assert native.sequence == native.view().sequence == 9
    assert plain.view().totals == native.view().totals
    asked = replace(SETTINGS, filter_pipeline=("length",))
    assert plain.view().count(known[0].events, asked) == native.view().count(known[0].events, asked)
    assert plain.view().count((), asked) == native.view().count((), asked)
    assert PlainKnowledge().view().predict((), SETTINGS) == NativeKnowledge().view().predict((), SETTINGS)


class Text:
    """Patterns as a storage may write them; `changed` makes another text of one's events."""

    def __init__(self, known: list[Pattern], changed: dict[int, str]) -> None:
        self._known, self._changed = known, changed

    def __iter__(self) -> Iterator[Pattern]:
        return iter(self._known)

    def pages(self) -> Iterator[list[Written]]:
        rows: list[Written] = []
        for place, each in enumerate(self._known):
            text = self._changed.get(place, orjson.dumps(each.events).decode())
            parts = (each.emotives or None, each.metadata or None, each.affinity or None)
            rows.append((bytes.fromhex(each.name), text, each.frequency, *parts, place))
        yield rows[:7]
        yield rows[7:]

    def read(self, written: Written) -> Pattern:
        return self._known[written[6]]


def assert_loaded_alike(known: list[Pattern], changed: dict[int, str] | None = None) -> NativeKnowledge:
    text = Text(known, changed or {})
    assert isinstance(text, WrittenPatterns)
    plain, native = PlainKnowledge(), NativeKnowledge()
    for engine in (plain, native):
        engine.load(text, {}, 9)
    one, other = plain.view(), native.view()
    assert (one.totals, one.sequence) == (other.totals, other.sequence)
    assert one.list_patterns("name", None, len(known), "") == other.list_patterns("name", None, len(known), "")
    assert one.symbols(with_affinity=True) == other.symbols(with_affinity=True)
    for each in known[::5]:
        assert one.predict(each.events[:2], SETTINGS) == other.predict(each.events[:2], SETTINGS)
    return native


@pytest.mark.parametrize("seed", range(6))
def test_patterns_are_loaded_as_they_are_written(seed):
    """Every character that JSON escapes, and those of one to four bytes; what travels with patterns; many symbols."""
    chance = random.Random(seed)
    letters = [*map(chr, range(0x21)), '"', "\\", "/", "\x7f", "é", "語", "😀", "a", "b", "[", "]", ","]
    vocabulary = ["".join(chance.choices(letters, k=chance.choice((1, 2, 8, 9, 30)))) for _ in range(3000)]
    known = {}
    for place in range(400):
        felt = [{"joy": chance.random()}] if place % 3 == 0 else ()
        told = [{"from": "here"}] if place % 5 == 0 else ()
        made = new_pattern(a_content(chance, vocabulary[: chance.choice((20, 3000))]), felt, told)
        known[made.name] = edited(made, frequency=chance.choice((1, 2, 10**6)))
    native = assert_loaded_alike(list(known.values()))
    native.apply([Change(10, "learn", None, new_pattern((("é", "new"), ("x",))))])
    assert native.view().symbol("new") is not None


@pytest.mark.parametrize(
    "text",
    [
        '[["a", "b"],["c"]]',
        '[["a","b"],["c"]] ',
        '[["\\u0061","b"],["c"]]',
        '[["\\u002","b"],["c"]]',
        '[["\\x","b"],["c"]]',
        '[["a","b"],["c"],[]]',
        '[["a","b"],["c',
        '[["a\\',
        '[["a\\n',
        '[["a","b"],3]',
        '["a","b","c"]',
        '{"a":1}',
        "",
    ],
)
def test_what_the_kernel_cannot_read_is_read_by_others(text):
    known = [new_pattern((("a", "b"), ("c",))), *patterns(3, 30, 9)]
    assert isinstance(assert_loaded_alike(known, {0: text}).view(), NativeView)
    assert isinstance(assert_loaded_alike(known[::-1], {len(known) - 1: text}).view(), NativeView)


@pytest.mark.parametrize("odd", ["twin", "huge", "beyond"])
def test_what_only_the_plain_engine_holds_is_read_for_it(odd):
    known = patterns(12, 40, 30)
    if odd == "twin":
        known.insert(20, new_pattern((("a",), ("b",)), name=known[7].name))
    else:
        known.insert(20, edited(new_pattern((("a",), ("b",))), frequency=2**52 if odd == "huge" else 2**64))
    assert not isinstance(assert_loaded_alike(known).view(), NativeView)


def test_the_plain_engine_needs_no_upkeep_and_tells_its_size():
    plain = PlainKnowledge()
    assert (plain.cost.total, plain.is_untidy, plain.tend()) == (0, False, False)
    plain.load(patterns(3, 100, 20), {}, 100)
    small = plain.cost.total
    plain.load(patterns(4, 100, 20), {}, 200)
    assert 0 < small < plain.cost.total


def test_what_only_characters_share_matches_at_threshold_zero_alone():
    plain, native = both([new_pattern((("abc",), ("def",)))])
    for threshold in (0.0, 0.1):
        asked = replace(SETTINGS, use_token_matching=False, recall_threshold=threshold, fuzzy_token_threshold=1.0)
        assert plain.view().predict((("abd",),), asked) == native.view().predict((("abd",),), asked)


def test_a_view_from_before_a_loss_leaves_the_lists_of_later_ones_alone():
    """Both states have as many symbols, but not the same; asked first is the older one, after the newer one was made."""
    gone, come = new_pattern((("a",), ("x",))), new_pattern((("a",), ("y",)))
    for loss in ([Change(2, "forget", gone, None)], [Change(2, "forget_all", None, None)]):
        native = NativeKnowledge()
        native.load([gone], {}, 1)
        old = native.view()
        native.apply(loss)
        native.apply([Change(3, "learn", None, come)])
        new = native.view()
        assert [symbol for symbol, _ in old.symbols()] == ["a", "x"]
        assert [symbol for symbol, _ in new.symbols()] == ["a", "y"]
        assert [symbol for symbol, _ in old.symbols()] == ["a", "x"]


def test_a_node_held_by_the_plain_engine_tells_its_size():
    native = NativeKnowledge()
    native.load([edited(each, frequency=2**52) for each in patterns(3, 6, 5)], {}, 6)
    plain = PlainKnowledge()
    plain.load([edited(each, frequency=2**52) for each in patterns(3, 6, 5)], {}, 6)
    assert native.cost == plain.cost
    assert plain.cost.total > 0


def test_an_index_comes_back_from_its_file_or_not_at_all(tmp_path):
    """Every part of the file is tried with a flipped bit and with a cut: what opens says exactly what was written."""
    native = NativeKnowledge()
    known = patterns(6, 900, 25)
    native.load(known[:600], {}, 600)
    for sequence, pattern in enumerate(known[600:], 601):
        native.apply([Change(sequence, "learn", None, pattern)])
    native.apply([Change(5000, "forget", known[0], None)])
    kernel = native.view().kernel
    path = tmp_path / "index"
    kernel.save(str(path), b"own bytes")
    whole = path.read_bytes()

    def opened(content: bytes) -> object:
        path.write_bytes(content)
        index = _kernel.Index()
        extra = index.open(str(path))
        view = index.view()
        memory = known[5].events[:3]
        answer = view.predict(memory, SETTINGS, "quality", None, LEAST, None)
        return extra, view.patterns, view.symbols, view.frequency, sorted(row[1:] for row in view.all()), answer

    expected = opened(whole)
    assert expected[:4] == (b"own bytes", kernel.patterns, kernel.symbols, kernel.frequency)
    assert expected[5] == kernel.predict(known[5].events[:3], SETTINGS, "quality", None, LEAST, None)
    refused = 0
    for place in range(0, len(whole), max(1, len(whole) // 250)):
        flipped = bytearray(whole)
        flipped[place] ^= 0x10
        for damaged in (bytes(flipped), whole[:place]):
            try:
                found = opened(damaged)
            except RuntimeError:
                refused += 1
            else:
                assert found == expected  # padding, which says nothing
    assert refused > 450
    with pytest.raises(RuntimeError, match="no such file"):
        _kernel.Index().open(str(tmp_path / "absent"))
    with pytest.raises(RuntimeError, match="cannot be made"):
        kernel.save(str(tmp_path / "absent" / "index"), b"")
