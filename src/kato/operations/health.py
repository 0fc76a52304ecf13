"""Who is answering, and how it fares."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial

from kato import __version__
from kato.errors import NotReady, StorageError
from kato.operations.registry import Answer, Request, operation
from kato.service.system import System
from kato.wire.answers import Json, time_text
from kato.wire.reading import read_query
from kato.wire.schemas import service as shapes

VERSION = __version__


def uptime_seconds(system: System) -> float:
    """Seconds since the system was opened."""
    return (system.runtime.now() - system.started_at) / 1_000_000


async def dependencies(system: System) -> tuple[Json, list[str]]:
    """Each thing the service needs and whether it answers; and what is wrong, in sentences."""
    issues: list[str] = []
    needed: Json = {}

    async def look(name: str, check: Callable[[], Awaitable[None]]) -> None:
        started, status = time.perf_counter(), "healthy"
        try:
            await check()
        except StorageError as error:
            status = "unhealthy"
            issues.append(error.message)
        elapsed = (time.perf_counter() - started) * 1000
        needed[name] = {"status": status, "required": True, "response_time_ms": elapsed}

    await look("storage", system.check_storage)
    if system.follow_keys is not None:
        await look("api_keys", partial(system.runtime.compute, system.follow_keys))
    return needed, issues


@operation("GET", "/", scope=None, summary="Who is answering", answer=shapes.ROOT)
async def root(system: System, request: Request) -> Answer:
    """GET /."""
    _, warnings = read_query((), request.query)
    return Answer(
        {
            "service": "KATO API",
            "version": VERSION,
            "description": "Observes events, learns sequences by heart and says what comes next",
            "docs": "/docs",
            "health": "/health",
            "status": "running",
            "uptime_seconds": uptime_seconds(system),
            "architecture": "modular",
            "session_support": True,
            "warnings": warnings,
        }
    )


@operation(
    "GET", "/health", scope=None, summary="Health", description="Always 200; load never matters.", answer=shapes.HEALTH
)
async def health(system: System, request: Request) -> Answer:
    """GET /health."""
    _, warnings = read_query((), request.query)
    needed, issues = await dependencies(system)
    now = system.runtime.now()
    uptime = uptime_seconds(system)
    status = "unhealthy" if issues else "healthy"
    active = 0 if needed["storage"]["status"] == "unhealthy" else system.sessions.count().active
    measures = system.measures
    machine = measures.machine()
    return Answer(
        {
            "status": status,
            "processor_status": status,
            "service_name": system.service_name,
            "version": VERSION,
            "message": "All is well" if not issues else "; ".join(issues),
            "uptime_seconds": uptime,
            "uptime": uptime,
            "issues": issues,
            "dependencies": needed,
            "load": {"cpu_percent": machine.cpu_percent, "memory_percent": machine.memory_percent},
            "features": {"websocket_events": True, "api_keys": system.api_keys()},
            "active_sessions": active,
            "metrics_collected": measures.points_recorded,
            "last_collection": time_text(measures.recorded_at) if measures.recorded_at is not None else None,
            "timestamp": time_text(now),
            "warnings": warnings,
        }
    )


@operation("GET", "/health/live", scope=None, summary="Whether the process answers", answer=shapes.LIVE)
async def live(system: System, request: Request) -> Answer:
    """GET /health/live."""
    _, warnings = read_query((), request.query)
    return Answer(
        {
            "status": "alive",
            "uptime_seconds": uptime_seconds(system),
            "timestamp": time_text(system.runtime.now()),
            "warnings": warnings,
        }
    )


@operation(
    "GET", "/health/ready", scope=None, summary="Whether requests will be served", errors=(503,), answer=shapes.READY
)
async def ready(system: System, request: Request) -> Answer:
    """GET /health/ready."""
    _, warnings = read_query((), request.query)
    needed, issues = await dependencies(system)
    if issues:
        raise NotReady("; ".join(issues), details={"dependencies": needed})
    return Answer(
        {
            "status": "ready",
            "dependencies": needed,
            "timestamp": time_text(system.runtime.now()),
            "warnings": warnings,
        }
    )
