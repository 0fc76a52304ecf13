"""
What a memory should hold, in dictionaries: the model that real memories are compared with.

Written from the rules of the documentation alone and apart from the code it judges. It knows nothing of predictions, files,
transactions or HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Event = tuple[str, ...]
Sequence_ = tuple[Event, ...]
PERSISTENCE = 5
"""Emotive dictionaries a pattern keeps by default."""


@dataclass
class Learned:
    """One pattern."""

    frequency: int = 0
    emotives: list[dict[str, float]] = field(default_factory=list)
    metadata: dict[str, list[str]] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """The parts of a pattern as an answer tells them."""
        metadata = {key: sorted(texts) for key, texts in sorted(self.metadata.items())}
        return {"frequency": self.frequency, "emotives": list(self.emotives), "metadata": metadata}


@dataclass
class Session:
    """One session: its settings as far as they matter here, and its episode."""

    node: str
    config: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    emotives: list[dict[str, float]] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    time: int = 0

    def told(self) -> dict[str, Any]:
        """The state of a session as an answer tells it."""
        return {"stm": [list(event) for event in self.events], "time": self.time, "config": dict(self.config)}


@dataclass
class Model:
    """Nodes and sessions."""

    nodes: dict[str, dict[Sequence_, Learned]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)

    # --- what can be done; sessions are named as the caller likes ---

    def create(self, session: str, node: str, config: Mapping[str, Any]) -> None:
        self.sessions[session] = Session(node, dict(config))

    def delete(self, session: str) -> None:
        del self.sessions[session]

    def configure(self, session: str, config: Mapping[str, Any]) -> None:
        self.sessions[session].config.update(config)

    def observe(
        self,
        session: str,
        strings: Sequence[str],
        emotives: Mapping[str, float] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        state = self.sessions[session]
        state.time += 1
        if emotives:
            state.emotives.append(dict(emotives))
        if metadata:
            state.metadata.append(dict(metadata))
        if not strings:
            return
        state.events.append(tuple(sorted(strings)))
        length = state.config.get("max_pattern_length", 0)
        if length and len(state.events) >= length:
            events = state.events
            self.learn(session)
            if state.config.get("stm_mode") == "ROLLING" and length > 1:
                state.events = events[-(length - 1) :]

    def observe_sequence(self, session: str, events: Sequence[Sequence[str]], *, learn_at_end: bool) -> None:
        for strings in events:
            self.observe(session, strings)
        if learn_at_end and self.sessions[session].events:
            self.learn(session)

    def learn(self, session: str) -> None:
        state = self.sessions[session]
        events, emotives, metadata = tuple(state.events), state.emotives, state.metadata
        state.events, state.emotives, state.metadata = [], [], []
        if sum(map(len, events)) >= 2:
            self._learn(state.node, events, emotives, metadata)

    def learn_many(self, node: str, sequences: Sequence[Sequence[Sequence[str]]]) -> None:
        for sequence in sequences:
            self._learn(node, tuple(tuple(sorted(event)) for event in sequence), [], [])

    def _learn(
        self, node: str, events: Sequence_, emotives: Sequence[dict[str, float]], metadata: Sequence[dict[str, str]]
    ) -> None:
        pattern = self.nodes.setdefault(node, {}).setdefault(events, Learned())
        pattern.frequency += 1
        pattern.emotives = [*pattern.emotives, *emotives][-PERSISTENCE:]
        for each in metadata:
            for key, text in each.items():
                pattern.metadata[key] = sorted({*pattern.metadata.get(key, ()), text})

    def clear_stm(self, session: str) -> None:
        state = self.sessions[session]
        self.sessions[session] = Session(state.node, state.config)

    def clear_all(self, session: str) -> None:
        self.nodes[self.sessions[session].node] = {}
        self.clear_stm(session)

    def edit(self, node: str, events: Sequence[Sequence[str]], frequency: int) -> None:
        self.nodes[node][tuple(map(tuple, events))].frequency = frequency

    def forget(self, node: str, events: Sequence[Sequence[str]]) -> None:
        del self.nodes[node][tuple(map(tuple, events))]

    # --- what can be seen ---

    def learned(self, node: str) -> dict[Sequence_, dict[str, Any]]:
        """Everything a node has learned."""
        return {events: pattern.told() for events, pattern in self.nodes.get(node, {}).items()}
