"""
Numbers about the service: counters, and a day of their history.

Everything is counted where it happens and read where it is asked for; nothing here is estimated. What the machine reports
(processor, memory, disk, network) is read again when older than `_FRESH` seconds.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import NamedTuple

import psutil

from kato.service.histogram import Histogram
from kato.storage.interface import Committed, Transaction
from kato.storage.writer import TransactionWriter

INTERVAL_SECONDS = 10
"""A point of every series at least this often."""
_POINTS = 24 * 3600 // INTERVAL_SECONDS
_FRESH = 5.0
_LAGS = 60
"""Of the last minute, as one is measured every second."""
_MINUTE = 60.0
SERVED_KEPT = 500
"""The latest requests, for whoever looks what is going on: some tens of kilobytes."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
"""Upper bounds of the request durations' histogram, seconds; from a hot route to the request timeout."""


@dataclass(slots=True)
class RouteCount:
    """Requests of one method, route template and status."""

    requests: int = 0
    durations: Histogram = field(default_factory=lambda: Histogram(BUCKETS))


class Served(NamedTuple):
    """One request that was answered."""

    at: int
    """When it was answered, in microseconds since 1970."""
    method: str
    route: str
    status: int
    seconds: float
    trace_id: str


@dataclass(slots=True)
class WriterCount:
    """What the writer was given and how it went."""

    transactions: int = 0
    operations: int = 0
    errors: int = 0
    waiting: int = 0
    seconds: float = 0.0


class MeasuredWriter:
    """
    A writer that counts what goes through it; the counts are exact once a future is done.

    Args:
        note: Called with how each transaction ended: its error, or None.
    """

    def __init__(self, writer: TransactionWriter, note: Callable[[BaseException | None], None]) -> None:
        self._writer = writer
        self._note = note
        self._guard = threading.Lock()
        self.count = WriterCount()

    def at_once(self, transaction: Transaction) -> Committed | None:
        """Have the transaction committed here and now, if it can be."""
        started = time.perf_counter()
        try:
            committed = self._writer.at_once(transaction)
        except Exception as error:
            self._ended(transaction, started, error)
            raise
        if committed is not None:
            self._ended(transaction, started, None)
        return committed

    def _ended(self, transaction: Transaction | None, started: float, error: BaseException | None) -> None:
        self._note(error)
        count = self.count
        with self._guard:
            count.transactions += 1
            count.operations += len(transaction.operations) if transaction is not None else 0
            count.errors += error is not None
            count.seconds += time.perf_counter() - started

    def submit(self, transaction: Transaction) -> Future[Committed]:
        """Hand the transaction on."""
        return self._waited_for(lambda: self._writer.submit(transaction), [transaction])

    def in_turn(self, make: Callable[[], Transaction]) -> Future[Committed]:
        """Hand on what makes a transaction."""
        made: list[Transaction] = []

        def kept() -> Transaction:
            made.append(make())
            return made[0]

        return self._waited_for(lambda: self._writer.in_turn(kept), made)

    def _waited_for(self, begin: Callable[[], Future[Committed]], made: Sequence[Transaction]) -> Future[Committed]:
        """`made` holds the transaction once there is one."""
        started = time.perf_counter()
        with self._guard:
            self.count.waiting += 1
        future = begin()

        def finished(done: Future[Committed]) -> None:
            with self._guard:
                self.count.waiting -= 1
            self._ended(next(iter(made), None), started, CancelledError() if done.cancelled() else done.exception())

        future.add_done_callback(finished)
        return future

    def close(self) -> None:
        """Close the writer underneath."""
        self._writer.close()


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine reports: percentages 0–100, bytes."""

    cpu_percent: float
    memory_percent: float
    memory_bytes: int
    """Resident memory of this process."""
    disk_percent: float
    network_sent: int
    network_received: int


class Measures:
    """Counts requests, reads the machine, and keeps a day of points."""

    def __init__(self, now: Callable[[], int], disk_path: str) -> None:
        self._now = now
        self._disk_path = disk_path
        self._guard = threading.Lock()
        self._process = psutil.Process()
        self._machine: Machine | None = None
        self._machine_read = 0.0
        self._recent: deque[tuple[float, float, bool]] = deque()
        self._served: deque[Served] = deque(maxlen=SERVED_KEPT)
        self.routes: dict[tuple[str, str, int], RouteCount] = {}
        self.requests = 0
        self.failed = 0
        """Answers with a status of 400 or more."""
        self.errors = 0
        """Answers with a status of 500 or more."""
        self.seconds = 0.0
        self.in_flight = 0
        self.arriving = 0
        """Requests whose bodies are on their way."""
        self.peak_in_flight = 0
        self.websockets = 0
        self.frames_waiting: Callable[[], int] = lambda: 0
        """Frames that watchers have not been sent yet."""
        self._lags: deque[float] = deque([0.0], maxlen=_LAGS)
        self.series: dict[str, deque[tuple[float, float]]] = {}
        self.points_recorded = 0
        self.recorded_at: int | None = None
        """When the newest points were recorded, in microseconds since 1970."""

    def woke_late(self, seconds: float) -> None:
        """The event loop woke up so much later than it should have."""
        self._lags.append(seconds)

    def loop_lag(self) -> tuple[float, float]:
        """(the last lag, the longest of the last minute) in seconds."""
        lags = list(self._lags)
        return lags[-1], max(lags)

    # What is in flight is counted by the event loop alone, so it needs no guard.

    def started(self) -> None:
        """A request began."""
        self.in_flight += 1
        if self.in_flight > self.peak_in_flight:
            self.peak_in_flight = self.in_flight

    def set_aside(self) -> None:
        """A request's body is awaited: so long it is not in flight."""
        self.in_flight -= 1
        self.arriving += 1

    def take_up(self) -> None:
        """It has arrived, or will not come."""
        self.arriving -= 1
        self.started()

    def finished(self, method: str, route: str, status: int, seconds: float, trace_id: str) -> None:
        """A request was answered. `route` is the template, never a path with ids."""
        moment = time.monotonic()
        self.in_flight -= 1
        with self._guard:
            self.requests += 1
            self.failed += status >= 400
            self.errors += status >= 500
            self.seconds += seconds
            count = self.routes.get((method, route, status))
            if count is None:
                count = self.routes[method, route, status] = RouteCount()
            count.requests += 1
            count.durations.add(seconds)
            self._served.append(Served(self._now(), method, route, status, seconds, trace_id))
            self._recent.append((moment, seconds, status >= 500))
            self._forget_old(moment)

    def served(self, *, limit: int, errors: bool = False) -> list[Served]:
        """The latest requests, newest first; with `errors` only those of status 400 or more."""
        with self._guard:
            served = list(self._served)
        found = [each for each in reversed(served) if not errors or each.status >= 400]
        return found[:limit]

    def _forget_old(self, moment: float) -> None:
        while self._recent and self._recent[0][0] < moment - _MINUTE:
            self._recent.popleft()

    def last_minute(self) -> tuple[int, int, float]:
        """(requests, answers of 500 or more, mean seconds of one) over the last sixty seconds."""
        with self._guard:
            self._forget_old(time.monotonic())
            count = len(self._recent)
            errors = sum(failed for _, _, failed in self._recent)
            seconds = sum(duration for _, duration, _ in self._recent)
        return count, errors, seconds / count if count else 0.0

    def machine(self) -> Machine:
        """What the machine reports, at most `_FRESH` seconds old."""
        moment = time.monotonic()
        if self._machine is None or moment - self._machine_read > _FRESH:
            network = psutil.net_io_counters()
            self._machine = Machine(
                cpu_percent=psutil.cpu_percent(interval=None),
                memory_percent=psutil.virtual_memory().percent,
                memory_bytes=self._process.memory_info().rss,
                disk_percent=psutil.disk_usage(self._disk_path).percent,
                network_sent=network.bytes_sent if network is not None else 0,
                network_received=network.bytes_recv if network is not None else 0,
            )
            self._machine_read = moment
        return self._machine

    def record(self, values: Mapping[str, float]) -> None:
        """Add a point to each series."""
        now = self._now()
        with self._guard:
            self.recorded_at = now
            self.points_recorded += len(values)
            for name, value in values.items():
                self.series.setdefault(name, deque(maxlen=_POINTS)).append((now / 1_000_000, value))

    def points(self, name: str, minutes: int) -> list[tuple[float, float]]:
        """(seconds since 1970, value) of the last minutes, oldest first; [] for an unknown name."""
        since = self._now() / 1_000_000 - minutes * 60
        with self._guard:
            return [point for point in self.series.get(name, ()) if point[0] >= since]
