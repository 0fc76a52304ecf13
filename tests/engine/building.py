"""Small words for engine tests: events from strings, a node from its learnings, predictions from a memory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kato.engine.event import Event, Symbol, Vector
from kato.engine.knowledge import Change
from kato.engine.matching import choose
from kato.engine.memory import Learning, Observation, ShortTermMemory, learn
from kato.engine.pattern import Pattern, learned_again, new_pattern
from kato.engine.prediction import Prediction, Predictions
from kato.engine.settings import EngineSettings

ENGINE = choose(os.environ.get("KATO_ENGINE"))
"""The engine under test: the native one unless KATO_ENGINE says plain."""

SETTINGS = EngineSettings()


def settings(**given: Any) -> EngineSettings:
    """The default settings but for those given."""
    return replace(SETTINGS, **given)


def events(text: str) -> list[list[str]]:
    """Events from a line: words are one-symbol events, words joined with `,` are one event."""
    return [word.split(",") for word in text.split()]


def observed(text: str | Sequence[Sequence[str]], *, sort_symbols: bool = True) -> ShortTermMemory:
    """The memory after observing those events one after another."""
    memory = ShortTermMemory()
    chosen = settings(sort_symbols=sort_symbols)
    for strings in events(text) if isinstance(text, str) else text:
        memory = memory.observe(Observation(tuple(strings)), settings=chosen, window=1000).memory
    return memory


def learning(
    text: str | Sequence[Sequence[str]],
    *,
    emotives: Sequence[Mapping[str, float]] = (),
    metadata: Sequence[Mapping[str, Any]] = (),
    vectors: Mapping[Symbol, Vector] | None = None,
) -> Learning:
    """What learning those events takes."""
    memory = observed(text)._replace(emotives=tuple(emotives), metadata=tuple(metadata), vectors=vectors or {})
    _, taken = learn(memory)
    assert taken is not None
    return taken


class Node:
    """A node's knowledge with the little that a store does: it knows what a pattern was before a change."""

    def __init__(self) -> None:
        self.knowledge = ENGINE()
        self.patterns: dict[tuple[Event, ...], Pattern] = {}

    def learn(self, taken: Learning, *, times: int = 1, persistence: int = 5) -> Pattern:
        """Learn it, as often as asked."""
        for _ in range(times):
            before = self.patterns.get(taken.events)
            gathered = (taken.emotives, taken.metadata, persistence)
            after = learned_again(before, *gathered) if before else new_pattern(taken.events, *gathered)
            self.change(before, after, taken.vectors)
        return after

    def change(
        self, before: Pattern | None, after: Pattern | None, vectors: Mapping[Symbol, Vector] | None = None
    ) -> None:
        """Apply one change."""
        if before is None and after is None:
            self.patterns.clear()
        if before is not None:
            del self.patterns[before.events]
        if after is not None:
            self.patterns[after.events] = after
        self.knowledge.apply([Change(self.knowledge.sequence + 1, "test", before, after, vectors or {})])

    def forget(self, pattern: Pattern) -> None:
        """Forget a pattern."""
        self.change(self.patterns[pattern.events], None)

    def predict(self, text: str | Sequence[Sequence[str]], **given: Any) -> Predictions:
        """Predictions for a memory of those events."""
        return self.knowledge.view().predict(observed(text).events, settings(**given))

    def one(self, text: str | Sequence[Sequence[str]], **given: Any) -> Prediction:
        """The only prediction."""
        (prediction,) = self.predict(text, **given).ranked
        return prediction


def node(*lines: str | Sequence[Sequence[str]]) -> Node:
    """A node that has learned each line once, in that order."""
    made = Node()
    for line in lines:
        made.learn(learning(line))
    return made


def lists(found: Sequence[Sequence[str]]) -> list[list[str]]:
    """Events as lists of lists."""
    return [list(event) for event in found]


def shown(found: Sequence[Sequence[str]]) -> str:
    """Events as a line: the inverse of `events`."""
    return " ".join(",".join(event) for event in found)
