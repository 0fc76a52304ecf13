"""
What exists only for compatible clients: node-level percept and cognition, which belong to sessions and are always empty here.
"""

from __future__ import annotations

from kato.operations import node_id as nodes
from kato.operations.registry import Answer, Request, operation
from kato.service.system import System
from kato.wire.answers import Json, node
from kato.wire.reading import read_query
from kato.wire.schemas import knowledge as shapes

_ADVICE = "A node has no percept or cognition of its own; ask a session: GET /sessions/{{session_id}}/{name}"
_EMPTY: Json = {
    "predictions": [],
    "emotives": {},
    "symbols": [],
    "short_term_memory": [],
    "time": 0,
    "command": "",
    "metadata": {},
    "path": [],
    "strings": [],
    "vectors": [],
}


def _answer(system: System, request: Request, name: str, member: str, value: Json) -> Answer:
    query, warnings = read_query(nodes.PARAMETERS, request.query)
    advice = _ADVICE.format(name=name)
    return Answer(
        {
            member: value,
            **node(nodes.node_of(request, query, system.limits)),
            "warning": advice,
            "warnings": [*warnings, advice],
        }
    )


@operation(
    "GET",
    "/percept-data",
    summary="Deprecated: always empty",
    parameters=nodes.PARAMETERS,
    errors=(422,),
    answer=shapes.NODE_PERCEPT,
)
async def percept_data(system: System, request: Request) -> Answer:
    """GET /percept-data."""
    return _answer(system, request, "percept-data", "percept_data", {})


@operation(
    "GET",
    "/cognition-data",
    summary="Deprecated: always empty",
    parameters=nodes.PARAMETERS,
    errors=(422,),
    answer=shapes.NODE_COGNITION,
)
async def cognition_data(system: System, request: Request) -> Answer:
    """GET /cognition-data."""
    return _answer(system, request, "cognition-data", "cognition_data", dict(_EMPTY))
