"""Generated cases on which a faster engine must give the plain engine's answer: what was learned, and what is asked."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from kato.engine import fuzzy
from kato.engine.event import Event
from kato.engine.knowledge import Change
from kato.engine.matching import comparing
from kato.engine.matching.index import NativeKnowledge
from kato.engine.matching.plain import PlainKnowledge
from kato.engine.pattern import Pattern, edited, learned_again, new_pattern
from kato.engine.settings import FILTERS, RANKINGS, EngineSettings
from kato.wire.answers import predicted
from kato.wire.encoding import encode_answer

VOCABULARIES = (
    ("a", "b"),
    ("a", "b", "c", "d"),
    tuple("abcdefghijkl"),
    ("apple", "appel", "aple", "pale", "plea", "maple", "ape", "leap"),
    ("", " ", "  ", "a", "a ", "é", "e\u0301", "日本", "日本語", "\x00"),
    tuple(f"s{number}" for number in range(60)),
)

LONG = 0.01
"""How many worlds hold a long pattern, and how many questions are long."""

Step = tuple[str, int, Any]
"""What happens to a node: (learn, pattern, emotives), (edit, pattern, frequency), (forget, pattern, None), (seal, 0, None)."""


@dataclass(frozen=True)
class World:
    """A node's history."""

    contents: tuple[tuple[Event, ...], ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Case:
    """One question to a node."""

    world: World
    events: tuple[Event, ...]
    settings: EngineSettings


def an_event(chance: random.Random, vocabulary: Sequence[str], most: int) -> Event:
    """An event of 1 to `most` symbols, mostly in order."""
    symbols = chance.choices(vocabulary, k=chance.randint(1, most))
    return tuple(sorted(symbols) if chance.random() < 0.8 else symbols)


def a_content(chance: random.Random, vocabulary: Sequence[str]) -> tuple[Event, ...]:
    """Events of at least two symbols."""
    most = chance.choice((1, 1, 2, 3, 6))
    while True:
        events = tuple(an_event(chance, vocabulary, most) for _ in range(chance.choice((1, 2, 3, 4, 5, 8, 12, 20))))
        if sum(map(len, events)) >= 2:
            return events


def a_long_content(chance: random.Random, vocabulary: Sequence[str]) -> tuple[Event, ...]:
    """Hundreds of symbols, seldom as many as a segment has rows, in events of one or many."""
    size = chance.choice((65, 130, 300, 1000, 3000, 65_000))
    symbols = chance.choices(vocabulary, k=size)
    widest = chance.choice((1, 3, size))
    return tuple(tuple(symbols[at : at + widest]) for at in range(0, size, widest))


def a_world(chance: random.Random) -> tuple[World, Sequence[str]]:
    """A history, and the symbols it is made of."""
    vocabulary = chance.choice(VOCABULARIES)
    contents = tuple({a_content(chance, vocabulary): None for _ in range(chance.choice((1, 2, 4, 8, 16, 30)))})
    if chance.random() < LONG:
        contents = (*contents[:4], a_long_content(chance, vocabulary))
    steps: list[Step] = []
    alive: set[int] = set()
    feels = chance.random() < 0.4
    for position in range(len(contents)):
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            emotives = ({"joy": chance.choice((0.1, -0.7, 3.0, 0.0))},) if feels and chance.random() < 0.7 else ()
            steps.append(("learn", position, emotives))
        alive.add(position)
        if chance.random() < 0.15:
            steps.append(("edit", chance.choice(sorted(alive)), chance.choice((1, 2, 7, 1000))))
        if chance.random() < 0.1:
            gone = chance.choice(sorted(alive))
            alive.discard(gone)
            steps.append(("forget", gone, None))
        if chance.random() < 0.2:
            steps.append(("seal", 0, None))
    if chance.random() < 0.5:
        steps.append(("seal", 0, None))
    return World(contents, tuple(steps)), vocabulary


def a_question(chance: random.Random, world: World, vocabulary: Sequence[str]) -> tuple[Event, ...]:
    """A memory: part of a pattern with faults, or anything."""
    strangers = (*vocabulary, "unheard", "aplle")
    if chance.random() < LONG:
        return tuple(an_event(chance, strangers, 2) for _ in range(chance.choice((65, 130, 300, 1000))))
    if chance.random() < 0.7:
        content = chance.choice(world.contents)
        start = chance.randrange(len(content))
        events = [list(event) for event in content[start : start + chance.randint(1, 6)]]
        for event in events:
            for place in range(len(event)):
                if chance.random() < 0.2:
                    event[place] = chance.choice(strangers)
            if chance.random() < 0.1:
                event.append(chance.choice(strangers))
        if chance.random() < 0.2:
            chance.shuffle(events)
        return tuple(map(tuple, events))
    return tuple(an_event(chance, strangers, 3) for _ in range(chance.choice((1, 1, 2, 4, 9, 40))))


def some_settings(chance: random.Random, world: World, events: Sequence[Event]) -> EngineSettings:
    """Settings anywhere in their ranges; thresholds often exactly where a pattern just passes."""
    memory, pattern = sum(map(len, events)), sum(map(len, chance.choice(world.contents)))
    exact = 2 * chance.randint(0, min(memory, pattern)) / (memory + pattern)
    affinity = chance.choice((None, None, "joy", "fear"))
    rankings = [name for name in RANKINGS if affinity or not name.startswith("weighted")]
    return EngineSettings(
        recall_threshold=chance.choice(
            (0.0, 0.1, 0.1, exact, exact, math.nextafter(exact, 2), math.nextafter(exact, 0))
        ),
        max_predictions=chance.choice((1, 3, 100)),
        rank_sort_algo=chance.choice(rankings),
        ensemble_size=chance.choice((0, 1, 2, 5, 300)),
        use_token_matching=chance.random() < 0.8,
        fuzzy_token_threshold=chance.choice((0.0, 0.0, 0.0, 0.3, 0.6, 0.85, 1.0)),
        affinity_emotive=affinity,
        filter_pipeline=tuple(chance.sample(FILTERS, chance.choice((0, 0, 0, 1, 2, 5)))),
        length_min_ratio=chance.choice((0.0, 0.5, 1.0)),
        length_max_ratio=chance.choice((1.0, 2.0, 5)),
        jaccard_threshold=chance.choice((0, 0.3, 1.0)),
        jaccard_min_overlap=chance.choice((1, 2, 10**30)),
        minhash_threshold=chance.choice((0.0, 0.5, 0.7)),
    )


class Node:
    """One history in both engines."""

    def __init__(self, world: World) -> None:
        self.plain, self.native = PlainKnowledge(), NativeKnowledge()
        self._patterns: dict[int, Pattern] = {}
        self._sequence = 0
        for step in world.steps:
            self._take(world, *step)

    def _take(self, world: World, what: str, which: int, value: Any) -> None:
        before = self._patterns.get(which)
        if what == "seal":
            # What a full tail does; these nodes are too small to fill one.
            self.native._index.begin_many()
            self.native._index.end_many()
            self.native.tend()
            return
        if what == "learn":
            gathered = (value, [{"from": "here"}] if which % 3 == 0 else (), 3)
            after = learned_again(before, *gathered) if before else new_pattern(world.contents[which], *gathered)
        elif before is None:
            return
        else:
            after = edited(before, frequency=value) if what == "edit" else None
        if after is None:
            self._patterns.pop(which)
        else:
            self._patterns[which] = after
        self._sequence += 1
        for engine in (self.plain, self.native):
            engine.apply([Change(self._sequence, what, before, after)])

    def difference(self, events: Sequence[Event], settings: EngineSettings) -> str:
        """What the two engines say differently; nothing when they agree to the last bit."""
        plain, native = self.plain.view(), self.native.view()
        expected, found = plain.predict(events, settings), native.predict(events, settings)
        if repr(replace(expected, examined=0)) != repr(replace(found, examined=0)):
            return f"plain:  {expected}\nnative: {found}"
        one, other = encode_answer(predicted(expected)), encode_answer(predicted(found))
        if one != other:
            return f"plain:  {one!r}\nnative: {other!r}"
        if plain.count(events, settings) != native.count(events, settings):
            return f"plain:  {plain.count(events, settings)}\nnative: {native.count(events, settings)}"
        return ""

    def statistics_difference(self) -> str:
        """The same for totals and symbols."""
        plain, native = self.plain.view(), self.native.view()
        for ask in (lambda v: v.totals, lambda v: v.symbols(), lambda v: v.symbols(with_affinity=True)):
            if ask(plain) != ask(native):
                return f"plain:  {ask(plain)}\nnative: {ask(native)}"
        return ""


def shrunk(case: Case) -> Case:
    """A smaller case on which the engines still differ: steps and events are left out while they may be."""

    def differs(smaller: Case) -> bool:
        return bool(smaller.events) and bool(Node(smaller.world).difference(smaller.events, smaller.settings))

    def without(position: int, smaller: Case) -> list[Case]:
        world, events = smaller.world, smaller.events
        found = []
        if position < len(world.steps):
            steps = world.steps[:position] + world.steps[position + 1 :]
            found.append(replace(smaller, world=replace(world, steps=steps)))
        if position < len(events):
            found.append(replace(smaller, events=events[:position] + events[position + 1 :]))
        return found

    progress = True
    while progress:
        progress = False
        for position in range(max(len(case.world.steps), len(case.events)) - 1, -1, -1):
            for smaller in without(position, case):
                if differs(smaller):
                    case, progress = smaller, True
    return case


def generated(seed: int) -> Iterator[tuple[World, list[Case]]]:
    """Worlds without end, each with its cases: some questions, each under several settings."""
    chance = random.Random(seed)
    while True:
        world, vocabulary = a_world(chance)
        length = max(sum(map(len, content)) for content in world.contents)
        cases = []
        for _ in range(10 if length < 1000 else 1):
            events = a_question(chance, world, vocabulary)
            cells = length * sum(map(len, events))
            several = 4 if cells < 20_000 else 1
            if cells < 1_000_000:  # the plain engine's tables have a cell for each pair
                cases += [Case(world, events, some_settings(chance, world, events)) for _ in range(several)]
        yield world, cases


@contextmanager
def remembering() -> Iterator[None]:
    """
    What the plain engine finds out about two sequences is kept while this lasts, so that asking it about them again under other
    settings, or counting after predicting, takes less. These functions depend on their arguments alone.
    """
    kept = {(comparing, "longest_common_subsequence"), (comparing, "matching_blocks"), (fuzzy, "likeness")}
    plain = [(module, name, getattr(module, name)) for module, name in sorted(kept, key=str)]
    for module, name, function in plain:
        setattr(module, name, lru_cache(maxsize=20_000)(function))
    try:
        yield
    finally:
        for module, name, function in plain:
            setattr(module, name, function)


def compare(seed: int, cases: int) -> str:
    """The first difference in that many cases from a seed, shrunk and told; nothing when there is none."""
    asked = 0
    with remembering():
        for world, of_world in generated(seed):
            node = Node(world)
            told = node.statistics_difference()
            if told:
                return f"seed {seed}, case {asked}: {world}\n{told}"
            for case in of_world[: cases - asked]:
                asked += 1
                if node.difference(case.events, case.settings):
                    small = shrunk(case)
                    told = Node(small.world).difference(small.events, small.settings)
                    return f"seed {seed}, case {asked}: {small}\n{told}"
            if asked == cases:
                return ""
    raise AssertionError("worlds never end")
