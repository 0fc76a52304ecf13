"""
A storm of mutated bodies: no 5xx, none that takes long, and memory that stays as it is.

    python -m harness.storm --bodies 100000 --seed 7
    python -m harness.storm --without parser      must be BROKEN: bodies are read with the standard library, as it comes

Good bodies and hostile ones (harness.corpus) are cut, doubled, flipped and spliced, and sent to every operation that takes one.
A body that takes more than 100 ms is sent again: it is slow if it always is. Resident memory is compared after the first tenth
and at the end.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil

from harness import corpus
from harness.command import Broken, asking, judged
from harness.hostile import judge
from harness.processes import Server
from harness.raw import RawClient
from kato import KATOClient
from kato.operations import OPERATIONS

SLOW = 0.1
"""Seconds a body may take."""
_CLIENTS = 4
_TRIES = 8
"""Of a body that took longer, before it is called slow: other work of the machine passes."""
_FLAT_BYTES = 24 << 20
"""By which resident memory may differ: caches of the allocator and of SQLite."""
_GOOD = {
    "observe": b'{"strings":["a","b"],"vectors":[[0.5,1.0]],"emotives":{"joy":0.5},"metadata":{"k":["v"]},"unique_id":"u"}',
    "observe-sequence": b'{"observations":[{"strings":["a"]},{"strings":["b"]}],"learn_at_end":true,"include_predictions":true}',
    "sessions": b'{"node_id":"storm","ttl":5,"config":{"recall_threshold":0.5},"metadata":{"a":{"b":[1,null,true]}}}',
    "config": b'{"config":{"recall_threshold":0.5,"max_predictions":10,"stm_mode":"ROLLING"}}',
    "learn": b'{"sequences":[[["a"],["b"]],{"events":[["a"],["b"]],"emotives":[{"joy":1}],"persistence":3}]}',
    "predict": b'{"stms":[[["a"],["b"]]],"config":{"recall_threshold":0.1}}',
    "{pattern_id}": b'{"frequency":3,"emotives":[{"joy":1}],"metadata":{"k":"v"}}',
    "extend": b'{"ttl_seconds":3000}',
}
"""A good body of each operation, by the last word of its path."""
_ENVIRON = {"KATO_SESSION_TTL": "5", "KATO_SESSION_TOMBSTONE": "1", "KATO_MAX_STM_EVENTS": "20"}


def mutated(chance: random.Random, chosen: list[bytes], others: list[bytes]) -> bytes:
    """One of the chosen bodies, changed in one to three places, maybe with pieces of others."""
    body = bytearray(chance.choice(chosen))
    for _ in range(chance.randint(1, 3)):
        at, kind = chance.randint(0, len(body)), chance.randrange(7)
        if kind == 0 and body:
            body[at % len(body)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            body[at:at] = chance.choice(
                (b"\x00", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\xff", b"9", b"-", b"e9")
            )
        elif kind == 2:
            del body[at : at + chance.randint(1, 20)]
        elif kind == 3:
            body[at:at] = body[at : at + chance.randint(1, 50)] * chance.randint(1, 20)
        elif kind == 4:
            other = chance.choice(others)
            body[at:at] = other[chance.randint(0, len(other)) :][:200]
        elif kind == 5:
            del body[at:]
        else:
            body[at:at] = str(chance.choice((0, -1, 1e308, 2**64, 10**30, 0.1, 1e-320))).encode()
    return bytes(body)


def run(bodies: int, seed: int, *, timed: bool = True, without: str = "") -> dict[str, object]:
    """
    Send them.

    Args:
        timed: Whether time and memory are judged.
        without: "parser" for a server that reads JSON as the standard library does.

    Raises:
        Broken: A 5xx, a body that is slow, or memory that grew.
    """
    counts, longest = Counter[str](), list[float]()
    # The largest of the corpus have a harness of their own (harness.hostile); here the number counts.
    seeds = [*_GOOD.values()] * 40 + [body for body in corpus.bodies() if len(body) < 5000]
    # What compacts the whole store takes its time whatever its body is.
    targets = [
        (each.method, each.template)
        for each in OPERATIONS
        if each.method in {"POST", "PUT", "PATCH"} and not each.template.endswith("finalize-training")
    ]
    with (
        tempfile.TemporaryDirectory() as place,
        Server(Path(place), without=without, **_ENVIRON) as server,
        KATOClient(server.url) as memory,
    ):
        process = psutil.Process(server.pid)
        values = {
            "session_id": memory.create_session("storm", ttl=24 * 3600),
            "node_id": "storm",
            "pattern_id": "a" * 40,
        }

        def send(number: int, count: int) -> None:
            chance = random.Random(f"{seed} {number}")
            with closing(RawClient(server.port)) as client:
                for _ in range(count):
                    method, template = chance.choice(targets)
                    own = _GOOD.get(template.rpartition("/")[2])
                    body = mutated(chance, [own] if own is not None and chance.random() < 0.6 else seeds, seeds)
                    longest.append(_send(client, method, template.format_map(values), body, counts, timed=timed))

        def storm(count: int) -> int:
            """Resident bytes after so many bodies from each client."""
            with ThreadPoolExecutor(_CLIENTS) as pool:
                list(pool.map(lambda number: send(number + count, count), range(_CLIENTS)))
            return process.memory_info().rss

        each = bodies // _CLIENTS
        resident = storm(each // 10)
        grown = storm(each - each // 10) - resident
        if memory.health()["status"] != "healthy":
            raise Broken("the server is no longer healthy")
    if timed and grown > _FLAT_BYTES:
        raise Broken(f"seed {seed}: resident memory grew by {grown >> 20} MiB, from {resident >> 20} MiB")
    told: dict[str, object] = dict(sorted(counts.items()))
    told |= {
        "longest, ms": round(max(longest) * 1000, 1),
        "MiB at a tenth": resident >> 20,
        "MiB more at the end": round(grown / 2**20, 1),
    }
    return told


def _send(client: RawClient, method: str, target: str, body: bytes, counts: Counter[str], *, timed: bool) -> float:
    """Seconds that a body takes, the least of its tries; 0 where what it asked for was done and takes time of its own."""
    least = float("inf")
    for attempt in range(_TRIES if timed else 1):
        began = time.perf_counter()
        answer = client.send(method, target, body)
        least = min(least, time.perf_counter() - began)
        counts["tries again"] += attempt > 0
        if attempt == 0:
            counts[f"status {answer.status}"] += 1
            wrong = judge(answer)
            if wrong is not None:
                raise Broken(f"{method} {target} with {body[:300]!r}: {wrong}")
        if target.endswith("/undo") and answer.status == 200:
            return 0.0  # takes back a change, which is work of that change's size, whatever the body is
        if least < SLOW:
            return least
    if timed:
        raise Broken(f"{method} {target} takes {least * 1000:.0f} ms for {len(body)} bytes: {body[:300]!r}")
    return least


def main() -> int:
    """Read the command line."""
    parser = asking("storm", "A storm of mutated bodies.", ("parser",))
    parser.add_argument("--bodies", type=int, default=100_000)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    return judged(lambda: run(given.bodies, given.seed, without=given.without))


if __name__ == "__main__":
    sys.exit(main())
