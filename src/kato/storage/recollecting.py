"""
What a node had learned at an earlier moment: its log, repeated in memory.

All of it (`recollect`), what had been learned of one name (`recollect_name`), or what differs between two moments
(`differences`). The log is all that is needed, so this is the same for every storage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kato.engine.event import Event, Symbol, Vector
from kato.engine.pattern import Pattern
from kato.errors import PayloadTooLarge, StoredDataCorrupt
from kato.storage import records
from kato.storage.folding import changed, learned, vector_symbols
from kato.storage.interface import Edit, ForgetAll, Learn, LogEntry, Restore, Storage

_PAGE = 1000
"""Log rows read at a time."""
_TOGETHER = 100
"""Names whose rows are read by one question."""
MOST_REPEATED = 2_000_000
"""Rows of one log that are repeated at most: about two minutes."""
_FEW, _PART = 2000, 8
"""Up to so many names, or one for so many rows of the log, are recollected one by one; for more, repeating all costs less."""


class Recollection:
    """What log rows make of an empty node."""

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id
        self.sequence = 0
        """Of the last row repeated."""
        self.patterns: dict[tuple[Event, ...], Pattern] = {}
        """By content, in the order they were first learned."""
        self.vectors: dict[Symbol, Vector] = {}
        self._by_name: dict[str, list[tuple[Event, ...]]] = {}
        self._holders: Counter[Symbol] = Counter()
        """How many patterns hold each vector symbol."""

    def repeat(self, entry: LogEntry) -> None:
        """
        Do what the next row tells.

        Raises:
            StoredDataCorrupt: It cannot be done to what there is.
        """
        try:
            self._repeat(entry)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise StoredDataCorrupt(
                f"The log of node {self._node_id[:200]!r} cannot be repeated at sequence {entry.sequence}"
            ) from error
        self.sequence = entry.sequence

    def _repeat(self, entry: LogEntry) -> None:
        operation = records.replayed(entry, lambda name: self._by_name[name][0])
        if isinstance(operation, ForgetAll):
            for held in (self.patterns, self.vectors, self._by_name, self._holders):
                held.clear()
            return
        name = records.subject_of(entry.payload) or ""
        events = operation.events if isinstance(operation, (Learn, Restore)) else self._by_name[name][0]
        before = self.patterns.get(events)
        after: Pattern | None = None
        if isinstance(operation, Learn):
            after = learned(operation, before, name)
        elif isinstance(operation, Restore):
            after = operation.state
        elif isinstance(operation, Edit):
            after = changed(operation, self.patterns[events])
        if after is None:
            self._drop(self.patterns.pop(events))
            return
        self.patterns[events] = after
        if before is None:
            self._by_name.setdefault(name, []).append(events)
            self._holders.update(vector_symbols(events))
        if isinstance(operation, (Learn, Restore)):
            self.vectors.update({key: value for key, value in operation.vectors.items() if key in self._holders})

    def _drop(self, pattern: Pattern) -> None:
        self._by_name[pattern.name].remove(pattern.events)
        for symbol in vector_symbols(pattern.events):
            self._holders[symbol] -= 1
            if not self._holders[symbol]:
                del self._holders[symbol]
                self.vectors.pop(symbol, None)

    def vectors_of(self, pattern: Pattern) -> dict[Symbol, Vector]:
        """Components of the vector symbols of a pattern, as far as known."""
        return {symbol: self.vectors[symbol] for symbol in vector_symbols(pattern.events) if symbol in self.vectors}


@dataclass(frozen=True, slots=True)
class Difference:
    """A pattern that is not the same at two moments; None where it was not there."""

    before: Pattern | None
    after: Pattern | None
    vectors: dict[Symbol, Vector]
    """What was known at the earlier moment of the vectors of `before`."""

    @property
    def pattern(self) -> Pattern:
        """The pattern as it is later, or as it was."""
        found = self.after or self.before
        assert found is not None
        return found


def recollect(storage: Storage, node_id: str, sequence: int) -> Recollection:
    """
    All a node had learned after the row of that sequence; costs as much as there are rows up to it.

    Raises:
        StoredDataCorrupt: A row is not what was written.
    """
    found = Recollection(node_id)
    for entry in _checked(storage, node_id, sequence):
        found.repeat(entry)
    return found


def recollect_name(storage: Storage, node_id: str, name: str, sequence: int) -> Recollection:
    """What had been learned of a bare name after the row of that sequence; costs as much as there are rows about it."""
    found = Recollection(node_id)
    for entry in _about(storage, node_id, name, sequence):
        found.repeat(entry)
    return found


def differences(storage: Storage, node_id: str, earlier: int, later: int) -> list[Difference]:
    """
    The patterns that differ between the moments after two rows.

    First those there were earlier, in the order first learned where all were recollected, else in the order in which rows
    between the two first tell of their names; then those there are only later.

    Costs as much as there are rows about the patterns that rows between the two are about; as much as there are rows at all
    when they are about all of them, or about very many.
    """
    found = few_differences(storage, node_id, earlier, later)
    return found if found is not None else _between(node_id, _checked(storage, node_id, later), earlier)


def few_differences(storage: Storage, node_id: str, earlier: int, later: int) -> list[Difference] | None:
    """The same, at a cost that follows the rows about the patterns they are about; None where they are about very many."""
    names: dict[str, None] = {}
    for entry in _rows(storage, node_id, earlier, later):
        name = records.subject_of(entry.payload)
        if name is None:
            return None
        names[name] = None
        if len(names) > max(_FEW, later // _PART):
            return None
    found: list[Difference] = []
    start = _last_forgotten(storage, node_id, later) if names else 0
    for rows in _by_name(storage, node_id, list(names), start, later):
        found += _between(node_id, rows, earlier)
    return sorted(found, key=lambda each: each.before is None)


def _by_name(
    storage: Storage, node_id: str, names: Sequence[str], after: int, up_to: int
) -> Iterator[Iterable[LogEntry]]:
    """The rows about each of some names, ascending; read together where they are few."""
    for first in range(0, len(names), _TOGETHER):
        some = names[first : first + _TOGETHER]
        together = storage.rows_about(node_id, some, after=after, before=up_to + 1, limit=_PAGE)
        if len(together) == _PAGE:  # there may be more
            yield from (_rows(storage, node_id, after, up_to, name) for name in some)
            continue
        grouped: dict[str | None, list[LogEntry]] = {name: [] for name in some}
        for entry in together:
            grouped[records.subject_of(entry.payload)].append(entry)
        yield from (grouped[name] for name in some)


def _between(node_id: str, entries: Iterable[LogEntry], earlier: int) -> list[Difference]:
    """What rows after a sequence changed of what those before it made."""
    recollection = Recollection(node_id)
    before: dict[tuple[Event, ...], Pattern] | None = None
    vectors: dict[Symbol, Vector] = {}
    for entry in entries:
        if before is None and entry.sequence > earlier:
            before, vectors = dict(recollection.patterns), dict(recollection.vectors)
        recollection.repeat(entry)
    after = recollection.patterns
    if before is None:
        return []
    found = []
    for events, pattern in before.items():
        if pattern != after.get(events):
            known = {symbol: vectors[symbol] for symbol in vector_symbols(events) if symbol in vectors}
            found.append(Difference(pattern, after.get(events), known))
    return found + [Difference(None, pattern, {}) for events, pattern in after.items() if events not in before]


def _rows(storage: Storage, node_id: str, after: int, up_to: int, name: str | None = None) -> Iterator[LogEntry]:
    page: list[LogEntry] = []
    while not page or len(page) == _PAGE:
        page = storage.history(node_id, name=name, after=after, before=up_to + 1, newest_first=False, limit=_PAGE)
        if not page:
            return
        yield from page
        after = page[-1].sequence


def _checked(storage: Storage, node_id: str, up_to: int) -> Iterator[LogEntry]:
    """
    The rows of a node up to a sequence, once their hashes are seen to be right.

    Raises:
        PayloadTooLarge: There are too many to repeat.
    """
    if up_to > MOST_REPEATED:
        raise PayloadTooLarge("the changes before that moment", MOST_REPEATED, up_to, "KATO itself")
    previous, sequence = records.GENESIS, 0
    for entry in _rows(storage, node_id, 0, up_to):
        previous = records.check_chain(node_id, previous, [entry], after=sequence)
        sequence = entry.sequence
        yield entry


def _about(storage: Storage, node_id: str, name: str, up_to: int) -> Iterator[LogEntry]:
    """The rows about a name up to a sequence, those before everything was last forgotten left out."""
    return _rows(storage, node_id, _last_forgotten(storage, node_id, up_to), up_to, name)


def _last_forgotten(storage: Storage, node_id: str, up_to: int) -> int:
    """The newest row up to a sequence that forgets everything; 0 without one."""
    return next((entry.sequence for entry in storage.history(node_id, name="", before=up_to + 1, limit=1)), 0)
