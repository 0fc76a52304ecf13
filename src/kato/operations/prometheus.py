"""The service's numbers as Prometheus text 0.0.4. Labels are method, route template and status, never ids."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from kato.service.measuring import BUCKETS
from kato.service.numbers import current_values
from kato.service.system import System

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Numbers(Collector):
    def __init__(self, system: System) -> None:
        self._system = system

    def collect(self) -> Iterator[Metric]:
        """Every series once."""
        system = self._system
        for name, value in current_values(system).items():
            if name in {"kato_requests_total", "kato_request_duration_seconds"}:
                continue
            if name.endswith("_total"):
                yield CounterMetricFamily(name.removesuffix("_total"), name, value=value)
            else:
                yield GaugeMetricFamily(name, name, value=value)
        requests = CounterMetricFamily("kato_requests", "Requests answered", labels=("method", "route", "status"))
        durations = HistogramMetricFamily(
            "kato_request_duration_seconds", "Time to answer a request", labels=("method", "route")
        )
        by_route: dict[tuple[str, str], tuple[list[int], int, float]] = {}
        for (method, route, status), count in sorted(system.measures.routes.items()):
            requests.add_metric((method, route, str(status)), count.requests)
            buckets, total, seconds = by_route.get((method, route), ([0] * len(BUCKETS), 0, 0.0))
            merged = [a + b for a, b in zip(buckets, count.buckets, strict=True)]
            by_route[(method, route)] = (merged, total + count.requests, seconds + count.seconds)
        for labels, (counts, total, seconds) in by_route.items():
            bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
            durations.add_metric(labels, list(zip(bounds, [*counts, total], strict=True)), seconds)
        yield requests
        yield durations
        yield GaugeMetricFamily("kato_nodes_loaded", "Nodes held in memory", value=len(system.nodes.loaded()))
        yield GaugeMetricFamily(
            "kato_commit_queue_depth", "Transactions waiting to be stored", value=system.writer.count.waiting
        )
        yield GaugeMetricFamily("kato_requests_in_flight", "Requests being answered", value=system.measures.in_flight)
        yield GaugeMetricFamily(
            "kato_event_loop_lag_seconds",
            "How late the event loop last woke up",
            value=system.measures.loop_lag_seconds,
        )


def exposition(system: System) -> bytes:
    """All numbers as text; blocking, it reads the store."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(system))
    return generate_latest(registry)
