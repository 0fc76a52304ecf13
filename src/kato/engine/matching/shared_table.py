"""A table that many readers share while one writer goes on changing it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
_CHUNK = 256


class SharedTable(Generic[T]):
    """
    Whole numbers to values, in chunks. `share` hands out the present state; the first change to a chunk after that copies it,
    so what was handed out never changes.
    """

    def __init__(self) -> None:
        self._chunks: list[dict[int, T]] = []
        self._own: set[int] = set()
        """Chunks made since the last sharing; the others may be in somebody's hands."""

    def get(self, key: int) -> T | None:
        """The value of a key, or None."""
        chunk = key // _CHUNK
        return self._chunks[chunk].get(key) if chunk < len(self._chunks) else None

    def set(self, key: int, value: T | None) -> None:
        """Give a key a value; None takes the key out."""
        chunk = key // _CHUNK
        while chunk >= len(self._chunks):
            self._chunks.append({})
        if chunk not in self._own:
            self._own.add(chunk)
            self._chunks[chunk] = dict(self._chunks[chunk])
        if value is None:
            self._chunks[chunk].pop(key, None)
        else:
            self._chunks[chunk][key] = value

    def share(self) -> SharedView[T]:
        """The present state."""
        self._own.clear()
        return SharedView(list(self._chunks))


class SharedView(Generic[T]):
    """One state of a table."""

    def __init__(self, chunks: list[dict[int, T]]) -> None:
        self._chunks = chunks

    def __bool__(self) -> bool:
        return any(self._chunks)

    def get(self, key: int) -> T | None:
        """The value of a key, or None."""
        chunk = key // _CHUNK
        return self._chunks[chunk].get(key) if chunk < len(self._chunks) else None

    def items(self) -> Iterator[tuple[int, T]]:
        """Keys and values, chunk by chunk."""
        for chunk in self._chunks:
            yield from chunk.items()
