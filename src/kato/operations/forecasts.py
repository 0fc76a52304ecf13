"""Forecasts: what comes next and how likely, for a session's memory or for many memories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kato.engine.event import make_event
from kato.engine.forecasting.question import LAST, LONGEST_HORIZON, Kind
from kato.operations import node_id as nodes
from kato.operations.registry import Answer, Request, operation
from kato.service import forecasting, knowledge
from kato.service.system import System
from kato.wire.answers import Json, in_session, node
from kato.wire.bulk_requests import ForecastMany
from kato.wire.forecasts import forecast
from kato.wire.reading import Parameter, read_body, read_query
from kato.wire.schemas import forecasts as shapes

PARAMETERS = (
    Parameter(
        "horizon",
        "integer",
        default=1,
        minimum=LAST,
        maximum=LONGEST_HORIZON,
        description="Events ahead: right is what any of them holds; 0 asks for the sequence's last event.",
    ),
    Parameter(
        "ending", "boolean", default=False, description="Whether the sequence is known to end with those events."
    ),
    Parameter("limit", "integer", default=10, minimum=1, maximum=1000, description="Most symbols in the answer."),
    Parameter("explain", "boolean", default=False, description="Add who says so."),
    Parameter(
        "false_alarms",
        "number",
        default=0.05,
        minimum=0,
        maximum=1,
        description="How many of the node's own patterns may count as novel, at most.",
    ),
    Parameter("wait", "boolean", default=False, description="Wait for a self-test that is due."),
)


def _kind(query: Mapping[str, Any]) -> Kind:
    return Kind(query["horizon"], query["ending"])


@operation(
    "GET",
    "/sessions/{session_id}/forecast",
    scope="read",
    summary="Forecast",
    description="What comes next after the short-term memory, with what probability, and on whose word.",
    parameters=PARAMETERS,
    errors=(404, 422),
    answer=shapes.SESSION_FORECAST,
)
async def get_forecast(system: System, request: Request) -> Answer:
    """GET /sessions/{sid}/forecast."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        query, warnings = read_query(PARAMETERS, request.query)
        view = await system.nodes.view(session.node_id)
        choice = await system.forecasts.choice(session.node_id, _kind(query), view, wait=query["wait"])
        events = session.state.memory.events
        told = await forecasting.foretell(
            system.runtime, view, events, choice, query["limit"], explained=query["explain"]
        )
        return Answer(
            {
                **forecast(told.forecast, told.voices, query["false_alarms"]),
                "horizon": query["horizon"],
                "ending": query["ending"],
                **in_session(session.session_id, session.node_id),
                "time": session.state.memory.time,
                "warnings": warnings,
            },
            session.session_id,
        )


@operation(
    "POST",
    "/nodes/{node_id}/forecast",
    scope="read",
    summary="Forecast from many short-term memories",
    description="All answers are for one state of the node and by one choice; no session is made and nothing is stored. "
    "`as_if_left_out` names, per memory, a pattern of which one learning counts as not learned.",
    request=ForecastMany,
    parameters=PARAMETERS,
    errors=(400, 404, 413, 422),
    answer=shapes.NODE_FORECASTS,
)
async def forecast_many(system: System, request: Request) -> Answer:
    """POST /nodes/{node_id}/forecast."""
    query, warnings = read_query(PARAMETERS, request.query)
    node_id = nodes.check_node_id(request.path["node_id"], ("path", "node_id"), system.limits)
    body, found = read_body(ForecastMany, request.body, system.limits)
    names = {name for name in body.as_if_left_out if name is not None}
    left_out = {name: (await knowledge.read_pattern(system, node_id, name)).events for name in sorted(names)}
    sort = system.sessions.configure({}).settings.sort_symbols
    view = await system.nodes.view(node_id)
    choice = await system.forecasts.choice(node_id, _kind(query), view, wait=query["wait"])
    results: list[Json] = []
    for stm, name in zip(body.stms, body.as_if_left_out, strict=True):
        told = await forecasting.foretell(
            system.runtime,
            view,
            tuple(make_event(event, (), sort_symbols=sort) for event in stm if event),
            choice,
            query["limit"],
            explained=query["explain"],
            left_out=None if name is None else left_out[name],
        )
        results.append(forecast(told.forecast, told.voices, query["false_alarms"]))
    return Answer(
        {
            "results": results,
            "count": len(results),
            "horizon": query["horizon"],
            "ending": query["ending"],
            **node(node_id),
            "warnings": [*warnings, *found],
        }
    )
