"""
Strict reading of what arrives: JSON bodies and query parameters.

No coercion: a string is not a number, a boolean is not a number, 5.0 is not an integer. What is unknown does not fail the
request but is named in a warning; what is wrong is refused with the place and the reason, and nothing happens.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Protocol, Self, TypeVar

from kato.errors import InvalidInput, LimitExceeded
from kato.wire.limits import Limits
from kato.wire.parsing import BLANK, parse

_SHOWN = 200
_MOST_PROBLEMS = 100
"""Problems named in one refusal. A body may hold millions; a hundred say enough, and an answer must stay small."""
_MOST_WARNINGS = 1000
"""Unknown members named in one answer; beyond that, how many more there were."""
_SURROGATES = re.compile("[\ud800-\udfff]")
_LIST = frozenset({list})
_FLOAT = frozenset({float})
_SKETCH = reprlib.Repr()  # of a list or object, whose whole text may be as long as the body
_SKETCH.maxlevel, _SKETCH.maxlist, _SKETCH.maxdict, _SKETCH.maxstring, _SKETCH.maxlong = 4, 50, 50, _SHOWN, _SHOWN


def shown(value: Any) -> Any:
    """A refused value, cut to 200 characters."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, (bool, int, float)) or value is None:
        text = repr(value)
        return value if len(text) <= _SHOWN else text[:_SHOWN]
    text = value if isinstance(value, str) else _SKETCH.repr(value)
    return _SURROGATES.sub("?", text[:_SHOWN])


def problem(loc: Sequence[str | int], kind: str, message: str, value: Any, **context: Any) -> dict[str, Any]:
    """One entry of a 422 answer."""
    entry: dict[str, Any] = {"type": kind, "loc": list(loc), "msg": message, "input": shown(value)}
    if context:
        entry["ctx"] = context
    return entry


class Reader:
    """Reads members of one body, gathering what is wrong and what should be said."""

    __slots__ = ("beyond", "limits", "problems", "unnamed", "warnings")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.problems: list[dict[str, Any]] = []
        self.beyond: list[dict[str, Any]] = []
        self.warnings: list[str] = []
        self.unnamed = 0

    def wrong(self, loc: Sequence[str | int], kind: str, message: str, value: Any) -> None:
        """Note a member with a wrong type or value."""
        self.problems.append(problem(loc, kind, message, value))
        self._stop_at_enough()

    def too_much(
        self, loc: Sequence[str | int], message: str, value: Any, limit: int, actual: int, setting: str
    ) -> None:
        """Note a single value beyond its limit."""
        self.beyond.append(problem(loc, "limit", message, value, limit=limit, actual=actual, setting=setting))
        self._stop_at_enough()

    def _stop_at_enough(self) -> None:
        if len(self.problems) + len(self.beyond) >= _MOST_PROBLEMS:
            self.finish()

    def unknown(self, loc: Sequence[str | int], name: str) -> None:
        """Say that a member was ignored."""
        if len(self.warnings) >= _MOST_WARNINGS:
            self.unnamed += 1
            return
        self.warnings.append(f"unknown key '{path_text([*loc[1:], name])}' was ignored")

    def finish(self) -> None:
        """
        Refuse the body if anything was wrong with it.

        Raises:
            InvalidInput, LimitExceeded: The problems found, at most a hundred; the latter only where all are about limits.
        """
        if self.problems:
            raise InvalidInput([*self.problems, *self.beyond])
        if self.beyond:
            raise LimitExceeded(self.beyond)
        if self.unnamed:
            self.warnings.append(f"{self.unnamed} more unknown keys were ignored")
            self.unnamed = 0

    # --- values ---

    def text(self, loc: Sequence[str | int], value: Any) -> str:
        """A string without lone surrogates."""
        if type(value) is not str:
            self.wrong(loc, "string_type", "must be a string", value)
            return ""
        if not value.isascii() and _SURROGATES.search(value):
            self.wrong(loc, "surrogate", "must not hold a lone surrogate; it is not text", value)
            return ""
        return value

    def symbol(self, loc: Sequence[str | int], value: Any) -> str:
        """A string of at most as many bytes as a symbol may have."""
        text = self.text(loc, value)
        most = self.limits.max_symbol_bytes
        if len(text) * 4 > most and (size := len(text.encode())) > most:
            message = f"may have at most {most} bytes in UTF-8, got {size}; the limit is set by KATO_MAX_SYMBOL_BYTES"
            self.too_much(loc, message, text, most, size, "KATO_MAX_SYMBOL_BYTES")
        return text

    def symbols(self, loc: Sequence[str | int], value: Any) -> list[str]:
        """A list of symbols."""
        if type(value) is list and self._are_sound_symbols(value):
            return value
        return [self.symbol((*loc, place), each) for place, each in enumerate(self.listed(loc, value))]

    def events(self, loc: Sequence[str | int], value: Any) -> list[list[str]]:
        """A list of events, each a list of symbols."""
        if self._are_sound(value):
            return value  # type: ignore[no-any-return]  # what it holds has just been looked at
        return [
            [
                self.symbol((*loc, index, position), each)
                for position, each in enumerate(self.listed((*loc, index), event))
            ]
            for index, event in enumerate(self.listed(loc, value))
        ]

    def _are_sound(self, value: Any) -> bool:
        """Whether `events` has nothing to say of them; looks at all symbols together, as there may be millions."""
        if type(value) is not list or not _LIST.issuperset(map(type, value)):
            return False
        return self._are_sound_symbols(list(chain.from_iterable(value)))

    def _are_sound_symbols(self, symbols: list[Any]) -> bool:
        """Whether all are text and short enough, as one look at all of them together tells; False where it takes a closer one."""
        try:
            text = "".join(symbols)
        except TypeError:
            return False
        most = self.limits.max_symbol_bytes
        if len(text) * 4 > most and max(map(len, symbols), default=0) * 4 > most:
            return False
        return text.isascii() or not _SURROGATES.search(text)

    def boolean(self, loc: Sequence[str | int], value: Any) -> bool:
        """True or false."""
        if type(value) is not bool:
            self.wrong(loc, "bool_type", "must be true or false", value)
            return False
        return value

    def number(self, loc: Sequence[str | int], value: Any) -> float:
        """A finite number."""
        if type(value) is int:
            try:
                float(value)
            except OverflowError:
                self.wrong(loc, "finite_number", "must be a finite number", value)
                return 0.0
            return value
        if type(value) is not float:
            self.wrong(loc, "number_type", "must be a number", value)
            return 0.0
        if not math.isfinite(value):
            self.wrong(loc, "finite_number", "must be a finite number", value)
            return 0.0
        return value

    def integer(self, loc: Sequence[str | int], value: Any, low: int, high: int | None = None) -> int:
        """An integer from `low` to `high`."""
        rule = (
            f"must be an integer from {low} to {high}" if high is not None else f"must be an integer of at least {low}"
        )
        if type(value) is not int or value < low or (high is not None and value > high):
            self.wrong(loc, "integer", rule, value)
            return low
        return value

    def listed(self, loc: Sequence[str | int], value: Any) -> list[Any]:
        """A list."""
        if type(value) is not list:
            self.wrong(loc, "list_type", "must be a list", value)
            return []
        return value

    def mapping(self, loc: Sequence[str | int], value: Any) -> dict[str, Any]:
        """An object."""
        if type(value) is not dict:
            self.wrong(loc, "object_type", "must be an object", value)
            return {}
        return value

    def metadata(self, loc: Sequence[str | int], value: Any) -> dict[str, Any]:
        """An object of any JSON: finite numbers, text, nested at most as deep as metadata may be."""
        found = self.mapping(loc, value)
        deepest = self._check_json(loc, found, 1)
        most = self.limits.max_metadata_depth
        if deepest > most:
            message = f"may be nested at most {most} deep, got {deepest}; the limit is set by KATO_MAX_METADATA_DEPTH"
            self.too_much(loc, message, "", most, deepest, "KATO_MAX_METADATA_DEPTH")
        return found

    def _check_json(self, loc: Sequence[str | int], value: Any, depth: int) -> int:
        """The nesting of a JSON value, containers counted; bounded by what `parse` lets through."""
        deepest = depth if isinstance(value, (dict, list)) else depth - 1
        if type(value) is dict:
            for key, member in value.items():
                self.text((*loc, shown(key)), key)
                deepest = max(deepest, self._check_json((*loc, shown(key)), member, depth + 1))
        elif type(value) is list:
            for position, member in enumerate(value):
                deepest = max(deepest, self._check_json((*loc, position), member, depth + 1))
        elif type(value) is str:
            self.text(loc, value)
        elif type(value) is float:
            self.number(loc, value)
        return deepest

    def emotives(self, loc: Sequence[str | int], value: Any) -> dict[str, float]:
        """An object of finite numbers under symbols."""
        given, found = self.mapping(loc, value), {}
        amounts = given.values()
        # Where the sum is finite, each is; the rest is looked at one by one.
        if _FLOAT.issuperset(map(type, amounts)) and math.isfinite(sum(amounts)) and self._are_sound_symbols([*given]):
            return given
        for name, amount in given.items():
            self.symbol((*loc, shown(name)), name)
            found[name] = self.number((*loc, shown(name)), amount)
        return found


def path_text(parts: Sequence[str | int]) -> str:
    """
    Where something is, as people write it.

    >>> path_text(["observations", 3, "foo"])
    'observations[3].foo'
    """
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return _SURROGATES.sub("?", text[:300])


class Shape(Protocol):
    """A request body: how it is read, and what it looks like as JSON Schema."""

    SCHEMA: ClassVar[dict[str, Any]]
    MAY_BE_ABSENT: ClassVar[bool]
    """Whether no body at all means the same as `{}`."""

    @classmethod
    def read(cls, value: Any, reader: Reader) -> Self:
        """The body from decoded JSON; what is wrong is noted in the reader."""
        ...


ShapeT = TypeVar("ShapeT", bound=Shape)


def read_body(shape: type[ShapeT], body: bytes, limits: Limits) -> tuple[ShapeT, list[str]]:
    """
    A request body in its shape, and warnings about what was ignored.

    Raises:
        InvalidInput: The body is required and absent.
        MalformedJSON, InvalidInput, LimitExceeded: As `parse` and `Reader`; PayloadTooLarge for a count beyond its limit.
    """
    reader = Reader(limits)
    if body.strip(BLANK):
        value = parse(body, limits)
    elif shape.MAY_BE_ABSENT:
        value = {}
    else:
        raise InvalidInput([problem(("body",), "missing", "is required; {} is an empty one", None)])
    found = shape.read(value, reader)
    reader.finish()
    return found, reader.warnings


# --- query parameters -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. `kind`: string, integer, number or boolean."""

    name: str
    kind: str
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    repeatable: bool = False
    description: str = ""


_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")


def read_query(parameters: Sequence[Parameter], query: Sequence[tuple[str, str]]) -> tuple[dict[str, Any], list[str]]:
    """
    The values of the parameters, defaults filled in, and warnings about unknown ones.

    Raises:
        InvalidInput: A value is wrong, or a parameter is given twice that may be given once.
    """
    values = {parameter.name: parameter.default for parameter in parameters}
    if not query:
        return values, []
    known = {parameter.name: parameter for parameter in parameters}
    problems: list[dict[str, Any]] = []
    warnings: list[str] = []
    given: dict[str, list[Any]] = {}
    for name, text in query:
        parameter = known.get(name)
        if parameter is None:
            warnings.append(f"unknown query parameter '{shown(name)}' was ignored")
            continue
        value, message = _parameter_value(parameter, text)
        if message:
            problems.append(problem(("query", name), f"{parameter.kind}_parsing", message, text))
        given.setdefault(name, []).append(value)
    for name, found in given.items():
        if known[name].repeatable:
            values[name] = tuple(found)
        elif len(found) > 1:
            problems.append(problem(("query", name), "repeated", "may be given once", f"{len(found)} times"))
        else:
            values[name] = found[0]
    if problems:
        raise InvalidInput(problems)
    return values, list(dict.fromkeys(warnings))


def _parameter_value(parameter: Parameter, text: str) -> tuple[Any, str]:
    """(the value, what is wrong with it or "")."""
    low, high = parameter.minimum, parameter.maximum
    between = f" from {low:g} to {high:g}" if low is not None and high is not None else ""
    if _SURROGATES.search(text):
        return None, "is not UTF-8"
    if parameter.kind == "boolean":
        return text == "true", "" if text in {"true", "false"} else "must be true or false"
    if parameter.kind == "integer":
        value: float = int(text) if _INTEGER.fullmatch(text) else 0
        fits = _INTEGER.fullmatch(text) and (low is None or value >= low) and (high is None or value <= high)
        return value, "" if fits else f"must be an integer{between}"
    if parameter.kind == "number":
        value = float(text) if _NUMBER.fullmatch(text) else 0.0
        fits = _NUMBER.fullmatch(text) and (low is None or value >= low) and (high is None or value <= high)
        return value, "" if fits else f"must be a number{between}"
    if parameter.choices and text not in parameter.choices:
        return text, "must be one of " + ", ".join(parameter.choices)
    return text, ""
