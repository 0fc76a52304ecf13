"""
Kill a server between the commit and the answer, repeat what was in flight under its key, and find one effect.

    python -m harness.repeats --kills 100 --seed 7
    python -m harness.repeats --kills 10 --without memory      must be BROKEN: the server remembers no keys

Several writers POST under keys of their own. The server kills itself right after a commit, before anybody was answered, and
sometimes right before one. After the restart every writer repeats the call it had no answer to, with the same key. Whether the
call had been stored or not, it must now be there exactly once.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx2

from harness.command import Broken, asking, judged
from harness.crash import Journal, Writer, begin, compare
from harness.doing import Operation, apply, do
from harness.processes import Server
from kato import KATOClient, KATOError
from kato.client.calls import Call
from kato.client.recovery import Body
from kato.client.retrying import RetryPolicy
from kato.storage.checking import check_file

_WRITERS = 4
_POSTED = {"observe", "observe_sequence", "learn", "learn_many", "clear_stm", "clear_all"}
_CHANCE = 0.02
"""Of being the commit after which the server dies; some dozens of calls happen before."""


class Keyed(KATOClient):
    """A client that sends every POST under the key it was last given, and counts the answers that were remembered."""

    def __init__(self, url: str) -> None:
        super().__init__(url, max_retries=0, timeout=30, transport=_Counting(self))
        self.key = ""
        self.replayed = 0

    def _answer(self, call: Call, policy: RetryPolicy, until: float | None) -> Body:
        return super()._answer(replace(call, idempotency_key=self.key), policy, until)


class _Counting(httpx2.HTTPTransport):
    def __init__(self, client: Keyed) -> None:
        super().__init__()
        self._client = client

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        self._client.replayed += "idempotency-replayed" in response.headers
        return response


def _work(client: Keyed, writer: Writer, chance: random.Random, journal: Journal, keys: dict[int, str]) -> None:
    """POST until there is no answer any more."""
    while True:
        operation = writer.choose(chance)
        if operation[0] not in _POSTED:
            continue
        keys[writer.number] = client.key = uuid.UUID(int=chance.getrandbits(128)).hex
        journal.begin(writer.number, operation)
        try:
            do(client, operation, writer.ids.__getitem__)
        except KATOError as error:
            if error.status_code < 500:
                journal.complain(f"writer {writer.number} was refused what it may do, {operation}: {error}")
            return
        journal.end(writer.number)
        apply(writer.model, operation)


def _repeat(server: Server, writers: list[Writer], in_flight: dict[int, Operation], keys: dict[int, str]) -> int:
    """Every writer repeats what it had no answer to; how many of them had been stored."""
    stored = 0
    for writer in writers:
        operation = in_flight.get(writer.number)
        if operation is None:
            continue
        with Keyed(server.url) as client:
            client.key = keys[writer.number]
            try:
                do(client, operation, writer.ids.__getitem__)
            except KATOError as error:
                raise Broken(f"writer {writer.number} was refused its own call again, {operation}: {error}") from error
            stored += client.replayed
        apply(writer.model, operation)
    return stored


def run(kills: int, seed: int, *, without: str = "", say: Callable[[str], None] = print) -> Counter[str]:
    """
    Kill, repeat, compare.

    Args:
        without: "memory" for a server that remembers no keys.

    Raises:
        Broken: What was repeated under its key is not there exactly once, or something acknowledged is not.
    """
    counts: Counter[str] = Counter()
    journal, keys, writers = Journal(), dict[int, str](), list[Writer]()
    environ = {"KATO_IDEMPOTENCY_SECONDS": "0"} if without == "memory" else {}
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        for number in range(kills + 1):
            with Server(directory, dies=f"{seed} {number} {_CHANCE}", **environ) as server:
                with KATOClient(server.url) as memory:
                    if number:
                        counts["acknowledged"] += sum(map(len, journal.done.values()))
                        counts["repeated"] += len(journal.begun)
                        counts["had been stored"] += _repeat(server, writers, journal.begun, keys)
                        compare(memory, writers, Journal(wrong=journal.wrong), f"{seed}, kill {number}")
                    else:
                        writers = begin(memory, _WRITERS)
                if number == kills:
                    break
                journal = Journal()
                _load(server, writers, journal, keys, f"{seed} {number}")
                counts["kills"] += 1
        found = check_file(directory / "kato.db").findings
        if found:
            raise Broken(f"seed {seed}: {found[0].sentence}")
    say(f"{dict(counts)}")
    return counts


def _load(server: Server, writers: list[Writer], journal: Journal, keys: dict[int, str], seed: str) -> None:
    """Write until the server has died."""
    server.may_die()
    clients = [Keyed(server.url) for _ in writers]
    threads = [
        threading.Thread(target=_work, args=(client, writer, random.Random(f"{seed} {writer.number}"), journal, keys))
        for client, writer in zip(clients, writers, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()


def main() -> int:
    """Read the command line."""
    parser = asking("repeats", "Kill between commit and answer.", ("memory",))
    parser.add_argument("--kills", type=int, default=100)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    return judged(lambda: run(given.kills, given.seed, without=given.without, say=lambda _: None))


if __name__ == "__main__":
    sys.exit(main())
