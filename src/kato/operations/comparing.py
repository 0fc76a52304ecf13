"""What differs between two moments of a node."""

from __future__ import annotations

from kato.errors import InvalidInput
from kato.operations import node_id as nodes
from kato.operations.moments import Moment, moment_of
from kato.operations.registry import Answer, Request, operation
from kato.operations.sessions import CURSOR, LIMIT, decode_cursor, encode_cursor
from kato.service.system import System
from kato.storage.recollecting import Difference
from kato.wire.answers import Json, node, pattern_id
from kato.wire.reading import Parameter, problem, read_query
from kato.wire.schemas import history as shapes

_EITHER = "A sequence of the node's history, or a time (ISO-8601)."
LISTING = (
    Parameter("from", "string", default=None, description=f"The earlier moment. {_EITHER} Required."),
    Parameter("to", "string", default=None, description=f"The later moment. {_EITHER} Absent: now."),
    LIMIT,
    CURSOR,
)
_MEMBERS = ("frequency", "emotives", "metadata", "affinity")


def difference_members(found: Difference) -> Json:
    """One pattern that is not the same."""
    before, after, pattern = found.before, found.after, found.pattern
    change = "changed" if before is not None and after is not None else "added" if before is None else "removed"
    differing = [name for name in _MEMBERS if getattr(before, name, None) != getattr(after, name, None)]
    return {
        "change": change,
        "pattern_name": pattern_id(pattern.name),
        "pattern_data": pattern.events,
        "frequency_before": before.frequency if before is not None else 0,
        "frequency": after.frequency if after is not None else 0,
        "members": differing if change == "changed" else [],
    }


@operation(
    "GET",
    "/nodes/{node_id}/compare",
    scope="read",
    summary="Compare two moments of a node",
    description="The patterns that were added, removed or changed in between, by name.",
    parameters=LISTING,
    errors=(413, 422),
    answer=shapes.COMPARED,
)
async def compare(system: System, request: Request) -> Answer:
    """GET /nodes/{node_id}/compare."""
    query, warnings = read_query(LISTING, request.query)
    node_id = nodes.check_node_id(request.path["node_id"], ("path", "node_id"), system.limits)
    earlier = await moment_of(system, node_id, query, "from")
    if earlier is None:
        raise InvalidInput([problem(("query", "from"), "missing", "is required", None)])
    later = await moment_of(system, node_id, query, "to") or Moment(earlier.head, earlier.head)
    if earlier.sequence > later.sequence:
        message = f"must not be after to, which is sequence {later.sequence}"
        raise InvalidInput([problem(("query", "from"), "order", message, query["from"])])
    position = decode_cursor(query["cursor"], (int, int, int)) or (earlier.sequence, later.sequence, 0)
    first, last, begin = (max(0, each) for each in position)
    if position[0] != earlier.sequence or last < first or last > later.head:
        raise InvalidInput([problem(("query", "cursor"), "cursor", "was made for other moments", query["cursor"])])
    # A later page is about the very moments of the first one, also where `to` is now.
    found = await system.moments.compare(node_id, first, last)
    page = found.differences[begin : begin + query["limit"]]
    end = begin + len(page)
    more = end < len(found.differences)
    added = sum(each.before is None for each in found.differences)
    removed = sum(each.after is None for each in found.differences)
    return Answer(
        {
            "from": {"sequence": first, "patterns": found.patterns_before},
            "to": {"sequence": last, "patterns": found.patterns},
            "added": added,
            "removed": removed,
            "changed": len(found.differences) - added - removed,
            "total": len(found.differences),
            "differences": [difference_members(each) for each in page],
            "count": len(page),
            "next_cursor": encode_cursor((first, last, end)) if more else None,
            "has_more": more,
            **node(node_id),
            "warnings": warnings,
        }
    )
