"""
Earlier states of nodes, ready to be asked like the present one.

A state is made from the nearest later one that is at hand, the present or one made before, by putting back what changed in
between; where too much did, by repeating the node's log up to its row, which costs as much as there are rows. The few made last
are kept. As a log only grows, a state once made stays right.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kato.engine.knowledge import Knowledge, View
from kato.service.rewinding import rewound
from kato.service.runtime import Runtime
from kato.storage.interface import Storage
from kato.storage.recollecting import Difference, differences, recollect

_KEPT = 4
"""States, and comparisons, that are kept."""
_SHARE = 4
"""All states but the newest may together take one part in so many of the memory budget."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two moments of a node."""

    differences: tuple[Difference, ...]
    """By pattern name."""
    patterns_before: int
    patterns: int
    """How many patterns there were at either."""


class Moments:
    """Makes earlier states of nodes, one at a time, and keeps a few."""

    def __init__(
        self,
        storage: Storage,
        knowledge: Callable[[], Knowledge],
        runtime: Runtime,
        memory_budget: int | None,
        present: Callable[[str], Awaitable[Knowledge]],
    ) -> None:
        """`present`: gives what a node that has learned something knows now."""
        self._storage = storage
        self._make = knowledge
        self._present = present
        self._runtime = runtime
        self._budget = memory_budget
        self._turn = runtime.lock()
        self._guard = threading.Lock()
        self._states: OrderedDict[tuple[str, int], Knowledge] = OrderedDict()
        self._compared: OrderedDict[tuple[str, int, int], Comparison] = OrderedDict()

    async def view(self, node_id: str, sequence: int) -> View:
        """
        What a node knew after the change of that sequence; one that is there.

        Raises:
            PayloadTooLarge: There are too many rows before it to repeat them.
            StoredDataCorrupt: A row is not what was written.
        """
        key = (node_id, sequence)
        async with self._turn:  # two big logs at once would take twice the memory, and not be done sooner
            with self._guard:
                if key in self._states:
                    self._states.move_to_end(key)
                    return self._states[key].view()
            present = await self._present(node_id)
            state = await self._runtime.compute(self._made, node_id, sequence, present)
            with self._guard:
                self._states[key] = state
                self._let_go()
            return state.view()

    def _made(self, node_id: str, sequence: int, present: Knowledge) -> Knowledge:
        with self._guard:
            states = [state for (node, _), state in self._states.items() if node == node_id]
        # What has just been stored may not have reached the present one yet.
        later = [state for state in (*states, present) if state.sequence >= sequence]
        nearest = min(later, key=lambda state: state.sequence, default=None)
        state = rewound(self._storage, node_id, nearest, sequence) if nearest is not None else None
        return state if state is not None else repeated(self._storage, self._make, node_id, sequence)

    def _let_go(self) -> None:
        """Keep the newest, and of the others those used last that the budget has room for."""
        room = None if self._budget is None else self._budget // _SHARE
        taken = 0
        for number, (key, state) in enumerate(list(reversed(self._states.items()))):
            taken += state.cost.total
            if number >= _KEPT or (number and room is not None and taken > room):
                del self._states[key]

    async def compare(self, node_id: str, earlier: int, later: int) -> Comparison:
        """
        What differs between two moments; `earlier` ≤ `later`, both there.

        Raises:
            PayloadTooLarge, StoredDataCorrupt: As for `view`.
        """
        key = (node_id, earlier, later)
        async with self._turn:
            found = self._compared.get(key)
            if found is None:
                found = await self._runtime.compute(self._compare, node_id, earlier, later)
                self._compared[key] = found
                while len(self._compared) > _KEPT:
                    self._compared.popitem(last=False)
            self._compared.move_to_end(key)
            return found

    def _compare(self, node_id: str, earlier: int, later: int) -> Comparison:
        info = self._storage.node(node_id)
        patterns, head = (info.patterns, info.head) if info is not None else (0, 0)
        since = differences(self._storage, node_id, later, head)
        patterns -= _gained(since)
        found = differences(self._storage, node_id, earlier, later)
        found.sort(key=lambda each: (each.pattern.name, each.pattern.events))
        return Comparison(tuple(found), patterns - _gained(found), patterns)


def repeated(storage: Storage, make: Callable[[], Knowledge], node_id: str, sequence: int) -> Knowledge:
    """
    What a node knew after the change of that sequence, by repeating its log.

    Raises:
        PayloadTooLarge: There are too many rows before it.
        StoredDataCorrupt: A row is not what was written.
    """
    found = recollect(storage, node_id, sequence)
    state = make()
    state.load(found.patterns.values(), found.vectors, sequence)
    return state


def _gained(found: list[Difference]) -> int:
    """How many patterns more there are later."""
    return sum((each.before is None) - (each.after is None) for each in found)


def sequence_at(storage: Storage, node_id: str, at: int) -> int:
    """
    The newest change up to a time in microseconds since 1970; 0 before the first.

    Looks at some thirty rows, as the times of a log go up.
    """
    info = storage.node(node_id)
    low, high = 0, info.head if info is not None else 0
    while low < high:
        middle = (low + high + 1) // 2
        (row,) = storage.history(node_id, after=middle - 1, before=middle + 1, limit=1)
        low, high = (middle, high) if row.at <= at else (low, middle - 1)
    return low
