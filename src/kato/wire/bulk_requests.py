"""What is asked of a node about many sequences at once: learning them, predicting from them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from kato.errors import PayloadTooLarge
from kato.wire.limits import Limits
from kato.wire.reading import Reader, path_text
from kato.wire.requests import CONFIG_SCHEMA, Loc, note_unknown, read_config

EVENTS_SCHEMA: dict[str, Any] = {
    "type": "array",
    "description": "Events, oldest first: each the symbols observed together.",
    "items": {"type": "array", "items": {"type": "string"}, "maxItems": 10_000},
    "maxItems": 1_000,
}
_DETAILED_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["events"],
    "properties": {
        "events": EVENTS_SCHEMA,
        "emotives": {
            "type": "array",
            "description": "Emotive dictionaries gathered with it, oldest first.",
            "items": {"type": "object", "additionalProperties": {"type": "number"}},
            "maxItems": 1_000,
        },
        "metadata": {
            "type": "array",
            "description": "Metadata gathered with it, oldest first.",
            "items": {"type": "object"},
            "maxItems": 1_000,
        },
        "persistence": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "description": "Emotive dictionaries the pattern keeps.",
        },
    },
}
SEQUENCE_SCHEMA: dict[str, Any] = {"anyOf": [EVENTS_SCHEMA, _DETAILED_SCHEMA]}
_EXAMPLE = [[["kettle"], ["cup", "tea"]], {"events": [["bus"], ["work"]], "emotives": [{"joy": -0.2}]}]


@dataclass(slots=True)
class BulkSequence:
    """One sequence to learn: a list of events, or an object that says more about it."""

    events: list[list[str]]
    emotives: tuple[dict[str, float], ...] = ()
    metadata: tuple[dict[str, Any], ...] = ()
    persistence: int | None = None

    MAY_BE_ABSENT: ClassVar[bool] = False
    SCHEMA: ClassVar[dict[str, Any]] = SEQUENCE_SCHEMA

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """One sequence that is a body, or a line of one, of its own."""
        check_counts(value, reader.limits, ("body",))
        return cls.at(value, reader, ("body",))

    @classmethod
    def at(cls, value: Any, reader: Reader, loc: Loc) -> Self:
        """The sequence at a place of a body; its counts have been checked."""
        if type(value) is list:
            return cls(reader.events(loc, value))
        if type(value) is not dict:
            reader.wrong(loc, "sequence_type", "must be a list of events, or an object with 'events'", value)
            return cls([])
        note_unknown(reader, loc, value, ("events", "emotives", "metadata", "persistence"))
        if "events" not in value:
            reader.wrong((*loc, "events"), "missing", "is required", None)
        emotives = reader.listed((*loc, "emotives"), value.get("emotives", []))
        metadata = reader.listed((*loc, "metadata"), value.get("metadata", []))
        persistence = value.get("persistence")
        return cls(
            reader.events((*loc, "events"), value.get("events", [])),
            tuple(reader.emotives((*loc, "emotives", place), each) for place, each in enumerate(emotives)),
            tuple(reader.metadata((*loc, "metadata", place), each) for place, each in enumerate(metadata)),
            reader.integer((*loc, "persistence"), persistence, 1, 100) if persistence is not None else None,
        )


def check_counts(sequence: Any, limits: Limits, loc: Loc) -> None:
    """
    Refuse too many of anything in a sequence, before any of it is looked at.

    Raises:
        PayloadTooLarge: A count is beyond its limit.
    """
    if type(sequence) is dict:
        for name in ("emotives", "metadata"):
            found = sequence.get(name)
            if type(found) is list and len(found) > limits.max_stm_events:
                where = path_text([*loc[1:], name])
                raise PayloadTooLarge(where, limits.max_stm_events, len(found), "KATO_MAX_STM_EVENTS")
            for place, each in enumerate(found if name == "emotives" and type(found) is list else ()):
                if type(each) is dict and len(each) > limits.max_emotives:
                    where = path_text([*loc[1:], name, place])
                    raise PayloadTooLarge(where, limits.max_emotives, len(each), "KATO_MAX_EMOTIVES")
        check_counts(sequence.get("events"), limits, (*loc, "events"))
    elif type(sequence) is list:
        if len(sequence) > limits.max_stm_events:
            where = path_text(loc[1:]) or "events"
            raise PayloadTooLarge(where, limits.max_stm_events, len(sequence), "KATO_MAX_STM_EVENTS")
        _check_events(sequence, limits, loc)


def _check_events(events: list[Any], limits: Limits, loc: Loc) -> None:
    with suppress(TypeError):  # something among them has no length; then they are looked at one by one
        if max(map(len, events), default=0) <= limits.max_strings:
            return
    for index, event in enumerate(events):
        if type(event) is list and len(event) > limits.max_strings:
            raise PayloadTooLarge(path_text([*loc[1:], index]), limits.max_strings, len(event), "KATO_MAX_STRINGS")


def check_memory(stm: list[Any], limits: Limits, loc: Loc) -> None:
    """
    Refuse too many events in a short-term memory, or too many symbols in one of them.

    Raises:
        PayloadTooLarge: A count is beyond its limit.
    """
    if len(stm) > limits.max_sequence:
        raise PayloadTooLarge(path_text(loc[1:]), limits.max_sequence, len(stm), "KATO_MAX_SEQUENCE")
    _check_events(stm, limits, loc)


@dataclass(slots=True)
class LearnMany:
    """POST /nodes/{node_id}/learn."""

    sequences: list[BulkSequence]

    MAY_BE_ABSENT: ClassVar[bool] = False
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "required": ["sequences"],
        "properties": {
            "sequences": {
                "type": "array",
                "description": "Each a list of events, or an object with events and what was gathered with them.",
                "maxItems": 10_000,
                "items": SEQUENCE_SCHEMA,
            }
        },
        "example": {"sequences": _EXAMPLE},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        most = (reader.limits.max_sequence, "KATO_MAX_SEQUENCE")
        sequences, loc = _read_many(value, reader, ("sequences",), most)
        for position, sequence in enumerate(sequences):
            check_counts(sequence, reader.limits, (*loc, position))
        return cls([BulkSequence.at(each, reader, (*loc, position)) for position, each in enumerate(sequences)])


@dataclass(slots=True)
class PredictMany:
    """POST /nodes/{node_id}/predict."""

    stms: list[list[list[str]]]
    config: dict[str, Any]

    MAY_BE_ABSENT: ClassVar[bool] = False
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "required": ["stms"],
        "properties": {
            "stms": {
                "type": "array",
                "description": "Short-term memories, each a list of events.",
                "maxItems": Limits().max_memories,
                "items": {**EVENTS_SCHEMA, "maxItems": 10_000},
            },
            "config": {"anyOf": [CONFIG_SCHEMA, {"type": "null"}], "description": "As for a session."},
        },
        "example": {"stms": [[["kettle"]], [["bus"]]], "config": {"recall_threshold": 0.3}},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        stms = _read_memories(value, reader, ("stms", "config"))
        config = value.get("config") if type(value) is dict else None
        return cls(
            stms,
            read_config(reader, ("body", "config"), config) if config is not None else {},
        )


_STMS_SCHEMA: dict[str, Any] = PredictMany.SCHEMA["properties"]["stms"]
_LEFT_OUT_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {
            "type": "array",
            "items": {"type": ["string", "null"]},
            "maxItems": Limits().max_memories,
        },
        {"type": "null"},
    ],
    "description": "Per memory, the name of a pattern of which one learning counts as not learned, or null.",
}


@dataclass(slots=True)
class ForecastMany:
    """POST /nodes/{node_id}/forecast."""

    stms: list[list[list[str]]]
    as_if_left_out: list[str | None]
    """One per memory."""

    MAY_BE_ABSENT: ClassVar[bool] = False
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "required": ["stms"],
        "properties": {"stms": _STMS_SCHEMA, "as_if_left_out": _LEFT_OUT_SCHEMA},
        "example": {"stms": [[["kettle"]], [["bus"]]]},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        stms = _read_memories(value, reader, ("stms", "as_if_left_out"))
        given = value.get("as_if_left_out") if type(value) is dict else None
        loc = ("body", "as_if_left_out")
        names = reader.listed(loc, given) if given is not None else [None] * len(stms)
        if len(names) != len(stms):
            reader.wrong(loc, "length", f"must have one entry per memory, {len(stms)}, got {len(names)}", given)
        for position, name in enumerate(names):
            if name is not None and type(name) is not str:
                reader.wrong((*loc, position), "pattern_name", "must be the name of a pattern, or null", name)
        return cls(stms, names)


def _read_memories(value: Any, reader: Reader, known: tuple[str, ...]) -> list[list[list[str]]]:
    """The `stms` of a body."""
    limits = reader.limits
    stms, loc = _read_many(value, reader, known, (limits.max_memories, "KATO_MAX_MEMORIES"))
    for position, stm in enumerate(stms):
        if type(stm) is list:
            check_memory(stm, limits, (*loc, position))
    return [reader.events((*loc, position), stm) for position, stm in enumerate(stms)]


def _read_many(value: Any, reader: Reader, known: tuple[str, ...], most: tuple[int, str]) -> tuple[list[Any], Loc]:
    """The list under the first name, which is required, and where it is; `most` is how many it may hold and what says so."""
    given = reader.mapping(("body",), value)
    note_unknown(reader, ("body",), given, known)
    name, (limit, setting) = known[0], most
    loc = ("body", name)
    if name not in given:
        if type(value) is dict:
            reader.wrong(loc, "missing", "is required", None)
        return [], loc
    found = reader.listed(loc, given[name])
    if len(found) > limit:
        raise PayloadTooLarge(name, limit, len(found), setting)
    return found, loc
