"""The latest requests: what a person watching the service wants to see first."""

from __future__ import annotations

from kato.operations.registry import Answer, Request, operation
from kato.service.measuring import SERVED_KEPT
from kato.service.system import System
from kato.wire.answers import time_text
from kato.wire.reading import Parameter, read_query
from kato.wire.schemas import service as shapes

LISTING = (
    Parameter("limit", "integer", default=100, minimum=1, maximum=SERVED_KEPT, description="Most requests."),
    Parameter("errors", "boolean", default=False, description="Only those of status 400 or more."),
)


@operation(
    "GET",
    "/requests",
    scope="admin",
    summary="The latest requests",
    description=f"Newest first; {SERVED_KEPT} are kept. Nothing in it tells what was asked or answered.",
    parameters=LISTING,
    errors=(422,),
    answer=shapes.REQUESTS,
)
async def list_requests(system: System, request: Request) -> Answer:
    """GET /requests."""
    query, warnings = read_query(LISTING, request.query)
    served = system.measures.served(limit=query["limit"], errors=query["errors"])
    return Answer(
        {
            "requests": [
                {
                    "at": time_text(each.at),
                    "method": each.method,
                    "route": each.route,
                    "status": each.status,
                    "duration_ms": round(each.seconds * 1000, 3),
                    "trace_id": each.trace_id,
                }
                for each in served
            ],
            "count": len(served),
            "kept": SERVED_KEPT,
            "warnings": warnings,
        }
    )
