"""The patterns of a node: listing, reading, editing, forgetting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from kato.engine.listing import PatternOrder, PatternPosition
from kato.operations import node_id as nodes
from kato.operations.moments import AT, Moment, moment_of, told, view_at
from kato.operations.registry import Answer, Request, operation
from kato.operations.sessions import CURSOR, LIMIT, decode_ordered_cursor, encode_cursor
from kato.service import knowledge
from kato.service.system import System
from kato.wire.answers import Json, node, pattern_answer, pattern_id, pattern_record
from kato.wire.reading import Parameter, read_body, read_query
from kato.wire.requests import EditPattern
from kato.wire.schemas import knowledge as shapes

ORDERS = ("name", "-name", "frequency", "-frequency", "length", "-length")
LISTING = (
    LIMIT,
    CURSOR,
    Parameter("search", "string", default="", description="Text in one of the symbols, or the start of the name."),
    Parameter("sort", "string", default="name", choices=ORDERS, description="Ties by name; `-` for descending."),
)


async def _page(system: System, node_id: str, query: Mapping[str, Any], moment: Moment | None = None) -> Json:
    order = cast("PatternOrder", query["sort"])
    after = decode_ordered_cursor(query["cursor"], order, (int, str, int))
    page = await knowledge.list_patterns(
        system,
        await view_at(system, node_id, moment),
        order=order,
        after=cast("PatternPosition | None", after),
        limit=query["limit"],
        search=query["search"],
    )
    cursor = encode_cursor((order, *page.position)) if page.position is not None else None
    return {
        "patterns": [pattern_record(pattern) for pattern in page.patterns],
        "count": len(page.patterns),
        "total": page.total,
        "next_cursor": cursor,
        "has_more": cursor is not None,
        **node(node_id),
    }


@operation(
    "GET",
    "/patterns",
    scope="read",
    summary="List a node's patterns",
    description="With `sort=name` a pattern present during the whole walk appears exactly once.",
    parameters=(*nodes.PARAMETERS, *LISTING, AT),
    errors=(413, 422),
    answer=shapes.PATTERNS,
)
async def list_patterns(system: System, request: Request) -> Answer:
    """GET /patterns."""
    query, warnings = read_query(list_patterns.parameters, request.query)
    node_id = nodes.node_of(request, query, system.limits)
    moment = await moment_of(system, node_id, query)
    return Answer({**await _page(system, node_id, query, moment), **told(moment), "warnings": warnings})


@operation(
    "GET",
    "/sessions/{session_id}/patterns",
    scope="read",
    summary="List the patterns of a session's node",
    parameters=LISTING,
    errors=(404, 422),
    answer=shapes.SESSION_PATTERNS,
)
async def list_session_patterns(system: System, request: Request) -> Answer:
    """GET /sessions/{sid}/patterns."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        named = [name for name, _ in request.query if name in {"node_id", "kb_id"}]
        rest = tuple(pair for pair in request.query if pair[0] not in {"node_id", "kb_id"})
        query, warnings = read_query(LISTING, rest)
        warnings = [
            *warnings,
            *(f"'{name}' was ignored: the session's own node is listed" for name in dict.fromkeys(named)),
        ]
        page = await _page(system, session.node_id, query)
        return Answer({**page, "session_id": session.session_id, "warnings": warnings}, session.session_id)


async def get_pattern(system: System, request: Request) -> Answer:
    """GET /pattern/{id}."""
    query, warnings = read_query((*nodes.PARAMETERS, AT), request.query)
    node_id = nodes.node_of(request, query, system.limits)
    moment = await moment_of(system, node_id, query)
    sequence = moment.sequence if moment is not None else None
    pattern = await knowledge.read_pattern(system, node_id, request.path["pattern_id"], sequence)
    return Answer({**pattern_answer(pattern, node_id), **told(moment), "warnings": warnings})


async def edit_pattern(system: System, request: Request) -> Answer:
    """PATCH /pattern/{id}."""
    query, warnings = read_query(nodes.PARAMETERS, request.query)
    node_id = nodes.node_of(request, query, system.limits)
    body, found = read_body(EditPattern, request.body, system.limits)
    pattern = await knowledge.edit_pattern(
        system,
        node_id,
        request.path["pattern_id"],
        frequency=body.frequency,
        emotives=tuple(body.emotives) if body.emotives is not None else None,
        metadata=body.metadata,
        actor=request.principal,
    )
    given = (("frequency", body.frequency), ("emotives", body.emotives), ("metadata", body.metadata))
    updated = [name for name, value in given if value is not None]
    return Answer({**pattern_answer(pattern, node_id), "updated": updated, "warnings": [*warnings, *found]})


async def forget_pattern(system: System, request: Request) -> Answer:
    """DELETE /pattern/{id}."""
    query, warnings = read_query(nodes.PARAMETERS, request.query)
    node_id = nodes.node_of(request, query, system.limits)
    pattern = await knowledge.forget_pattern(system, node_id, request.path["pattern_id"], actor=request.principal)
    return Answer(
        {
            "status": "deleted",
            "deleted": True,
            "pattern_name": pattern_id(pattern.name),
            "frequency": pattern.frequency,
            **node(node_id),
            "warnings": warnings,
        }
    )


def _register(template: str) -> None:
    shown: tuple[tuple[str, Callable[..., Any], dict[str, Any]], ...] = (
        (
            "GET",
            get_pattern,
            {"scope": "read", "summary": "Read one pattern", "errors": (404, 422), "answer": shapes.PATTERN},
        ),
        (
            "PATCH",
            edit_pattern,
            {
                "scope": "admin",
                "summary": "Edit one pattern",
                "description": "Each given member replaces the old value. Events are a pattern's identity and stay.",
                "request": EditPattern,
                "errors": (404, 413, 422),
                "answer": shapes.EDITED,
            },
        ),
        (
            "DELETE",
            forget_pattern,
            {
                "scope": "admin",
                "summary": "Forget one pattern",
                "description": "Later predictions are as if it had never been learned.",
                "errors": (404, 422),
                "answer": shapes.FORGOTTEN,
            },
        ),
    )
    for method, handler, facts in shown:
        parameters = (*nodes.PARAMETERS, AT) if method == "GET" else nodes.PARAMETERS
        operation(method, template, parameters=parameters, **facts)(handler)


_register("/pattern/{pattern_id}")
# The plural form exists for compatible clients.
_register("/patterns/{pattern_id}")
