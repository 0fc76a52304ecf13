"""Small memories for tests: words to events, events to patterns, patterns to a node's knowledge."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kato.engine.event import Event
from kato.engine.knowledge import Change, Knowledge
from kato.engine.matching import choose
from kato.engine.pattern import Pattern, learned_again, new_pattern
from kato.engine.prediction import Prediction, Predictions
from kato.engine.settings import EngineSettings, resolve

ENGINE = choose(os.environ.get("KATO_ENGINE"))
"""The engine under test: the native one unless KATO_ENGINE says plain."""


def events_of(text: str) -> tuple[Event, ...]:
    """`a b [c,d]` as events; a bracket is one event of several symbols."""
    found: list[Event] = []
    for word in text.split():
        found.append(tuple(word[1:-1].split(",")) if word.startswith("[") else (word,))
    return tuple(found)


def knowing(*patterns: str | Pattern, times: int = 1) -> Knowledge:
    """A node that learned those sequences, each so many times."""
    knowledge = ENGINE()
    for pattern in patterns:
        made = pattern if isinstance(pattern, Pattern) else new_pattern(events_of(pattern))
        for _ in range(times - 1):
            made = learned_again(made)
        knowledge.apply([Change(knowledge.sequence + 1, "learn", None, made)])
    return knowledge


def settings(**overrides: object) -> EngineSettings:
    """Checked settings."""
    return resolve({**overrides})[0]


def ask(knowledge: Knowledge, memory: str | Sequence[Event], **overrides: object) -> Predictions:
    """Predictions of a node for a memory."""
    events = events_of(memory) if isinstance(memory, str) else tuple(memory)
    return knowledge.view().predict(events, settings(**overrides))


def only(predictions: Predictions) -> Prediction:
    """The one prediction there is."""
    (found,) = predictions.ranked
    return found
