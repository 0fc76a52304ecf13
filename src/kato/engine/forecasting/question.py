"""What a forecast is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kato.engine.event import Event, Symbol

WINDOW = 8
"""Events of the memory that are looked at, at most: what lies further back changed no forecast on the sets we measured."""
MOST_SYMBOLS = 64
"""Symbols of the memory that are looked at, at most, so that wide events cannot make a question dear."""
LONGEST_HORIZON = 100
"""Events ahead that can be asked about."""
LAST = 0
"""The horizon that asks for a sequence's last event, wherever it is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of question; which ways of voting work is found out for each kind apart."""

    horizon: int = 1
    """Events ahead: right is what any of them holds. 1 is the next event, LAST the sequence's last one."""
    ending: bool = False
    """Whether the sequence ends with those events, as the asker knows."""
    window: int = WINDOW
    """Newest events looked at, 1 to WINDOW."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the memory: as it is, and its symbols once each in their order."""

    event: Event
    symbols: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A memory and what is asked about it."""

    steps: tuple[Step, ...]
    """Newest first."""
    horizon: int = 1
    left_out: tuple[Event, ...] | None = None
    """A pattern of which one learning counts as not learned."""
    before: int | None = None
    """Only patterns vote whose place, in the order first learned, is below this one."""

    @property
    def closing(self) -> int:
        """A pattern's last so many events are its end."""
        return closing(self.horizon)


def closing(horizon: int) -> int:
    """How many events are the end of a sequence."""
    return max(1, horizon)


def ahead(events: Sequence[Event], position: int, horizon: int) -> Sequence[Event]:
    """What comes within a horizon, of the events from a position on."""
    return events[position:][-1:] if horizon == LAST else events[position : position + horizon]


def ask(
    events: Sequence[Event], kind: Kind, left_out: tuple[Event, ...] | None = None, before: int | None = None
) -> Question:
    """
    The question about a memory, oldest event first.

    The newest events count: at most the kind's window, and no more than MOST_SYMBOLS symbols together (of a single wider
    event, the first so many).
    """
    steps: list[Step] = []
    room = MOST_SYMBOLS
    for event in reversed(events[-kind.window :]):
        symbols = tuple(dict.fromkeys(event))
        if steps and len(symbols) > room:
            break
        steps.append(Step(event, symbols[:room]))
        room -= len(symbols)
    return Question(tuple(steps), kind.horizon, left_out, before)


def present(question: Question) -> frozenset[Symbol]:
    """The symbols of the memory that are looked at."""
    return frozenset(symbol for step in question.steps for symbol in step.symbols)
