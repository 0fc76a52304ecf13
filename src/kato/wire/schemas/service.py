"""Answers about the service: identity, health, numbers, parts."""

from __future__ import annotations

from collections.abc import Iterable

from kato.wire.schemas.parts import (
    Schema,
    answer,
    boolean,
    constant,
    empty,
    integer,
    listed,
    mapping,
    named,
    null,
    nullable,
    number,
    record,
    text,
    time,
)

_UPTIME = number("Seconds since it started.", 12.5, minimum=0)
_VERSION = text("The version of KATO.", "0.1.0")
_SECONDS = number("Seconds since 1970.", 1767268800.0)
_STAMPS: dict[str, Schema] = {"timestamp": _SECONDS, "timestamp_iso": time("The same as text.")}
_NOW = time("When this was said.")
_PERCENT = number("0 to 100.", 12.5, minimum=0, maximum=100)
_NO_ERROR = null("Always null.")


def _percentages(*names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, _PERCENT)


def _counts(names: Iterable[str], about: str = "A count.") -> dict[str, Schema]:
    return {name: integer(about) for name in names}


def _zeros(*names: str) -> dict[str, Schema]:
    return {name: number("0 where the part does not exist.", 0.0, minimum=0) for name in names}


ROOT = answer(
    {
        "service": constant("What it is.", "KATO API"),
        "version": _VERSION,
        "description": text("What it does.", "Observes events, learns sequences by heart and says what comes next"),
        "docs": constant("Where it is described.", "/docs"),
        "health": constant("Where its health is told.", "/health"),
        "status": constant("It runs.", "running"),
        "uptime_seconds": _UPTIME,
        "architecture": constant("For compatible clients.", "modular"),
        "session_support": boolean("Always true."),
    },
    about="Who is answering.",
)
DEPENDENCIES = mapping(
    record(
        "One of the things the service needs.",
        {
            "status": constant("Whether it answers.", "healthy", "unhealthy"),
            "required": boolean("Whether the service cannot do without."),
            "response_time_ms": number("How long it took.", 0.4, minimum=0),
        },
    ),
    "Name → how it fares.",
    key="storage",
)
HEALTH = answer(
    {
        "status": constant("Load never matters.", "healthy", "degraded", "unhealthy"),
        "processor_status": constant("Whether the service can think.", "healthy", "unhealthy"),
        "service_name": text("Its name.", "kato"),
        "version": _VERSION,
        "message": text("In words.", "All is well"),
        "uptime_seconds": _UPTIME,
        "uptime": _UPTIME,
        "issues": listed(text("A sentence."), "What is wrong.", examples=[[]]),
        "dependencies": DEPENDENCIES,
        "load": record("The machine.", _percentages("cpu_percent", "memory_percent")),
        "features": record(
            "What it offers.",
            {"websocket_events": boolean("`/ws/events`."), "api_keys": boolean("Whether keys are asked for.", False)},
        ),
        "active_sessions": integer("Live sessions."),
        "metrics_collected": integer("Points recorded of all series so far."),
        "last_collection": nullable(time("When the newest of them was recorded; null before the first.")),
        "timestamp": _NOW,
    },
    about="How it fares; always 200.",
)
LIVE = answer(
    {"status": constant("It answers.", "alive"), "uptime_seconds": _UPTIME, "timestamp": _NOW}, about="It answers."
)
READY = answer(
    {"status": constant("It serves.", "ready"), "dependencies": DEPENDENCIES, "timestamp": _NOW}, about="It serves."
)

NODES_HELD = record(
    "The nodes held in memory.",
    {
        "total_processors": integer("How many."),
        "active_processors": integer("The same."),
        "max_processors": nullable(integer("Most that are held; null: no limit.")),
        "eviction_ttl_seconds": nullable(integer("Seconds after which an idle one goes; null: never.")),
        "patterns_count": integer("Patterns of all nodes, held or not."),
        "memory_bytes": integer("About the bytes that all of them take in memory.", 4096),
        "memory_budget_bytes": nullable(integer("Bytes they may take together; null: no limit.", 2**31)),
        "evictions": integer("Nodes let go so far to keep within that.", 0),
        "snapshots_written": integer("Snapshots of nodes written since the start.", 1),
        "snapshots_used": integer("Loadings that a snapshot served.", 1),
        "snapshots_discarded": integer("Snapshots thrown away; the log says why.", 0),
        "processors": listed(
            record(
                "A node.",
                {
                    "processor_id": text("The node.", "my_app"),
                    "node_id": text("The node.", "my_app"),
                    "created_at": time("When it was loaded."),
                    "last_accessed": time("When it was last asked."),
                    "access_count": integer("How often it was asked."),
                    "idle_seconds": number("Seconds since then.", 1.5, minimum=0),
                    "is_loading": boolean("Whether it is still being loaded; what follows is 0 then.", False),
                    "patterns": integer("Patterns it knows.", 2),
                    "memory_bytes": integer("About the bytes it takes: the two below.", 4096),
                    "index_bytes": integer("Of its index, in memory or mapped from a file.", 3072),
                    "rest_bytes": integer("Of its symbols, what travels with patterns, and vectors.", 1024),
                },
            ),
            "Up to 100, the most recently used first.",
        ),
    },
)
STATUS = answer(
    {
        "status": constant("As the storage fares.", "healthy", "unhealthy"),
        "base_processor_id": text("The service's name.", "kato"),
        "processor_name": text("The same.", "kato"),
        "service_name": text("The same.", "kato"),
        "version": _VERSION,
        "uptime_seconds": _UPTIME,
        "uptime": _UPTIME,
        "engine": text("What predicts.", "plain"),
        "sessions": record(
            "Sessions.",
            {
                **_counts(
                    (
                        "total_sessions",
                        "total_created",
                        "total_deleted",
                        "expired_sessions",
                        "active_sessions",
                        "active",
                    )
                ),
                "backend": text("Where they are kept.", "sqlite"),
            },
        ),
        "processors": named("NodesHeld"),
        "session_id": nullable(text("The live session named by `X-Session-ID`.", "session-…")),
        "stm_length": integer("Events in its short-term memory.", 0),
        "time": integer("Its observations so far.", 0),
        "timestamp": _NOW,
    },
    about="The state of the service.",
)

SESSION_NUMBERS = record(
    "Sessions and what was done in them.",
    _counts(("total_created", "total_deleted", "active", "operations_total")),
)
PERFORMANCE = record(
    "Requests.",
    {
        "total_requests": integer("Answered since the start."),
        "total_errors": integer("Of these with status 500 or more.", 0),
        "error_rate": number("Their share, 0 to 1.", 0.0, minimum=0, maximum=1),
        "average_response_time": number("Seconds, over the last minute.", 0.002, minimum=0),
        "average_response_time_ms": number("The same in milliseconds.", 2.0, minimum=0),
    },
)
RESOURCES = record("The machine.", _percentages("cpu_percent", "memory_percent", "disk_percent"))
DATABASES = mapping(
    record(
        "A storage.",
        {
            "operations": integer("Transactions since the start."),
            "errors": integer("Those that failed.", 0),
            "avg_response_time": number("Seconds of one.", 0.001, minimum=0),
            "status": constant("`disabled`: not in use.", "healthy", "unhealthy", "disabled"),
        },
    ),
    "Each storage in use, and those that compatible clients look for.",
    key="sqlite",
)
METRICS = answer(
    {
        **_STAMPS,
        "sessions": named("SessionNumbers"),
        "performance": named("Performance"),
        "resources": named("Resources"),
        "databases": DATABASES,
        "rates": record(
            "Over the last minute.",
            {
                "requests_per_second": number("Requests a second.", 1.5, minimum=0),
                "requests_per_minute": integer("Requests.", 90),
                "errors_per_minute": integer("Answers of 500 or more.", 0),
            },
        ),
        "processor_manager": named("NodesHeld"),
        "observations_processed": integer("Observations since the start."),
        "patterns_learned": integer("Learnings since the start."),
        "uptime_seconds": _UPTIME,
        "active_sessions": integer("Live sessions."),
        "error": _NO_ERROR,
    },
    about="The service's numbers, as JSON or, where asked for, as Prometheus text.",
)
_POINTS = listed(
    record(
        "A point.",
        {
            "timestamp": _SECONDS,
            "value": number("The value.", 3.0),
            "labels": {"type": "object", "description": "Labels, if any.", "examples": [{}]},
        },
    ),
    "Oldest first.",
)
METRIC = answer(
    {
        "metric_name": text("As asked.", "kato_requests_total"),
        "time_range_minutes": integer("As asked.", 10),
        **_STAMPS,
        "statistics": record(
            "Over the points.",
            {
                "count": integer("Points."),
                "min": number("The least.", 1.0),
                "max": number("The most.", 3.0),
                "avg": number("Their mean.", 2.0),
            },
        ),
        "data_points": _POINTS,
    },
    about="The history of one number.",
)
STATS = answer(
    {
        "time_range_minutes": integer("As asked.", 10),
        **_STAMPS,
        "processor_manager": named("NodesHeld"),
        "current_status": record(
            "Now.",
            {
                "status": constant("As the storage fares.", "healthy", "unhealthy"),
                "issues": listed(text("A sentence."), "What is wrong.", examples=[[]]),
                "metrics": record(
                    "Load.",
                    {**_percentages("cpu_percent", "memory_percent"), "error_rate_per_min": integer("Errors.", 0)},
                ),
                "timestamp": _NOW,
            },
        ),
        "time_series": mapping(_POINTS, "Name → points.", key="kato_requests_total"),
        "summary": record(
            "The numbers now.",
            {
                "sessions": named("SessionNumbers"),
                "performance": named("Performance"),
                "resources": named("Resources"),
                "databases": DATABASES,
            },
        ),
        "error": _NO_ERROR,
    },
    about="The history of every number.",
)
_IN_FLIGHT = record(
    "Requests.",
    {"concurrent_requests": integer("In flight."), "utilization_percent": integer("Of the limit.", 0)},
)
CONCURRENCY = answer(
    {
        "status": constant("Warning from 80 % of the limit, critical from 95 %.", "healthy", "warning", "critical"),
        "current": _IN_FLIGHT,
        "peak": _IN_FLIGHT,
        "limits": record(
            "Requests in flight.",
            _counts(("per_worker", "warning_threshold", "critical_threshold", "total_capacity"), "Requests."),
        ),
        "configuration": record(
            "How the server runs.",
            {
                "workers": integer("Processes."),
                "backlog": integer("Connections that may wait.", 2048),
                "max_requests": {
                    "description": "After which a worker ends.",
                    "anyOf": [{"type": "string", "enum": ["unlimited"]}, {"type": "integer", "minimum": 1}],
                },
            },
        ),
        "recommendations": listed(
            record(
                "An advice.",
                {
                    "level": constant("How pressing.", "info", "warning", "critical", "urgent"),
                    "message": text("In words.", "raise KATO_LIMIT_CONCURRENCY or send fewer"),
                },
            ),
            "What to do.",
            examples=[[]],
        ),
        "timestamp": _NOW,
    },
    about="Requests in flight against the limit.",
)
_REASON = text("Why it is as it is.", "There is no cache beside the nodes held in memory")
CACHE_STATS = answer(
    {
        "cache_performance": record(
            "What it does.",
            {
                **_zeros("hit_rate", "hit_rate_percent", "avg_hit_time_ms", "avg_miss_time_ms"),
                **_zeros("redis_memory_used_mb", "requests_per_second"),
                **_counts(("cache_hits", "total_hits", "cache_misses", "total_misses", "total_requests")),
                **_counts(("patterns_in_cache", "symbols_in_cache", "patterns_cached_total", "symbols_cached_total")),
                "uptime_seconds": _UPTIME,
                "status": constant("Whether there is one.", "active", "disabled"),
                "reason": _REASON,
            },
        ),
        "cache_health": record(
            "How it fares.",
            {
                "status": constant("Whether there is one.", "healthy", "unhealthy", "disabled"),
                "redis_connected": boolean("Whether Redis is in use.", False),
                **_zeros("memory_usage_mb"),
                "cache_stats": {"type": "object", "description": "Numbers, if any.", "examples": [{}]},
            },
        ),
        "timestamp": _NOW,
    },
    about="The cache.",
)
CACHE_INVALIDATED = answer(
    {
        "status": constant("Whether there was something to do.", "success", "disabled"),
        **_counts(("patterns_invalidated", "symbols_invalidated")),
        "session_id": nullable(text("As given.", "session-…")),
        "reason": _REASON,
        "timestamp": _NOW,
    },
    about="No result has changed.",
)
DISTRIBUTED_STM = answer(
    {
        "status": constant("Whether there is one.", "active", "disabled"),
        "distributed_stm_enabled": boolean("The same.", False),
        "performance_stats": record(
            "What it does.",
            {
                **_counts(("events_published", "events_consumed", "cache_hits", "cache_misses", "sync_operations")),
                **_counts(("stream_length", "consumer_groups", "total_operations")),
                **_zeros("cache_hit_rate", "avg_read_latency_ms", "avg_write_latency_ms"),
            },
        ),
        "processor_info": record(
            "Nodes.",
            {
                "sample_processor_id": nullable(text("None is singled out.", "my_app")),
                "total_active_processors": integer("Nodes held in memory."),
            },
        ),
        "expected_improvements": empty("Nothing is promised."),
        "reason": _REASON,
        "error": _NO_ERROR,
        "timestamp": _NOW,
    },
    about="The distributed short-term memory.",
)
_FARES = ("healthy", "unhealthy", "disabled")
CONNECTION_POOLS = answer(
    {
        "status": constant("As `/health`.", "healthy", "degraded", "unhealthy"),
        "health": mapping(
            record(
                "A dependency.",
                {
                    "healthy": boolean("Whether it answers."),
                    "status": constant("The same.", *_FARES),
                    "last_check": nullable(time("When it was last asked.")),
                    "error_count": integer("Failures so far.", 0),
                    "last_error": nullable(text("A fixed category.", "unavailable")),
                    "response_time_ms": number("How long it took.", 0.4, minimum=0),
                },
            ),
            "Each dependency in use, and those that compatible clients look for.",
            key="sqlite",
        ),
        "pool_statistics": mapping(
            record(
                "A pool.",
                {
                    "type": text("What it is.", "single writer"),
                    "status": constant("How it fares.", *_FARES),
                    **_counts(("active", "available", "peak"), "Connections."),
                },
            ),
            "The same names.",
            key="sqlite",
        ),
        "connection_optimization": empty("Nothing is claimed."),
        "performance_improvements": empty("Nothing is claimed."),
        "error": _NO_ERROR,
        "timestamp": _NOW,
    },
    about="Connections to what the service needs.",
)

REQUESTS = answer(
    {
        "requests": listed(
            record(
                "A request that was answered.",
                {
                    "at": time("When it was answered."),
                    "method": text("Its method.", "POST"),
                    "route": text("The path's template; never an id.", "/sessions/{session_id}/observe"),
                    "status": integer("How it was answered.", 200, minimum=100),
                    "duration_ms": number("How long it took, in milliseconds.", 0.42, minimum=0),
                    "trace_id": text("What its lines in the log are found by.", "kato-0f8fad5b"),
                },
            ),
            "Newest first.",
        ),
        "count": integer("Entries in this answer."),
        "kept": integer("How many are kept.", 500),
    },
    about="The latest requests.",
)
