#!/usr/bin/env python3
"""
How fast learning is: patterns a second, durable, in process and over HTTP, beside what bare SQLite does with rows like ours.

    .venv/bin/python benchmarks/learning.py [--patterns 20000] [--seed 1] [--directory DIR] [--no-http]

Patterns are generated from the seed. Every row writes into a database of its own; one commit with one flush to disk per
batch. "new" are learned for the first time, "known" once more. Beside the rate by the clock stands the rate by processor
time of this process, which says more on a machine that others use too; over HTTP the server is another process, and has
a processor time of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

from kato import Kato
from kato.engine.pattern import pattern_name
from kato.storage import records, schema
from kato.storage.interface import Learn, Transaction
from kato.storage.sqlite import SqliteStorage

TOKENS = 20
BATCHES = (64, 1000, 10_000)
CONNECTIONS = (1, 32)
ONE_SECONDS = 4.0

Events = tuple[tuple[str], ...]


def generate(count: int, seed: int) -> list[Events]:
    """Different patterns of 20 events of one symbol, out of 5,000 symbols, the first of them often (as words are)."""
    chance = random.Random(seed)
    words = [f"symbol-{number}" for number in range(5000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    found: dict[Events, None] = {}
    while len(found) < count:
        found[tuple((word,) for word in chance.choices(words, weights, k=TOKENS))] = None
    return list(found)


def cut(patterns: Sequence[Events], size: int) -> Iterator[Sequence[Events]]:
    """The patterns in batches."""
    for start in range(0, len(patterns), size):
        yield patterns[start : start + size]


def timed(count: int, work: Callable[[], None]) -> tuple[float, float]:
    """(patterns a second by the clock, by processor time of this process)."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return count / (time.perf_counter() - clock), count / max(time.process_time() - processor, 1e-9)


def show(what: str, batch: int | str, clock: float, processor: float | None, note: str = "") -> None:
    """One row of the table."""
    by_processor = f"{processor:>14,.0f}" if processor is not None else " " * 14
    print(f"{what:<38}{batch:>8}{clock:>14,.0f}{by_processor}  {note}".rstrip(), flush=True)


# --- in process -------------------------------------------------------------------------------------------------------


def bare(directory: Path, patterns: Sequence[Events], size: int) -> tuple[float, float]:
    """Rows as large as ours, all made beforehand, into the same tables: what is left is SQLite and the disk."""
    connection = sqlite3.connect(directory / "bare.db", isolation_level=None)
    schema.prepare(connection, directory / "bare.db")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -65536")
    rows, log = [], []
    for number, events in enumerate(patterns, start=1):
        name = pattern_name(events)
        text = records.events_text(events)
        payload = records.payload_of(Learn(events), name, events=text)
        rows.append((number, 1, bytes.fromhex(name), text, TOKENS, 1, None, None, None, number))
        log.append((schema.log_id(1, number), 1, "learn", None, None, payload, bytes(32)))

    def write() -> None:
        for start in range(0, len(rows), size):
            connection.execute("BEGIN IMMEDIATE")
            marks = ",".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO pattern VALUES ({marks})", rows[start : start + size])
            connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", log[start : start + size])
            connection.execute("COMMIT")

    try:
        return timed(len(rows), write)
    finally:
        connection.close()


def stored(directory: Path, patterns: Sequence[Events], size: int) -> list[tuple[float, float]]:
    """The storage alone: new, then known."""
    storage = SqliteStorage(directory / "stored.db")

    def write() -> None:
        for number, batch in enumerate(cut(patterns, size)):
            operations = tuple(Learn(events) for events in batch)
            result = storage.commit([Transaction(at=number, node_id="node", operations=operations)], durable=True)[0]
            if isinstance(result, Exception):
                raise result

    try:
        return [timed(len(patterns), write) for _ in range(2)]
    finally:
        storage.close()


def embedded(directory: Path, patterns: Sequence[Events], size: int) -> list[tuple[float, float]]:
    """`Kato.learn_many`, as a program calls it: new, then known."""
    with Kato(directory / "embedded.db") as kato:

        def write() -> None:
            for batch in cut(patterns, size):
                kato.learn_many(batch, node_id="node")

        return [timed(len(patterns), write) for _ in range(2)]


# --- over HTTP --------------------------------------------------------------------------------------------------------


class Served:
    """`kato serve` in a process of its own, and requests by hand, so that the asking costs little."""

    def __init__(self, directory: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "kato", "serve", "--port", str(self.port), "--data", str(directory / "served")]
        self._process = subprocess.Popen(command, env={**os.environ, "KATO_LOG_LEVEL": "ERROR"})
        self._self = psutil.Process(self._process.pid)
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=2):
                    return
            except OSError:
                time.sleep(0.05)
        self.close()
        raise SystemExit("the server did not start")

    def processor_seconds(self) -> float:
        """What the server has used so far."""
        times = self._self.cpu_times()
        return times.user + times.system

    def close(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait()

    def body(self, patterns: Sequence[Events]) -> bytes:
        """A request that learns the patterns."""
        content = json.dumps({"sequences": patterns}).encode()
        head = f"POST /nodes/node/learn HTTP/1.1\r\nHost: localhost:{self.port}\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content

    async def connection(self, requests: Iterator[bytes], until: float) -> int:
        """Send requests one after another until there is none or time is up; how many were answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=64 * 1024 * 1024)
        answered = 0
        for request in requests:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(head.decode())
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            answered += 1
            if time.perf_counter() >= until:
                break
        writer.close()
        return answered

    def run(self, requests: Iterator[bytes], connections: int, until: float, per_request: int) -> tuple[float, float]:
        """(patterns a second by the clock, by the server's processor time)."""

        async def all_of_them() -> int:
            return sum(await asyncio.gather(*(self.connection(requests, until) for _ in range(connections))))

        clock, processor = time.perf_counter(), self.processor_seconds()
        learned = asyncio.run(all_of_them()) * per_request
        return learned / (time.perf_counter() - clock), learned / max(self.processor_seconds() - processor, 1e-9)


def over_http(directory: Path, patterns: Sequence[Events]) -> None:
    """In bulk over one connection, then one pattern a request over one and over many connections."""
    served = Served(directory)
    try:
        for size in BATCHES[1:]:
            batches = [served.body(batch) for batch in cut(patterns, size) if len(batch) == size]
            for kind in ("new", "known") if size == BATCHES[1] else ("known",):
                show(f"server, {kind}", size, *served.run(iter(batches), 1, float("inf"), size))
        rates = []
        for connections in CONNECTIONS:
            fresh = generate(40_000, connections + 1000)
            requests = (served.body([events]) for events in fresh)
            rate = served.run(requests, connections, time.perf_counter() + ONE_SECONDS, 1)
            rates.append(rate[0])
            show(f"server, new, {connections} connection(s)", 1, *rate, f"{rates[-1] / rates[0]:.1f} x one connection")
    finally:
        served.close()


# --- all of it --------------------------------------------------------------------------------------------------------


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patterns", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, help="where to write; a temporary directory, removed afterwards")
    parser.add_argument("--no-http", action="store_true")
    given = parser.parse_args()
    patterns = generate(given.patterns, given.seed)
    work = Path(tempfile.mkdtemp(prefix="kato-learning-", dir=given.directory))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} processors, load {load}"
    )
    print(f"{given.patterns:,} patterns of {TOKENS} tokens, seed {given.seed}, in {work}\n")
    print(f"{'':<38}{'batch':>8}{'patterns/s':>14}{'by processor':>14}")
    try:
        for size in BATCHES:
            for number, measure in enumerate((bare, stored, embedded)):
                directory = work / f"{size}-{number}"
                directory.mkdir()
                if measure is bare:
                    show("bare SQLite, rows made beforehand", size, *bare(directory, patterns, size))
                    continue
                name = "storage" if measure is stored else "Kato.learn_many"
                for kind, rate in zip(("new", "known"), measure(directory, patterns, size), strict=True):
                    show(f"{name}, {kind}", size, *rate)
        if not given.no_http:
            over_http(work, patterns)
    finally:
        shutil.rmtree(work)
    print(f"\nload afterwards {', '.join(f'{value:.1f}' for value in os.getloadavg())}")


if __name__ == "__main__":
    main()
