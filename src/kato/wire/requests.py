"""The request bodies: their members, their limits, and what is said about the rest."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from kato.engine.settings import KEYS
from kato.errors import InvalidInput, PayloadTooLarge
from kato.wire.limits import Limits
from kato.wire.reading import Reader, path_text, problem

_MAX_TTL = 31_536_000
_TTL_RULE = f"must be an integer from 1 to {_MAX_TTL}"
_TTL_SCHEMA = {
    "type": ["integer", "null"],
    "minimum": 1,
    "maximum": _MAX_TTL,
    "description": "The session's lifetime in seconds; all members that give it must agree.",
}
CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{key.name: {**(key.schema or {}), "description": key.governs} for key in KEYS},
        "session_ttl": _TTL_SCHEMA,
    },
}
Loc = tuple[str | int, ...]


def agreed_ttl(given: Sequence[tuple[Sequence[str | int], Any]]) -> int | None:
    """
    The one lifetime that several places agree on; None if none gives one.

    Raises:
        InvalidInput: One is no lifetime, or two differ.
    """
    found = [(loc, value) for loc, value in given if value is not None]
    problems = [
        problem(loc, "ttl", _TTL_RULE, value)
        for loc, value in found
        if type(value) is not int or not 1 <= value <= _MAX_TTL
    ]
    if not problems and len({value for _, value in found}) > 1:
        places = " and ".join(path_text(list(loc)) for loc, _ in found)
        problems = [problem(found[-1][0], "ttl_conflict", f"{places} differ; give one lifetime", found[-1][1])]
    if problems:
        raise InvalidInput(problems)
    return found[0][1] if found else None


def note_unknown(reader: Reader, loc: Loc, given: dict[str, Any], known: Sequence[str]) -> None:
    """Say of members that nobody knows that they were ignored."""
    if len(given) > len(known) or not given.keys() <= set(known):
        for name in given:
            if name not in known:
                reader.text((*loc, name[:50]), name)
                reader.unknown(loc, name)


@dataclass(slots=True)
class CreateSession:
    """POST /sessions."""

    node_id: str
    ttl: Any = None
    ttl_seconds: Any = None
    config: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None

    MAY_BE_ABSENT: ClassVar[bool] = False
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "required": ["node_id"],
        "properties": {
            "node_id": {
                "type": "string",
                "minLength": 1,
                "maxLength": 512,
                "description": "The owner of what is learned; it is made when first used.",
            },
            "ttl": _TTL_SCHEMA,
            "ttl_seconds": _TTL_SCHEMA,
            "config": {"anyOf": [CONFIG_SCHEMA, {"type": "null"}]},
            "metadata": {"type": ["object", "null"], "description": "The caller's own, returned as given."},
        },
        "example": {"node_id": "my_app", "config": {"recall_threshold": 0.3}, "ttl": 7200},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        given = reader.mapping(("body",), value)
        note_unknown(reader, ("body",), given, ("node_id", "ttl", "ttl_seconds", "config", "metadata"))
        loc = ("body", "node_id")
        if "node_id" not in given:
            if type(value) is dict:
                reader.wrong(loc, "missing", "is required", None)
            return cls("")
        node_id = reader.text(loc, given["node_id"])
        limit = reader.limits.max_node_id
        if type(given["node_id"]) is str and not node_id and not reader.problems:
            reader.wrong(loc, "node_id", "must not be empty", node_id)
        if any(unicodedata.category(character) == "Cc" for character in node_id[: limit + 1]):
            reader.wrong(loc, "node_id", "must not hold control characters", node_id)
        if len(node_id) > limit:
            message = f"may have at most {limit} characters, got {len(node_id)}; the limit is set by KATO_MAX_NODE_ID"
            reader.too_much(loc, message, node_id, limit, len(node_id), "KATO_MAX_NODE_ID")
        config, metadata = given.get("config"), given.get("metadata")
        return cls(
            node_id,
            given.get("ttl"),
            given.get("ttl_seconds"),
            read_config(reader, ("body", "config"), config) if config is not None else None,
            reader.metadata(("body", "metadata"), metadata) if metadata is not None else None,
        )


def read_config(reader: Reader, loc: Loc, value: Any) -> dict[str, Any]:
    """A configuration object; its values are judged by the engine, but text must be text."""
    config = reader.mapping(loc, value)
    reader._check_json(loc, config, 1)
    return config


@dataclass(slots=True)
class ConfigUpdate:
    """POST, PUT, PATCH /sessions/{sid}/config: `{"config": {…}}` or the bare object."""

    config: dict[str, Any]
    prefix: str
    """What precedes a key where it is named: "config." or nothing."""

    MAY_BE_ABSENT: ClassVar[bool] = False
    SCHEMA: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {
                "type": "object",
                "required": ["config"],
                "properties": {"config": {**CONFIG_SCHEMA, "description": "The keys to set."}},
            },
            CONFIG_SCHEMA,
        ],
        "example": {"recall_threshold": 0.5},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        given = reader.mapping(("body",), value)
        if "config" not in given:
            return cls(read_config(reader, ("body",), given), "")
        note_unknown(reader, ("body",), given, ("config",))
        return cls(read_config(reader, ("body", "config"), given["config"]), "config.")


@dataclass(slots=True)
class Extend:
    """POST /sessions/{sid}/extend."""

    ttl: Any = None
    ttl_seconds: Any = None

    MAY_BE_ABSENT: ClassVar[bool] = True
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"ttl_seconds": _TTL_SCHEMA, "ttl": _TTL_SCHEMA},
        "example": {"ttl_seconds": 60},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        given = reader.mapping(("body",), value)
        note_unknown(reader, ("body",), given, ("ttl", "ttl_seconds"))
        return cls(given.get("ttl"), given.get("ttl_seconds"))


_OBSERVE_MEMBERS = ("strings", "vectors", "emotives", "metadata", "unique_id", "include_predictions")
_OBSERVE_NAMES = frozenset(_OBSERVE_MEMBERS)
_OBSERVE_PROPERTIES: dict[str, Any] = {
    "strings": {
        "type": "array",
        "items": {"type": "string"},
        "maxItems": 10_000,
        "default": [],
        "description": "Symbols observed together; duplicates stay.",
    },
    "vectors": {
        "type": "array",
        "items": {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 16_384},
        "maxItems": 64,
        "default": [],
        "description": "Each gives its own symbol, and those of its learned neighbours.",
    },
    "emotives": {
        "type": "object",
        "additionalProperties": {"type": "number"},
        "default": {},
        "description": "How it felt: name → value.",
    },
    "metadata": {"type": "object", "default": {}, "description": "Any JSON, kept with what is learned."},
    "unique_id": {
        "type": ["string", "null"],
        "maxLength": 256,
        "description": "The caller's name for this observation; made when absent.",
    },
    "include_predictions": {"type": "boolean", "default": False, "description": "Add what comes next to the answer."},
}


@dataclass(slots=True)
class Observe:
    """POST /sessions/{sid}/observe, and one item of a sequence."""

    strings: list[str] = field(default_factory=list)
    vectors: list[list[float]] = field(default_factory=list)
    """As given; a component beyond the range of a double is infinite here."""
    emotives: dict[str, float] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    unique_id: str | None = None
    include_predictions: bool = False

    MAY_BE_ABSENT: ClassVar[bool] = False
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": _OBSERVE_PROPERTIES,
        "example": {"strings": ["work", "coding"]},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        if type(value) is dict:
            cls._check_counts(value, reader.limits, ("body",))
        return cls._read(value, reader, ("body",))

    @staticmethod
    def _check_counts(given: dict[str, Any], limits: Limits, loc: Loc) -> None:
        """
        Refuse too many of anything, before any of it is looked at.

        Raises:
            PayloadTooLarge: A count is beyond its limit.
        """
        strings, vectors, emotives = given.get("strings"), given.get("vectors"), given.get("emotives")
        for name, found, limit, setting in (
            ("strings", strings if type(strings) is list else (), limits.max_strings, "KATO_MAX_STRINGS"),
            ("vectors", vectors if type(vectors) is list else (), limits.max_vectors, "KATO_MAX_VECTORS"),
            ("emotives", emotives if type(emotives) is dict else (), limits.max_emotives, "KATO_MAX_EMOTIVES"),
        ):
            if len(found) > limit:
                raise PayloadTooLarge(path_text([*loc[1:], name]), limit, len(found), setting)

    @classmethod
    def _read(cls, value: Any, reader: Reader, loc: Loc) -> Self:
        """The observation at a place of a body; its counts have been checked."""
        given = reader.mapping(loc, value)
        if not _OBSERVE_NAMES.issuperset(given):
            note_unknown(reader, loc, given, _OBSERVE_MEMBERS)
        found = cls()
        # What is not there needs no reading, and most members mostly are not, or are empty.
        strings = given.get("strings", found.strings)
        if strings != []:
            found.strings = reader.symbols((*loc, "strings"), strings)
        vectors = given.get("vectors", found.vectors)
        if vectors != []:
            vectors = reader.listed((*loc, "vectors"), vectors)
            found.vectors = [_read_vector(reader, (*loc, "vectors", place), each) for place, each in enumerate(vectors)]
        emotives = given.get("emotives", found.emotives)
        if emotives != {}:
            emotives = reader.mapping((*loc, "emotives"), emotives)
            found.emotives = reader.emotives((*loc, "emotives"), emotives)
        metadata = given.get("metadata", found.metadata)
        if metadata != {}:
            found.metadata = reader.metadata((*loc, "metadata"), metadata)
        unique_id = given.get("unique_id")
        if unique_id is not None:
            found.unique_id = _read_unique_id(reader, (*loc, "unique_id"), unique_id) or None
        if "include_predictions" in given:
            found.include_predictions = reader.boolean((*loc, "include_predictions"), given["include_predictions"])
        return found


def _read_unique_id(reader: Reader, loc: Loc, value: Any) -> str:
    text = reader.text(loc, value)
    limit = reader.limits.max_name_characters
    if len(text) > limit:
        message = f"may have at most {limit} characters, got {len(text)}"
        reader.too_much(loc, message, text, limit, len(text), "fixed")
    return text


def _read_vector(reader: Reader, loc: Loc, value: Any) -> list[float]:
    """A vector's components; whether they are finite, and how many there must be, is for the session to say."""
    components = reader.listed(loc, value)
    limit = reader.limits.max_vector_dim
    if len(components) > limit:
        message = f"may have at most {limit} dimensions, got {len(components)}; the limit is set by KATO_MAX_VECTOR_DIM"
        reader.too_much(loc, message, "", limit, len(components), "KATO_MAX_VECTOR_DIM")
        return []
    found = []
    for position, component in enumerate(components):
        if type(component) is float:
            found.append(component)
        elif type(component) is int:
            try:
                found.append(float(component))
            except OverflowError:
                found.append(float("inf"))
        else:
            reader.wrong((*loc, position), "number_type", "must be a number", component)
    return found


@dataclass(slots=True)
class ObserveSequence:
    """POST /sessions/{sid}/observe-sequence."""

    observations: list[Observe]
    learn_after_each: bool = False
    learn_at_end: bool = False
    clear_stm_between: bool = False
    include_predictions: bool = False

    MAY_BE_ABSENT: ClassVar[bool] = False
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "required": ["observations"],
        "properties": {
            "observations": {
                "type": "array",
                "maxItems": 10_000,
                "items": {"type": "object", "properties": _OBSERVE_PROPERTIES},
                "description": "Each as for observe; all are taken in, or none.",
            },
            **{
                name: {"type": "boolean", "default": False, "description": about}
                for name, about in (
                    ("learn_after_each", "Learn after every item."),
                    ("learn_at_end", "Learn what the short-term memory holds after the last item."),
                    ("clear_stm_between", "Empty the short-term memory before every item."),
                    ("include_predictions", "Add `final_predictions` to the answer."),
                )
            },
        },
        "example": {"observations": [{"strings": ["a"]}, {"strings": ["b"]}], "learn_at_end": True},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        given = reader.mapping(("body",), value)
        flags = ("learn_after_each", "learn_at_end", "clear_stm_between", "include_predictions")
        note_unknown(reader, ("body",), given, ("observations", *flags))
        loc = ("body", "observations")
        if "observations" not in given:
            if type(value) is dict:
                reader.wrong(loc, "missing", "is required", None)
            return cls([])
        items = reader.listed(loc, given["observations"])
        limit = reader.limits.max_sequence
        if len(items) > limit:
            raise PayloadTooLarge("observations", limit, len(items), "KATO_MAX_SEQUENCE")
        for position, item in enumerate(items):
            if type(item) is dict:
                Observe._check_counts(item, reader.limits, (*loc, position))
        return cls(
            [Observe._read(item, reader, (*loc, position)) for position, item in enumerate(items)],
            *(reader.boolean(("body", name), given.get(name, False)) for name in flags),
        )


@dataclass(slots=True)
class EditPattern:
    """PATCH /pattern/{id}."""

    frequency: int | None = None
    emotives: list[dict[str, float]] | None = None
    metadata: dict[str, Any] | None = None

    MAY_BE_ABSENT: ClassVar[bool] = False
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "minProperties": 1,
        "properties": {
            "frequency": {
                "type": "integer",
                "minimum": 1,
                "maximum": 2**53,
                "description": "How often it shall count as learned.",
            },
            "emotives": {
                "type": "array",
                "description": "The dictionaries it shall hold, oldest first.",
                "maxItems": 100,
                "items": {"type": "object", "additionalProperties": {"type": "number"}},
            },
            "metadata": {"type": "object", "description": "The metadata it shall hold."},
        },
        "example": {"frequency": 3},
    }

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        given = reader.mapping(("body",), value)
        fixed = ("name", "pattern_name", "data", "pattern_data", "length")
        for name in fixed:
            if name in given:
                message = "cannot be changed; a pattern's events are its identity"
                reader.wrong(("body", name), "immutable", message, given[name])
        note_unknown(reader, ("body",), given, ("frequency", "emotives", "metadata", *fixed))
        if type(value) is dict and not given.keys() & {"frequency", "emotives", "metadata"}:
            reader.wrong(("body",), "missing", "must give frequency, emotives or metadata", given)
        edit = cls()
        if "frequency" in given:
            edit.frequency = reader.integer(("body", "frequency"), given["frequency"], 1, 2**53)
        if "emotives" in given:
            items = reader.listed(("body", "emotives"), given["emotives"])
            if len(items) > 100:
                reader.wrong(("body", "emotives"), "too_long", f"may have at most 100 entries, got {len(items)}", "")
            edit.emotives = [
                reader.emotives(("body", "emotives", position), item) for position, item in enumerate(items[:100])
            ]
        if "metadata" in given:
            edit.metadata = reader.metadata(("body", "metadata"), given["metadata"])
        return edit


@dataclass(slots=True)
class NoBody:
    """A body nobody asked for: an object whose members are named and ignored."""

    MAY_BE_ABSENT: ClassVar[bool] = True
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "object"}

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON."""
        note_unknown(reader, ("body",), reader.mapping(("body",), value), ())
        return cls()
