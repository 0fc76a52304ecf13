"""An alignment token by token, as a person reads it: what stands for what, what is missing, what is extra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kato.engine.alignment import Block
from kato.engine.event import Event, Symbol

Kind = Literal["past", "match", "fuzzy", "missing", "extra", "future"]


@dataclass(frozen=True, slots=True)
class AlignedToken:
    """
    One token of the pattern, of the memory, or of both.

    Positions are flat, over the symbols of all events; events are counted too, both from 0.
    """

    kind: Kind
    memory_position: int | None = None
    memory_event: int | None = None
    pattern_position: int | None = None
    pattern_event: int | None = None
    observed: Symbol | None = None
    expected: Symbol | None = None
    likeness: float | None = None
    """Of observed and expected, where both are there; 1 for the same symbol."""


def token_alignment(
    pattern: Sequence[Event], memory: Sequence[Event], blocks: Sequence[Block], likeness: Mapping[int, float]
) -> tuple[AlignedToken, ...]:
    """
    Every token of both, each once, in reading order; what is extra stands behind what is missing at the same place.

    Args:
        blocks: Between the flat sequences, in order; none: all of the pattern is present, and missing.
        likeness: At positions of the memory read as another token of the pattern: how alike the two are.
    """
    expected, observed = _flat(pattern), _flat(memory)
    begin, end = 0, len(pattern)
    if blocks:
        begin = expected[blocks[0].pattern_start][0]
        end = expected[blocks[-1].pattern_start + blocks[-1].length - 1][0] + 1
    found: list[AlignedToken] = []
    at_pattern = at_memory = 0
    for block in (*blocks, Block(len(expected), len(observed), 0)):
        gap = [_unmatched(place, *expected[place], begin, end) for place in range(at_pattern, block.pattern_start)]
        found += (token for token in gap if token.kind != "future")
        for place in range(at_memory, block.memory_start):
            event, symbol = observed[place]
            found.append(AlignedToken("extra", place, event, observed=symbol))
        found += (token for token in gap if token.kind == "future")
        for step in range(block.length):
            here, there = block.memory_start + step, block.pattern_start + step
            kind: Kind = "fuzzy" if here in likeness else "match"
            (event, symbol), (due_event, due) = observed[here], expected[there]
            found.append(AlignedToken(kind, here, event, there, due_event, symbol, due, likeness.get(here, 1.0)))
        at_pattern, at_memory = block.pattern_start + block.length, block.memory_start + block.length
    return tuple(found)


def _flat(events: Sequence[Event]) -> list[tuple[int, Symbol]]:
    """Each symbol with the index of its event."""
    return [(index, symbol) for index, event in enumerate(events) for symbol in event]


def _unmatched(place: int, event: int, symbol: Symbol, begin: int, end: int) -> AlignedToken:
    kind: Kind = "past" if event < begin else "future" if event >= end else "missing"
    return AlignedToken(kind, pattern_position=place, pattern_event=event, expected=symbol)
