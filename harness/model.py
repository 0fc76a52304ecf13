"""
A state machine against dictionaries: whatever is done, a memory holds what the model holds.

    python -m harness.model --examples 500 --steps 50 --seed 7
    python -m harness.model --examples 20000 --steps 100        the long run

Sessions and nodes are made, observed, learned, configured, edited, forgotten, cleared; time passes on a driven clock and
sessions expire; the memory is restarted, crashes (its files are taken as they are, without closing), is backed up and
restored. After every step all that the step could have touched is compared; Hypothesis looks for the shortest history
that shows a difference. The doors: the embedded memory, and the HTTP application through an in-process transport.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from harness.dictionaries import Model, Session
from harness.doing import Operation, apply, do, learned, session_of, state
from kato import Kato, KATOClient, SessionExpired, SessionNotFound
from kato.client.methods import ClientMethods
from kato.server.app import Application
from kato.server.logs import set_up
from kato.settings import Settings
from kato.storage.backing_up import make_backup, restore
from kato.storage.checking import check_file

NODES = ("n", "N", "n ")
KEYS = ("max_pattern_length", "stm_mode", "recall_threshold")
_SECOND = 1_000_000
_PLACE = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Histories are judged by what is read back; waiting for a disk would only make them fewer."""
_NOBODY = Session("")
_TTL = 100
"""Seconds a session lives in this model."""


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000 * _SECOND

    def __call__(self) -> int:
        return self.now


class EmbeddedDoor:
    """The memory in this process."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.memory: ClientMethods = Kato(directory, clock=clock)

    def close(self) -> None:
        self.memory.close()


class _Answering(httpx2.BaseTransport):
    """Requests of a client that waits, answered by an application on an event loop of another thread."""

    def __init__(self, application: Application, call: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._asgi = httpx2.ASGITransport(app=application)
        self._call = call

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        async def answer() -> httpx2.Response:
            found = await self._asgi.handle_async_request(
                httpx2.Request(request.method, request.url, headers=request.headers, content=request.read())
            )
            content = await found.aread()
            return httpx2.Response(found.status_code, headers=found.headers, content=content)

        response: httpx2.Response = self._call(answer())
        return response


class HttpDoor:
    """The HTTP application, with its lifespan, without a socket."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        set_up("CRITICAL", "human", "stdout")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._application = Application(Settings(data_dir=str(directory)), clock=clock)
        self._opened = self._application._opened()
        self._call(self._opened.__aenter__())
        transport = _Answering(self._application, self._call)
        self.memory: ClientMethods = KATOClient("http://localhost:8000", max_retries=0, transport=transport)

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def close(self) -> None:
        self.memory.close()
        self._call(self._opened.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


sessions = st.sampled_from(("s", "t", "u"))
nodes = st.sampled_from(NODES)
symbols = st.sampled_from(("a", "b", "ab", "é"))
events = st.lists(symbols, min_size=1, max_size=2)
sequences = st.lists(events, min_size=2, max_size=3)


class Machine(RuleBasedStateMachine):
    """What can be done to a memory; a subclass says through which door."""

    door: type[EmbeddedDoor] | type[HttpDoor]

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(prefix="kato-model-", dir=_PLACE))
        self.directory = self.place / "0"
        self.places = 0
        self.clock = Clock()
        self.model = Model()
        self.ids: dict[str, str] = {}
        self.expiry: dict[str, int] = {}
        self.opened = self.door(self.directory, self.clock)
        self.touched = set(NODES)
        """Nodes that the last step could have changed."""

    def teardown(self) -> None:
        self.opened.close()
        found = check_file(self.directory / "kato.db").findings
        shutil.rmtree(self.place)
        assert not found, found

    # --- doing ---

    def _do(self, operation: Operation) -> None:
        do(self.opened.memory, operation, self.ids.__getitem__)
        apply(self.model, operation)
        session = operation[1].get("session")
        self.touched.add(operation[1].get("node") or self.model.sessions.get(session, _NOBODY).node)
        if session in self.expiry:
            self.expiry[session] = self.clock.now + _TTL * _SECOND

    def _looked(self) -> None:
        """Looking at a session renews it too."""
        for session in self.model.sessions:
            self.expiry[session] = self.clock.now + _TTL * _SECOND

    def _alive(self, session: str) -> bool:
        return session in self.model.sessions

    @initialize(node=nodes)
    def begin(self, node: str) -> None:
        self.create("s", node, 0, "CLEAR")

    @rule(
        session=sessions,
        node=nodes,
        length=st.sampled_from((0, 0, 1, 2, 3)),
        mode=st.sampled_from(("CLEAR", "ROLLING")),
    )
    def create(self, session: str, node: str, length: int, mode: str) -> None:
        if self._alive(session):
            return
        config = {"max_pattern_length": length, "stm_mode": mode}
        made = self.opened.memory.node(node).session(config=config, ttl=_TTL)
        assert made.session_id is not None
        self.ids[session] = made.session_id
        self.model.create(session, node, config)
        self.expiry[session] = self.clock.now + _TTL * _SECOND

    @rule(
        session=sessions,
        strings=st.lists(symbols, max_size=3),
        emotives=st.none() | st.dictionaries(st.sampled_from(("joy", "fear")), st.integers(-4, 4).map(lambda n: n / 4)),
        metadata=st.none() | st.dictionaries(st.sampled_from("kl"), st.sampled_from(("x", "y"))),
    )
    def observe(self, **given: Any) -> None:
        if self._alive(given["session"]):
            self._do(("observe", given))

    @rule(session=sessions, seen=st.lists(events, min_size=1, max_size=4), learn=st.booleans())
    def observe_sequence(self, session: str, seen: list[list[str]], learn: bool) -> None:
        if self._alive(session):
            self._do(("observe_sequence", {"session": session, "events": seen, "learn_at_end": learn}))

    @rule(session=sessions)
    def learn(self, session: str) -> None:
        if self._alive(session) and self.model.sessions[session].events:
            self._do(("learn", {"session": session}))

    @rule(node=nodes, many=st.lists(sequences, min_size=1, max_size=4))
    def learn_many(self, node: str, many: list[list[list[str]]]) -> None:
        self._do(("learn_many", {"node": node, "sequences": many}))

    @rule(session=sessions, length=st.sampled_from((0, 1, 2, 3)), mode=st.sampled_from(("CLEAR", "ROLLING")))
    def configure(self, session: str, length: int, mode: str) -> None:
        if self._alive(session):
            config = {"max_pattern_length": length, "stm_mode": mode}
            self._do(("configure", {"session": session, "config": config}))

    @rule(node=nodes, which=st.integers(0, 50), frequency=st.integers(1, 9))
    def edit(self, node: str, which: int, frequency: int) -> None:
        known = sorted(self.model.nodes.get(node, {}))
        if known:
            self._do(("edit", {"node": node, "events": known[which % len(known)], "frequency": frequency}))

    @rule(node=nodes, which=st.integers(0, 50))
    def forget(self, node: str, which: int) -> None:
        known = sorted(self.model.nodes.get(node, {}))
        if known:
            self._do(("forget", {"node": node, "events": known[which % len(known)]}))

    @rule(session=sessions)
    def clear_stm(self, session: str) -> None:
        if self._alive(session):
            self._do(("clear_stm", {"session": session}))

    @rule(session=sessions)
    def clear_all(self, session: str) -> None:
        if self._alive(session):
            self._do(("clear_all", {"session": session}))

    @rule(session=sessions)
    def delete(self, session: str) -> None:
        if self._alive(session):
            self._do(("delete", {"session": session}))

    @rule(seconds=st.sampled_from((1, 60, 99, 100, 1000)))
    def pass_time(self, seconds: int) -> None:
        """Whoever was not used for a lifetime is gone, and says so."""
        self.clock.now += seconds * _SECOND
        for session in list(self.model.sessions):
            if self.clock.now >= self.expiry[session]:
                del self.model.sessions[session]
                try:
                    session_of(self.opened.memory, self.ids[session]).get_stm()
                except (SessionExpired, SessionNotFound):
                    continue
                raise AssertionError(f"session {session} should have expired")

    # --- files ---

    def _next_place(self) -> Path:
        self.places += 1
        self.touched = set(NODES)
        return self.place / str(self.places)

    @rule()
    def restart(self) -> None:
        self.touched = set(NODES)
        self.opened.close()
        self.opened = self.door(self.directory, self.clock)

    @rule()
    def crash(self) -> None:
        """Go on with the files as a killed process leaves them."""
        crashed = self._next_place()
        crashed.mkdir()
        for name in ("kato.db", "kato.db-wal"):
            if (self.directory / name).exists():
                shutil.copyfile(self.directory / name, crashed / name)
        self.opened.close()
        self.directory = crashed
        self.opened = self.door(crashed, self.clock)

    @precondition(lambda self: self.model.sessions)
    @rule(undone=events)
    def back_up_and_restore(self, undone: list[str]) -> None:
        """What is done between the backup and its restoring is undone by it."""
        made, restored = self._next_place(), self._next_place()
        make_backup(self.directory / "kato.db", made)
        session = next(iter(self.model.sessions))
        session_of(self.opened.memory, self.ids[session]).observe(undone, auto_reconnect=False)
        self.opened.close()
        restore(made, restored / "kato.db")
        self.directory = restored
        self.opened = self.door(restored, self.clock)

    # --- comparing ---

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        memory = self.opened.memory
        for session, expected in self.model.sessions.items():
            assert state(memory, self.ids[session], KEYS) == expected.told(), session
        self._looked()
        for node in self.touched & set(NODES):
            assert learned(memory, node) == self.model.learned(node), node
        self.touched = set()
        assert memory.count_sessions()["count"] == len(self.model.sessions)


class Embedded(Machine):
    """Through the embedded memory."""

    door = EmbeddedDoor


class Http(Machine):
    """Through the HTTP application."""

    door = HttpDoor


def run(machine: type[Machine], *, examples: int, steps: int, chosen: int, shrink: bool = True) -> None:
    """Look for a history after which the memory and the model differ; raises what it found."""
    options = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        print_blob=False,
    )
    run_state_machine_as_test(seed(chosen)(machine), settings=options)


def share(name: str, examples: int, steps: int, chosen: int) -> None:
    """One process's part of a run."""
    run({"embedded": Embedded, "http": Http}[name], examples=examples, steps=steps, chosen=chosen)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m harness.model", description="Memories against dictionaries.")
    parser.add_argument("--door", choices=("embedded", "http", "both"), default="both")
    parser.add_argument("--examples", type=int, default=500)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--processes", type=int, default=1, help="that share the examples; each has the next seed")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    for name in ("embedded", "http"):
        if given.door in {name, "both"}:
            count = given.processes
            sizes = [given.examples // count + (number < given.examples % count) for number in range(count)]
            with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
                parts = [
                    pool.submit(share, name, size, given.steps, given.seed + number)
                    for number, size in enumerate(sizes)
                ]
                for part in parts:
                    part.result()
            print(f"held: {name}, {given.examples} histories of up to {given.steps} steps", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
