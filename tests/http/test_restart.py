"""kill -9 between any two requests, restart, and the next request goes on where the last one ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from kato import KATOClient
from serving import client_of


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Killable:
    """A server in a process of its own, on one data directory and port."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-c", SERVE, str(directory), str(self.port)]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, env={**os.environ, "KATO_LOG_LEVEL": "CRITICAL"})
        with client_of(self.url) as client:
            for _ in range(400):
                try:
                    if client.get("/health/ready").status_code == 200:
                        return
                except httpx2.TransportError:
                    time.sleep(0.05)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def again(self) -> None:
        self.kill()
        self.start()


SERVE = """
import sys
from kato.server.running import serve
from kato.settings import Settings
serve(Settings(data_dir=sys.argv[1], port=int(sys.argv[2]), log_level="CRITICAL"))
"""


def test_a_killed_server_goes_on_where_it_was(tmp_path):
    server = Killable(tmp_path)
    try:
        with KATOClient(server.url) as kato:
            kato.create_session("node", config={"recall_threshold": 0.25}, ttl=500, metadata={"owner": ["me", 1.5]})
            server.again()
            kato.observe(["b", "a"], emotives={"joy": 0.5}, metadata={"k": 1}, vectors=[[1.0, 2.0]])
            server.again()
            kato.observe(["c"])
            before = kato.get_stm(), kato.get_percept_data(), kato.get_config(), kato.get_session_info()
            server.again()
            after = kato.get_stm(), kato.get_percept_data(), kato.get_config(), kato.get_session_info()
            moving = ("last_accessed", "expires_at", "remaining_ttl", "ttl_seconds")
            for info in (before[3], after[3]):
                for name in moving:
                    info.pop(name)
            assert before == after
            learned = kato.learn()
            server.again()
            pattern = kato.get_pattern(learned["pattern_name"], node_id="node")["pattern"]
            assert pattern["metadata"] == {"k": ["1"]}
            assert pattern["emotives"] == {"joy": [0.5]}
            cognition = kato.get_cognition_data()["cognition_data"]
            assert cognition["predictions"][0]["name"] == pattern["name"].removeprefix("PTRN|")
            kato.observe(["a", "b"])
            expected = kato.get_predictions()
            server.again()
            assert kato.get_predictions() == expected
            assert expected["predictions"][0]["frequency"] == 1
            assert kato.get_session_info()["metadata"] == {"owner": ["me", 1.5]}
            kato.delete_session()
            server.again()
            counts = kato.count_sessions()
            assert (counts["count"], counts["total_sessions"]) == (0, 1)
    finally:
        server.kill()
