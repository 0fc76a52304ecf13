"""
Many at once: nothing acknowledged is lost, nothing counts twice, and a second process is refused.

    python -m harness.crowd --clients 64 --learns 1000 --rounds 10000 --seed 7

Three parts, each on a real server:

1. clients learn one and the same pattern; its frequency must be the number of learnings;
2. on one session, observing, learning, configuring and (in every second round) clearing run against each other. Every
   observation brings symbols of its own, so it is told where it went: into one pattern, once; into the short-term memory;
   or, only where somebody cleared, away. Within what lies between two clearings the answers count 1, 2, 3 …;
3. further processes on the same data directory, and `--workers` 2 and 4, end with a sentence.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2

from harness.command import Broken, asking, judged, say
from harness.doing import learned, session_of
from harness.processes import Server, free_port
from kato import KATOClient
from kato.client.methods import ClientMethods
from kato.errors import EmptyMemory

_PATIENCE = 120.0
"""Seconds that a further process may take to be refused, or to serve."""


def together(works: Sequence[Callable[[], None]]) -> None:
    """Run all in threads of their own, begun at once; the first error of any is raised."""
    barrier, errors = threading.Barrier(len(works)), []

    def run(work: Callable[[], None]) -> None:
        barrier.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that waits
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def learn_one_pattern(connect: Callable[[], ClientMethods], clients: int, learns: int) -> int:
    """Every client learns the same pattern; its frequency."""

    def work() -> None:
        with connect() as memory:
            session = memory.node("crowd").session()
            for _ in range(learns):
                session.observe_sequence([{"strings": ["a"]}, {"strings": ["b"]}], learn_at_end=True)

    together([work] * clients)
    with connect() as memory:
        found = learned(memory, "crowd")
    frequency: int = found.get((("a",), ("b",)), {}).get("frequency", 0)
    if (frequency, len(found)) != (clients * learns, 1):
        raise Broken(
            f"{clients} clients learned {learns} times each, the frequency is {frequency}; patterns: {len(found)}"
        )
    return frequency


def one_session(
    connect: Callable[[], ClientMethods], rounds: int, *, clearing: bool, node: str, seed: int
) -> Counter[str]:
    """Observe, learn, configure and perhaps clear one session at once; counts of what became of the observations."""
    with connect() as memory:
        made = memory.node(node).session(config={"recall_threshold": 1.0}).session_id
        assert made is not None
        observed: dict[str, int] = {}
        learned_events: list[list[str]] = []
        clears = 0
        chance = random.Random(seed)

        def observe() -> None:
            session = session_of(memory, made)
            for number in range(rounds):
                mark = f"{number:07d}"
                answer = session.observe([mark, mark + "+"], auto_reconnect=False)
                observed[mark] = answer["time"]

        def learn() -> None:
            session = session_of(memory, made)
            for _ in range(rounds):
                try:
                    learned_events.extend(session.learn(auto_reconnect=False)["events"])
                except EmptyMemory:
                    continue

        def configure() -> None:
            session = session_of(memory, made)
            for number in range(rounds):
                session.update_config({"recall_threshold": (number + 1) / rounds})

        def clear() -> None:
            nonlocal clears
            session = session_of(memory, made)
            for _ in range(rounds):
                if chance.random() < 0.2:
                    session.clear_stm()
                    clears += 1
                else:
                    session.get_stm()

        together([observe, learn, configure, *([clear] if clearing else [])])
        session = session_of(memory, made)
        left = session.get_stm()["stm"]
        threshold = session.get_config()["config"]["recall_threshold"]
        patterns = learned(memory, node)
    return _account(observed, learned_events, left, patterns, threshold, clears, clearing=clearing)


def _account(
    observed: dict[str, int],
    learned_events: list[list[str]],
    left: list[list[str]],
    patterns: dict[Any, dict[str, Any]],
    threshold: float,
    clears: int,
    *,
    clearing: bool,
) -> Counter[str]:
    stored = Counter(event[0] for events in patterns for event in events)
    told = Counter(event[0] for event in learned_events)
    held = Counter(event[0] for event in left)
    if any(pattern.get("frequency") != 1 for pattern in patterns.values()):
        raise Broken("a pattern was learned twice")
    if stored != told:
        raise Broken(f"learned and told differ: {dict((stored - told) + (told - stored))}")
    if twice := [mark for mark, count in (stored + held).items() if count > 1 or mark not in observed]:
        raise Broken(f"observations are there twice, or were never made: {twice[:5]}")
    gone = set(observed) - set(stored) - set(held)
    if gone and not clearing:
        raise Broken(f"{len(gone)} acknowledged observations are lost: {sorted(gone)[:5]}")
    if threshold != 1.0:
        raise Broken(f"the last configuration is lost: recall_threshold {threshold}")
    times = Counter(observed.values())
    if times[1] > clears + 1 or any(times[at + 1] > times[at] for at in range(1, max(times))):
        raise Broken("the times that answers told do not count 1, 2, 3 … between two clearings")
    return Counter(
        {
            "observed": len(observed),
            "learned": len(stored),
            "held": len(held),
            "cleared": len(gone),
            "clearings": clears,
        }
    )


def second_process(directory: Path) -> list[str]:
    """What further processes say that want the same directory, and servers of more than one."""
    sentences = []
    for arguments in ([], ["--workers", "2"], ["--workers", "4"]):
        port = free_port()
        command = [sys.executable, "-m", "kato", "serve", "--data", str(directory), "--port", str(port), *arguments]
        environment = {**os.environ, "KATO_LOG_LEVEL": "CRITICAL"}
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                if _serves(process, port):
                    raise Broken(f"{' '.join(command[2:])} was not refused")
            finally:
                process.kill()
            assert process.stderr is not None
            said = process.stderr.read()
        words = "KATO_WORKERS must be 1" if arguments else "is in use by process"
        if process.returncode != 1 or words not in said or len(said.splitlines()) != 1:
            raise Broken(f"{' '.join(command[2:])} ended with {process.returncode} and said {said!r}")
        sentences.append(said.strip())
    return sentences


def _serves(process: subprocess.Popen[str], port: int) -> bool:
    """Whether a process begins to serve on a port, instead of ending; one that does neither is not waited for for ever."""
    until = time.monotonic() + _PATIENCE
    with httpx2.Client(timeout=5, verify=False) as client:
        while process.poll() is None and time.monotonic() < until:
            try:
                if client.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200:
                    return True
            except httpx2.TransportError:
                time.sleep(0.05)
    return process.poll() is None


def run(
    clients: int, learns: int, rounds: int, seed: int, say: Callable[[str], None] = print, without: str = ""
) -> None:
    """All three parts; raises `Broken` where a promise did not hold."""
    with tempfile.TemporaryDirectory() as place, Server(Path(place), without=without) as server:

        def connect() -> ClientMethods:
            return KATOClient(server.url, max_retries=0, timeout=120)

        say(f"held: frequency {learn_one_pattern(connect, clients, learns)}")
        for clearing in (False, True):
            node = "with clearing" if clearing else "without clearing"
            counts = one_session(connect, rounds, clearing=clearing, node=node, seed=seed)
            say(f"held: {rounds} rounds {node}: {dict(counts)}")
        for sentence in second_process(Path(place)):
            say(f"held: refused with {sentence!r}")


def main() -> int:
    """Read the command line."""
    parser = asking("crowd", "Many at once.", ("hold",))
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--learns", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10_000)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    return judged(lambda: run(given.clients, given.learns, given.rounds, given.seed, say, given.without))


if __name__ == "__main__":
    sys.exit(main())
