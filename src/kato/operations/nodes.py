"""One node as a whole."""

from __future__ import annotations

from kato.operations import node_id as nodes
from kato.operations.moments import AT, moment_of, told, view_at
from kato.operations.registry import Answer, Request, operation
from kato.service import knowledge
from kato.service.system import System
from kato.wire.answers import node, time_text
from kato.wire.reading import read_query
from kato.wire.schemas import knowledge as shapes


@operation(
    "GET",
    "/nodes/{node_id}",
    scope="read",
    summary="Read one node",
    description="How much it knows. A node that has never learned anything is an empty one.",
    parameters=(AT,),
    errors=(413, 422),
    answer=shapes.NODE_FACTS,
)
async def read_node(system: System, request: Request) -> Answer:
    """GET /nodes/{node_id}."""
    query, warnings = read_query((AT,), request.query)
    node_id = nodes.check_node_id(request.path["node_id"], ("path", "node_id"), system.limits)
    moment = await moment_of(system, node_id, query)
    view = await view_at(system, node_id, moment)
    info = await knowledge.read_node(system, node_id)
    held = system.nodes.peek(node_id)
    return Answer(
        {
            **node(node_id),
            "patterns": view.totals.patterns,
            "symbols": view.totals.symbols,
            "frequency": view.totals.frequency,
            "vectors": view.totals.vectors,
            "sequence": view.sequence,
            "head": moment.head if moment is not None else view.sequence,
            "created_at": time_text(info.created_at) if info is not None else None,
            "changed_at": time_text(info.changed_at) if info is not None else None,
            "size_bytes": held.cost.total if held is not None else 0,
            **told(moment),
            "warnings": warnings,
        }
    )
