"""
Finding the patterns that match: the definition, and faster ways to the same answer.

`plain.py` is the definition. Where a native kernel was built it gives the same predictions, bit for bit.
"""

from __future__ import annotations

from kato.engine.knowledge import Knowledge
from kato.engine.matching.plain import PlainKnowledge
from kato.errors import InvalidSettings


def native_knowledge() -> type[Knowledge] | None:
    """The native engine, or None where its kernel was not built."""
    try:
        from kato.engine.matching.index import NativeKnowledge
    except ImportError:
        return None
    return NativeKnowledge


def choose(engine: str | None) -> type[Knowledge]:
    """
    The engine of that name: "plain", "native", or None for the native one if it was built.

    Raises:
        InvalidSettings: There is none of that name, or the native one was not built.
    """
    if engine == "plain":
        return PlainKnowledge
    if engine not in {None, "native"}:
        raise InvalidSettings({"KATO_ENGINE": f"must be plain or native, got {engine}"})
    native = native_knowledge()
    if native is None and engine == "native":
        raise InvalidSettings(
            {"KATO_ENGINE": "must be plain, because the native kernel was not built, got native"}
        )
    return native or PlainKnowledge
