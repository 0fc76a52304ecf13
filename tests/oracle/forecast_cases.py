"""Generated cases on which the kernel must forecast as the definition does, to the last bit."""

from __future__ import annotations

import random
from unittest.mock import patch

from kato.engine.event import Event
from kato.engine.forecasting import electing
from kato.engine.forecasting.profiles import MENU
from kato.engine.forecasting.question import Kind, Question, ask
from kato.engine.forecasting.source import Mix, Source
from kato.engine.matching import kernel_forecasting
from oracle.cases import Node, World, a_question, a_world


def a_kind(chance: random.Random) -> Kind:
    """A kind of question, mostly about the next event."""
    return Kind(chance.choice((1, 1, 1, 2, 3, 20, 0)), window=chance.choice((8, 8, 5, 1)))


def a_mix(chance: random.Random) -> Mix:
    """Some profiles, each a few times."""
    numbers = sorted(chance.sample(range(len(MENU)), chance.choice((1, 1, 2, 4))))
    return tuple((number, chance.choice((1, 1, 2, 5))) for number in numbers)


def difference(
    plain: Source, native: Source, questions: tuple[Question, Question], right: frozenset[str], chance: random.Random
) -> str:
    """
    What the two answer differently; nothing where they agree.

    Args:
        questions: The same to either: the places of patterns are a source's own.
        right: What the self-test is told to have been right; is asked about as the two best are.
    """
    mix, repeat, most = a_mix(chance), chance.choice((1.0, 0.0, 0.3, 2.0)), chance.choice((1, 2, 5, 100))
    asked = tuple(
        dict.fromkeys([symbol for symbol, _ in plain.tally(questions[0], mix, repeat, 2).best] + sorted(right))
    )
    answers = [
        (
            source.tally(question, mix, repeat, most),
            source.attributed(question, mix, repeat, asked, most),
            source.ballots(question, right),
            source.familiarity(question),
            [(voter.name, voter.events, voter.frequency) for voter in source.electorate(question)],
            source.heard(question),
            source.everybody_votes,
            [told[1:] for told in source.smallest(most)],
        )
        for source, question in zip((plain, native), questions, strict=True)
    ]
    for one, other in zip(*answers, strict=True):
        if repr(one) != repr(other):
            return f"{questions}\n{mix} {repeat} {most}\nplain  {one}\nnative {other}"
    return ""


def compare(seed: int, cases: int, *, per_world: int = 10) -> str:
    """The first difference in that many cases from a seed; nothing when there is none."""
    chance = random.Random(seed)
    asked = 0
    while asked < cases:
        world, vocabulary = a_world(chance)
        voters, tokens = chance.choice((4096, 4096, 3, 1)), chance.choice((2**18, 2**18, 30, 5))
        everybody = chance.choice((voters, 0, 20))
        with (
            patch.object(electing, "EVERYBODY", everybody),
            patch.object(kernel_forecasting, "EVERYBODY", everybody),
            patch.object(electing, "MOST_VOTERS", voters),
            patch.object(kernel_forecasting, "MOST_VOTERS", voters),
            patch.object(electing, "MOST_TOKENS", tokens),
            patch.object(kernel_forecasting, "MOST_TOKENS", tokens),
        ):
            here = min(per_world if max(map(len, world.contents)) < 1000 else 1, cases - asked)
            told = _compare_in(world, vocabulary, chance, here)
        if told:
            return f"seed {seed}, after case {asked}, {voters} voters or {everybody}, {tokens} tokens: {world}\n{told}"
        asked += here
    return ""


def _compare_in(world: World, vocabulary: tuple[str, ...], chance: random.Random, cases: int) -> str:
    node = Node(world)
    plain, native = node.plain.view().forecasting(), node.native.view().forecasting()
    for _ in range(cases):
        events, left_out = a_question(chance, world, vocabulary), None
        if chance.random() < 0.5:
            left_out = chance.choice(world.contents)
            if chance.random() < 0.7:
                events = left_out[: chance.randrange(len(left_out) + 1)]
        right = frozenset(chance.sample(vocabulary, 1))
        kind, before = a_kind(chance), chance.choice(world.contents) if chance.random() < 0.3 else None
        places = tuple(_place(source, before) if before else None for source in (plain, native))
        questions = (ask(events, kind, left_out, places[0]), ask(events, kind, left_out, places[1]))
        told = difference(plain, native, questions, right, chance)
        if told:
            return told
    return ""


def _place(source: Source, events: tuple[Event, ...]) -> int | None:
    """Of a pattern in the order first learned; None for one that is not there."""
    return next((place for place, _, content, _ in source.smallest(10**6) if content == events), None)
