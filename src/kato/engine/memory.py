"""
Short-term memory: what a session has observed since the last learning.

Observing returns a new memory; nothing here changes in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from kato.engine.event import Event, Symbol, Vector, make_event, vector_name
from kato.engine.growing import grown
from kato.engine.settings import EngineSettings


class Observation(NamedTuple):
    """What arrives from outside at once. A tuple with names, like all that every observation makes one of: it costs a third."""

    strings: tuple[str, ...] = ()
    vectors: tuple[Vector, ...] = ()
    emotives: Mapping[str, float] = MappingProxyType({})
    metadata: Mapping[str, Any] = MappingProxyType({})
    unique_id: str | None = None


class Learning(NamedTuple):
    """What one learning takes: the events of an episode and all that was gathered with them."""

    events: tuple[Event, ...]
    emotives: tuple[Mapping[str, float], ...] = ()
    metadata: tuple[Mapping[str, Any], ...] = ()
    vectors: Mapping[Symbol, Vector] = MappingProxyType({})


class ShortTermMemory(NamedTuple):
    """The events since the last learning, oldest first, with the emotives and metadata gathered with them."""

    events: Sequence[Event] = ()
    emotives: Sequence[Mapping[str, float]] = ()
    """The non-empty emotive dictionaries, oldest first."""
    metadata: Sequence[Mapping[str, Any]] = ()
    """The non-empty metadata objects, oldest first."""
    time: int = 0
    """Observations since the last clearing."""
    vectors: Mapping[Symbol, Vector] = MappingProxyType({})
    """Components of the vector symbols among the events."""

    @property
    def symbol_count(self) -> int:
        """Symbols in all events, repetitions counted."""
        return sum(map(len, self.events))

    def observe(
        self,
        observation: Observation,
        *,
        neighbours: Sequence[Sequence[tuple[Symbol, Vector]]] = (),
        settings: EngineSettings,
        window: int,
    ) -> Observed:
        """
        Take an observation in, with the learning it may lead to.

        Args:
            neighbours: Per vector of the observation, its learned neighbours, nearest first.
            window: Most events kept, and most emotive and metadata entries; the newest stay. At least 1.
        """
        named: dict[Symbol, Vector] = {}
        if observation.vectors:
            named = {name: vector for found in neighbours for name, vector in found}
            named.update((vector_name(vector), vector) for vector in observation.vectors)
        event = make_event(observation.strings, list(named), sort_symbols=settings.sort_symbols)
        dropped = max(0, len(self.events) + bool(event) - window)
        events = grown(self.events, event, most=window) if event else self.events[dropped:] if dropped else self.events
        vectors = {**self.vectors, **named} if named else self.vectors
        memory = ShortTermMemory(
            events=events,
            emotives=grown(self.emotives, given, most=window) if (given := observation.emotives) else self.emotives,
            metadata=grown(self.metadata, said, most=window) if (said := observation.metadata) else self.metadata,
            time=self.time + 1,
            vectors=_named_in(events, vectors) if dropped else vectors,
        )
        length = settings.max_pattern_length
        if not event or length == 0 or len(memory.events) < length:
            return Observed(memory, memory, event, None, dropped)
        after, learning = learn(memory)
        if settings.stm_mode == "ROLLING" and length > 1:
            kept = memory.events[-(length - 1) :]
            after = after._replace(events=kept, vectors=_named_in(kept, memory.vectors))
        return Observed(after, memory, event, learning, dropped)


class Observed(NamedTuple):
    """What became of an observation."""

    memory: ShortTermMemory
    """Afterwards, auto-learning included."""
    before_learning: ShortTermMemory
    """With the event, before any learning; the same object as `memory` when nothing was learned or cleared."""
    event: Event
    """() when the observation added none."""
    learned: Learning | None
    dropped: int
    """Events that fell off because the window was full."""


def learn(memory: ShortTermMemory) -> tuple[ShortTermMemory, Learning | None]:
    """
    End the episode: (the memory after it, what is to be learned or None for fewer than two symbols).

    Only the time goes on. Whether an empty memory may be learned is for the caller to say.
    """
    after = ShortTermMemory(time=memory.time)
    if memory.symbol_count < 2:
        return after, None
    vectors = _named_in(memory.events, memory.vectors)
    return after, Learning(tuple(memory.events), tuple(memory.emotives), tuple(memory.metadata), vectors)


def _named_in(events: Sequence[Event], vectors: Mapping[Symbol, Vector]) -> Mapping[Symbol, Vector]:
    """The components of those vectors that the events name."""
    if not vectors:
        return vectors
    names = {symbol for event in events for symbol in event}
    return {name: vector for name, vector in vectors.items() if name in names}
