"""Real servers and real children, started quickly and killed without warning."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx2

_STARTING = 60.0
"""Seconds a start may take on a machine with other work."""


def context() -> Any:
    """Where children come from: a small process that has imported everything and forks; so a start takes no second."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["kato.server.running", "kato.local", "harness.doing"])
    return found


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _serve(directory: str, port: int, environ: Mapping[str, str]) -> None:
    os.environ.update(environ)
    from kato.server.running import serve
    from kato.settings import Settings

    settings, _ = Settings.read({**environ, "KATO_DATA_DIR": directory, "KATO_PORT": str(port)})
    serve(settings)


class Server:
    """A server process of its own on a data directory; killed by `kill`, never told to stop."""

    def __init__(self, directory: Path, **environ: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {"KATO_LOG_LEVEL": "CRITICAL", **environ}
        self._process: BaseProcess = context().Process(
            target=_serve, args=(str(directory), self.port, settings), daemon=True
        )
        self._process.start()
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + _STARTING
        while time.monotonic() < until:
            if not self._process.is_alive():
                raise AssertionError(f"the server ended by itself with status {self._process.exitcode}")
            try:
                if httpx2.get(f"{self.url}/health/ready", timeout=5).status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.01)
        self.kill()
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        self._process.join()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
