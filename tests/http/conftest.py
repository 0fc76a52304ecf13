from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from guarding import Asking, Guarded, guarded
from kato.settings import Settings
from serving import Running, client_of, running


@pytest.fixture(scope="package")
def server() -> Iterator[Running]:
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as found:
        yield found


@pytest.fixture
def http(server: Running) -> Iterator[httpx2.Client]:
    with client_of(server.url, timeout=20) as client:
        yield client


@pytest.fixture
def session(http: httpx2.Client, request: pytest.FixtureRequest) -> str:
    """A fresh session of a node of the test's own."""
    answer = http.post("/sessions", json={"node_id": request.node.nodeid[-400:]})
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["session_id"]
    return found


@pytest.fixture(scope="module")
def guarded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that asks for keys, and a key for each of its callers."""
    with guarded(tmp_path_factory.mktemp("keys")) as found:
        yield found


@pytest.fixture(scope="module")
def ask(guarded_server: Guarded) -> Iterator[Asking]:
    """Requests as any of its callers."""
    with Asking(guarded_server) as found:
        yield found
