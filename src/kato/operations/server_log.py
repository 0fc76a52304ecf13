"""The latest lines of the server's log, without whatever might hold an observation, a key or a path."""

from __future__ import annotations

from itertools import islice

from kato.operations.registry import Answer, Request, operation
from kato.service.log_tail import LEVELS, LINES_KEPT, TOLD
from kato.service.system import System
from kato.wire.reading import Parameter, read_query
from kato.wire.schemas import server_log as shapes

LISTING = (
    Parameter("limit", "integer", default=100, minimum=1, maximum=LINES_KEPT, description="Most lines."),
    Parameter(
        "level",
        "string",
        default="debug",
        choices=LEVELS,
        description="Only lines of this level or a more serious one.",
    ),
)


@operation(
    "GET",
    "/server-log",
    scope="admin",
    summary="The latest lines of the server's log",
    description=f"Newest first; {LINES_KEPT} are kept. A line about a node that the key may not touch is left out. "
    f"Besides time, level and event only {', '.join(TOLD)} are told, of other members the names.",
    parameters=LISTING,
    errors=(422,),
    answer=shapes.SERVER_LOG,
)
async def tail_server_log(system: System, request: Request) -> Answer:
    """GET /server-log."""
    query, warnings = read_query(LISTING, request.query)
    touches = request.visible.node
    lines = (line for line in system.log_tail.newest(query["level"]) if line.node_id is None or touches(line.node_id))
    found = [
        {
            "at": line.at,
            "level": line.level,
            "event": line.event,
            **{name: line.members.get(name) for name in TOLD},
            "withheld": list(line.withheld),
        }
        for line in islice(lines, query["limit"])
    ]
    return Answer({"lines": found, "count": len(found), "kept": LINES_KEPT, "warnings": warnings})
