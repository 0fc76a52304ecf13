"""The value of every series at this moment, by name; what the history and the monitoring endpoints are made of."""

from __future__ import annotations

from collections.abc import Mapping

from kato.service.system import System

ALIASES: Mapping[str, str] = {
    "cpu_percent": "kato_cpu_usage_percent",
    "memory_percent": "kato_memory_usage_percent",
    "disk_percent": "kato_disk_usage_percent",
}
"""Names that compatible clients use for series of ours."""

NAMES = (
    "kato_requests_total",
    "kato_requests_failed",
    "kato_errors_total",
    "kato_request_duration_seconds",
    "kato_sessions_total",
    "kato_sessions_active",
    "kato_sessions_deleted",
    "kato_sessions_expired",
    "kato_observations_total",
    "kato_learns_total",
    "kato_predictions_total",
    "kato_patterns_total",
    "kato_storage_operations_total",
    "kato_storage_errors_total",
    "kato_websocket_connections",
    "kato_cpu_usage_percent",
    "kato_memory_usage_percent",
    "kato_memory_usage_bytes",
    "kato_disk_usage_percent",
    "kato_network_bytes_sent",
    "kato_network_bytes_recv",
)


def series_name(name: str) -> str | None:
    """The full name of a series given as itself, without `kato_`, or by an alias; None for none of ours."""
    for candidate in (name, f"kato_{name}", ALIASES.get(name, "")):
        if candidate in NAMES:
            return candidate
    return None


def count_nodes(system: System) -> tuple[int, int]:
    """(nodes that have ever learned something, patterns of all of them)."""
    nodes = patterns = 0
    after = ""
    while page := system.storage.nodes(after=after, limit=1000):
        nodes += len(page)
        patterns += sum(node.patterns for node in page)
        after = page[-1].node_id
    return nodes, patterns


def count_patterns(system: System) -> int:
    """Patterns of all nodes."""
    return count_nodes(system)[1]


def current_values(system: System) -> dict[str, float]:
    """
    Every series' value now. `kato_request_duration_seconds` is the mean of the last minute; blocking, it reads the store.
    """
    measures = system.measures
    machine = measures.machine()
    sessions = system.sessions.count()
    _, _, mean_seconds = measures.last_minute()
    return {
        "kato_requests_total": measures.requests,
        "kato_requests_failed": measures.failed,
        "kato_errors_total": measures.errors,
        "kato_request_duration_seconds": mean_seconds,
        "kato_sessions_total": sessions.created,
        "kato_sessions_active": sessions.active,
        "kato_sessions_deleted": sessions.deleted,
        "kato_sessions_expired": sessions.expired,
        "kato_observations_total": system.events.observations,
        "kato_learns_total": system.events.learnings,
        "kato_predictions_total": system.events.predictions,
        "kato_patterns_total": count_patterns(system),
        "kato_storage_operations_total": system.writer.count.transactions,
        "kato_storage_errors_total": system.writer.count.errors,
        "kato_websocket_connections": measures.websockets,
        "kato_cpu_usage_percent": machine.cpu_percent,
        "kato_memory_usage_percent": machine.memory_percent,
        "kato_memory_usage_bytes": machine.memory_bytes,
        "kato_disk_usage_percent": machine.disk_percent,
        "kato_network_bytes_sent": machine.network_sent,
        "kato_network_bytes_recv": machine.network_received,
    }
