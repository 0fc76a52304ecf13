"""
Patterns and log rows as bytes: the one place that knows how they are written down.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

import orjson

from kato.engine.event import Event
from kato.engine.pattern import Pattern
from kato.errors import StoredDataCorrupt
from kato.storage.interface import Edit, Forget, ForgetAll, Learn, LogEntry, Operation

Kind = Literal["learn", "edit", "forget", "forget_all"]
GENESIS = b"\0" * 32
"""The hash before a node's first log row."""
_KINDS: dict[type, Kind] = {Learn: "learn", Edit: "edit", Forget: "forget", ForgetAll: "forget_all"}


def dump(value: Any) -> bytes:
    """JSON, compact; integers of any size."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def load(content: bytes) -> Any:
    """What `dump` wrote."""
    return json.loads(content)


def kind_of(operation: Operation) -> Kind:
    """The log's word for an operation."""
    return _KINDS[type(operation)]


def payload_of(operation: Operation, name: str | None, *, is_new: bool) -> bytes:
    """
    What the log keeps of an operation: enough to repeat it on an equal memory.

    The events of a pattern are written the first time; later learnings name it.
    """
    if isinstance(operation, Learn):
        document: dict[str, Any] = {"name": name}
        if is_new:
            document["events"] = operation.events
        if operation.emotives:
            document["emotives"] = [dict(each) for each in operation.emotives]
        if operation.metadata:
            document["metadata"] = [dict(each) for each in operation.metadata]
        if operation.persistence != 5:
            document["persistence"] = operation.persistence
        if operation.vectors:
            document["vectors"] = {key: list(vector) for key, vector in operation.vectors.items()}
        return dump(document)
    if isinstance(operation, Edit):
        document = {"name": name}
        if operation.frequency is not None:
            document["frequency"] = operation.frequency
        if operation.emotives is not None:
            document["emotives"] = [dict(each) for each in operation.emotives]
        if operation.metadata is not None:
            document["metadata"] = dict(operation.metadata)
        return dump(document)
    return dump({"name": name} if isinstance(operation, Forget) else {})


def replayed(entry: LogEntry, events_of: Mapping[str, tuple[Event, ...]]) -> Operation:
    """
    The operation a log row stands for.

    Args:
        events_of: The events of the patterns known at that point, by name.
    """
    document = load(entry.payload)
    if entry.operation == "learn":
        events = document.get("events")
        return Learn(
            events=read_events(events) if events is not None else events_of[document["name"]],
            emotives=tuple(document.get("emotives", ())),
            metadata=tuple(document.get("metadata", ())),
            persistence=document.get("persistence", 5),
            vectors={key: tuple(vector) for key, vector in document.get("vectors", {}).items()},
        )
    if entry.operation == "edit":
        emotives = document.get("emotives")
        return Edit(
            document["name"],
            frequency=document.get("frequency"),
            emotives=tuple(emotives) if emotives is not None else None,
            metadata=document.get("metadata"),
        )
    return Forget(document["name"]) if entry.operation == "forget" else ForgetAll()


def chained(
    previous: bytes,
    node_id: str,
    sequence: int,
    at: int,
    operation: str,
    session_id: str | None,
    actor: str | None,
    payload: bytes,
) -> bytes:
    """SHA-256 over the previous row's hash and this row; 32 bytes. Parts are length-prefixed, so none can run into the next."""
    digest = hashlib.sha256(previous)
    digest.update(struct.pack("<QQ", sequence, at))
    for part in (node_id, operation, session_id, actor):
        encoded = b"" if part is None else part.encode()
        digest.update(struct.pack("<q", -1 if part is None else len(encoded)))
        digest.update(encoded)
    digest.update(struct.pack("<q", len(payload)))
    digest.update(payload)
    return digest.digest()


def check_chain(node_id: str, previous: bytes, entries: Sequence[LogEntry]) -> bytes:
    """
    Recompute the hashes of consecutive log rows; returns the last.

    Raises:
        StoredDataCorrupt: Names the first row that is not what was written.
    """
    for entry in entries:
        expected = chained(
            previous,
            node_id,
            entry.sequence,
            entry.at,
            entry.operation,
            entry.session_id,
            entry.actor,
            entry.payload,
        )
        if expected != entry.hash:
            raise StoredDataCorrupt(
                f"The log of node {node_id[:200]!r} was altered or damaged at sequence {entry.sequence}; "
                "restore a backup"
            )
        previous = expected
    return previous


def read_events(document: Sequence[Sequence[str]]) -> tuple[Event, ...]:
    """Events out of JSON lists."""
    return tuple(tuple(event) for event in document)


def affinity_text(affinity: Mapping[str, Fraction]) -> bytes | None:
    """Exact sums as JSON strings; None for none."""
    return dump({name: str(amount) for name, amount in affinity.items()}) if affinity else None


def read_affinity(content: bytes | None) -> dict[str, Fraction]:
    """What `affinity_text` wrote."""
    return {name: Fraction(text) for name, text in load(content).items()} if content else {}


def read_pattern(
    name: str,
    events: bytes,
    frequency: int,
    emotives: bytes | None,
    metadata: bytes | None,
    affinity: bytes | None,
) -> Pattern:
    """A pattern from its stored parts."""
    return Pattern(
        name=name,
        events=read_events(orjson.loads(events)),
        frequency=frequency,
        emotives=tuple(load(emotives)) if emotives else (),
        metadata={key: tuple(texts) for key, texts in load(metadata).items()} if metadata else {},
        affinity=read_affinity(affinity),
    )


def matches_search(pattern: Pattern, search: str) -> bool:
    """Whether one of the pattern's symbols contains the text, or its bare name begins with it."""
    if not search or pattern.name.startswith(search.lower().removeprefix("ptrn|")):
        return True
    return any(search in symbol for event in pattern.events for symbol in event)
