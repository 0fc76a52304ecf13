"""What `import kato` brings, and what it leaves for later."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx2
import pytest

import kato
from kato import AsyncKATOClient, KATOClient, errors
from kato.client.configuration import trusted

ROOT = Path(__file__).parents[2]


def test_every_error_is_public():
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception) and not name.startswith("_")
    }
    assert classes <= set(kato.__all__)


def test_every_public_name_but_the_embedded_memory_is_there():
    for name in set(kato.__all__) - {"Kato"}:
        assert getattr(kato, name) is not None
    assert kato.KATOSessionError is errors.KATOSessionError
    assert set(kato.__all__) <= set(dir(kato))


def test_the_names_that_are_loaded_late_are_public():
    assert set(kato._HOMES) <= set(kato.__all__)


def test_another_name_is_an_error():
    with pytest.raises(AttributeError, match="'kato' has no attribute 'KATOKlient'"):
        kato.KATOKlient  # noqa: B018


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert kato.__version__ == project["version"]


def test_importing_a_client_loads_nothing_heavy():
    """What takes long to load is needed only by a client that is made, or not by clients at all."""
    program = "import sys; from kato import KATOClient; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "kato.client.sync" in loaded
    assert not loaded & {"httpx2", "pydantic", "numpy", "fastapi", "sqlite3", "kato.engine", "kato.server"}


def test_the_package_says_that_it_is_typed():
    assert (Path(kato.__file__).parent / "py.typed").is_file()


def test_certificates_are_read_once_however_many_clients_there_are(monkeypatch):
    read = []
    monkeypatch.setattr(httpx2, "create_ssl_context", lambda: read.append(1) or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    trusted.cache_clear()
    for _ in range(3):
        KATOClient("https://test").close()
        asyncio.run(AsyncKATOClient("https://test").close())
    trusted.cache_clear()
    assert read == [1]
