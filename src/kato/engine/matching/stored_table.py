"""A table as it lies in a file: values one after another, each made when it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np

T = TypeVar("T")
_BREATH = 500
"""Values written between two moments in which other threads may go on: some hundred microseconds."""


def breaths() -> Iterator[None]:
    """Between two of them other threads may go on: what is long and in Python would keep them waiting otherwise."""
    while True:
        yield
        time.sleep(0)  # gives up the interpreter's lock; without it others would wait a whole switch interval


def pack(values: Iterable[bytes]) -> tuple[bytes, bytes]:
    """
    Values by position as (where each ends, all of them); b"" stands for none.

    It may take long, and others are not kept waiting for it.
    """
    ends, content, breath = [], bytearray(), breaths()
    for position, value in enumerate(values):
        content += value
        ends.append(len(content))
        if position % _BREATH == 0:
            next(breath)
    return np.array(ends, dtype="<u8").tobytes(), bytes(content)


class StoredTable(Generic[T]):
    """
    Positions to values.

    Args:
        ends, content: As `pack` made them.
        decode: Makes a value of its bytes.
    """

    def __init__(self, ends: bytes, content: bytes, decode: Callable[[bytes], T]) -> None:
        self._ends = np.frombuffer(ends, dtype="<u8")
        self._content = content
        self._decode = decode

    def __len__(self) -> int:
        return len(self._ends)

    def raw(self, position: int) -> bytes:
        """The bytes of a value; b"" for none."""
        if position >= len(self._ends):
            return b""
        start = int(self._ends[position - 1]) if position else 0
        return self._content[start : int(self._ends[position])]

    def get(self, position: int) -> T | None:
        """A value, or None."""
        found = self.raw(position)
        return self._decode(found) if found else None

    def items(self) -> Iterator[tuple[int, T]]:
        """Positions and values, ascending."""
        for position in range(len(self)):
            found = self.raw(position)
            if found:
                yield position, self._decode(found)

    @property
    def size_bytes(self) -> int:
        """Bytes in memory."""
        return len(self._content) + self._ends.nbytes


NOTHING_STORED: StoredTable[Any] = StoredTable(b"", b"", lambda content: content)
