"""A node that comes back from its file is the node that was saved, and catches up with what has changed since."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kato.engine.event import Symbol, Vector, vector_name
from kato.engine.knowledge import CannotOpen, Change, Cost, OpenableKnowledge, Present
from kato.engine.matching.beside import Annotations, write
from kato.engine.matching.index import NativeKnowledge
from kato.engine.matching.plain import PlainKnowledge
from kato.engine.matching.shared_table import SharedTable
from kato.engine.matching.stored_table import StoredTable, pack
from kato.engine.pattern import Pattern, edited, learned_again, new_pattern
from kato.engine.settings import EngineSettings
from oracle.cases import a_content

SETTINGS = EngineSettings()
VECTORS = [tuple(float(n + k) for k in range(3)) for n in range(12)]
NAMED = {vector_name(vector): vector for vector in VECTORS}


class History:
    """Changes made at random, applied to the plain engine and to others; what each pattern is now."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.patterns: dict[str, Pattern] = {}
        self.sequence = 0
        self.plain = PlainKnowledge()

    def make(self, count: int, *engines: NativeKnowledge) -> set[str]:
        """Some changes; the names they touched."""
        touched = set()
        for _ in range(count):
            before, after = self.change()
            name = (after or before).name  # type: ignore[union-attr]
            touched.add(name)
            self.sequence += 1
            change = Change(self.sequence, "change", before, after, vectors_of(after))
            for engine in (self.plain, *engines):
                engine.apply([change])
        return touched

    def change(self) -> tuple[Pattern | None, Pattern | None]:
        chance = self.chance
        if self.patterns and chance.random() < 0.4:
            before = chance.choice(list(self.patterns.values()))
            if chance.random() < 0.4:
                return self.patterns.pop(before.name), None
            after = edited(before, frequency=chance.randint(1, 50)) if chance.random() < 0.5 else self.again(before)
        else:
            events = a_content(chance, ["a", "b", "c", "d", "é", *[f"s{n}" for n in range(30)], *NAMED])
            made = new_pattern(events, *self.annotations())
            before = self.patterns.get(made.name)
            after = self.again(before) if before else made
        self.patterns[after.name] = after
        return before, after

    def again(self, before: Pattern) -> Pattern:
        return learned_again(before, *self.annotations())

    def annotations(self) -> tuple[list[dict[str, float]], list[dict[str, Any]]]:
        chance = self.chance
        emotives = [{chance.choice(("joy", "fear")): chance.choice((0.1, -2, 1e-9))}] if chance.random() < 0.5 else []
        return emotives, [{"who": chance.choice(("me", "日本"))}] if chance.random() < 0.3 else []

    def present(self, names: set[str]) -> list[Present]:
        return [Present(name, self.patterns.get(name), vectors_of(self.patterns.get(name))) for name in sorted(names)]


def vectors_of(pattern: Pattern | None) -> Mapping[Symbol, Vector]:
    held = {symbol for event in pattern.events for symbol in event} if pattern is not None else set()
    return {name: vector for name, vector in NAMED.items() if name in held}


def reopened(native: NativeKnowledge, path: Path) -> NativeKnowledge:
    state = native.savable()
    assert state is not None
    state.save(str(path), b"whose")
    made = NativeKnowledge()
    assert made.open(str(path)) == b"whose"
    return made


def assert_equal(native: NativeKnowledge, history: History) -> None:
    plain, view = history.plain.view(), native.view()
    assert view.sequence == history.sequence
    assert view.totals == plain.totals
    assert view.symbols() == plain.symbols()
    assert view.symbols(with_affinity=True) == plain.symbols(with_affinity=True)
    assert view.nearest((1.0, 2.5, 3.0), SETTINGS) == plain.nearest((1.0, 2.5, 3.0), SETTINGS)
    for pattern in list(history.patterns.values()):
        assert native.pattern(pattern.name) == pattern
    for pattern in list(history.patterns.values())[:: len(history.patterns) // 3]:
        for emotive in (None, "joy"):
            asked = replace(SETTINGS, affinity_emotive=emotive)
            assert view.predict(pattern.events[:2], asked) == plain.predict(pattern.events[:2], asked)


@pytest.mark.parametrize("seed", range(3))
def test_a_node_comes_back_from_its_file_and_goes_on(seed, tmp_path):
    history, native = History(seed), NativeKnowledge()
    history.make(150, native)
    back = reopened(native, tmp_path / "one")
    assert_equal(back, history)
    touched = history.make(80, native)
    back.renew(history.present(touched), len(touched), history.sequence)
    assert_equal(back, history)
    history.make(60, back, native)
    assert_equal(back, history)
    while back.tend():
        pass
    again = reopened(back, tmp_path / "two")
    assert_equal(again, history)
    assert sorted(pattern.name for pattern in again.view().patterns()) == sorted(history.patterns)


def test_many_changes_are_caught_up_with_at_once(tmp_path):
    history, native = History(99), NativeKnowledge()
    history.make(50, native)
    back = reopened(native, tmp_path / "file")
    touched = history.make(3700)
    assert len(touched) > 2000
    back.renew(history.present(touched), len(touched), history.sequence)
    assert_equal(back, history)
    back.renew([Present("0" * 40, None)], 1, history.sequence)
    assert_equal(back, history)


def test_an_empty_node_has_a_file_too(tmp_path):
    back = reopened(NativeKnowledge(), tmp_path / "file")
    assert back.view().totals == History(0).plain.view().totals
    assert not back.savable().predict((("a",),), SETTINGS).ranked


def test_what_the_kernel_cannot_hold_is_not_saved_and_not_brought_back(tmp_path):
    native = NativeKnowledge()
    native.load([new_pattern((("a",), ("b",)))], {}, 1)
    back = reopened(native, tmp_path / "file")
    heavy = edited(new_pattern((("c",), ("d",))), frequency=2**53)
    with pytest.raises(CannotOpen, match="plain engine"):
        back.renew([Present(heavy.name, heavy)], 1, 2)
    native.apply([Change(2, "learn", None, heavy)])
    assert native.savable() is None
    assert native.pattern(heavy.name) is None
    assert isinstance(native, OpenableKnowledge)
    assert not isinstance(PlainKnowledge(), OpenableKnowledge)


def test_a_file_that_says_too_little_is_refused_and_leaves_nothing(tmp_path):
    native = NativeKnowledge()
    native.load([new_pattern((("a",), ("b",)))], {}, 1)
    path = tmp_path / "file"
    whole = write(b"", 1, 2, SharedTable[Annotations]().share(), SharedTable[Any]().share(), {})
    for content in (b"", b"nothing of ours", whole[:-30], whole.replace(b"occurrences", b"coincidence")):
        native.view().kernel.save(str(path), content)
        fresh = NativeKnowledge()
        with pytest.raises(CannotOpen):
            fresh.open(str(path))
        assert fresh.view().totals.patterns == 0
    with pytest.raises(CannotOpen, match="no such file"):
        NativeKnowledge().open(str(tmp_path / "absent"))
    with pytest.raises(OSError, match="cannot be made"):
        native.savable().save(str(tmp_path / "absent" / "file"), b"")


def test_a_file_of_another_build_is_refused(tmp_path):
    native = NativeKnowledge()
    native.load([new_pattern((("a",), ("b",)))], {}, 1)
    path = tmp_path / "file"
    native.savable().save(str(path), b"")
    content = bytearray(path.read_bytes())
    content[8] ^= 1
    path.write_bytes(content)
    with pytest.raises(CannotOpen, match="another build"):
        NativeKnowledge().open(str(path))


def test_a_stored_table_can_be_changed_and_stored_again():
    table = SharedTable(StoredTable(*pack([b"zero", b"", b"two"]), bytes.decode))
    view = table.share()
    table.set(0, None)
    table.set(1, "one")
    table.set(300, "far")
    table.set(300, None)
    table.set(700, "further")
    table.set(299, None)
    after = table.share()
    assert [view.get(n) for n in range(4)] == ["zero", None, "two", None]
    assert [after.get(n) for n in range(4)] == [None, "one", "two", None]
    assert dict(view.items()) == {0: "zero", 2: "two"}
    assert dict(after.items()) == {1: "one", 2: "two", 700: "further"}
    again = SharedTable(StoredTable(*after.packed(str.encode), bytes.decode))
    assert dict(again.share().items()) == dict(after.items())
    assert again.size_bytes > table.size_bytes > 0
    assert bool(view) is bool(SharedTable(StoredTable(*pack([b"x"]), bytes.decode)).share()) is True
    assert not SharedTable[str]().share()


def test_the_cost_of_a_node_grows_with_what_it_holds():
    native = NativeKnowledge()
    costs = [native.cost]
    known = [new_pattern(((f"s{n}",), ("x",))) for n in range(200)]
    native.load(known, {}, 200)
    costs.append(native.cost)
    felt = [new_pattern(((f"s{n}",), ("y",)), [{"joy": 1.0}], [{"k": "v"}]) for n in range(200)]
    native.apply([Change(200 + n, "learn", None, pattern) for n, pattern in enumerate(felt, 1)])
    costs.append(native.cost)
    name, vector = next(iter(NAMED.items()))
    native.apply([Change(500, "learn", None, new_pattern(((name,), ("z",))), {name: vector})])
    costs.append(native.cost)
    assert [cost.rest for cost in costs] == sorted({cost.rest for cost in costs})
    assert costs[0].total < costs[1].total < costs[2].total
    assert Cost(2, 3).total == 5
