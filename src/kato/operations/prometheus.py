"""The service's numbers as Prometheus text 0.0.4. Labels are method, route template and status, never ids."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from kato import __version__
from kato.service.histogram import Histogram
from kato.service.measuring import BUCKETS
from kato.service.numbers import count_nodes, current_values
from kato.service.system import System

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MEANING = {
    "kato_requests_failed": "Requests answered with a status of 400 or more",
    "kato_errors_total": "Requests answered with a status of 500 or more",
    "kato_sessions_total": "Sessions ever created",
    "kato_sessions_active": "Live sessions",
    "kato_sessions_deleted": "Sessions ended by request",
    "kato_sessions_expired": "Sessions ended by their lifetime",
    "kato_observations_total": "Observations",
    "kato_learns_total": "Learnings",
    "kato_predictions_total": "Questions what comes next that were answered",
    "kato_patterns_total": "Patterns of all nodes",
    "kato_storage_operations_total": "Transactions stored",
    "kato_storage_errors_total": "Transactions that failed",
    "kato_websocket_connections": "Connections that watch events",
    "kato_cpu_usage_percent": "Processor of the machine, 0 to 100",
    "kato_memory_usage_percent": "Memory of the machine, 0 to 100",
    "kato_memory_usage_bytes": "Resident memory of the server",
    "kato_disk_usage_percent": "Disk of the data, 0 to 100",
    "kato_network_bytes_sent": "Bytes the machine sent",
    "kato_network_bytes_recv": "Bytes the machine received",
}
"""What each series of the history means; the others are said where they are made."""
_GOES_DOWN = {"kato_patterns_total"}
"""Named like counters, and not; patterns can be forgotten."""


class _Numbers(Collector):
    def __init__(self, system: System) -> None:
        self._system = system

    def collect(self) -> Iterator[Metric]:
        """Every series once."""
        system = self._system
        values = current_values(system)
        for name, about in MEANING.items():
            if name.endswith("_total") and name not in _GOES_DOWN:
                yield CounterMetricFamily(name.removesuffix("_total"), about, value=values[name])
            else:
                yield GaugeMetricFamily(name, about, value=values[name])
        yield from self._requests()
        yield from self._queues()
        yield from self._thinking()

    def _requests(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("kato_requests", "Requests answered", labels=("method", "route", "status"))
        durations = HistogramMetricFamily(
            "kato_request_duration_seconds", "Time to answer a request", labels=("method", "route")
        )
        by_route: dict[tuple[str, str], tuple[list[int], int, float]] = {}
        for (method, route, status), count in sorted(self._system.measures.routes.items()):
            requests.add_metric((method, route, str(status)), count.requests)
            buckets, total, seconds = by_route.get((method, route), ([0] * len(BUCKETS), 0, 0.0))
            own = count.durations.cumulative()[: len(BUCKETS)]
            merged = [a + b for a, b in zip(buckets, own, strict=True)]
            by_route[(method, route)] = (merged, total + count.requests, seconds + count.durations.total)
        for labels, (counts, total, seconds) in by_route.items():
            bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
            durations.add_metric(labels, list(zip(bounds, [*counts, total], strict=True)), seconds)
        yield requests
        yield durations
        yield GaugeMetricFamily(
            "kato_requests_in_flight", "Requests being answered", value=self._system.measures.in_flight
        )

    def _queues(self) -> Iterator[Metric]:
        system = self._system
        last, worst = system.measures.loop_lag()
        for name, about, value in (
            ("kato_commit_queue_depth", "Transactions waiting to be stored", system.writer.count.waiting),
            ("kato_compute_queue_depth", "Computations waiting for a thread", system.runtime.waiting),
            ("kato_websocket_queue_depth", "Frames waiting to be sent", system.measures.frames_waiting()),
            ("kato_event_loop_lag_seconds", "How late the event loop last woke up", last),
            ("kato_event_loop_lag_max_seconds", "How late it was at worst in the last minute", worst),
        ):
            yield GaugeMetricFamily(name, about, value=value)

    def _memory(self) -> Iterator[Metric]:
        nodes, held = self._system.nodes, self._system.nodes.costs()
        yield GaugeMetricFamily("kato_nodes_loaded", "Nodes held in memory", value=len(held))
        memory = GaugeMetricFamily("kato_nodes_memory_bytes", "About what they take", labels=("part",))
        memory.add_metric(("index",), sum(cost.index for _, cost, _ in held))
        memory.add_metric(("rest",), sum(cost.rest for _, cost, _ in held))
        yield memory
        if nodes.budget is not None:
            yield GaugeMetricFamily("kato_memory_budget_bytes", "What they may take together", value=nodes.budget)
        yield CounterMetricFamily("kato_nodes_evicted", "Nodes let go to keep within the budget", value=nodes.evicted)
        done = CounterMetricFamily("kato_snapshots", "Snapshots of nodes, by what was done", labels=("done",))
        for name in ("written", "used", "discarded"):
            done.add_metric((name,), getattr(nodes.snapshots, name) if nodes.snapshots is not None else 0)
        yield done

    def _thinking(self) -> Iterator[Metric]:
        system, events = self._system, self._system.events
        nodes, _ = count_nodes(system)
        yield GaugeMetricFamily("kato_nodes", "Nodes that have learned something", value=nodes)
        yield from self._memory()
        yield CounterMetricFamily(
            "kato_patterns_considered", "Patterns that predictions chose from", value=events.patterns_considered
        )
        yield CounterMetricFamily(
            "kato_patterns_evaluated", "Patterns that were compared with a memory", value=events.patterns_evaluated
        )
        yield _histogram("kato_learn_batch_size", "Patterns learned in one commit", events.batch_sizes)
        yield GaugeMetricFamily("kato_storage_bytes", "Bytes the storage takes", value=system.storage.size_bytes())
        started = GaugeMetricFamily("kato_start_time_seconds", "When it started, since 1970")
        started.add_metric((), system.started_at / 1_000_000)
        yield started
        info = GaugeMetricFamily("kato_info", "What is running: always 1", labels=("version", "engine", "storage"))
        info.add_metric((__version__, system.engine, system.storage_name), 1)
        yield info


def _histogram(name: str, about: str, values: Histogram) -> Metric:
    family = HistogramMetricFamily(name, about)
    bounds = [*(str(bound) for bound in values.bounds), "+Inf"]
    family.add_metric((), list(zip(bounds, values.cumulative(), strict=True)), values.total)
    return family


def exposition(system: System) -> bytes:
    """All numbers as text; blocking, it reads the store."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(system))
    return generate_latest(registry)
