"""
Slow and idle sockets by the thousand, and how good clients fare meanwhile.

    python -m harness.sockets --slow 1000 --idle 1000 --seed 7
    python -m harness.sockets --without places      must be BROKEN: slow senders take the places of requests in flight

A process of its own opens the sockets: idle ones that send nothing, and slow writers that send a byte a second, half of them
of a head, half of them of a body. Good clients observe, before, meanwhile and after; their 99th percentile may at most double.
At the end the idle ones must have been let go.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from harness.command import Broken, asking, judged
from harness.processes import Server, context
from harness.raw import RawClient
from kato import KATOClient
from kato.server.connections import HEAD_SECONDS

_CLIENTS = 4
_BODY = b'{"strings": ["a", "b"]}'


def p99(durations: list[float]) -> float:
    """The 99th percentile, in milliseconds."""
    return 1000 * sorted(durations)[int(0.99 * (len(durations) - 1))]


# --- those who are no good; in a process of their own ---


async def _crowd(port: int, slow: int, idle: int, seed: int, standing: Event, over: Event, closed: Any) -> None:
    chance = random.Random(seed)

    async def sit() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not over.is_set():
            try:
                if not await asyncio.wait_for(reader.read(1), 1.0):
                    with closed.get_lock():
                        closed.value += 1
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        writer.close()

    async def drip(*, head: bool) -> None:
        request = f"POST /sessions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 100000\r\n".encode()
        while not over.is_set():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                if not head:
                    writer.write(request + b"\r\n")
                for number in range(100_000):
                    writer.write(request[number % 40 : number % 40 + 1] if head else b" ")
                    await asyncio.sleep(chance.uniform(0.8, 1.2))
                    if over.is_set() or writer.is_closing():
                        break
                writer.close()
            except OSError:
                await asyncio.sleep(0.5)

    tasks = [asyncio.create_task(sit()) for _ in range(idle)]
    for number in range(slow):
        tasks.append(asyncio.create_task(drip(head=number % 2 == 0)))
        if number % 50 == 0:
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)
    standing.set()
    await asyncio.gather(*tasks, return_exceptions=True)


def _be_crowd(*arguments: Any) -> None:
    asyncio.run(_crowd(*arguments))


# --- those who are ---


def good_clients(port: int, sessions: list[str], requests: int) -> list[float]:
    """
    Seconds of each of so many observations, from several clients at once.

    Raises:
        Broken: One was not answered 200.
    """
    durations: list[float] = []
    wrong: list[str] = []

    def observe(session_id: str) -> None:
        client = RawClient(port)
        for _ in range(requests // len(sessions)):
            began = time.perf_counter()
            answer = client.send("POST", f"/sessions/{session_id}/observe", _BODY)
            durations.append(time.perf_counter() - began)
            if answer.status != 200:
                wrong.append(f"a good client was answered {answer.status}: {answer.content[:200]!r}")
                break
        client.close()

    threads = [threading.Thread(target=observe, args=(session_id,)) for session_id in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise Broken(wrong[0])
    return durations


def run(
    slow: int, idle: int, seed: int, *, requests: int = 2000, most: float | None = 2.0, without: str = ""
) -> dict[str, float]:
    """
    Good clients without and with a crowd.

    Args:
        requests: Of the good clients, in each of the three phases.
        most: How many times as long the 99th percentile may be; None to leave time unjudged.
        without: "places" for a server whose slow senders count as requests in flight.

    Raises:
        Broken: Good clients were refused or slowed down, or idle sockets were kept.
    """
    standing, over, closed = context().Event(), context().Event(), context().Value("i", 0)
    crowded = min(1000, slow // 4)
    with tempfile.TemporaryDirectory() as place:
        environ = {"KATO_LIMIT_CONCURRENCY": str(max(crowded, 10)), "KATO_MAX_STM_EVENTS": "20"}
        with Server(Path(place), without=without, **environ) as server, KATOClient(server.url) as memory:
            sessions = [str(memory.node("good").session().session_id) for _ in range(_CLIENTS)]
            good_clients(server.port, sessions, requests // 4)  # everything has been used once
            before = good_clients(server.port, sessions, requests)
            crowd = context().Process(
                target=_be_crowd, args=(server.port, slow, idle, seed, standing, over, closed), daemon=True
            )
            crowd.start()
            try:
                if not standing.wait(120):
                    raise Broken("the crowd could not be gathered")
                began = time.monotonic()
                meanwhile = good_clients(server.port, sessions, requests)
                while closed.value < idle and time.monotonic() < began + HEAD_SECONDS + 20:
                    time.sleep(0.2)
            finally:
                over.set()
                crowd.join(30)
                crowd.kill()
            after = good_clients(server.port, sessions, requests)
            if memory.health()["status"] != "healthy":
                raise Broken("the server is no longer healthy")
    if closed.value < idle:
        raise Broken(f"of {idle} idle sockets {idle - closed.value} were kept")
    found = {
        "p99 before, ms": p99(before),
        "p99 meanwhile, ms": p99(meanwhile),
        "p99 after, ms": p99(after),
        "ratio": p99(meanwhile) / p99(before + after),
        "idle sockets let go": closed.value,
    }
    if most is not None and found["ratio"] > most:
        raise Broken(f"the crowd slows good clients down: {found}")
    return {name: round(value, 2) for name, value in found.items()}


def main() -> int:
    """Read the command line."""
    parser = asking("sockets", "Slow and idle sockets.", ("places", "timers"))
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=2000)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    return judged(lambda: run(given.slow, given.idle, given.seed, requests=given.requests, without=given.without))


if __name__ == "__main__":
    sys.exit(main())
