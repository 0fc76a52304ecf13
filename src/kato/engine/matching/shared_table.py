"""A table that many readers share while one writer goes on changing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from sys import getsizeof
from typing import Final, Generic, TypeVar

from kato.engine.matching.stored_table import NOTHING_STORED, StoredTable, pack

T = TypeVar("T")
_CHUNK = 256
_SAMPLED = 20


class _Gone:
    """Stands where a stored value has been taken out."""


_GONE: Final = _Gone()
_Chunks = list[dict[int, T | _Gone]]


class SharedTable(Generic[T]):
    """
    Whole numbers to values, in chunks. `share` hands out the present state; the first change to a chunk after that copies it,
    so what was handed out never changes.

    Args:
        stored: What a file had; it is read when it is asked for.
    """

    def __init__(self, stored: StoredTable[T] | None = None) -> None:
        self._stored = stored
        self._chunks: _Chunks[T] = []
        self._own: set[int] = set()
        """Chunks made since the last sharing; the others may be in somebody's hands."""

    def get(self, key: int) -> T | None:
        """The value of a key, or None."""
        return _get(self._chunks, self._stored, key)

    def set(self, key: int, value: T | None) -> None:
        """Give a key a value; None takes the key out."""
        chunk = key // _CHUNK
        while chunk >= len(self._chunks):
            self._chunks.append({})
        if chunk not in self._own:
            self._own.add(chunk)
            self._chunks[chunk] = dict(self._chunks[chunk])
        if value is not None:
            self._chunks[chunk][key] = value
        elif self._stored is not None and self._stored.raw(key):
            self._chunks[chunk][key] = _GONE
        else:
            self._chunks[chunk].pop(key, None)

    def share(self) -> SharedView[T]:
        """The present state."""
        self._own.clear()
        return SharedView(list(self._chunks), self._stored)

    def fork(self) -> SharedTable[T]:
        """Another table that begins as this one is and goes its own way; chunks that neither changes are held once."""
        made = SharedTable(self._stored)
        self._own.clear()
        made._chunks = list(self._chunks)
        return made

    @property
    def size_bytes(self) -> int:
        """About the bytes of the values: those of a few of them, times all."""
        count = sum(map(len, self._chunks))
        few = [value for chunk in self._chunks if chunk for value in list(chunk.values())[:1]][:_SAMPLED]
        stored = self._stored.size_bytes if self._stored is not None else 0
        return stored + count * sum(map(about_bytes, few)) // max(1, len(few))


class SharedView(Generic[T]):
    """One state of a table."""

    def __init__(self, chunks: _Chunks[T], stored: StoredTable[T] | None) -> None:
        self._chunks = chunks
        self._stored = stored

    def __bool__(self) -> bool:
        return self._stored is not None or any(self._chunks)

    def get(self, key: int) -> T | None:
        """The value of a key, or None."""
        return _get(self._chunks, self._stored, key)

    def items(self) -> Iterator[tuple[int, T]]:
        """Keys and values; those changed since they were stored first."""
        for chunk in self._chunks:
            for key, value in chunk.items():
                if not isinstance(value, _Gone):
                    yield key, value
        if self._stored is not None:
            for key, value in self._stored.items():
                if _in(self._chunks, key) is None:
                    yield key, value

    def packed(self, encode: Callable[[T], bytes]) -> tuple[bytes, bytes]:
        """The state as `StoredTable` reads it; values that came from a file go back as they are."""
        size = max((max(chunk) + 1 for chunk in self._chunks if chunk), default=0)
        stored = self._stored or NOTHING_STORED

        def value(key: int) -> bytes:
            found = _in(self._chunks, key)
            if found is None:
                return stored.raw(key)
            return b"" if isinstance(found, _Gone) else encode(found)

        return pack(map(value, range(max(size, len(stored)))))


def _in(chunks: _Chunks[T], key: int) -> T | _Gone | None:
    chunk = key // _CHUNK
    return chunks[chunk].get(key) if chunk < len(chunks) else None


def _get(chunks: _Chunks[T], stored: StoredTable[T] | None, key: int) -> T | None:
    found = _in(chunks, key)
    if found is None:
        return stored.get(key) if stored is not None else None
    return None if isinstance(found, _Gone) else found


def about_bytes(value: object) -> int:
    """About the bytes of a value made of plain containers, its parts included."""
    own = getsizeof(value)
    if isinstance(value, dict):
        return own + sum(about_bytes(key) + about_bytes(each) for key, each in value.items())
    if isinstance(value, tuple | list):
        return own + sum(map(about_bytes, value))
    slots = getattr(type(value), "__slots__", ())
    return own + sum(about_bytes(getattr(value, name)) for name in slots if hasattr(value, name))
