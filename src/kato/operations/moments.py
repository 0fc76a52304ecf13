"""At which moment something is asked: now, after a change, or at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kato.engine.knowledge import View
from kato.errors import InvalidInput
from kato.service.moments import sequence_at
from kato.service.system import System
from kato.wire.answers import Json
from kato.wire.reading import Parameter, problem

AT = Parameter(
    "at",
    "string",
    default=None,
    description="As it was after this change (a sequence of the node's history) or at this time (ISO-8601). Absent: now.",
)
_SEQUENCE = re.compile(r"[0-9]{1,15}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a node."""

    sequence: int
    head: int


def told(moment: Moment | None) -> Json:
    """What an answer tells of the moment it is about; nothing where it is now."""
    return {} if moment is None else {"at": {"sequence": moment.sequence, "head": moment.head}}


async def moment_of(system: System, node_id: str, query: Mapping[str, Any], name: str = "at") -> Moment | None:
    """
    The moment that a query names; None where it names none.

    Raises:
        InvalidInput: It is neither a sequence nor a time, or beyond the newest change.
    """
    given: str | None = query[name]
    if given is None:
        return None
    info = await system.runtime.compute(system.storage.node, node_id)
    head = info.head if info is not None else 0
    if _SEQUENCE.fullmatch(given):
        if int(given) > head:
            message = f"must not be beyond the newest change, {head}"
            raise InvalidInput([problem(("query", name), "sequence", message, given)])
        return Moment(int(given), head)
    try:
        # In a query an unescaped + is a space.
        time = datetime.fromisoformat(given.replace(" ", "+") if "T" in given else given)
    except ValueError as error:
        message = "must be a sequence of the history, or a time such as 2026-01-01T12:00:00Z"
        raise InvalidInput([problem(("query", name), "moment", message, given)]) from error
    moment = (time if time.tzinfo is not None else time.replace(tzinfo=UTC)) - _EPOCH
    at = moment // timedelta(microseconds=1)
    return Moment(await system.runtime.compute(sequence_at, system.storage, node_id, at), head)


async def view_at(system: System, node_id: str, moment: Moment | None) -> View:
    """What the node knew at a moment, or knows now."""
    if moment is None:
        return await system.nodes.view(node_id)
    if moment.sequence == moment.head:
        present = await system.nodes.view(node_id)
        if present.sequence == moment.sequence:
            return present
    return await system.moments.view(node_id, moment.sequence)
