"""
Finding the patterns that match: the definition, and faster ways to the same answer.

`plain.py` is the definition, and the judge of anything faster.
"""

from __future__ import annotations

import importlib.util
import threading
from typing import Protocol

from kato.engine.event import Event
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


SequenceRead = tuple[tuple[Event, ...], str, str, int]
"""A sequence to learn: its events, the name that follows from them, themselves as compact JSON, how many symbols they hold."""

_thread = threading.local()
"""`reader`: what the reader of this thread was made with, and itself."""


class SequenceReader(Protocol):
    """Reads JSON straight into sequences. What is not plainly one is None: others know what it says, or what is wrong with it."""

    def sequence(self, body: bytes) -> SequenceRead | None:
        """A list of events, each a list of symbols."""
        ...

    def sequences(self, body: bytes) -> list[SequenceRead] | None:
        """An object of nothing but `sequences`, a list of those."""
        ...


def sequence_reader(
    engine: str, *, sort_symbols: bool, symbol_bytes: int, symbols: int, events: int, sequences: int
) -> SequenceReader | None:
    """
    This thread's reader, which is kept: it reads symbols that it met before in half the time. None with the plain engine,
    which has none.

    Args:
        sort_symbols: As for `make_events`.
        symbol_bytes, symbols, events, sequences: Bytes of one symbol in UTF-8, symbols of one event, events of one sequence and
            sequences of one body that may be at most.
    """
    if engine == "plain":
        return None
    wanted = (sort_symbols, symbol_bytes, symbols, events, sequences)
    made, reader = getattr(_thread, "reader", (None, None))
    if made != wanted:
        from kato.engine.matching import _kernel

        reader = _kernel.SequenceReader(*wanted)
        _thread.reader = wanted, reader
    return reader
