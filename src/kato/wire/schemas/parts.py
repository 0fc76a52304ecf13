"""
JSON Schema, written shortly: each member of an answer with its type, its meaning and an example.

Everything a function here returns is plain JSON Schema (draft 2020-12), as OpenAPI 3.1 takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

A_TIME = "2026-01-01T12:00:00.000000Z"
A_SESSION = "session-0f8fad5bd9cb469fa16570867728950e-1767268800000"
A_NAME = "b98534b3a6a9ff5ae2ba57e8b30a5ae3ee6b1eee"
_REFERENCE = "#/components/schemas/"


def text(about: str, example: str = "text", **more: Any) -> Schema:
    """A string."""
    return {"type": "string", "description": about, "examples": [example], **more}


def constant(about: str, *values: str) -> Schema:
    """One of a few strings."""
    return {"type": "string", "description": about, "enum": list(values)}


def time(about: str) -> Schema:
    """A moment: ISO-8601 in UTC, six decimals, Z."""
    return text(about, A_TIME, pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")


def integer(about: str, example: int = 1, *, minimum: int | None = 0) -> Schema:
    """A whole number, none below `minimum`."""
    least = {} if minimum is None else {"minimum": minimum}
    return {"type": "integer", "description": about, "examples": [example], **least}


def number(about: str, example: float = 0.5, **more: Any) -> Schema:
    """A finite number."""
    return {"type": "number", "description": about, "examples": [example], **more}


def boolean(about: str, example: bool = True) -> Schema:
    """True or false."""
    return {"type": "boolean", "description": about, "examples": [example]}


def null(about: str) -> Schema:
    """Always null."""
    return {"type": "null", "description": about}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def listed(items: Schema, about: str, **more: Any) -> Schema:
    """A list."""
    return {"type": "array", "items": items, "description": about, **more}


def mapping(values: Schema, about: str, *, key: str) -> Schema:
    """An object whose names are not known beforehand; `key` is one for the example."""
    return {
        "type": "object",
        "additionalProperties": values,
        "description": about,
        "x-example-key": key,
    }


def anything(about: str, example: Any) -> Schema:
    """An object of the caller's own."""
    return {"type": "object", "description": about, "examples": [example]}


def record(about: str, members: Mapping[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """An object with these members; those that are not optional are always there, others may be added."""
    return {
        "type": "object",
        "description": about,
        "required": [name for name in members if name not in optional],
        "properties": dict(members),
    }


def empty(about: str) -> Schema:
    """An object without members."""
    return {"type": "object", "description": about, "maxProperties": 0}


def named(name: str) -> Schema:
    """A schema that stands among the components under a name."""
    return {"$ref": f"{_REFERENCE}{name}"}


def answer(members: Mapping[str, Schema], *, about: str = "Done", optional: tuple[str, ...] = ()) -> Schema:
    """What a success says: these members, and `warnings`."""
    return record(about, {**members, "warnings": WARNINGS}, optional=optional)


def example(schema: Schema, components: Mapping[str, Schema]) -> Any:
    """One value that a schema describes, put together from the examples of its members."""
    if "$ref" in schema:
        return example(components[schema["$ref"].removeprefix(_REFERENCE)], components)
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], components)
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "object":
        if "additionalProperties" in schema:
            return {schema["x-example-key"]: example(schema["additionalProperties"], components)}
        return {name: example(member, components) for name, member in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema["items"], components)] if schema.get("maxItems") != 0 else []
    return None


WARNINGS = listed(text("A sentence."), "What was ignored or deserves notice, in sentences.", examples=[[]])
EVENT = listed(text("A symbol.", "tea"), "Symbols observed together.")
EVENTS = listed(EVENT, "Events, oldest first.")
NODE_ID = text("The node.", "my_app")
NODE: Mapping[str, Schema] = {"node_id": NODE_ID, "kb_id": text("The same, for compatible clients.", "my_app")}
SESSION_ID = text("The session.", A_SESSION)
IN_SESSION: Mapping[str, Schema] = {
    "session_id": SESSION_ID,
    "node_id": NODE_ID,
    "processor_id": text("The node again, for compatible clients.", "my_app"),
}
PATTERN_ID = text("The pattern: `PTRN|` and 40 hexadecimal digits.", f"PTRN|{A_NAME}", pattern=r"^PTRN\|[0-9a-f]{40}$")
LEARNED_ID = text(
    "The pattern, or empty when nothing was learned.", f"PTRN|{A_NAME}", pattern=r"^(PTRN\|[0-9a-f]{40})?$"
)
EMOTIVES = mapping(number("How strongly.", 0.7), "Emotive → value.", key="joy")
FOLDED = mapping(
    listed(text("A value as text.", "kitchen"), "Distinct values, sorted."), "Metadata: key → values.", key="room"
)
PAGE: Mapping[str, Schema] = {
    "count": integer("Entries in this page."),
    "total": integer("Entries in all pages."),
    "next_cursor": nullable(text("`cursor` of the next page; null at the end.", "WzEsICJhIl0")),
    "has_more": boolean("Whether there is a next page."),
}
AT: Mapping[str, Schema] = {
    "at": record(
        "The moment this is about; only where one was asked for.",
        {"sequence": integer("After this change.", 10), "head": integer("The newest change.", 12)},
    )
}
