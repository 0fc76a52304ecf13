"""Everything is put together here, once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from kato.errors import StorageError
from kato.operations import OPERATIONS
from kato.server.admission import Admission
from kato.server.documentation import PATHS, Documentation
from kato.server.logs import TAIL, logger
from kato.server.origins import Origins
from kato.server.routing import Routes
from kato.server.transport import Receive, Scope, Send, Transport
from kato.server.watching import ROUTE, Watching
from kato.service.measuring import INTERVAL_SECONDS
from kato.service.numbers import current_values
from kato.service.policy import Policy
from kato.service.system import Capacity, System
from kato.settings import Settings
from kato.storage.opening import key_file

_SWEEP_SECONDS = 1.0
_USES_EVERY = 10
"""Sweeps between writing down when keys were used."""


class Application:
    """
    The server as an ASGI application; its lifespan opens and closes the system.

    Args:
        settings: All that the environment says.
        clock: Microseconds since 1970; None for the system's clock.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], int] | None = None) -> None:
        self.settings = settings
        self.system: System | None = None
        self.admission: Admission | None = None
        self.watching: Watching | None = None
        self.failure: Exception | None = None
        """Why the system could not be opened, if it could not."""
        self._clock = clock
        origins = Origins(settings.host, settings.allowed_hosts, settings.cors_origins if settings.cors_enabled else ())
        watched_from = settings.cors_origins if settings.ws_origins is None else settings.ws_origins
        self._ws_origins = Origins(settings.host, settings.allowed_hosts, watched_from, "KATO_WS_ORIGINS")
        self._transport = Transport(
            lambda: self.system,
            lambda: self.admission,
            Routes(OPERATIONS),
            origins,
            request_timeout=settings.request_timeout,
            limit_concurrency=settings.limit_concurrency,
            documentation=Documentation(),
            documentation_paths=PATHS if settings.docs_enabled else frozenset(),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, or the lifespan."""
        if scope["type"] == "http":
            await self._transport(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._watch(scope, receive, send)
        else:
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """The lifespan: open when told to start, close when told to stop."""
        await receive()
        opened = self._opened()
        try:
            await opened.__aenter__()
        except Exception as error:  # noqa: BLE001 - whoever started the server learns of it and decides
            self.failure = error
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await opened.__aexit__(None, None, None)
        await send({"type": "lifespan.shutdown.complete"})

    async def _watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.watching is None or self.admission is None or scope["path"].rstrip("/") != ROUTE:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.watching.serve(scope, receive, send, self._ws_origins, self.admission)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        settings = self.settings
        admission = open_admission(settings, clock=self._clock)
        system = open_system(settings, clock=self._clock)
        system.api_keys, system.keys, system.log_tail = admission.asks_for_keys, admission.file, TAIL
        system.follow_keys = admission.follow
        watching = Watching(system, most=settings.ws_max_connections, heartbeat_seconds=settings.ws_heartbeat)
        upkeep = [
            asyncio.create_task(_sweep(system)),
            asyncio.create_task(_record(system)),
            asyncio.create_task(_watch_keys(admission, watching)),
            asyncio.create_task(_attempt("prepare history", asyncio.to_thread(system.storage.prepare_history))),
        ]
        self.watching, self.admission, self.system = watching, admission, system
        try:
            yield
        finally:
            watching.close()
            self.system = None
            for task in upkeep:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await _attempt("write when keys were used", asyncio.to_thread(admission.write_uses))
            await asyncio.to_thread(system.close)


def create_app(settings: Settings | None = None, *, clock: Callable[[], int] | None = None) -> Application:
    """The application for some settings; the defaults if none are given."""
    return Application(settings or Settings(), clock=clock)


def open_system(settings: Settings, *, clock: Callable[[], int] | None = None) -> System:
    """The system that the settings describe, for a running event loop."""
    limits = settings.limits
    policy = Policy(
        session_defaults=settings.session_defaults,
        session_ttl=settings.session_ttl,
        session_auto_extend=settings.session_auto_extend,
        session_tombstone=settings.session_tombstone,
        max_sessions=limits.max_sessions,
        max_stm_events=limits.max_stm_events,
        idempotency_seconds=settings.idempotency_seconds,
    )
    system = System.for_server(
        settings.data_dir,
        policy,
        limits,
        engine=settings.engine,
        durability=settings.durability,
        memory_budget=settings.memory_budget,
        clock=clock,
    )
    system.service_name = settings.service_name
    system.capacity = Capacity(
        per_worker=settings.limit_concurrency,
        backlog=settings.backlog,
        max_requests=settings.limit_max_requests,
    )
    return system


def open_admission(settings: Settings, *, clock: Callable[[], int] | None = None) -> Admission:
    """
    Who lets callers in, by the settings and the keys beside the database.

    Raises:
        StorageUnavailable, StoredDataCorrupt: The keys cannot be read.
    """
    return Admission(key_file(settings.data_dir), settings.api_keys, settings.rate_limit_per_minute, clock=clock)


async def _watch_keys(admission: Admission, watching: Watching) -> None:
    """End the connections of revoked keys, and write down when keys were used."""
    written = 0
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        await _attempt("watch keys", _end_revoked(admission, watching))
        written += 1
        if written % _USES_EVERY == 0:
            await _attempt("write when keys were used", asyncio.to_thread(admission.write_uses))


async def _end_revoked(admission: Admission, watching: Watching) -> None:
    admission.follow()
    watching.keep(admission.is_welcome)


async def _sweep(system: System) -> None:
    """End sessions when their time has come; measure on the way how late the loop wakes up."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _SWEEP_SECONDS
        await asyncio.sleep(_SWEEP_SECONDS)
        system.measures.woke_late(max(0.0, loop.time() - due))
        await _attempt("sweep", system.sessions.expire_due())
        if system.dependency.failure is not None:
            with contextlib.suppress(StorageError):  # told when it began; what is awaited is its end
                await system.check_storage()


async def _record(system: System) -> None:
    """Add a point to every series, now and then."""

    async def point() -> None:
        system.measures.record(await system.runtime.compute(current_values, system))

    while True:
        await _attempt("record", point())
        await asyncio.sleep(INTERVAL_SECONDS)


async def _attempt(what: str, work: Any) -> None:
    """Upkeep must outlive a failing disk: what went wrong is logged, and tried again next time."""
    try:
        await work
    except Exception:  # noqa: BLE001 - upkeep goes on whatever failed once; the log has it
        logger().exception("upkeep failed", task=what)
