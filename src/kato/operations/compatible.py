"""
What exists only for compatible clients, gathered in one place.

Node-level percept and cognition belong to sessions and are always empty here; caches, a distributed short-term memory and
storages that are not in use say that they are disabled, and why.
"""

from __future__ import annotations

from typing import Any

from kato.operations import node_id as nodes
from kato.operations.health import uptime_seconds
from kato.operations.registry import Answer, Request, operation
from kato.service.system import System
from kato.wire.answers import Json, node, time_text
from kato.wire.reading import Parameter, read_query
from kato.wire.schemas import knowledge as shapes
from kato.wire.schemas import service as parts

UNUSED_STORAGES = ("clickhouse", "qdrant", "redis")
"""Storages that compatible clients ask after, whichever is in use."""
UNUSED_NUMBERS: Json = {"operations": 0, "errors": 0, "avg_response_time": 0.0, "status": "disabled"}
UNUSED_HEALTH: Json = {
    "healthy": False,
    "status": "disabled",
    "error_count": 0,
    "last_error": None,
    "response_time_ms": 0,
}
UNUSED_POOL: Json = {"type": "none", "status": "disabled", "active": 0, "available": 0, "peak": 0}
_NO_CACHE = "There is no cache beside the nodes held in memory, which are never stale"
_NO_DISTRIBUTED = "Short-term memories are kept by the storage itself; there is no second, distributed copy"
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
    scope="read",
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
    scope="read",
    summary="Deprecated: always empty",
    parameters=nodes.PARAMETERS,
    errors=(422,),
    answer=shapes.NODE_COGNITION,
)
async def cognition_data(system: System, request: Request) -> Answer:
    """GET /cognition-data."""
    return _answer(system, request, "cognition-data", "cognition_data", dict(_EMPTY))


@operation("GET", "/cache/stats", scope="admin", summary="The cache, which does not exist", answer=parts.CACHE_STATS)
async def cache_stats(system: System, request: Request) -> Answer:
    """GET /cache/stats."""
    _, warnings = read_query((), request.query)
    zeros: dict[str, Any] = dict.fromkeys(
        (
            "hit_rate",
            "hit_rate_percent",
            "cache_hits",
            "total_hits",
            "cache_misses",
            "total_misses",
            "total_requests",
            "avg_hit_time_ms",
            "avg_miss_time_ms",
            "patterns_in_cache",
            "symbols_in_cache",
            "patterns_cached_total",
            "symbols_cached_total",
            "redis_memory_used_mb",
            "requests_per_second",
        ),
        0,
    )
    performance = {**zeros, "uptime_seconds": uptime_seconds(system), "status": "disabled", "reason": _NO_CACHE}
    return Answer(
        {
            "status": "disabled",
            "reason": _NO_CACHE,
            "cache_performance": performance,
            "cache_health": {
                "status": "disabled",
                "redis_connected": False,
                "memory_usage_mb": 0,
                "cache_stats": {},
            },
            "timestamp": time_text(system.runtime.now()),
            "warnings": warnings,
        }
    )


@operation(
    "POST",
    "/cache/invalidate",
    scope="admin",
    summary="Nothing to invalidate",
    description="Never changes a result.",
    parameters=(Parameter("session_id", "string", default=None, description="Returned as given."),),
    errors=(422,),
    answer=parts.CACHE_INVALIDATED,
)
async def cache_invalidate(system: System, request: Request) -> Answer:
    """POST /cache/invalidate."""
    query, warnings = read_query(cache_invalidate.parameters, request.query)
    return Answer(
        {
            "status": "disabled",
            "patterns_invalidated": 0,
            "symbols_invalidated": 0,
            "session_id": query["session_id"],
            "reason": _NO_CACHE,
            "timestamp": time_text(system.runtime.now()),
            "warnings": warnings,
        }
    )


@operation(
    "GET",
    "/distributed-stm/stats",
    scope="admin",
    summary="The distributed short-term memory, which does not exist",
    answer=parts.DISTRIBUTED_STM,
)
async def distributed_stm(system: System, request: Request) -> Answer:
    """GET /distributed-stm/stats."""
    _, warnings = read_query((), request.query)
    names = (
        "events_published",
        "events_consumed",
        "cache_hits",
        "cache_misses",
        "sync_operations",
        "cache_hit_rate",
        "stream_length",
        "consumer_groups",
        "total_operations",
        "avg_read_latency_ms",
        "avg_write_latency_ms",
    )
    return Answer(
        {
            "status": "disabled",
            "distributed_stm_enabled": False,
            "performance_stats": dict.fromkeys(names, 0),
            "processor_info": {
                "sample_processor_id": None,
                "total_active_processors": len(system.nodes.loaded()),
            },
            "expected_improvements": {},
            "reason": _NO_DISTRIBUTED,
            "error": None,
            "timestamp": time_text(system.runtime.now()),
            "warnings": warnings,
        }
    )
