"""The whole system behind any door: storage, nodes, sessions, and how they wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from kato.engine.forecasting.choosing import Effort
from kato.engine.knowledge import Knowledge
from kato.engine.matching import choose
from kato.errors import StorageError
from kato.service.committing import commit
from kato.service.dependencies import Dependency
from kato.service.events import Events
from kato.service.forecasting import LITTLE, Forecasts
from kato.service.log_tail import LogTail
from kato.service.measuring import MeasuredWriter, Measures
from kato.service.moments import Moments
from kato.service.nodes import Nodes
from kato.service.policy import Policy
from kato.service.runtime import LoopRuntime, Runtime, ThreadRuntime
from kato.service.sessions import Sessions
from kato.service.turns import Turns
from kato.storage.interface import Committed, Storage, Transaction
from kato.storage.keys import KeyFile
from kato.storage.opening import open_storage
from kato.storage.writer import DirectWriter, TransactionWriter, Writer
from kato.wire.limits import Limits


@dataclass(frozen=True, slots=True)
class Capacity:
    """How the server is set up to take requests."""

    per_worker: int = 1000
    workers: int = 1
    backlog: int = 2048
    max_requests: int | None = None
    """Requests after which a worker ends; None = never."""


@dataclass(slots=True)
class System:
    """Everything a use-case works with. Made by `for_server` or `embedded`; closed once."""

    storage: Storage
    writer: MeasuredWriter
    runtime: Runtime
    policy: Policy
    nodes: Nodes
    forecasts: Forecasts
    moments: Moments
    sessions: Sessions
    events: Events
    dependency: Dependency
    limits: Limits
    engine: str
    started_at: int
    measures: Measures
    storage_name: str
    repeats: Turns
    """Requests of one idempotency key wait for one another."""
    service_name: str = "kato"
    capacity: Capacity = field(default_factory=Capacity)
    api_keys: Callable[[], bool] = lambda: False
    """Whether API keys are asked for."""
    keys: KeyFile | None = None
    """Where the API keys are kept; None where none are."""
    log_tail: LogTail = field(default_factory=LogTail)
    """The latest lines of the log; none where there is no server that writes one."""
    follow_keys: Callable[[], None] | None = None
    """Raises while they cannot be read; None where there are none to read."""

    @classmethod
    def for_server(
        cls,
        location: str,
        policy: Policy,
        limits: Limits,
        *,
        engine: str | None = None,
        durability: str = "learn",
        threads: int = 4,
        memory_budget: int | None = None,
        clock: Callable[[], int] | None = None,
    ) -> System:
        """A system whose use-cases run on an event loop; concurrent requests share commits."""
        storage = open_storage(location)
        runtime = LoopRuntime(threads=threads, clock=clock)
        return cls._assemble(
            storage, Writer(storage, durability), runtime, policy, limits, choose(engine), memory_budget
        )

    @classmethod
    def embedded(
        cls,
        location: str,
        policy: Policy,
        limits: Limits,
        *,
        engine: str | None = None,
        durability: str = "learn",
        memory_budget: int | None = None,
        clock: Callable[[], int] | None = None,
    ) -> System:
        """A system whose use-cases run on the caller's thread, see `kato.service.runtime.drive`."""
        storage = open_storage(location)
        runtime = ThreadRuntime(clock=clock)
        return cls._assemble(
            storage, DirectWriter(storage, durability), runtime, policy, limits, choose(engine), memory_budget
        )

    @classmethod
    def _assemble(
        cls,
        storage: Storage,
        writer: TransactionWriter,
        runtime: Runtime,
        policy: Policy,
        limits: Limits,
        knowledge: type[Knowledge],
        memory_budget: int | None,
    ) -> System:
        events = Events()
        dependency = Dependency(events, runtime.now)
        measured = MeasuredWriter(writer, dependency.note)
        nodes = Nodes(storage, knowledge, runtime, memory_budget=memory_budget)
        is_plain = knowledge.__name__.startswith("Plain")
        return cls(
            storage=storage,
            writer=measured,
            runtime=runtime,
            policy=policy,
            nodes=nodes,
            forecasts=Forecasts(storage, runtime, LITTLE if is_plain else Effort(), knowledge),
            moments=Moments(storage, knowledge, runtime, memory_budget, nodes.present),
            sessions=Sessions(storage, measured, runtime, policy, events),
            events=events,
            dependency=dependency,
            limits=limits,
            measures=Measures(runtime.now, os.sep),
            storage_name=storage.name,
            repeats=Turns(runtime),
            engine="plain" if is_plain else "native",
            started_at=runtime.now(),
        )

    async def commit(self, transaction: Transaction) -> Committed:
        """Store a transaction; when this returns it is kept and every loaded node knows of it."""
        return await commit(self.runtime, self.writer, transaction)

    async def commit_in_turn(self, make: Callable[[], Transaction]) -> Committed:
        """The same for what `make` makes out of what is stored: nobody else stores anything from when it is called; they wait."""
        return await self.runtime.wait(self.writer.in_turn(make))

    async def check_storage(self) -> None:
        """
        See whether the storage serves; after a refusal, whether it takes writes again.

        Raises:
            StorageError: It does not.
        """
        try:
            await self.runtime.compute(self.storage.check)
        except StorageError as error:
            self.dependency.note(error)
            raise
        self.dependency.note(None)

    def close(self) -> None:
        """Finish what waits to be written and let go of everything."""
        self.forecasts.close()
        self.sessions.expiries.store()
        self.writer.close()
        self.nodes.close()
        self.runtime.close()
        self.storage.close()
