"""A real server on a free port of this machine, in a thread of the test process."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn

from kato.server.app import Application
from kato.server.logs import set_up
from kato.server.running import configured, listening
from kato.settings import Settings


@dataclass(frozen=True)
class Running:
    """A running server."""

    url: str
    port: int
    application: Application
    loop: asyncio.AbstractEventLoop


@contextlib.contextmanager
def running(settings: Settings, port: int = 0) -> Iterator[Running]:
    """Serve until the block ends."""
    set_up(settings.log_level, settings.log_format, settings.log_output)
    application = Application(settings)
    door = listening("127.0.0.1", port, settings.backlog)
    config = configured(application, settings)
    server = uvicorn.Server(config)
    started = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        task = asyncio.create_task(server.serve(sockets=[door]))
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        started.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    started.wait(30)
    number = door.getsockname()[1]
    try:
        yield Running(f"http://127.0.0.1:{number}", number, application, loops[0])
    finally:
        server.should_exit = True
        thread.join(30)
        door.close()


def client_of(url: str, **options: Any) -> httpx2.Client:
    """Requests to a server of this machine; no certificates are read for them, which took longer than most tests."""
    return httpx2.Client(base_url=url, verify=False, **options)
