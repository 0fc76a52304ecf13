"""What is asked of a node about its own memory: undoing changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from kato.wire.reading import Reader
from kato.wire.requests import note_unknown

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
