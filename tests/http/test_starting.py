"""What stops a start, and what it says."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kato import KATOClient
from kato.errors import InvalidSettings
from kato.server.running import check, listening, serve
from kato.settings import Settings
from kato.storage.opening import key_file, open_storage
from kato.storage.sqlite import SqliteStorage
from serving import running


@pytest.mark.parametrize(
    ("settings", "variable", "held"),
    [
        ({"workers": 2}, "KATO_WORKERS", "2"),
        ({"host": "0.0.0.0"}, "KATO_HOST", "0.0.0.0"),
        ({"host": "::"}, "KATO_HOST", "::"),
        ({"host": "example.org"}, "KATO_HOST", "example.org"),
    ],
)
def test_what_this_version_may_not_do_is_refused_with_the_reason(settings, variable, held, tmp_path):
    with pytest.raises(InvalidSettings) as refused:
        check(Settings(data_dir=str(tmp_path), **settings))
    assert refused.value.message.startswith(f"{variable} must ")
    assert refused.value.message.endswith(f", got {held}")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"host": "::1"},
        {"host": "localhost"},
        {"host": "0.0.0.0", "insecure": True},
        {"host": "0.0.0.0", "api_keys": ("a-secret-of-length",)},
        {"rate_limit_per_minute": 5},
    ],
)
def test_what_may_be_served_is_not_refused(settings, tmp_path):
    check(Settings(data_dir=str(tmp_path), **settings))


def test_a_public_address_needs_a_key_that_somebody_could_come_with(tmp_path):
    settings, file = Settings(host="0.0.0.0", data_dir=str(tmp_path)), key_file(tmp_path)
    _, made = file.create("", "write", ())
    check(settings)
    file.revoke(made.key_id)
    with pytest.raises(InvalidSettings, match="kato keys create"):
        check(settings)


def test_a_port_somebody_listens_on_is_named():
    with listening("127.0.0.1", 0, 5) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidSettings, match=rf"KATO_PORT must be .* free .*127\.0\.0\.1:{port}"):
            listening("127.0.0.1", port, 5)


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_of_another_machine_is_named(host):
    with pytest.raises(InvalidSettings, match=rf"KATO_HOST must be an address of this machine, got {host}"):
        listening(host, 0, 5)


def test_an_answer_is_sent_without_waiting_until_the_client_confirms_its_beginning():
    """On asyncio's own loop too, which Windows has alone."""

    async def sends_at_once() -> bool:
        found = asyncio.get_running_loop().create_future()

        def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            found.set_result(bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
            writer.close()

        with listening("127.0.0.1", 0, 5) as door:
            async with await asyncio.start_server(accept, sock=door):
                _, writer = await asyncio.open_connection(*door.getsockname())
                writer.close()
                return await found

    assert asyncio.run(sends_at_once())


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_ipv6_is_listened_on_too():
    with listening("::1", 0, 5) as door:
        assert door.getsockname()[0] == "::1"


def test_a_log_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        serve(Settings(data_dir=":memory:", log_output=str(tmp_path / "none" / "log")))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def command(directory: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "kato", "serve", "--port", str(port), "--data", str(directory)]


def start(directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = command(directory, free_port())
    return subprocess.run(given, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal to send")
def test_a_server_stopped_by_ctrl_c_ends_without_a_word(tmp_path):
    port = free_port()
    with subprocess.Popen(command(tmp_path, port), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as served:
        with KATOClient(f"http://127.0.0.1:{port}", max_retries=8) as kato:
            kato.create_session("node")
            kato.observe(["a", "b"])
            kato.learn()
            kato.observe(["a"])
            assert kato.get_predictions()["count"] == 1
        served.send_signal(signal.SIGINT)
        assert (served.communicate(timeout=30)[1], served.returncode) == (b"", 130)


def test_a_directory_in_use_stops_the_start_with_one_sentence(tmp_path):
    held = open_storage(str(tmp_path))
    try:
        done = start(tmp_path, KATO_LOG_OUTPUT=str(tmp_path / "log"))
    finally:
        held.close()
    assert done.returncode == 1
    assert f"is in use by process {os.getpid()}" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) == 1
    assert "is in use" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_bad_value_stops_the_start_with_one_sentence_that_shows_it(tmp_path):
    done = start(tmp_path, KATO_SESSION_TTL="forever")
    assert done.returncode == 1
    assert done.stderr == "kato: KATO_SESSION_TTL must be an integer from 1 to 31536000, got 'forever'\n"


def test_a_server_looks_at_the_logs_index_before_anybody_asks(monkeypatch, tmp_path):
    prepared = threading.Event()
    monkeypatch.setattr(SqliteStorage, "prepare_history", lambda _: prepared.set())
    with running(Settings(data_dir=str(tmp_path), log_level="CRITICAL")):
        assert prepared.wait(10)


def test_a_start_does_not_wait_for_the_pages_about_the_api():
    program = "import sys; import kato.cli.main, kato.server.running; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "kato.server.app" in loaded
    assert not {"fastapi", "starlette", "pydantic"} & loaded
