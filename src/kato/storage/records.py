"""
Patterns and log rows as bytes: the one place that knows how they are written down.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

import orjson

from kato.engine.event import Event
from kato.engine.pattern import Pattern
from kato.errors import StoredDataCorrupt
from kato.storage.interface import Edit, Forget, ForgetAll, Learn, LogEntry, Operation, Restore

Kind = Literal["learn", "edit", "forget", "forget_all", "undo"]
GENESIS = b"\0" * 32
"""The hash before a node's first log row."""
_MOMENT, _SIZE = struct.Struct("<QQ").pack, struct.Struct("<q").pack
_sha256 = hashlib.sha256
_BARE_NAME = re.compile(r"[0-9a-f]{40}")
_KINDS: dict[type, Kind] = {
    Learn: "learn",
    Edit: "edit",
    Forget: "forget",
    ForgetAll: "forget_all",
    Restore: "undo",
}
_NAMED = slice(9, 49)
"""Where the name stands in the payload of every row about one pattern, right behind `{"name":"`; see schema.TABLES."""


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


def events_text(events: Sequence[Event]) -> str:
    """Events as the JSON that is stored."""
    return dump(events).decode()


def payload_of(operation: Operation, name: str | None, *, events: str | None = None) -> bytes:
    """
    What the log keeps of an operation: enough to repeat it on an equal memory.

    Args:
        events: The `events_text` of an operation that must tell its events: one that makes a pattern, and every one where
            the name alone would mean another pattern. None for the rest, which only name it.
    """
    if isinstance(operation, Learn):
        # A name needs no escaping, and the events are JSON already.
        told = f'{{"name":"{name}"' if events is None else f'{{"name":"{name}","events":{events}'
        document: dict[str, Any] = {}
        if operation.emotives:
            document["emotives"] = [dict(each) for each in operation.emotives]
        if operation.metadata:
            document["metadata"] = [dict(each) for each in operation.metadata]
        if operation.persistence != 5:
            document["persistence"] = operation.persistence
        if operation.vectors:
            document["vectors"] = {key: list(vector) for key, vector in operation.vectors.items()}
        return told.encode() + (b"," + dump(document)[1:] if document else b"}")
    if isinstance(operation, Restore):
        told = f'{{"name":"{name}"' if events is None else f'{{"name":"{name}","events":{events}'
        return told.encode() + b"," + dump(_restoring(operation))[1:]
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


def _restoring(operation: Restore) -> dict[str, Any]:
    """What the log keeps of a state that is restored: everything, so that repeating it looks nowhere else."""
    document: dict[str, Any] = {"to": operation.to, "part": operation.part, "parts": operation.parts}
    state = operation.state
    if state is None:
        return {**document, "forgotten": True}
    document["frequency"] = state.frequency
    if state.emotives:
        document["emotives"] = [dict(each) for each in state.emotives]
    if state.metadata:
        document["metadata"] = dict(state.metadata)
    if state.affinity:
        document["affinity"] = {name: str(amount) for name, amount in state.affinity.items()}
    if operation.vectors:
        document["vectors"] = {key: list(vector) for key, vector in operation.vectors.items()}
    return document


def _restored(name: str, events: tuple[Event, ...], document: Mapping[str, Any]) -> Restore:
    """What `_restoring` wrote."""
    state = None
    if not document.get("forgotten"):
        state = Pattern(
            name,
            events,
            document["frequency"],
            tuple(document.get("emotives", ())),
            {key: tuple(texts) for key, texts in document.get("metadata", {}).items()},
            {key: Fraction(text) for key, text in document.get("affinity", {}).items()},
        )
    vectors = {key: tuple(vector) for key, vector in document.get("vectors", {}).items()}
    return Restore(name, events, state, document["to"], document["part"], document["parts"], vectors)


def subject_of(payload: bytes) -> str | None:
    """The bare name of the pattern that a log row is about; None for a row about all of them."""
    return payload[_NAMED].decode() or None


def replayed(entry: LogEntry, events_of: Callable[[str], tuple[Event, ...]]) -> Operation:
    """
    The operation a log row stands for.

    Args:
        events_of: The events of the first learned of the patterns of a name, as known at that point.
    """
    document = load(entry.payload)
    if entry.operation == "learn":
        events = document.get("events")
        return Learn(
            events=read_events(events) if events is not None else events_of(document["name"]),
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
    if entry.operation == "undo":
        events, name = document.get("events"), document["name"]
        return _restored(name, read_events(events) if events is not None else events_of(name), document)
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
    framed = _framed(node_id, operation, session_id, actor)
    return _sha256(previous + _MOMENT(sequence, at) + framed + _SIZE(len(payload)) + payload).digest()


@lru_cache(maxsize=1024)
def _framed(*parts: str | None) -> bytes:
    """Texts, each after its length in bytes; -1 for None. Remembered, because the rows of a session are alike in them."""
    framed = bytearray()
    for part in parts:
        encoded = b"" if part is None else part.encode()
        framed += struct.pack("<q", -1 if part is None else len(encoded)) + encoded
    return bytes(framed)


def check_chain(node_id: str, previous: bytes, entries: Sequence[LogEntry], *, after: int = 0) -> bytes:
    """
    Recompute the hashes of consecutive log rows; returns the last.

    Args:
        previous: Hash of the row of sequence `after`.

    Raises:
        StoredDataCorrupt: Names the first sequence that is missing or not what was written.
    """
    for sequence, entry in enumerate(entries, start=after + 1):
        if entry.sequence != sequence:
            raise StoredDataCorrupt(f"The log of node {node_id[:200]!r} lacks sequence {sequence}; restore a backup")
        facts = (entry.at, entry.operation, entry.session_id, entry.actor, entry.payload)
        try:
            previous = chained(previous, node_id, sequence, *facts)
            is_sound = previous == entry.hash
        except (TypeError, AttributeError, struct.error):
            is_sound = False  # damage can turn a value into one of another type
        if not is_sound:
            raise StoredDataCorrupt(
                f"The log of node {node_id[:200]!r} was altered or damaged at sequence {sequence}; restore a backup"
            )
    return previous


def checksum(
    node: int,
    name: bytes,
    events: str,
    length: int,
    frequency: int,
    emotives: bytes | None,
    metadata: bytes | None,
    affinity: bytes | None,
) -> int:
    """CRC-32 over a pattern's row. The name has 20 bytes and JSON holds no NUL, so equal text means equal parts."""
    annotations = (
        b""
        if emotives is metadata is affinity is None
        else b"%b\0%b\0%b"
        % (
            emotives or b"",
            metadata or b"",
            affinity or b"",
        )
    )
    return zlib.crc32(b"%d %d %d %b%b\0%b" % (node, length, frequency, name, events.encode(), annotations))


def facts(*values: object) -> int:
    """CRC-32 over the values of a row that nothing else covers: integers, texts, bytes or none, in an order of their own."""
    return zlib.crc32(ascii(values).encode())


def is_sound(row: Sequence[Any]) -> bool:
    """Whether the last value of a row is the `facts` of those before it."""
    return bool(facts(*row[:-1]) == row[-1])


def sealed(content: bytes, place: str) -> bytes:
    """Content after the CRC-32 of itself and the place it is meant for, so that damage to either is seen when it is read."""
    return zlib.crc32(content, zlib.crc32(place.encode())).to_bytes(4, "little") + content


def unsealed(stored: object, place: str) -> bytes:
    """
    What `sealed` was given.

    Raises:
        StoredDataCorrupt: It was not stored like this, or not there; the sentence names the place.
    """
    if not isinstance(stored, bytes) or sealed(stored[4:], place) != stored:
        raise StoredDataCorrupt(f"What is stored of {place[:200]} is damaged; restore a backup")
    return stored[4:]


def name_key(name: str) -> bytes | None:
    """The 20 bytes of a bare pattern name; None for text that is none, and so names no pattern."""
    return bytes.fromhex(name) if _BARE_NAME.fullmatch(name) else None


def read_events(document: Sequence[Sequence[str]]) -> tuple[Event, ...]:
    """Events out of JSON lists."""
    return tuple(map(tuple, document))


def affinity_text(affinity: Mapping[str, Fraction]) -> bytes | None:
    """Exact sums as JSON strings; None for none."""
    return dump({name: str(amount) for name, amount in affinity.items()}) if affinity else None


def read_affinity(content: bytes | None) -> dict[str, Fraction]:
    """What `affinity_text` wrote."""
    return {name: Fraction(text) for name, text in load(content).items()} if content else {}


def read_pattern(
    name: str,
    events: str,
    frequency: int,
    emotives: bytes | None,
    metadata: bytes | None,
    affinity: bytes | None,
    known: Mapping[str, tuple[Event, ...]] = MappingProxyType({}),
) -> Pattern:
    """
    A pattern from its stored parts.

    Args:
        known: Events by their text, where somebody has them already; the rest is read.
    """
    return Pattern(
        name=name,
        events=known.get(events) or read_events(orjson.loads(events)),
        frequency=frequency,
        emotives=tuple(load(emotives)) if emotives else (),
        metadata={key: tuple(texts) for key, texts in load(metadata).items()} if metadata else {},
        affinity=read_affinity(affinity),
    )
