"""What is asked about API keys."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from kato.wire.reading import Reader
from kato.wire.requests import Loc, note_unknown

SCOPES = ("read", "write", "admin")
LONGEST_NAME = 100
MOST_PREFIXES = 100


@dataclass(slots=True)
class CreateKey:
    """POST /keys."""

    name: str = ""
    scope: str = "write"
    prefixes: list[str] | None = None
    """None where the body says nothing: those of whoever asks."""

    MAY_BE_ABSENT: ClassVar[bool] = True
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "name": {
                "type": "string",
                "maxLength": LONGEST_NAME,
                "default": "",
                "description": "What it is for, or whose it is.",
            },
            "scope": {
                "type": "string",
                "enum": list(SCOPES),
                "default": "write",
                "description": "What it may do; each scope may what those before it may.",
            },
            "prefixes": {
                "type": "array",
                "items": {"type": "string", "minLength": 1, "maxLength": 512},
                "maxItems": MOST_PREFIXES,
                "description": "It may touch nodes whose ids begin with one of these; none: all. Absent: as the key that asks.",
            },
        },
        "example": {"name": "the shop's web server", "scope": "write"},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        given = reader.mapping(("body",), value)
        note_unknown(reader, ("body",), given, ("name", "scope", "prefixes"))
        key = cls()
        if "name" in given:
            key.name = _label(reader, ("body", "name"), given["name"], 0, LONGEST_NAME)
        if "scope" in given:
            key.scope = reader.text(("body", "scope"), given["scope"])
            if type(given["scope"]) is str and key.scope not in SCOPES:
                reader.wrong(("body", "scope"), "scope", f"must be one of {', '.join(SCOPES)}", key.scope)
        if "prefixes" in given:
            listed = reader.listed(("body", "prefixes"), given["prefixes"])
            if len(listed) > MOST_PREFIXES:
                message = f"may have at most {MOST_PREFIXES} entries, got {len(listed)}"
                reader.too_much(("body", "prefixes"), message, listed, MOST_PREFIXES, len(listed), "fixed")
            most = reader.limits.max_node_id
            key.prefixes = [
                _label(reader, ("body", "prefixes", position), each, 1, most)
                for position, each in enumerate(listed[:MOST_PREFIXES])
            ]
        return key


def _label(reader: Reader, loc: Loc, value: Any, least: int, most: int) -> str:
    """A text of so many characters, none of them a control character."""
    text = reader.text(loc, value)
    if type(value) is str and len(text) < least and not reader.problems:
        reader.wrong(loc, "too_short", "must not be empty", text)
    if len(text) > most:
        reader.too_much(
            loc,
            f"may have at most {most} characters, got {len(text)}",
            text,
            most,
            len(text),
            "KATO_MAX_NODE_ID" if least else "fixed",
        )
    elif any(unicodedata.category(character) == "Cc" for character in text):
        reader.wrong(loc, "control", "must not hold control characters", text)
    return text
