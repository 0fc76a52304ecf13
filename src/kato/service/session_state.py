"""
What a session remembers, and how it is written down.

A session is stored in three parts, by how often they change: the `profile` (configuration, the caller's metadata), the
`head` (counters, small, rewritten by every observation) and the steps, one per observation since the last learning, only
ever appended. So an observation costs the same whether the short-term memory holds one event or a thousand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from kato.engine.event import Event, vector_name
from kato.engine.exact import mean
from kato.engine.memory import Observation, ShortTermMemory
from kato.storage import records
from kato.storage.interface import SessionRecord

Vector = tuple[float, ...]

_SLACK = 3
"""Steps are rewritten when there are this many times more than the memory holds; bounds what empty observations add."""


class Step(NamedTuple):
    """One observation as it entered the memory; what the memory is rebuilt from."""

    ordinal: int
    observation: Observation
    event: Event
    """() when the observation added none."""
    neighbours: Mapping[str, Vector] = MappingProxyType({})
    """Learned vectors named in the event, with their components."""


class Percept(NamedTuple):
    """The last observation of a session, and the emotives its episode had gathered by then."""

    observation: Observation
    gathered: Sequence[Mapping[str, float]]
    """Their means are taken when somebody asks: an observation must not cost what the episode holds."""

    @property
    def emotives_average(self) -> dict[str, float]:
        """The mean of each emotive over the episode, by name in order of code points."""
        names = sorted({name for emotives in self.gathered for name in emotives})
        return {name: mean([each[name] for each in self.gathered if name in each]) for name in names}


class SessionState(NamedTuple):
    """
    What a session remembers besides its settings.

    Invariant: `memory.events` are the events of the newest steps that have one, and likewise its emotives and metadata.
    """

    memory: ShortTermMemory = ShortTermMemory()
    steps: Sequence[Step] = ()
    """Ascending by ordinal."""
    next_ordinal: int = 0
    percept: Percept | None = None
    recalled: Sequence[Event] = ()
    """The memory as it stood after the last observation, before any learning; outlasts the learning."""

    @property
    def last_unique_id(self) -> str | None:
        """The name of the last observation, or None before the first and after clear-stm."""
        return self.percept.observation.unique_id if self.percept else None

    @property
    def predicted_events(self) -> tuple[Event, ...]:
        """What the last observation's predictions are for; () if it added no event."""
        if self.percept is None or not (self.percept.observation.strings or self.percept.observation.vectors):
            return ()
        return tuple(self.recalled)

    def events_after(self, unique_id: str) -> Sequence[Event] | None:
        """The memory as it stood after the latest observation of that name, as far as still held; None if not held."""
        if unique_id == self.last_unique_id:
            return self.recalled
        later = 0
        for step in reversed(self.steps):
            kept = len(self.memory.events) - later
            if kept <= 0:
                return None
            if step.observation.unique_id == unique_id:
                return self.memory.events[:kept]
            later += bool(step.event)
        return None


def cleared(state: SessionState) -> SessionState:
    """The state after clear-stm: nothing is left but the numbering of steps."""
    return SessionState(next_ordinal=state.next_ordinal)


# --- what is still needed ---------------------------------------------------------------------------------------------


def needed_steps(state: SessionState) -> Sequence[Step]:
    """
    The steps from which the memory can be rebuilt: the oldest needed one and all after it.

    A memory that ended (learning) needs none of its old steps; one that rolled on keeps those of its last events.
    """
    events = len(state.memory.events)
    emotives = len(state.memory.emotives)
    metadata = len(state.memory.metadata)
    steps = state.steps
    keep = len(steps)
    for step in reversed(tuple(steps)):
        if events <= 0 and emotives <= 0 and metadata <= 0:
            break
        keep -= 1
        observation = step.observation
        if step.event:
            events -= 1
        if observation.emotives:
            emotives -= 1
        if observation.metadata:
            metadata -= 1
    return steps[keep:]


def compacted(state: SessionState, window: int) -> SessionState:
    """
    The same memory from fewer steps, once there are far more of them than it needs.

    Steps that hold nothing the memory still needs are dropped, and the rest numbered anew; only names of observations
    that added nothing are forgotten by this.
    """
    if len(state.steps) <= _SLACK * window + 16:
        return state
    room = {
        "event": len(state.memory.events),
        "emotives": len(state.memory.emotives),
        "metadata": len(state.memory.metadata),
    }
    kept: list[Step] = []
    for step in reversed(state.steps):
        needed = not kept  # the last observation is the percept, whatever it held
        for part, held in (
            ("event", bool(step.event)),
            ("emotives", bool(step.observation.emotives)),
            ("metadata", bool(step.observation.metadata)),
        ):
            if held and room[part] > 0:
                room[part] -= 1
                needed = True
        if needed:
            kept.append(step)
    kept.reverse()
    start = state.next_ordinal
    steps = tuple(step._replace(ordinal=start + position) for position, step in enumerate(kept))
    return state._replace(steps=steps, next_ordinal=start + len(steps))


# --- writing down and reading back ------------------------------------------------------------------------------------


def encode_step(step: Step) -> bytes:
    """One step as JSON; members that can be derived or are empty are left out."""
    observation = step.observation
    document: dict[str, Any] = {"u": observation.unique_id, "e": step.event}
    if observation.strings != step.event:
        document["s"] = observation.strings
    if observation.vectors:
        document["v"] = observation.vectors
    if observation.emotives:
        document["m"] = dict(observation.emotives)
    if observation.metadata:
        document["d"] = dict(observation.metadata)
    if step.neighbours:
        document["n"] = dict(step.neighbours)
    return records.dump(document)


def decode_step(ordinal: int, content: bytes) -> Step:
    """The step that `encode_step` wrote."""
    document = json.loads(content)
    event = tuple(document["e"])
    observation = Observation(
        strings=tuple(document.get("s", event)),
        vectors=_vectors(document.get("v", ())),
        emotives=document.get("m", {}),
        metadata=document.get("d", {}),
        unique_id=document["u"],
    )
    neighbours = {name: tuple(vector) for name, vector in document.get("n", {}).items()}
    return Step(ordinal, observation, event, neighbours)


def encode_head(state: SessionState) -> bytes:
    """What changes with every observation: counters, and the percept and recalled events where no step holds them."""
    memory = state.memory
    document: dict[str, Any] = {
        "time": memory.time,
        "next": state.next_ordinal,
        "counts": [len(memory.events), len(memory.emotives), len(memory.metadata)],
    }
    if state.percept is not None:
        last = state.steps[-1] if state.steps else None
        if last is None or last.observation is not state.percept.observation:
            document["percept"] = _percept_document(state.percept)
        else:
            same = state.percept.gathered is memory.emotives
            document["average"] = None if same else state.percept.emotives_average
        if state.recalled is not memory.events and state.recalled != memory.events:
            document["recalled"] = tuple(state.recalled)
    return records.dump(document)


def decode_state(record: SessionRecord) -> SessionState:
    """The state a stored session describes."""
    document = json.loads(record.head)
    steps = tuple(decode_step(ordinal, content) for ordinal, content in record.steps)
    events, emotives, metadata = document["counts"]
    held_events = [step for step in steps if step.event]
    held_events = held_events[len(held_events) - events :]
    held_emotives = [step.observation.emotives for step in steps if step.observation.emotives]
    held_metadata = [step.observation.metadata for step in steps if step.observation.metadata]
    vectors: dict[str, Vector] = {}
    for step in held_events:
        vectors.update((vector_name(vector), vector) for vector in step.observation.vectors)
        vectors.update(step.neighbours)
    memory = ShortTermMemory(
        events=tuple(step.event for step in held_events),
        emotives=tuple(held_emotives[len(held_emotives) - emotives :]),
        metadata=tuple(held_metadata[len(held_metadata) - metadata :]),
        time=document["time"],
        vectors=vectors,
    )
    percept = None
    if "percept" in document:
        percept = _read_percept(document["percept"])
    elif "average" in document:
        average = document["average"]
        percept = Percept(steps[-1].observation, memory.emotives if average is None else (average,))
    recalled = memory.events if percept is not None else ()
    if "recalled" in document:
        recalled = tuple(tuple(event) for event in document["recalled"])
    return SessionState(memory, steps, document["next"], percept, recalled)


def _percept_document(percept: Percept) -> dict[str, Any]:
    observation = percept.observation
    return {
        "u": observation.unique_id,
        "s": observation.strings,
        "v": observation.vectors,
        "m": dict(observation.emotives),
        "d": dict(observation.metadata),
        "average": percept.emotives_average,
    }


def _read_percept(document: Mapping[str, Any]) -> Percept:
    observation = Observation(
        strings=tuple(document["s"]),
        vectors=_vectors(document["v"]),
        emotives=document["m"],
        metadata=document["d"],
        unique_id=document["u"],
    )
    return Percept(observation, (document["average"],))  # the mean of one is itself


def _vectors(values: Sequence[Sequence[float]]) -> tuple[Vector, ...]:
    return tuple(tuple(float(component) for component in vector) for vector in values)
