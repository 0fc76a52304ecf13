"""What happened to a node's memory, and taking it back. Nothing is erased: taking back is told by the log as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from kato.engine.knowledge import Change
from kato.engine.pattern import bare_name
from kato.errors import HeadChanged, InvalidInput, PatternNotFound, PayloadTooLarge
from kato.service.events import corrected
from kato.service.system import System
from kato.storage import records
from kato.storage.interface import Committed, LogEntry, Reply, Restore, Storage, Transaction
from kato.storage.recollecting import differences

MOST_UNDONE = 1_000_000
"""Rows that one undoing may take back, and patterns it may restore: what one commit can hold in some tens of seconds."""
_LOOKED_AT = 20_000
"""Rows that one page may look at for those of one kind."""
_TRIES = 2
"""How often an undoing is planned while others go on learning; if they came first each time, they wait for it."""


# --- history ---


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some rows of a node's log."""

    entries: list[LogEntry]
    position: int | None
    """The sequence behind which the next page begins; None at the end."""
    head: int


async def history(
    system: System,
    node_id: str,
    *,
    pattern_id: str | None = None,
    operation: str | None = None,
    newest_first: bool = True,
    position: int | None = None,
    limit: int,
) -> HistoryPage:
    """
    One page of what happened to a node, or to one pattern of it.

    Args:
        pattern_id: Only rows about this pattern, or about all; it need not be there any more.
        operation: Only rows of this kind. Such a page may be short although there are more.
        position: That of the page before.

    Raises:
        PatternNotFound: The id is malformed.
    """
    name = bare_name(pattern_id) if pattern_id is not None else None
    if pattern_id is not None and name is None:
        raise PatternNotFound(pattern_id, node_id)
    return await system.runtime.compute(
        _history, system.storage, node_id, name, operation, newest_first, position, limit
    )


def _history(
    storage: Storage,
    node_id: str,
    name: str | None,
    operation: str | None,
    newest_first: bool,
    position: int | None,
    limit: int,
) -> HistoryPage:
    info = storage.node(node_id)
    head = info.head if info is not None else 0
    asked = limit + 1 if operation is None else _LOOKED_AT + 1
    rows = storage.history(
        node_id,
        name=name,
        after=(position or 0) if not newest_first else 0,
        before=position if newest_first else None,
        newest_first=newest_first,
        limit=asked,
    )
    found = [row for row in rows[: asked - 1] if operation in (None, row.operation)]
    page = found[:limit]
    if len(found) > limit:
        return HistoryPage(page, page[-1].sequence, head)
    return HistoryPage(page, rows[asked - 2].sequence if len(rows) == asked else None, head)


# --- undoing ---


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undoing did."""

    count: int
    """Changes taken back."""
    head: int
    """Where the log ended before it."""
    to: int
    """The sequence whose state the node is in again."""
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be restored, from the state at `head`."""

    count: int
    head: int
    to: int
    restores: tuple[Restore, ...]


async def undo(
    system: System,
    node_id: str,
    *,
    count: int | None = None,
    to: int | None = None,
    expected_head: int | None = None,
    actor: str | None = None,
    reply: Callable[[Undone], Reply] | None = None,
) -> Undone:
    """
    Put a node back to an earlier state; what was there in between stays in the log.

    Args:
        count: Take back so many changes, the newest first. One row of the log is a change; the rows of one undoing are one.
        to: Or take back everything behind this sequence.
        expected_head: Refuse where the log does not end here.
        reply: Makes the answer that is to be remembered with it, if one is.

    Raises:
        InvalidInput: There is no such sequence.
        HeadChanged: The log ends elsewhere than expected.
        PayloadTooLarge: More would have to be taken back than one undoing can.
    """
    planned: list[tuple[int, _Plan]] = []

    def transaction() -> Transaction:
        plan = _plan(system.storage, node_id, count, to)
        if expected_head is not None and expected_head != plan.head:
            raise HeadChanged(expected_head, plan.head)
        now = system.runtime.now()
        planned.append((now, plan))

        def remembered(changes: Sequence[Change]) -> Reply:
            assert reply is not None
            return reply(Undone(plan.count, plan.head, plan.to, tuple(changes)))

        return Transaction(
            at=now,
            node_id=node_id,
            operations=plan.restores,
            actor=actor,
            expected_head=plan.head,
            reply=remembered if reply is not None else None,
        )

    committed: Committed | None = None
    for _ in range(_TRIES):
        try:
            committed = await system.commit(await system.runtime.compute(transaction))
            break
        except HeadChanged:
            if expected_head is not None:
                raise
    if committed is None:
        committed = await system.commit_in_turn(transaction)
    at, plan = planned[-1]
    if committed.changes:
        system.events.tell(corrected(node_id, at, "undo", committed.changes))
    return Undone(plan.count, plan.head, plan.to, committed.changes)


def _plan(storage: Storage, node_id: str, count: int | None, to: int | None) -> _Plan:
    info = storage.node(node_id)
    head = info.head if info is not None else 0
    if to is None:
        to = _sequence_before(storage, node_id, head, 1 if count is None else count)
    elif to > head:
        message = f"must not be beyond the end of the log, {head}"
        raise InvalidInput([{"type": "sequence", "loc": ["body", "to"], "msg": message, "input": to}])
    if head - to > MOST_UNDONE:
        raise PayloadTooLarge("the changes of one undoing", MOST_UNDONE, head - to, "KATO itself")
    found = differences(storage, node_id, to, head)
    if len(found) > MOST_UNDONE:
        raise PayloadTooLarge("the patterns of one undoing", MOST_UNDONE, len(found), "KATO itself")
    parts = len(found)
    restores = tuple(
        Restore(each.pattern.name, each.pattern.events, each.before, to, part, parts, each.vectors)
        for part, each in enumerate(found, start=1)
    )
    return _Plan(_changes_between(storage, node_id, to, head), head, to, restores)


def _befores(storage: Storage, node_id: str, head: int) -> Iterator[int]:
    """The sequence before each change, the newest change first. The rows of one undoing are one change."""
    sequence = head
    while sequence > 0:
        for entry in storage.history(node_id, before=sequence + 1, limit=1000):
            if entry.sequence == sequence:
                sequence -= int(records.load(entry.payload)["part"]) if entry.operation == "undo" else 1
                yield sequence


def _sequence_before(storage: Storage, node_id: str, head: int, count: int) -> int:
    """The sequence before the newest `count` changes; 0 where there are not so many."""
    return next(islice(_befores(storage, node_id, head), count - 1, None), 0)


def _changes_between(storage: Storage, node_id: str, after: int, head: int) -> int:
    """How many changes there are behind a sequence."""
    if after >= head:
        return 0
    befores = enumerate(_befores(storage, node_id, head), start=1)
    return next(changes for changes, before in befores if before <= after)
