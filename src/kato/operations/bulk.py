"""Many at once: nodes, learning many sequences."""

from __future__ import annotations

from kato.engine.event import make_event
from kato.operations import node_id as nodes
from kato.operations.registry import Answer, Request, operation
from kato.service import knowledge, learning
from kato.service.learning import symbol_count
from kato.service.system import System
from kato.storage.interface import Learn
from kato.wire.answers import Json, node, pattern_id, time_text
from kato.wire.reading import Parameter, read_body, read_query
from kato.wire.requests import LearnMany

LISTING = (
    Parameter("limit", "integer", default=100, minimum=1, maximum=1000, description="Entries in this page."),
    Parameter("after", "string", default="", description="Nodes after this one."),
)


@operation(
    "GET",
    "/nodes",
    summary="List nodes",
    description="Nodes that have learned something, by node id.",
    parameters=LISTING,
    errors=(422,),
)
async def list_nodes(system: System, request: Request) -> Answer:
    """GET /nodes."""
    query, warnings = read_query(LISTING, request.query)
    page = await knowledge.list_nodes(system, after=query["after"], limit=query["limit"] + 1)
    has_more = len(page) > query["limit"]
    page = page[: query["limit"]]
    return Answer(
        {
            "nodes": [
                {
                    "node_id": info.node_id,
                    "patterns": info.patterns,
                    "sequence": info.head,
                    "created_at": time_text(info.created_at),
                    "changed_at": time_text(info.changed_at),
                }
                for info in page
            ],
            "count": len(page),
            "has_more": has_more,
            "warnings": warnings,
        }
    )


@operation(
    "POST",
    "/nodes/{node_id}/learn",
    summary="Learn many sequences",
    description="All or nothing, in one commit. A sequence is a list of events, an event a list of strings.",
    request=LearnMany,
    errors=(413, 422),
)
async def learn_many(system: System, request: Request) -> Answer:
    """POST /nodes/{node_id}/learn."""
    _, warnings = read_query((), request.query)
    node_id = nodes.check_node_id(request.path["node_id"], ("path", "node_id"), system.limits)
    body, found = read_body(LearnMany, request.body, system.limits)
    sequences = [
        tuple(make_event(event, (), sort_symbols=True) for event in sequence if event) for sequence in body.sequences
    ]
    long_enough = [symbol_count(sequence) >= 2 for sequence in sequences]
    operations = [Learn(events=sequence) for sequence, enough in zip(sequences, long_enough, strict=True) if enough]
    committed = await learning.learn_many(system, node_id, operations, actor=request.principal)
    changes = iter(committed.changes)
    results: list[Json] = []
    for enough in long_enough:
        if not enough:
            results.append({"status": "insufficient_data", "pattern_name": "", "frequency": 0, "is_new": False})
            continue
        change = next(changes)
        assert change.after is not None
        results.append(
            {
                "status": "learned",
                "pattern_name": pattern_id(change.after.name),
                "frequency": change.after.frequency,
                "is_new": change.before is None,
            }
        )
    return Answer(
        {
            "status": "completed",
            "learned": len(operations),
            "results": results,
            **node(node_id),
            "warnings": [*warnings, *found],
        }
    )
