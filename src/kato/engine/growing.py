"""
A sequence that grows at its end and is let go of at its beginning, at a cost that does not follow its length.

A short-term memory may hold a thousand events, and every observation makes a new memory of one more; copying them all each time
would cost more than everything else about an observation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar, overload

T = TypeVar("T")

_DEAD = 64
"""Items in front that nobody shows any more: so many are worth a copy of the others, if those are not far more."""


class Growing(Sequence[T]):
    """
    An immutable sequence; equal to every sequence of the same items.

    It shows a stretch of a list. Growing adds to that list, behind what this one shows, and returns a longer stretch of it;
    where something else was added there already, the items are copied to a list of their own first.

    >>> three = Growing("ab").grown("c", most=3)
    >>> list(three), list(three.grown("d", most=3)), list(three.grown("e"))
    (['a', 'b', 'c'], ['b', 'c', 'd'], ['a', 'b', 'c', 'e'])
    """

    __slots__ = ("_items", "_start", "_stop")

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items = list(items)
        self._start = 0
        self._stop = len(self._items)

    def grown(self, item: T, *, most: int | None = None) -> Growing[T]:
        """This and one more item at the end; the newest `most` of them, at least 1, or all."""
        items, start, stop = self._items, self._start, self._stop
        if most is not None and start <= stop - most:
            start = stop + 1 - most
        if len(items) != stop or (start > _DEAD and start > stop - start):
            items = items[start:stop]
            start, stop = 0, len(items)
        items.append(item)
        grown: Growing[T] = Growing.__new__(Growing)
        grown._items, grown._start, grown._stop = items, start, stop + 1
        return grown

    def __len__(self) -> int:
        return self._stop - self._start

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        size = self._stop - self._start
        if isinstance(index, slice):
            first, last, step = index.indices(size)
            if step < 0:
                return tuple(self)[index]
            return tuple(self._items[self._start + first : self._start + max(first, last) : step])
        if not -size <= index < size:
            raise IndexError(index)
        return self._items[index + (self._start if index >= 0 else self._stop)]

    def __iter__(self) -> Iterator[T]:
        return islice(self._items, self._start, self._stop)

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


def grown(held: Sequence[T], item: T, *, most: int | None = None) -> Sequence[T]:
    """A sequence of any kind and one more item at its end; the newest `most` of them, or all."""
    return (held if isinstance(held, Growing) else Growing(held)).grown(item, most=most)
