"""
Cut connections at every stage, and see that every call has exactly one effect.

    python -m harness.cuts --calls 1000 --seed 7
    python -m harness.cuts --calls 200 --without keys      must be BROKEN: the proxy takes Idempotency-Key away

Two writers, one through each client, call a real server through a proxy that cuts most connections: before the request is
sent on, amid it, at once after it, before the answer, amid the answer. The clients repeat until they have an answer. After
every call all that it could have done is read past the proxy and compared with a model that did it once.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from harness.command import Broken, asking, judged
from harness.crash import Journal, Writer, begin, compare
from harness.doing import apply, do
from harness.processes import Server
from harness.proxy import STAGES, Proxy
from kato import AsyncKATOClient, KATOClient, KATOError
from kato.client import recovery
from kato.client.calls import Call
from kato.client.methods import ClientMethods
from kato.client.recovery import Body, Doing, T

_SHARE = 0.6
_RETRIES = 60
"""At the share above, all of 60 attempts are cut once in 10¹³ calls."""
_KEY = re.compile(rb"(?im)^idempotency-key:[^\r\n]*\r\n")


class Bridged(ClientMethods):
    """The async client, for callers that wait; its own event loop runs in a thread."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._client = impatient(AsyncKATOClient(url, max_retries=_RETRIES, timeout=30))

    def _send(self, call: Call) -> Body:
        return asyncio.run_coroutine_threadsafe(self._client._send(call), self._loop).result()

    def _run(self, doing: Doing[T]) -> T:
        return recovery.run(doing, self._send)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def impatient(client: T) -> T:
    """The client with hardly a pause between its attempts."""
    client._patience = replace(client._patience, first_pause_seconds=0.002, longest_pause_seconds=0.05)  # type: ignore[attr-defined]
    return client


def _call(memory: ClientMethods, direct: ClientMethods, writer: Writer, chance: random.Random, seed: str) -> int:
    """One call and its comparison; how many sessions it made."""
    if chance.random() < 0.1:
        memory.node(writer.own).session(ttl=3600)
        made = 1
    else:
        operation = writer.choose(chance)
        while operation[0] == "forget":  # a DELETE: repeated, it finds the thing gone and says so
            operation = writer.choose(chance)
        do(memory, operation, writer.ids.__getitem__)
        apply(writer.model, operation)
        made = 0
    seen, expected = writer.seen(direct), writer.expected()
    for part, there in expected.items():
        if seen[part] != there:
            done = f"made {made} sessions" if made else str(operation)
            raise Broken(f"{seed}: after {done}\n  {part}: expected {there}\n  {part}: found    {seen[part]}")
    return made


def run(calls: int, seed: int, *, without: str = "", say: Callable[[str], None] = print) -> Counter[str]:
    """
    Call, cut, compare.

    Args:
        without: "keys" to take away what is tried.

    Raises:
        Broken: A call had no effect, or more than one.
    """
    made = [0, 0]
    with (
        tempfile.TemporaryDirectory() as directory,
        Server(Path(directory)) as server,
        KATOClient(server.url) as direct,
        _through(server, seed, without) as (memories, proxy),
    ):
        writers = begin(direct, 2)
        failures: list[BaseException] = []

        def work(number: int) -> None:
            chance = random.Random(f"{seed} {number}")
            try:
                for _ in range(calls // 2):
                    if failures:
                        return
                    made[number] += _call(memories[number], direct, writers[number], chance, f"seed {seed}")
            except (Broken, KATOError) as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise Broken(str(failures[0])) from failures[0]
        compare(direct, writers, Journal(), str(seed))
        there = direct.count_sessions()["total_sessions"]
        if there != 4 + sum(made):
            raise Broken(f"seed {seed}: {4 + sum(made)} sessions were asked for, {there} were made")
    counts = proxy.cut + Counter(calls=2 * (calls // 2))
    if calls >= 100 and not all(counts[stage] for stage in STAGES):
        raise Broken(f"seed {seed}: not every stage was tried: {dict(counts)}")
    say(f"{dict(counts)}")
    return counts


@contextmanager
def _through(server: Server, seed: int, without: str) -> Iterator[tuple[list[ClientMethods], Proxy]]:
    """Both clients, each call of which goes through the proxy."""
    change = (lambda head: _KEY.sub(b"", head)) if without == "keys" else (lambda head: head)
    proxy = Proxy(server.port, random.Random(f"{seed} cuts"), _SHARE, change)
    waiting = impatient(KATOClient(proxy.url, max_retries=_RETRIES, timeout=30))
    awaiting = Bridged(proxy.url)
    try:
        yield [waiting, awaiting], proxy
    finally:
        waiting.close()
        awaiting.close()
        proxy.close()


def main() -> int:
    """Read the command line."""
    parser = asking("cuts", "Cut connections at every stage.", ("keys",))
    parser.add_argument("--calls", type=int, default=1000)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    return judged(lambda: run(given.calls, given.seed, without=given.without, say=lambda _: None))


if __name__ == "__main__":
    import logging

    logging.getLogger("kato.client").setLevel(logging.ERROR)  # every cut would be told
    sys.exit(main())
