"""Who may call from where."""

from __future__ import annotations

import socket

import pytest

from kato.errors import OriginRefused
from kato.server.origins import Origins
from kato.settings import Settings
from serving import client_of, running

LISTED = "https://page.example"


@pytest.fixture(scope="module")
def listing():
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", cors_origins=(LISTED,))
    with running(settings) as server, client_of(server.url) as client:
        yield client


@pytest.fixture(scope="module")
def open_to_all():
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", cors_origins=("*",))
    with running(settings) as server, client_of(server.url) as client:
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


# --- the table: who reaches a server on this machine, by host and origin ---------------------------------------------------

REFUSED = 403
COMBINATIONS = [
    # host, origin, may read, may write and watch
    ("127.0.0.1:{port}", None, True, True),
    ("127.0.0.1:{port}", "http://127.0.0.1:{port}", True, True),
    ("127.0.0.1:{port}", "https://127.0.0.1:{port}", True, True),
    ("localhost:{port}", None, True, True),
    ("LOCALHOST:{port}", "http://localhost:{port}", True, True),
    ("localhost", "http://localhost", True, True),
    ("kato.localhost:{port}", "http://kato.localhost:{port}", True, True),
    ("127.1.2.3:{port}", None, True, True),
    ("[::1]:{port}", "http://[::1]:{port}", True, True),
    ("kato.example", None, True, True),
    ("kato.example:{port}", "http://kato.example:{port}", True, True),
    ("KATO.example", "https://KATO.example", True, True),
    ("127.0.0.1:{port}", "https://page.example", True, True),
    ("kato.example", "https://page.example", True, True),
    # a page elsewhere may ask, and cannot read what is answered; it may neither write nor watch
    ("127.0.0.1:{port}", "https://evil.example", True, False),
    ("127.0.0.1:{port}", "null", True, False),
    ("127.0.0.1:{port}", "http://127.0.0.1", True, False),
    ("127.0.0.1:{port}", "http://127.0.0.1:1", True, False),
    ("127.0.0.1:{port}", "http://localhost:{port}", True, False),
    ("localhost:{port}", "http://127.0.0.1:{port}", True, False),
    ("127.0.0.1:{port}", "http://127.0.0.1:{port}.evil.example", True, False),
    ("127.0.0.1:{port}", "http://evil.example#127.0.0.1:{port}", True, False),
    ("127.0.0.1:{port}", "http://x@127.0.0.1:{port}", True, False),
    ("127.0.0.1:{port}", "file://127.0.0.1:{port}", True, False),
    ("127.0.0.1:{port}", "chrome-extension://abcdef", True, False),
    ("127.0.0.1:{port}", "https://page.example.evil.example", True, False),
    ("127.0.0.1:{port}", "http://page.example", True, False),
    ("127.0.0.1:{port}", "https://page.example:444", True, False),
    ("127.0.0.1:{port}", "https://PAGE.example", True, False),
    ("127.0.0.1:{port}", "*", True, False),
    ("127.0.0.1:{port}", "127.0.0.1:{port}", True, False),
    # a name of somebody's own that points here
    ("evil.example", None, False, False),
    ("evil.example:{port}", "http://evil.example:{port}", False, False),
    ("evil.example", "https://page.example", False, False),
    ("localhost.evil.example", None, False, False),
    ("127.0.0.1.evil.example", None, False, False),
    ("kato.example.evil.example", None, False, False),
    ("evil.example#kato.example", None, False, False),
    ("kato.example@evil.example", None, False, False),
    ("xkato.example", None, False, False),
    ("192.0.2.1", None, False, False),
    ("0.0.0.0:{port}", None, False, False),
    ("[::ffff:192.0.2.1]:{port}", None, False, False),
    ("[2001:db8::1]:{port}", None, False, False),
    ("2130706433", None, False, False),
    ("0x7f.1", None, False, False),
    ("localhost,evil.example", None, False, False),
    ("*", None, False, False),
]


@pytest.fixture(scope="module")
def on_this_machine():
    settings = Settings(
        data_dir=":memory:", log_level="CRITICAL", cors_origins=(LISTED,), allowed_hosts=("kato.example",)
    )
    with running(settings) as server, client_of(server.url) as client:
        yield server, client


@pytest.mark.parametrize(("host", "origin", "reads", "writes"), COMBINATIONS)
def test_a_host_and_an_origin_together_may_read_or_write_or_nothing(on_this_machine, host, origin, reads, writes):
    server, client = on_this_machine
    headers = {"Host": host.format(port=server.port)}
    if origin is not None:
        headers["Origin"] = origin.format(port=server.port)
    asked = client.get("/sessions", headers=headers)
    made = client.post("/sessions", json={"node_id": "n"}, headers=headers)
    for answer, may in ((asked, reads), (made, writes)):
        assert answer.status_code == (200 if may else REFUSED)
        assert may or answer.json()["error"]["code"] == "ORIGIN_REFUSED"
        readable = answer.headers.get("access-control-allow-origin")
        assert readable == (LISTED if headers.get("Origin") == LISTED else None)
    watching = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        lines = [f"{name}: {value}" for name, value in {**headers, **watching, **key}.items()]
        raw.sendall("\r\n".join(["GET /ws/events HTTP/1.1", *lines, "", ""]).encode())
        status = int(raw.recv(4096).split(b" ")[1])
    assert status == (101 if writes else REFUSED)
