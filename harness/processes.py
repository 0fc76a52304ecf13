"""Real servers and real children, started quickly and killed without warning."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import socket
import time
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx2

from harness.breaking import take_out
from kato.service import snapshots

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


def snapshot_often() -> None:
    """From now on this process writes snapshots of nodes all the time, so that it is killed while it does."""
    snapshots._LEAST, snapshots._LEAST_LEAVING, snapshots._PART = 5, 1, 2**60


def _serve(directory: str, port: int, environ: Mapping[str, str], dies: str, may_die: Any, without: str) -> None:
    os.environ.update(environ)
    take_out(without)
    snapshot_often()
    if dies:
        _die_around_commits(random.Random(dies), float(dies.split()[-1]), may_die)
    from kato.server.running import serve
    from kato.settings import Settings

    settings, _ = Settings.read({**environ, "KATO_DATA_DIR": directory, "KATO_PORT": str(port)})
    serve(settings)


def _die_around_commits(chance: random.Random, share: float, may_die: Any) -> None:
    """From the moment it may, end this process right after a commit, before anybody hears of it; sometimes before one."""
    from kato.storage.sqlite import SqliteStorage

    commit = SqliteStorage.commit

    def deadly(self: Any, transactions: Any, **options: Any) -> Any:
        asked = any(transaction.operations or transaction.reply is not None for transaction in transactions)
        now = may_die.is_set() and asked and chance.random() < share
        if now and chance.random() < 0.2:
            os.kill(os.getpid(), signal.SIGKILL)
        done = commit(self, transactions, **options)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    SqliteStorage.commit = deadly  # type: ignore[method-assign]


class Server:
    """
    A server process of its own on a data directory; killed by `kill`, never told to stop.

    Args:
        directory: The data directory.
        dies: Seed, its last word the share of commits around which the server kills itself once `may_die` was called.
        without: Name of a protection to take out (harness.breaking).
        environ: Settings.
    """

    def __init__(self, directory: Path, *, dies: str = "", without: str = "", **environ: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {"KATO_LOG_LEVEL": "CRITICAL", **environ}
        self._may_die = context().Event() if dies else None
        self._process: BaseProcess = context().Process(
            target=_serve, args=(str(directory), self.port, settings, dies, self._may_die, without), daemon=True
        )
        self._process.start()
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + _STARTING
        # Without certificates: to read them for each attempt took the processor that the server starts on.
        with httpx2.Client(timeout=5, verify=False) as client:
            while time.monotonic() < until:
                if not self._process.is_alive():
                    raise AssertionError(f"the server ended by itself with status {self._process.exitcode}")
                try:
                    if client.get(f"{self.url}/health/ready").status_code == 200:
                        return
                except httpx2.TransportError:
                    time.sleep(0.01)
        self.kill()
        raise AssertionError("the server did not start")

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process.pid is not None
        return self._process.pid

    def may_die(self) -> None:
        """From now on the server kills itself as it was told to."""
        assert self._may_die is not None
        self._may_die.set()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        self._process.join()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
