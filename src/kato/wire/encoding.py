"""Values to JSON bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import orjson


class Written:
    """A part of an answer that is JSON already. No dataclass, as the encoder would write it as an object of its fields."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text


def encode_body(body: Any) -> bytes:
    """
    A request body as JSON, exactly: what JSON cannot say is written so that the reader refuses it.

    orjson writes NaN as null, so bytes that hold a null are written again by the standard library, which writes NaN; and
    so is what orjson refuses (integers beyond 64 bits, lone surrogates).
    """
    try:
        encoded = orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return json.dumps(body).encode()
    return json.dumps(body).encode() if b"null" in encoded else encoded


def encode_answer(answer: Mapping[str, Any]) -> bytes:
    """An answer as JSON; tuples as lists, integers of any size, what is not finite as null."""
    try:
        return orjson.dumps(answer, default=_as_it_is)
    except TypeError:
        text = json.dumps(_finite(answer), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode("utf-8", "replace")


def written_list(parts: Iterable[Mapping[str, Any]]) -> Written:
    """A list in an answer as JSON; one part is encoded after another, so that other threads get on meanwhile."""
    return Written(b"[" + b",".join(map(encode_answer, parts)) + b"]")


def _as_it_is(value: Any) -> orjson.Fragment:
    if isinstance(value, Written):
        return orjson.Fragment(value.text)
    raise TypeError


def _finite(value: Any) -> Any:
    """The value with null for what JSON has no number for, as orjson writes it, and without what is written already."""
    if isinstance(value, Written):
        return json.loads(value.text)
    if isinstance(value, Mapping):
        return {name: _finite(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(member) for member in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as a client would have received it: lists for tuples, and nothing shared with who made it."""
    result: dict[str, Any] = json.loads(encode_answer(answer))
    return result
