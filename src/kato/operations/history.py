"""What happened to a node's memory, and taking it back."""

from __future__ import annotations

from kato.engine.knowledge import Change
from kato.operations import node_id as nodes
from kato.operations.registry import Answer, Request, operation
from kato.operations.sessions import CURSOR, LIMIT, decode_cursor, encode_cursor
from kato.service import correcting
from kato.service.correcting import Undone
from kato.service.system import System
from kato.storage import records
from kato.storage.interface import LogEntry, Visible
from kato.wire.answers import Json, node, pattern_id, time_text
from kato.wire.node_requests import Undo
from kato.wire.reading import Parameter, read_body, read_query
from kato.wire.schemas import history as shapes

KINDS = ("learn", "edit", "forget", "forget_all", "undo")
LISTING = (
    LIMIT,
    CURSOR,
    Parameter("pattern", "string", default=None, description="Only what is about this pattern, or about all."),
    Parameter("operation", "string", default=None, choices=KINDS, description="Only rows of this kind."),
    Parameter(
        "sort",
        "string",
        default="-sequence",
        choices=("-sequence", "sequence"),
        description="`-sequence`: the newest first.",
    ),
)
_UNSAID = {"name", "vectors", "affinity"}
"""Of a row's payload: what is told elsewhere, and what only a machine can use."""
_TOLD = 100
"""Patterns told one by one in the answer to an undoing."""


def entry_members(entry: LogEntry, visible: Visible) -> Json:
    """One row of a log; the session is named to those who may see what the key that did it made."""
    name = records.subject_of(entry.payload)
    details = records.load(entry.payload)
    return {
        "sequence": entry.sequence,
        "at": time_text(entry.at),
        "operation": entry.operation,
        "pattern_name": pattern_id(name) if name is not None else None,
        "session_id": entry.session_id if visible.owner in {None, entry.actor} else None,
        "actor": entry.actor,
        "details": {key: value for key, value in details.items() if key not in _UNSAID},
        "hash": entry.hash.hex(),
    }


@operation(
    "GET",
    "/nodes/{node_id}/history",
    scope="read",
    summary="What happened to a node",
    description="Rows of its log, or those about one pattern, which need not be there any more. With `operation` a page may "
    "hold fewer entries than `limit` although there are more.",
    parameters=LISTING,
    errors=(404, 422),
    answer=shapes.HISTORY,
)
async def list_history(system: System, request: Request) -> Answer:
    """GET /nodes/{node_id}/history."""
    query, warnings = read_query(LISTING, request.query)
    node_id = nodes.check_node_id(request.path["node_id"], ("path", "node_id"), system.limits)
    position = decode_cursor(query["cursor"], (int,))
    page = await correcting.history(
        system,
        node_id,
        pattern_id=query["pattern"],
        operation=query["operation"],
        newest_first=query["sort"] == "-sequence",
        position=min(max(position[0], 1), 2**38 - 1) if position is not None else None,
        limit=query["limit"],
    )
    return Answer(
        {
            "entries": [entry_members(entry, request.visible) for entry in page.entries],
            "count": len(page.entries),
            "head": page.head,
            "next_cursor": encode_cursor((page.position,)) if page.position is not None else None,
            "has_more": page.position is not None,
            **node(node_id),
            "warnings": warnings,
        }
    )


def _restored(change: Change) -> Json:
    before, after = change.before, change.after
    pattern = after or before
    assert pattern is not None
    return {
        "pattern_name": pattern_id(pattern.name),
        "frequency_before": before.frequency if before is not None else 0,
        "frequency": after.frequency if after is not None else 0,
    }


@operation(
    "POST",
    "/nodes/{node_id}/undo",
    scope="admin",
    summary="Undo changes of a node",
    description="Puts the patterns back to what they were before; what happened stays in the log, and the undoing is told "
    "there too. Undoing an undoing brings back what it took.",
    request=Undo,
    body_required=False,
    errors=(409, 413, 422),
    answer=shapes.UNDONE,
)
async def undo(system: System, request: Request) -> Answer:
    """POST /nodes/{node_id}/undo."""
    _, warnings = read_query((), request.query)
    node_id = nodes.check_node_id(request.path["node_id"], ("path", "node_id"), system.limits)
    body, found = read_body(Undo, request.body, system.limits)

    def answer(done: Undone) -> Answer:
        said = [*warnings, *found]
        asked = 1 if body.count is None and body.to is None else body.count
        if asked is not None and done.count < asked:
            said.append(f"there were only {done.count} changes to undo")
        return Answer(
            {
                "status": "undone",
                "count": done.count,
                "from": done.head,
                "to": done.to,
                "head": done.head + len(done.changes),
                "restored": [_restored(change) for change in done.changes[:_TOLD]],
                "restored_count": len(done.changes),
                **node(node_id),
                "warnings": said,
            }
        )

    done = await correcting.undo(
        system,
        node_id,
        count=body.count,
        to=body.to,
        expected_head=body.expected_head,
        actor=request.principal,
        reply=request.replying(answer),
    )
    return answer(done)
