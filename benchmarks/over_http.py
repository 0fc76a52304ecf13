"""
How many requests a second the server answers, beside an endpoint that only parses and echoes the same body.

    python benchmarks/over_http.py                    observe, learn, bulk, predict at 1,000 patterns
    python benchmarks/over_http.py --patterns 100000  predict at 100,000 patterns, too (several sizes: repeat the option)

The server runs in a process of its own, its data on disk in a fresh directory; the clients are in this one and share the
machine with it. Beside the rate by the clock stands what a request costs the server in processor time, which says more on a
machine that others use too. Everything is seeded and bounded. The echoes, which parse a body and send it back, exist only here:
one is an operation of this server like any other, with its log, numbers and checks; two are put before all that in the same
process, one written for FastAPI, one that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httptools
import orjson
import psutil
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from kato.operations.registry import Answer, Request, operation
from kato.server.app import Application
from kato.server.logs import set_up
from kato.server.running import collect_seldom, configured, listening
from kato.service.system import System
from kato.settings import Settings
from kato.wire.requests import NoBody

TOKENS, WINDOW, VOCABULARY = 20, 4, 20_000
SEED = 1729
HEADERS = "Host: 127.0.0.1\r\nContent-Type: application/json\r\n"


@operation("POST", "/echo", scope="write", summary="Echo", request=NoBody)
async def echo(_: System, request: Request) -> Answer:
    """Parse a body and send it back: all that every request of this server costs, and nothing besides."""
    return Answer(orjson.loads(request.body))


class Observation(BaseModel):
    """The body of an observation, as FastAPI is told of one."""

    strings: list[str]
    vectors: list[list[float]]
    emotives: dict[str, float]
    metadata: dict[str, Any]


framework = FastAPI()


@framework.post("/framework/echo")
async def framework_echo(observation: Observation) -> Observation:
    """The same, as FastAPI does it: without a log, numbers, trace ids or keys."""
    return observation


class WithEchoes:
    """The server's application, and before it an echo by FastAPI and one without anything."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path")
        if path == "/framework/echo":
            await framework(scope, receive, send)
            return
        if path != "/bare/echo":
            await self._application(scope, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        answer = orjson.dumps(orjson.loads(body))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def serve(port: int, directory: str) -> None:
    """The server's process; set up as `kato serve` is, with its log in a file."""
    set_up("INFO", "json", f"{directory}/log")
    # While many connections are prepared, the first of them wait.
    settings = Settings(data_dir=directory, port=port, keep_alive=120)
    application = WithEchoes(Application(settings))
    collect_seldom()
    config = configured(application, settings)  # type: ignore[arg-type]  # an ASGI application as good as any
    with listening(settings.host, port, settings.backlog) as door:
        uvicorn.Server(config).run(sockets=[door])


class Connection:
    """One kept-alive connection that sends a request and waits for its answer; little of it is the client's own work."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._body = bytearray()
        self._done = False

    async def open(self) -> Connection:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        self._done = True

    async def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The answer's body; anything but 200 ends the benchmark."""
        head = f"{method} {path} HTTP/1.1\r\n{HEADERS}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        self._body, self._done = bytearray(), False
        parser = httptools.HttpResponseParser(self)
        while not self._done:
            data = await self._reader.read(1 << 18)
            if not data:
                raise SystemExit(f"the server closed the connection during {method} {path}")
            parser.feed_data(data)
        if parser.get_status_code() != 200:
            raise SystemExit(f"{method} {path}: {parser.get_status_code()} {bytes(self._body[:500]).decode()}")
        return bytes(self._body)

    def close(self) -> None:
        self._writer.close()


Work = Callable[[int], Awaitable[Any]]


class Server:
    """Where the server listens, and what it costs."""

    def __init__(self, port: int, process: int) -> None:
        self.port = port
        self._process = psutil.Process(process)

    def seconds(self) -> float:
        """Processor time so far, of the system's own part too."""
        spent = self._process.cpu_times()
        return float(spent.user + spent.system)


class Measured(NamedTuple):
    """What came of a load."""

    rate: float
    """Requests a second, by the clock."""
    cost: float
    """Processor time of the server for one, seconds."""
    times: list[float]
    """What each took, seconds, sorted."""


CONNECTIONS = itertools.count()
"""Numbers that tell what one connection learns from what another does."""


async def measure(
    server: Server, connections: int, seconds: float, prepare: Callable[[Connection], Awaitable[Work]]
) -> Measured:
    """So many connections at once for so long."""
    opened: list[Connection] = []
    works = []
    for _ in range(connections):  # one after another: the server lets go of who asks nothing for long
        opened.append(await Connection(server.port).open())
        works.append(await prepare(opened[-1]))
    times: list[float] = []
    for work in works:
        await work(-1)  # whatever is made on first use
    spent = server.seconds()
    started = time.perf_counter()

    async def run(work: Work) -> None:
        number = 0
        while (now := time.perf_counter()) - started < seconds:
            await work(number)
            times.append(time.perf_counter() - now)
            number += 1

    await asyncio.gather(*map(run, works))
    elapsed = time.perf_counter() - started
    spent = server.seconds() - spent
    for connection in opened:
        connection.close()
    return Measured(len(times) / elapsed, spent / len(times), sorted(times))


def sequences(count: int, seed: int) -> Iterator[list[list[str]]]:
    """Sequences of 20 one-symbol events, the frequent symbols ones far more often, as in texts."""
    chance = random.Random(seed)
    words = [f"w{number}" for number in range(VOCABULARY)]
    weights = [1 / (number + 1) for number in range(VOCABULARY)]
    total, cumulative = 0.0, []
    for weight in weights:
        total += weight
        cumulative.append(total)
    for _ in range(count):
        yield [[word] for word in chance.choices(words, cum_weights=cumulative, k=TOKENS)]


async def session(connection: Connection, node: str) -> str:
    answer = await connection.ask("POST", "/sessions", orjson.dumps({"node_id": node}))
    found: str = orjson.loads(answer)["session_id"]
    return found


OBSERVATION = orjson.dumps(
    {"strings": ["kettle", "cup", "tea"], "vectors": [], "emotives": {"joy": 0.5}, "metadata": {}}
)


def echoing(path: str) -> Callable[[Connection], Awaitable[Work]]:
    async def prepare(connection: Connection) -> Work:
        return lambda _: connection.ask("POST", path, OBSERVATION)

    return prepare


async def observing(connection: Connection) -> Work:
    path = f"/sessions/{await session(connection, 'observed')}/observe"
    return lambda _: connection.ask("POST", path, OBSERVATION)


async def learning(connection: Connection) -> Work:
    found = await session(connection, "learned")
    own = list(sequences(50, random.Random(found).randrange(10**9)))

    async def learn(number: int) -> None:
        items = [{"strings": event} for event in own[number % 50]]
        items[0]["strings"] = [f"{found}-{number}"]
        await connection.ask(
            "POST", f"/sessions/{found}/observe-sequence", orjson.dumps({"observations": items, "learn_at_end": True})
        )

    return learn


async def learning_one(connection: Connection) -> Work:
    """One sequence a request, straight to the node: what a learning costs without the observations before it."""
    own = [sequence[1:] for sequence in sequences(50, SEED)]
    number_of_connection = next(CONNECTIONS)

    async def learn(number: int) -> None:
        sequence = [[f"{number_of_connection}-{number}"], *own[number % 50]]
        await connection.ask("POST", "/nodes/learned-alone/learn", orjson.dumps({"sequences": [sequence]}))

    return learn


def predicting(node: str, memories: list[list[list[str]]]) -> Callable[[Connection], Awaitable[Work]]:
    async def prepare(connection: Connection) -> Work:
        own = []
        for memory in memories[:20]:
            found = await session(connection, node)
            body = orjson.dumps({"observations": [{"strings": event} for event in memory]})
            await connection.ask("POST", f"/sessions/{found}/observe-sequence", body)
            own.append(found)
        path = "/sessions/{}/predictions?recall_threshold=0.05"
        return lambda number: connection.ask("GET", path.format(own[number % len(own)]))

    return prepare


async def fill(server: Server, node: str, count: int) -> Measured:
    """Learn so many sequences in bulk."""
    connection = await Connection(server.port).open()
    everything = sequences(count, SEED)
    started = time.perf_counter()
    cost = server.seconds()
    waited = 0.0
    for _ in range(0, count, 1000):
        batch = [sequence for _, sequence in zip(range(1000), everything, strict=False)]
        body = orjson.dumps({"sequences": batch})
        begun = time.perf_counter()
        await connection.ask("POST", f"/nodes/{node}/learn", body)
        waited += time.perf_counter() - begun
    connection.close()
    print(f"  {count:,} sequences in {time.perf_counter() - started:.1f} s", file=sys.stderr)
    return Measured(count / waited, (server.seconds() - cost) / count, [])


async def fill_by_lines(server: Server, node: str, count: int) -> Measured:
    """The same as one upload of lines."""
    body = b"".join(orjson.dumps(sequence) + b"\n" for sequence in sequences(count, SEED + 1))
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    cost = server.seconds()
    started = time.perf_counter()
    headers = "Host: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n"
    writer.write(f"POST /nodes/{node}/learn HTTP/1.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode())
    writer.write(body)
    answer = await reader.read()
    writer.close()
    if b'"status":"completed"' not in answer[-1000:]:
        raise SystemExit(answer[-1000:].decode(errors="replace"))
    return Measured(count / (time.perf_counter() - started), (server.seconds() - cost) / count, [])


def row(what: str, found: Measured, beside: Measured | None = None) -> None:
    def at(share: float) -> str:
        times = found.times
        return f"{1000 * times[min(len(times) - 1, int(share * len(times)))]:9.2f}" if times else " " * 9

    compared = f"{100 * found.rate / beside.rate:6.0f} %" if beside else ""
    cost = f"{1_000_000 * found.cost:10,.0f}"
    print(f"{what:<46}{found.rate:>12,.0f}/s{at(0.5)}{at(0.95)}{cost}{compared:>10}", flush=True)


ECHOES = {
    "echo without anything before it": "/bare/echo",
    "echo as an operation of this server": "/echo",
    "echo by FastAPI": "/framework/echo",
}


async def compare_with_echo(server: Server, seconds: float) -> None:
    """Observing and echoing in turns, so that both meet the same machine."""
    loads = {**{name: echoing(path) for name, path in ECHOES.items()}, "observe": observing}
    found: dict[str, list[Measured]] = {name: [] for name in loads}
    for _ in range(5):
        for name, prepare in loads.items():
            found[name].append(await measure(server, 1, seconds / 5, prepare))
    whole = {
        name: Measured(
            statistics.median(each.rate for each in several),
            statistics.median(each.cost for each in several),
            sorted(itertools.chain.from_iterable(each.times for each in several)),
        )
        for name, several in found.items()
    }
    for name in ECHOES:
        row(name, whole[name])
    for name in ECHOES:
        row(f"observe, of the {name}", whole["observe"], whole[name])


async def programme(server: Server, seconds: float, sizes: list[int]) -> None:
    print(f"{'':<46}{'rate':>14}{'p50 ms':>9}{'p95 ms':>9}{'cpu µs':>10}")
    await compare_with_echo(server, seconds)
    row("observe, 32 connections", await measure(server, 32, seconds, observing))
    one = await measure(server, 1, seconds, learning)
    row("observe-sequence of 20 and learn, 1 connection", one)
    row("the same, 32 connections, of one connection", await measure(server, 32, seconds, learning), one)
    one = await measure(server, 1, seconds, learning_one)
    row("learn one sequence, 1 connection", one)
    row("the same, 32 connections, of one connection", await measure(server, 32, seconds, learning_one), one)
    row("learn in bulk, 1,000 a request", await fill(server, "bulk", 20_000))
    row("learn in bulk, one upload of lines", await fill_by_lines(server, "bulk-lines", 20_000))
    for size in sizes:
        node = f"predicted-{size}"
        await fill(server, node, size)
        chance = random.Random(SEED)
        learned = [sequence for _, sequence in zip(range(200), sequences(size, SEED), strict=False)]
        memories = [
            sequence[start : start + WINDOW] for sequence in learned for start in [chance.randrange(TOKENS - WINDOW)]
        ]
        for connections in (1, 32):
            found = await measure(server, connections, seconds, predicting(node, memories))
            row(f"predict, {size:,} patterns, {connections} connection{'s' * (connections > 1)}", found)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--patterns", type=int, action="append", help="predict at this many patterns (1000)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement (5)")
    parser.add_argument("--serve", nargs=2, metavar=("PORT", "DIRECTORY"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(int(given.serve[0]), given.serve[1])
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    print(f"{os.cpu_count()} processors, load {load()}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen([sys.executable, str(Path(__file__)), "--serve", str(port), directory])
        try:
            wait(port, server)
            asyncio.run(programme(Server(port, server.pid), given.seconds, given.patterns or [1000]))
        finally:
            server.terminate()
            server.wait()
    print(f"load afterwards {load()}")


def load() -> str:
    return " ".join(f"{each:.2f}" for each in os.getloadavg())


def wait(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise SystemExit("the server ended")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    main()
