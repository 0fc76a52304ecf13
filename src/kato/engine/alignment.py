"""
How a pattern lies on a memory: past, present and future, what matches, what is missing, what is extra.

Works on flat sequences (events concatenated) and goes by position: a token observed once where two are expected leaves
one missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from kato.engine.event import Event, Symbol


@dataclass(frozen=True, slots=True)
class Block:
    """An unbroken run of matches: where it starts in the flat pattern and in the flat memory, and its length ≥ 1."""

    pattern_start: int
    memory_start: int
    length: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a pattern lies on a memory."""

    blocks: tuple[Block, ...]
    """In order of both sequences."""
    matches: tuple[Symbol, ...]
    """The memory's tokens in the blocks, as observed, in order."""
    past: tuple[Event, ...]
    present: tuple[Event, ...]
    future: tuple[Event, ...]
    missing: tuple[tuple[Symbol, ...], ...]
    """One per present event: its tokens that no block covers."""
    extras: tuple[tuple[Symbol, ...], ...]
    """One per event of the memory: its tokens that no block covers."""

    @property
    def extra_count(self) -> int:
        """Tokens of the memory that no block covers."""
        return sum(map(len, self.extras))


def flat(events: Sequence[Event]) -> tuple[Symbol, ...]:
    """
    The events' symbols in one row.

    >>> flat([("a", "b"), ("c",)])
    ('a', 'b', 'c')
    """
    return tuple(symbol for event in events for symbol in event)


def matching_blocks(pattern: Sequence[Symbol], memory: Sequence[Symbol]) -> tuple[Block, ...]:
    """
    Ratcliff–Obershelp: the longest common run, then the same left and right of it.

    Ties go to the smallest start in the pattern, then in the memory; blocks adjacent in both are one. No token is junk.

    >>> matching_blocks("abcd", "acd")
    (Block(pattern_start=0, memory_start=0, length=1), Block(pattern_start=2, memory_start=1, length=2))
    """
    found = SequenceMatcher(None, pattern, memory, autojunk=False).get_matching_blocks()
    return tuple(Block(block.a, block.b, block.size) for block in found if block.size)


def align(events: Sequence[Event], memory: Sequence[Event], blocks: Sequence[Block]) -> Alignment:
    """
    The alignment that blocks describe.

    Args:
        events: The pattern's.
        memory: The memory's events as observed.
        blocks: Between their flat sequences; none means that nothing aligned, and then all of the pattern is present.
    """
    in_pattern: set[int] = set()
    in_memory: set[int] = set()
    for block in blocks:
        in_pattern.update(range(block.pattern_start, block.pattern_start + block.length))
        in_memory.update(range(block.memory_start, block.memory_start + block.length))
    observed = flat(memory)
    matches = tuple(observed[position] for position in sorted(in_memory))
    if blocks:
        first = _event_at(events, blocks[0].pattern_start)
        last = _event_at(events, blocks[-1].pattern_start + blocks[-1].length - 1)
    else:
        first, last = 0, len(events) - 1
    start = sum(map(len, events[:first]))
    present = tuple(events[first : last + 1])
    return Alignment(
        blocks=tuple(blocks),
        matches=matches,
        past=tuple(events[:first]),
        present=present,
        future=tuple(events[last + 1 :]),
        missing=_uncovered(present, start, in_pattern),
        extras=_uncovered(memory, 0, in_memory),
    )


def _event_at(events: Sequence[Event], position: int) -> int:
    """The index of the event that holds a flat position."""
    for index, event in enumerate(events):
        if position < len(event):
            return index
        position -= len(event)
    raise IndexError(position)  # pragma: no cover - a block never reaches beyond the pattern


def _uncovered(events: Sequence[Event], start: int, covered: set[int]) -> tuple[tuple[Symbol, ...], ...]:
    rows = []
    for event in events:
        rows.append(tuple(symbol for offset, symbol in enumerate(event) if start + offset not in covered))
        start += len(event)
    return tuple(rows)
