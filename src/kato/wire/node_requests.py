"""What is asked of a node about its own memory: explaining one pattern, undoing changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from kato.wire.bulk_requests import EVENTS_SCHEMA, check_memory
from kato.wire.reading import Reader
from kato.wire.requests import CONFIG_SCHEMA, note_unknown, read_config

MOST = 2**53
"""Beyond any sequence."""


@dataclass(slots=True)
class Undo:
    """POST /nodes/{node_id}/undo."""

    count: int | None = None
    to: int | None = None
    expected_head: int | None = None

    MAY_BE_ABSENT: ClassVar[bool] = True
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "count": {
                "type": "integer",
                "minimum": 1,
                "maximum": 1_000_000,
                "default": 1,
                "description": "So many changes, the newest first. The rows of one undoing are one change.",
            },
            "to": {
                "type": "integer",
                "minimum": 0,
                "maximum": MOST,
                "description": "Instead of `count`: everything behind this sequence of the log.",
            },
            "expected_head": {
                "type": "integer",
                "minimum": 0,
                "maximum": MOST,
                "description": "Undo nothing if the log ends elsewhere.",
            },
        },
        "not": {"required": ["count", "to"]},
        "example": {"count": 1},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        given = reader.mapping(("body",), value)
        note_unknown(reader, ("body",), given, ("count", "to", "expected_head"))
        if "count" in given and "to" in given:
            reader.wrong(("body", "to"), "conflict", "must not be given together with count", given["to"])
        undo = cls()
        if "count" in given:
            undo.count = reader.integer(("body", "count"), given["count"], 1, 1_000_000)
        if "to" in given:
            undo.to = reader.integer(("body", "to"), given["to"], 0, MOST)
        if "expected_head" in given:
            undo.expected_head = reader.integer(("body", "expected_head"), given["expected_head"], 0, MOST)
        return undo


@dataclass(slots=True)
class ExplainPattern:
    """POST /nodes/{node_id}/explain."""

    stm: list[list[str]]
    pattern: str
    config: dict[str, Any]

    MAY_BE_ABSENT: ClassVar[bool] = False
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "required": ["stm", "pattern"],
        "properties": {
            "stm": {**EVENTS_SCHEMA, "maxItems": 10_000, "minItems": 1},
            "pattern": {"type": "string", "description": "The pattern, with or without `PTRN|`."},
            "config": {"anyOf": [CONFIG_SCHEMA, {"type": "null"}], "description": "As for a session."},
        },
        "example": {"stm": [["kettle"]], "pattern": "PTRN|b98534b32c1d7489d4ce1a48724aa65aeecbdba9"},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        given = reader.mapping(("body",), value)
        note_unknown(reader, ("body",), given, ("stm", "pattern", "config"))
        stm = given.get("stm")
        if type(stm) is list:
            check_memory(stm, reader.limits, ("body", "stm"))
        for name in ("stm", "pattern"):
            if type(value) is dict and name not in given:
                reader.wrong(("body", name), "missing", "is required", None)
        events = reader.events(("body", "stm"), stm) if "stm" in given else []
        if "stm" in given and not any(events):
            reader.wrong(("body", "stm"), "empty", "must hold at least one symbol", stm)
        config = given.get("config")
        return cls(
            events,
            reader.text(("body", "pattern"), given["pattern"]) if "pattern" in given else "",
            read_config(reader, ("body", "config"), config) if config is not None else {},
        )
