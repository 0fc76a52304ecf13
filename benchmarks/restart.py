#!/usr/bin/env python3
"""
How soon a memory answers after a start: from the start of a process to its first prediction.

    .venv/bin/python benchmarks/restart.py [--patterns 1000000] [--beyond 20000] [--seed 1] [--keep DIR]

A node learns patterns of 20 symbols (vocabulary of 10,000, Zipf) and is closed, which leaves a snapshot. Then fresh processes
open it, embedded and as a server, and ask for one prediction: by the snapshot, by the snapshot with changes that it does not
hold, and without one. Files are in the page cache, as after the restart of a program. All times in seconds by the clock, beside
the processor seconds of the process that answers. With --keep the memory stays in that directory, so that another run need not
learn again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from kato.storage.interface import Learn, Transaction
from kato.storage.sqlite import SqliteStorage

NODE = "restart"
TOKENS = 20
VOCABULARY = 10_000
_BATCH = 10_000
_MOST_SECONDS = 240.0

ASK = """
import json, sys, time
started = float(sys.argv[2])
from kato import Kato
imported = time.time()
with Kato(sys.argv[1]) as memory:
    session = memory.node("restart").session()
    session.observe(["s1"]); session.observe(["s2"])
    opened = time.time()
    found = session.get_predictions()["predictions"]
    answered = time.time()
    node = memory.system.nodes.snapshots
    used = node.used if node is not None else 0
    processor = time.process_time()
print(json.dumps([imported - started, opened - started, answered - started, processor, len(found), used]))
"""


def patterns(count: int, seed: int) -> Iterator[tuple[tuple[str], ...]]:
    """Patterns of 20 events of one symbol."""
    numbers = np.random.default_rng(seed)
    shares = np.cumsum(1 / np.arange(1, VOCABULARY + 1))
    names = [(f"s{number}",) for number in range(VOCABULARY)]
    for start in range(0, count, _BATCH):
        rows = np.searchsorted(shares / shares[-1], numbers.random((min(_BATCH, count - start), TOKENS)))
        for row in np.minimum(rows, VOCABULARY - 1).tolist():
            yield tuple(names[number] for number in row)


def learn(directory: Path, count: int, seed: int) -> float:
    """Learn patterns; seconds."""
    started = time.perf_counter()
    store = SqliteStorage(directory / "kato.db")
    batch: list[Learn] = []

    def commit() -> None:
        store.commit([Transaction(1, NODE, tuple(batch))], durable=False)
        batch.clear()

    for events in patterns(count, seed):
        batch.append(Learn(events))
        if len(batch) == _BATCH:
            commit()
    commit()
    store.close()
    return time.perf_counter() - started


def embedded(directory: Path) -> tuple[str, int]:
    """(a row's numbers, snapshots used) of a process that has the memory embedded."""
    command = [sys.executable, "-c", ASK, str(directory), repr(time.time())]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_MOST_SECONDS)
    imported, opened, answered, processor, found, used = json.loads(done.stdout)
    assert found > 0
    return f"{answered:8.2f} {answered - opened:9.2f} {processor:9.2f}   (imports {imported:.2f})", used


def request(url: str, path: str, body: object = None) -> dict[str, object]:
    """One exchange with the server."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=_MOST_SECONDS) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def served(directory: Path) -> str:
    """A row's numbers of a server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {**os.environ, "KATO_LOG_LEVEL": "ERROR", "KATO_DATA_DIR": str(directory), "KATO_PORT": str(port)}
    started = time.time()
    server = subprocess.Popen([sys.executable, "-m", "kato", "serve"], env=environ)
    try:
        url = f"http://127.0.0.1:{port}"
        while True:
            try:
                request(url, "/health/live")
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None
                assert time.time() - started < _MOST_SECONDS
                time.sleep(0.01)
        ready = time.time()
        body = {"stms": [[["s1"], ["s2"]]]}
        found = request(url, f"/nodes/{NODE}/predict", body)
        answered = time.time()
        assert found
        processor = sum(psutil.Process(server.pid).cpu_times()[:2])
        return f"{answered - started:8.2f} {answered - ready:9.2f} {processor:9.2f}   (listening {ready - started:.2f})"
    finally:
        server.terminate()
        server.wait(_MOST_SECONDS)


def measure(directory: Path, count: int, beyond: int, seed: int) -> None:
    """Print the rows of the table."""
    place = directory / "kato.db.snapshots"
    if not (directory / "kato.db").exists():
        seconds = learn(directory, count, seed)
        print(
            f"learned {count:,} patterns in {seconds:.0f} s, {(directory / 'kato.db').stat().st_size:,} bytes",
            flush=True,
        )
    print("first prediction after a start                 total  question processor", flush=True)
    if not place.exists():
        print(f"embedded, from the rows                     {embedded(directory)[0]}", flush=True)
    told, used = embedded(directory)
    assert used == 1
    size = sum(file.stat().st_size for file in place.iterdir())
    print(f"embedded, snapshot ({size:,} bytes)      {told}", flush=True)
    print(f"server, snapshot                            {served(directory)}", flush=True)
    learn(directory, beyond, seed + 1)
    told, used = embedded(directory)
    assert used == 1
    print(f"embedded, snapshot and {beyond:,} beyond     {told}", flush=True)
    shutil.rmtree(place)
    print(f"server, from the rows                       {served(directory)}", flush=True)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How soon a memory answers after a start.")
    parser.add_argument("--patterns", type=int, default=1_000_000)
    parser.add_argument("--beyond", type=int, default=20_000, help="patterns learned after the snapshot")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where the memory is made and stays; default: a temporary directory")
    given = parser.parse_args()
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, seed {given.seed}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as name:
        measure(given.keep or Path(name), given.patterns, given.beyond, given.seed)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest resident memory of a process: {largest:,.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
