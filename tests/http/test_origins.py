"""Who may call from where."""

from __future__ import annotations

import httpx2
import pytest

from kato.errors import OriginRefused
from kato.server.origins import Origins
from kato.settings import Settings
from serving import running

LISTED = "https://page.example"


@pytest.fixture(scope="module")
def listing():
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", cors_origins=(LISTED,))
    with running(settings) as server, httpx2.Client(base_url=server.url) as client:
        yield client


@pytest.fixture(scope="module")
def open_to_all():
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", cors_origins=("*",))
    with running(settings) as server, httpx2.Client(base_url=server.url) as client:
        yield client


EXPOSED = {"X-Trace-ID", "X-Session-ID", "Retry-After"}


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/nothing", 404), ("/sessions/none/stm", 404), ("/docs", 200)]
)
def test_a_listed_origin_may_read_every_answer(listing, path, status):
    answer = listing.get(path, headers={"Origin": LISTED})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == LISTED
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "Origin"
    assert set(answer.headers["access-control-expose-headers"].split(", ")) >= EXPOSED


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://other.example"}])
def test_others_may_not_and_caches_keep_the_answers_apart(listing, headers):
    answer = listing.get("/", headers=headers)
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"


def test_all_origins_may_read_without_credentials(open_to_all):
    answer = open_to_all.get("/", headers={"Origin": "https://any.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert open_to_all.post("/sessions", json={"node_id": "n"}, headers={"Origin": "https://any.example"}).is_success


def test_a_preflight_of_a_listed_origin_is_allowed(listing):
    headers = {
        "Origin": LISTED,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type, x-node-id",
    }
    for path in ("/pattern/x", "/sessions/none/observe", "/nothing"):
        answer = listing.options(path, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == LISTED
        assert "PATCH" in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == "content-type, x-node-id"
        assert answer.headers["access-control-max-age"] == "600"
        assert answer.headers["x-trace-id"].startswith("kato-")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", ""])
def test_nobody_else_may_write(method, origin):
    with pytest.raises(OriginRefused):
        Origins("127.0.0.1", (), (LISTED,)).check_origin(method, origin, "localhost:8000")


@pytest.mark.parametrize(
    ("bound", "host", "served"),
    [
        ("127.0.0.1", "192.168.1.5:8000", False),
        ("0.0.0.0", "192.168.1.5:8000", True),
        ("::", "[2001:db8::1]:8000", True),
        ("0.0.0.0", "evil.example:8000", False),
        ("192.168.1.5", "192.168.1.5", True),
        ("192.168.1.5", "192.168.1.6", False),
        ("kato.internal", "KATO.internal:80", True),
        ("127.0.0.1", "kato.example:8000", True),
        ("127.0.0.1", "127.0.0.1.evil.example", False),
    ],
)
def test_a_host_is_an_address_of_ours_or_an_allowed_name(bound, host, served):
    """Bound to every address, any address is ours; a name never is, since anyone can point one here."""
    origins = Origins(bound, ("kato.example",))
    if served:
        origins.check_host(host)
    else:
        with pytest.raises(OriginRefused):
            origins.check_host(host)
