"""How full the service is: requests in flight against the limit, and connections to what it needs."""

from __future__ import annotations

from kato.operations.compatible import UNUSED_HEALTH, UNUSED_POOL, UNUSED_STORAGES
from kato.operations.health import dependencies
from kato.operations.registry import Answer, Request, operation
from kato.service.system import System
from kato.wire.answers import Json, time_text
from kato.wire.reading import read_query
from kato.wire.schemas import service as shapes


@operation(
    "GET", "/concurrency", scope="admin", summary="Requests in flight against the limit", answer=shapes.CONCURRENCY
)
async def concurrency(system: System, request: Request) -> Answer:
    """GET /concurrency."""
    _, warnings = read_query((), request.query)
    capacity = system.capacity
    current, peak = system.measures.in_flight, system.measures.peak_in_flight
    used = 100 * current // capacity.per_worker
    level = "critical" if used >= 95 else "warning" if used >= 80 else "healthy"
    advice: list[Json] = []
    if level != "healthy":
        urgency = "critical" if level == "critical" else "warning"
        message = (
            f"{current} of {capacity.per_worker} requests are in flight; raise KATO_LIMIT_CONCURRENCY or send fewer"
        )
        advice.append({"level": urgency, "message": message})
    return Answer(
        {
            "status": level,
            "current": {"concurrent_requests": current, "utilization_percent": used},
            "peak": {"concurrent_requests": peak, "utilization_percent": 100 * peak // capacity.per_worker},
            "limits": {
                "per_worker": capacity.per_worker,
                "warning_threshold": capacity.per_worker * 80 // 100,
                "critical_threshold": capacity.per_worker * 95 // 100,
                "total_capacity": capacity.per_worker * capacity.workers,
            },
            "configuration": {
                "workers": capacity.workers,
                "backlog": capacity.backlog,
                "max_requests": capacity.max_requests or "unlimited",
            },
            "recommendations": advice,
            "timestamp": time_text(system.runtime.now()),
            "warnings": warnings,
        }
    )


@operation(
    "GET",
    "/connection-pools",
    scope="admin",
    summary="Connections to what the service needs",
    answer=shapes.CONNECTION_POOLS,
)
async def connection_pools(system: System, request: Request) -> Answer:
    """GET /connection-pools."""
    _, warnings = read_query((), request.query)
    needed, issues = await dependencies(system)
    now = time_text(system.runtime.now())
    state = "unhealthy" if issues else "healthy"
    waiting = system.writer.count.waiting
    return Answer(
        {
            "status": state,
            "health": {
                system.storage_name: {
                    "healthy": not issues,
                    "status": state,
                    "last_check": now,
                    "error_count": system.writer.count.errors,
                    "last_error": "unavailable" if issues else None,
                    "response_time_ms": needed["storage"]["response_time_ms"],
                },
                **{name: {**UNUSED_HEALTH, "last_check": now} for name in UNUSED_STORAGES},
            },
            "pool_statistics": {
                system.storage_name: {
                    "type": "single writer",
                    "status": state,
                    "active": min(1, waiting),
                    "available": 1 - min(1, waiting),
                    "peak": 1 if system.writer.count.transactions else 0,
                },
                **dict.fromkeys(UNUSED_STORAGES, UNUSED_POOL),
            },
            "connection_optimization": {},
            "performance_improvements": {},
            "error": None,
            "timestamp": now,
            "warnings": warnings,
        }
    )
