"""
Finding the patterns that match: the definition, and faster ways to the same answer.

`plain.py` is the definition, and the judge of anything faster.
"""

from __future__ import annotations

import importlib.util

from kato.engine.knowledge import Knowledge
from kato.engine.matching.plain import PlainKnowledge
from kato.errors import InvalidSettings


def native_knowledge() -> type[Knowledge] | None:
    """The native engine, or None where no kernel was built."""
    if importlib.util.find_spec("kato.engine.matching._kernel") is None:
        return None
    # Imported only where it is used: a client needs neither it nor numpy.
    from kato.engine.matching.index import NativeKnowledge

    return NativeKnowledge


def choose(engine: str | None) -> type[Knowledge]:
    """
    The engine of that name: "plain", "native", or None for the best there is.

    Raises:
        InvalidSettings: There is none of that name, or the native one was not built.
    """
    if engine not in {None, "plain", "native"}:
        raise InvalidSettings({"KATO_ENGINE": f"must be plain or native, got {engine}"})
    if engine == "plain":
        return PlainKnowledge  # without a look at the kernel, which may be the very thing that is broken
    native = native_knowledge()
    if engine == "native" and native is None:
        raise InvalidSettings({"KATO_ENGINE": "must be plain, because this build has no native kernel, got native"})
    return native or PlainKnowledge
