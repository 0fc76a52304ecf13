"""
JSON bytes to values, at a cost that follows their length whatever they hold.

Integers keep every digit, and of a name given twice the last counts. A float beyond the range of a double becomes infinite
here; whether that is a wrong member or an invalid vector is for the reader of the shape to say.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import from_json

from kato.errors import InvalidInput, LimitExceeded, MalformedJSON
from kato.wire.limits import Limits

BLANK = b" \t\r\n"
"""What JSON calls white space; other controls are not."""
MOST_NESTED = 200
"""Levels the parser goes down; what may be nested deepest is limited far below."""
_HALF_PAIR = {"unexpected end of hex escape", "lone leading surrogate in hex escape"}
"""What the parser says of an escaped surrogate without its other half."""
_CONSTANT = re.compile(rb"NaN|Infinity")
# Possessive: a string of many megabytes must not leave a trail of places to come back to.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def parse(body: bytes, limits: Limits) -> Any:
    """
    The value that JSON bytes stand for.

    Raises:
        MalformedJSON: Not JSON in UTF-8; NaN and Infinity are not JSON.
        LimitExceeded: Nested deeper than anything may be.
        InvalidInput: An integer has more digits than the parser takes.
    """
    try:
        value = from_json(body, allow_inf_nan=True, cache_strings="none")
    except ValueError as error:
        reason = str(error).split(" at line")[0]
        if reason == "recursion limit exceeded":
            raise _too_deep(limits) from None
        if reason == "number out of range":
            raise _too_many_digits() from None
        if reason in _HALF_PAIR:
            reason = "an escape from \\ud800 to \\udfff is a lone surrogate, which is not text"
        raise _malformed(f"is not JSON in UTF-8: {reason}") from error
    if (b"NaN" in body or b"Infinity" in body) and _CONSTANT.search(_STRING.sub(b'""', body)):
        raise _malformed("is not JSON: NaN and Infinity are not numbers")
    return value


def _malformed(message: str) -> MalformedJSON:
    return MalformedJSON([{"type": "json_invalid", "loc": ["body"], "msg": message, "input": ""}])


def _too_many_digits() -> InvalidInput:
    message = "holds an integer of thousands of digits; no number may have that many"
    return InvalidInput([{"type": "finite_number", "loc": ["body"], "msg": message, "input": ""}])


def _too_deep(limits: Limits) -> LimitExceeded:
    most = limits.max_metadata_depth
    message = f"is nested more than {MOST_NESTED} deep; metadata may be {most}, set by KATO_MAX_METADATA_DEPTH"
    context = {"limit": most, "actual": None, "setting": "KATO_MAX_METADATA_DEPTH"}
    return LimitExceeded([{"type": "limit", "loc": ["body"], "msg": message, "input": "", "ctx": context}])
