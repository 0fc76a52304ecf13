"""Numbers about the service. Everything shown is counted or read; nothing stands in for a measurement."""

from __future__ import annotations

from kato.errors import MetricNotFound, StorageError
from kato.operations.compatible import UNUSED_NUMBERS, UNUSED_STORAGES
from kato.operations.health import VERSION, dependencies, uptime_seconds
from kato.operations.prometheus import CONTENT_TYPE, exposition
from kato.operations.registry import Answer, Request, operation
from kato.service.numbers import NAMES, count_patterns, series_name
from kato.service.system import System
from kato.storage.interface import Visible
from kato.wire.answers import Json, time_text
from kato.wire.reading import Parameter, read_query
from kato.wire.schemas import service as shapes

MINUTES = Parameter("minutes", "integer", default=10, minimum=1, maximum=1440, description="How far back.")
_SHOWN_NODES = 100


def node_numbers(system: System, visible: Visible) -> Json:
    """The nodes held in memory, the most recently used first; named are those that whoever asks may touch."""
    now = system.runtime.now()
    held, snapshots = system.nodes.costs(), system.nodes.snapshots
    shown = [each for each in held if visible.node(each[0].node_id)]
    return {
        "total_processors": len(held),
        "active_processors": len(held),
        "max_processors": None,
        "eviction_ttl_seconds": None,
        "patterns_count": count_patterns(system),
        "memory_bytes": sum(cost.total for _, cost, _ in held),
        "memory_budget_bytes": system.nodes.budget,
        "evictions": system.nodes.evicted,
        "snapshots_written": snapshots.written if snapshots is not None else 0,
        "snapshots_used": snapshots.used if snapshots is not None else 0,
        "snapshots_discarded": snapshots.discarded if snapshots is not None else 0,
        "processors": [
            {
                "processor_id": node.node_id,
                "node_id": node.node_id,
                "created_at": time_text(node.loaded_at),
                "last_accessed": time_text(node.last_accessed),
                "access_count": node.access_count,
                "idle_seconds": max(0.0, (now - node.last_accessed) / 1_000_000),
                "is_loading": not node.ready.done(),
                "patterns": patterns,
                "memory_bytes": cost.total,
                "index_bytes": cost.index,
                "rest_bytes": cost.rest,
            }
            for node, cost, patterns in shown[:_SHOWN_NODES]
        ],
    }


def stamps(system: System) -> Json:
    """The time as seconds since 1970 and as text."""
    now = system.runtime.now()
    return {"timestamp": now / 1_000_000, "timestamp_iso": time_text(now)}


def session_numbers(system: System) -> Json:
    """Sessions made, ended and alive; operations on them."""
    counts = system.sessions.count()
    return {
        "total_created": counts.created,
        "total_deleted": counts.deleted,
        "active": counts.active,
        "operations_total": system.events.observations + system.events.learnings + system.events.predictions,
    }


def performance_numbers(system: System) -> Json:
    """Requests, errors and how long they took."""
    measures = system.measures
    _, _, mean_seconds = measures.last_minute()
    return {
        "total_requests": measures.requests,
        "total_errors": measures.errors,
        "error_rate": measures.errors / measures.requests if measures.requests else 0.0,
        "average_response_time": mean_seconds,
        "average_response_time_ms": mean_seconds * 1000,
    }


def resource_numbers(system: System) -> Json:
    """Percentages of the machine in use."""
    machine = system.measures.machine()
    return {
        "cpu_percent": machine.cpu_percent,
        "memory_percent": machine.memory_percent,
        "disk_percent": machine.disk_percent,
    }


def database_numbers(system: System) -> Json:
    """The storage in use, and those that compatible clients look for, which are not."""
    count = system.writer.count
    done = count.transactions
    return {
        system.storage_name: {
            "operations": done,
            "errors": count.errors,
            "avg_response_time": count.seconds / done if done else 0.0,
            "status": storage_status(system)[0],
        },
        **dict.fromkeys(UNUSED_STORAGES, UNUSED_NUMBERS),
    }


def storage_status(system: System) -> tuple[str, list[str]]:
    """("healthy" or "unhealthy", sentences about what is wrong)."""
    try:
        system.storage.check()
    except StorageError as error:
        return "unhealthy", [error.message]
    return "healthy", []


@operation("GET", "/status", scope="admin", summary="State of the service", answer=shapes.STATUS)
async def status(system: System, request: Request) -> Answer:
    """GET /status."""
    _, warnings = read_query((), request.query)
    counts = system.sessions.count()
    _, issues = await dependencies(system)
    uptime = uptime_seconds(system)
    named: Json = {"session_id": None, "stm_length": 0, "time": 0}
    session_id = request.headers.get("x-session-id", "")
    if session_id and await system.sessions.access(session_id, caller=request.caller):
        async with system.sessions.using(session_id, caller=request.caller) as session:
            memory = session.state.memory
            named = {"session_id": session_id, "stm_length": len(memory.events), "time": memory.time}
    return Answer(
        {
            "status": "unhealthy" if issues else "healthy",
            "base_processor_id": system.service_name,
            "processor_name": system.service_name,
            "service_name": system.service_name,
            "version": VERSION,
            "uptime_seconds": uptime,
            "uptime": uptime,
            "engine": system.engine,
            "sessions": {
                "total_sessions": counts.created,
                "total_created": counts.created,
                "total_deleted": counts.deleted,
                "expired_sessions": counts.expired,
                "active_sessions": counts.active,
                "active": counts.active,
                "backend": system.storage_name,
            },
            "processors": await system.runtime.compute(node_numbers, system, request.visible),
            **named,
            "timestamp": time_text(system.runtime.now()),
            "warnings": warnings,
        }
    )


def prefers_text(accept: str) -> bool:
    """Whether an Accept header asks for Prometheus text rather than JSON; `*/*` and nothing mean JSON."""
    best: dict[str, float] = {"text": 0.0, "json": 0.0}
    for part in accept.lower().split(","):
        kind, _, rest = part.strip().partition(";")
        weight = 1.0
        for parameter in rest.split(";"):
            name, _, value = parameter.strip().partition("=")
            if name == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        if kind.strip() in {"text/plain", "application/openmetrics-text"}:
            best["text"] = max(best["text"], weight)
        elif kind.strip() in {"application/json", "*/*", "application/*"}:
            best["json"] = max(best["json"], weight)
    return best["text"] > best["json"]


async def _prometheus(system: System) -> Answer:
    text = await system.runtime.compute(exposition, system)
    return Answer(text, headers={"content-type": CONTENT_TYPE})


@operation(
    "GET",
    "/metrics",
    scope="admin",
    summary="Numbers about the service",
    description="JSON, or Prometheus text with `format=prometheus` or an Accept header that prefers it.",
    parameters=(Parameter("format", "string", default="json", choices=("json", "prometheus"), description="Format."),),
    errors=(422,),
    answer=shapes.METRICS,
    other_answers=("text/plain",),
)
async def metrics(system: System, request: Request) -> Answer:
    """GET /metrics."""
    query, warnings = read_query(metrics.parameters, request.query)
    asked = any(name == "format" for name, _ in request.query)
    if query["format"] == "prometheus" or (not asked and prefers_text(request.headers.get("accept", ""))):
        return await _prometheus(system)
    requests, errors, _ = system.measures.last_minute()
    uptime = uptime_seconds(system)
    return Answer(
        {
            **stamps(system),
            "sessions": session_numbers(system),
            "performance": performance_numbers(system),
            "resources": resource_numbers(system),
            "databases": await system.runtime.compute(database_numbers, system),
            "rates": {
                "requests_per_second": requests / min(60.0, uptime) if uptime else 0.0,
                "requests_per_minute": requests,
                "errors_per_minute": errors,
            },
            "processor_manager": await system.runtime.compute(node_numbers, system, request.visible),
            "observations_processed": system.events.observations,
            "patterns_learned": system.events.learnings,
            "uptime_seconds": uptime,
            "active_sessions": system.sessions.count().active,
            "error": None,
            "warnings": warnings,
        }
    )


@operation(
    "GET",
    "/metrics/prometheus",
    scope="admin",
    summary="Numbers about the service as Prometheus text",
    other_answers=("text/plain",),
)
async def prometheus(system: System, request: Request) -> Answer:
    """GET /metrics/prometheus."""
    del request
    return await _prometheus(system)


def shown_points(system: System, name: str, minutes: int) -> list[Json]:
    """Points of a series, oldest first."""
    return [{"timestamp": at, "value": value, "labels": {}} for at, value in system.measures.points(name, minutes)]


@operation(
    "GET",
    "/metrics/{name}",
    scope="admin",
    summary="History of one number",
    parameters=(MINUTES,),
    errors=(404, 422),
    answer=shapes.METRIC,
)
async def metric_history(system: System, request: Request) -> Answer:
    """GET /metrics/{name}."""
    query, warnings = read_query((MINUTES,), request.query)
    asked = request.path["name"]
    name = series_name(asked)
    points = shown_points(system, name, query["minutes"]) if name is not None else []
    if not points:
        raise MetricNotFound(asked, query["minutes"])
    values = [point["value"] for point in points]
    return Answer(
        {
            "metric_name": asked,
            "time_range_minutes": query["minutes"],
            **stamps(system),
            "statistics": {
                "count": len(values),
                "min": min(values),
                "max": max(values),
                "avg": sum(values) / len(values),
            },
            "data_points": points,
            "warnings": warnings,
        }
    )


@operation(
    "GET",
    "/stats",
    scope="admin",
    summary="History of every number",
    parameters=(MINUTES,),
    errors=(422,),
    answer=shapes.STATS,
)
async def stats(system: System, request: Request) -> Answer:
    """GET /stats."""
    query, warnings = read_query((MINUTES,), request.query)
    state, issues = await system.runtime.compute(storage_status, system)
    _, errors, _ = system.measures.last_minute()
    resources = resource_numbers(system)
    return Answer(
        {
            "time_range_minutes": query["minutes"],
            **stamps(system),
            "processor_manager": await system.runtime.compute(node_numbers, system, request.visible),
            "current_status": {
                "status": state,
                "issues": issues,
                "metrics": {
                    "cpu_percent": resources["cpu_percent"],
                    "memory_percent": resources["memory_percent"],
                    "error_rate_per_min": errors,
                },
                "timestamp": time_text(system.runtime.now()),
            },
            "time_series": {name: shown_points(system, name, query["minutes"]) for name in NAMES},
            "summary": {
                "sessions": session_numbers(system),
                "performance": performance_numbers(system),
                "resources": resources,
                "databases": await system.runtime.compute(database_numbers, system),
            },
            "error": None,
            "warnings": warnings,
        }
    )
