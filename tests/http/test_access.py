"""Every operation there is, asked by everybody: with no key, a bad one, of another tenant, and of every scope."""

from __future__ import annotations

import asyncio

import pytest

from guarding import KEYS, NODE, STRANGERS, Asking, guarded, may
from kato import AsyncKATOClient, Forbidden, KATOClient, RateLimited, SessionNotFound, Unauthorized
from kato.operations import OPERATIONS
from kato.server.admission import Admission
from kato.settings import Settings
from kato.storage.opening import key_file
from serving import client_of, running

EVERYBODY = [*STRANGERS, *KEYS]
_OF_THE_SERVICE = {
    "cache",
    "concurrency",
    "connection-pools",
    "distributed-stm",
    "keys",
    "metrics",
    "requests",
    "server-log",
    "stats",
    "status",
}


def state(ask, session):
    """All that a refused request must leave as it is."""
    patterns = ask.as_("admin", "GET", "/patterns", params={"node_id": NODE}).json()
    sessions = ask.as_("admin", "GET", "/sessions", params={"node_id": NODE, "limit": 1000}).json()["sessions"]
    nodes = ask.as_("admin", "GET", "/nodes").json()["nodes"]
    keep = ("session_id", "stm_length", "ttl", "expires_at")
    keys = ask.as_("admin", "GET", "/keys").json()["keys"]
    usable = [each["id"] for each in keys if each["name"] != "spare" and each["revoked_at"] is None]
    return (
        usable,
        patterns,
        [[each[name] for name in keep] for each in sessions if each["session_id"] == session],
        nodes,
    )


def test_the_table_has_every_kind_of_answer():
    answers = {(who, may(operation, who)) for operation in OPERATIONS for who in EVERYBODY}
    assert {status for _, status in answers} == {200, 401, 403, 404}
    assert {("read", 403), ("read", 200), ("write", 403), ("other tenant", 404)} <= answers
    assert {status for who, status in answers if who == "admin"} == {200}


def test_what_an_operation_needs_follows_from_what_it_does():
    """Apart from the list of operations itself, so that one with a scope that is too small is seen."""
    found = {(each.method, each.template): each.scope for each in OPERATIONS}
    asks_only = {("POST", f"/nodes/{{node_id}}/{what}") for what in ("predict", "forecast", "explain")}
    corrects = {("POST", "/nodes/{node_id}/undo"), ("POST", "/sessions/{session_id}/clear-all")}
    for (method, template), scope in found.items():
        of_the_service = template.split("/")[1] in _OF_THE_SERVICE
        if template == "/" or template.startswith("/health"):
            due = None
        elif of_the_service or (method, template) in corrects or (template.startswith("/pattern") and method != "GET"):
            due = "admin"
        else:
            due = "read" if method == "GET" or (method, template) in asks_only else "write"
        assert scope == due, f"{method} {template}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.template}")
def test_everybody_gets_what_their_key_allows_and_no_more(ask, operation):
    session, pattern = ask.session(), ask.pattern()
    before = state(ask, session)
    refused = [who for who in EVERYBODY if may(operation, who) != 200]
    for who in refused:
        answer = ask.as_(who, **ask.of(operation, session, pattern))
        error = answer.json()["error"]
        missing = "KEY_NOT_FOUND" if "{key_id}" in operation.template else "SESSION_NOT_FOUND"
        codes = {401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: missing}
        assert (answer.status_code, error["code"]) == (may(operation, who), codes[may(operation, who)]), who
        assert (answer.headers.get("www-authenticate") == "Bearer") == (answer.status_code == 401)
        assert "x-session-id" not in answer.headers, "whether there is such a session is told to nobody else"
        if operation.method == "GET":
            head = ask.as_(who, **{**ask.of(operation, session, pattern), "method": "HEAD"})
            assert head.status_code == answer.status_code
    assert state(ask, session) == before
    for who in EVERYBODY:
        if may(operation, who) == 200:
            if operation.method != "GET":
                session, pattern = ask.session(), ask.pattern()
            answer = ask.as_(who, **ask.of(operation, session, pattern))
            assert answer.status_code == 200, f"{who}: {answer.text}"
            if who.startswith("other"):
                assert "ours/" not in answer.text.replace(session, "").replace("ours/teapot", ""), who


def test_what_is_no_operation_needs_a_key_too(ask):
    """What there is, is told to those alone who may ask."""
    for path, missing in (
        ("/docs", 200),
        ("/redoc", 200),
        ("/openapi.json", 200),
        ("/nothing", 404),
        ("/sessions/x/y", 404),
    ):
        assert ask.as_("no key", "GET", path).status_code == 401
        assert ask.as_("read", "GET", path).status_code == missing
    assert ask.as_("no key", "PUT", "/patterns").status_code == 401
    assert ask.as_("read", "PUT", "/patterns").status_code == 405
    assert ask.as_("no key", "GET", "/ui").status_code == 200, "the page itself holds nothing"


def test_a_key_comes_in_one_header_or_the_other(ask, guarded_server):
    secret = guarded_server.secrets["write"]
    for headers, status in (
        ({"X-API-Key": secret}, 200),
        ({"x-api-key": secret}, 200),
        ({"Authorization": f"Bearer {secret}"}, 200),
        ({"Authorization": f"bearer   {secret}"}, 200),
        ({"X-API-Key": "", "Authorization": f"Bearer {secret}"}, 200),
        ({"X-API-Key": "wrong", "Authorization": f"Bearer {secret}"}, 401),
        ({"Authorization": secret}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"X-API-Key": secret[:-1]}, 401),
        ({"X-API-Key": secret.lower()}, 401),
        ({"X-API-Key": secret + "A"}, 401),
        ({"X-API-Key": "ключ".encode()}, 401),
        ({"X-API-Key": b"\xff\xfe"}, 401),
        ({"Cookie": f"api_key={secret}"}, 401),
    ):
        assert ask.http.get("/patterns", params={"node_id": NODE}, headers=headers).status_code == status, headers
    assert ask.http.get("/patterns", params={"node_id": NODE, "api_key": secret}).status_code == 401


def test_only_the_whole_hash_tells_a_key(tmp_path, monkeypatch):
    """Keys whose hashes begin alike are told apart; here all begin alike."""
    monkeypatch.setattr("kato.server.admission._BUCKET", 0)
    file = key_file(tmp_path)
    made = [file.create("", "read", ()) for _ in range(3)]
    admission = Admission(file, (), 0)
    for secret, key in made:
        assert admission.identify({"x-api-key": secret}, "here").key_id == key.key_id
    for wrong in (None, "kato_", made[0][0][:-1], "x" * 48):
        with pytest.raises(Unauthorized):
            admission.identify({} if wrong is None else {"x-api-key": wrong}, "here")


@pytest.mark.parametrize(
    "named",
    [
        {"params": {"node_id": "theirs/x"}},
        {"params": {"kb_id": "theirs/x"}},
        {"params": {"node_id": "ours"}},
        {"params": {"node_id": "OURS/tea"}},
        {"params": {"node_id": "theirs/x", "kb_id": NODE}},
        {"headers": {"X-Node-ID": "theirs/x"}},
        {"headers": {"X-Test-ID": NODE}},
        {"headers": {"X-Test-ID": "theirs/x", "X-Node-ID": NODE}},
        {},
    ],
    ids=str,
)
def test_however_a_node_is_named_the_prefix_holds(ask, named):
    """Also for the default node, which nobody names; and X-Test-ID stands for another node than it says."""
    for path in ("/patterns", "/symbols/stats", "/percept-data"):
        answer = ask.as_("write", "GET", path, **named)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert ask.as_("admin", "GET", "/patterns", **named).status_code == 200


@pytest.mark.parametrize("node", ["theirs/x", "ours", "Ours/", "x/ours/", " ours/x", "ours\\x"])
def test_nor_does_a_path_or_a_body_reach_further(ask, node):
    path = f"/nodes/{node.replace('/', '%2F').replace(' ', '%20')}"
    for answer in (
        ask.as_("write", "POST", "/sessions", json={"node_id": node}),
        ask.as_("write", "GET", "/sessions", params={"node_id": node}),
        ask.as_("write", "POST", f"{path}/learn", json={"sequences": [[["a"], ["b"]]]}),
        ask.as_(
            "write",
            "POST",
            f"{path}/learn",
            content=b'[["a"],["b"]]\n',
            headers={"Content-Type": "application/x-ndjson"},
        ),
        ask.as_("read", "POST", f"{path}/predict", json={"stms": [[["a"]]]}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert all(each["node_id"] != node for each in ask.as_("admin", "GET", "/nodes").json()["nodes"])


def test_lists_and_counts_show_what_the_key_may_touch(ask):
    ours = ask.session()
    theirs = ask.as_("other tenant", "POST", "/sessions", json={"node_id": "theirs/x"}).json()["session_id"]
    for node in ("theirs/x", "theirs/y", "theirs", "zz"):
        ask.as_("admin", "POST", f"/nodes/{node.replace('/', '%2F')}/learn", json={"sequences": [[["a"], ["b"]]]})

    def sessions(who, **more):
        answer = ask.as_(who, "GET", "/sessions", params={"limit": 1000, **more}).json()
        assert answer["total"] == answer["count"]
        return {each["session_id"] for each in answer["sessions"]}

    def nodes(who, limit=100):
        found, after = [], ""
        while True:
            answer = ask.as_(who, "GET", "/nodes", params={"limit": limit, "after": after}).json()
            found += [each["node_id"] for each in answer["nodes"]]
            if not answer["has_more"]:
                return found
            after = found[-1]

    assert sessions("other tenant") == {theirs}
    assert sessions("read") == set()
    assert {ours, theirs} <= sessions("admin")
    assert ours in sessions("write")
    assert theirs not in sessions("write")
    assert ask.as_("other tenant", "GET", "/sessions/count").json()["count"] == 1
    assert nodes("write") == nodes("read") == [NODE]
    assert nodes("other tenant") == nodes("other tenant", 1) == ["theirs/x", "theirs/y"]
    assert nodes("admin") == sorted(nodes("admin", 2))
    assert {"theirs", "theirs/x", "zz", NODE} <= set(nodes("admin"))
    status = ask.as_("other tenant's admin", "GET", "/status").json()
    assert {each["node_id"] for each in status["processors"]["processors"]} <= {"theirs/x", "theirs/y"}


def test_a_session_named_by_header_or_cookie_is_that_of_the_key_or_ignored(ask):
    session = ask.session()
    for named in ({"X-Session-ID": session}, {"Cookie": f"session_id={session}"}):
        expires = ask.as_("admin", "GET", "/sessions", params={"node_id": NODE}).json()["sessions"][-1]["expires_at"]
        answer = ask.as_("other tenant", "GET", "/sessions", headers=named)
        assert answer.status_code == 200
        assert "x-session-id" not in answer.headers
        assert (
            ask.as_("admin", "GET", "/sessions", params={"node_id": NODE}).json()["sessions"][-1]["expires_at"]
            == expires
        )
        assert ask.as_("write", "GET", "/sessions", headers=named).headers["x-session-id"] == session
    hidden = ask.as_("other tenant's admin", "GET", "/status", headers={"X-Session-ID": session}).json()
    assert hidden["session_id"] is None
    assert ask.as_("admin", "GET", "/status", headers={"X-Session-ID": session}).json()["session_id"] == session


@pytest.mark.parametrize("path", ["/", "/health", "/health/live", "/health/ready"])
def test_where_no_key_is_needed_a_session_is_its_keys_all_the_same(ask, path):
    session = ask.session()

    def expires():
        sessions = ask.as_("admin", "GET", "/sessions", params={"node_id": NODE, "limit": 1000}).json()["sessions"]
        return next(each["expires_at"] for each in sessions if each["session_id"] == session)

    before = expires()
    for who in ("other tenant", "other tenant's admin", *STRANGERS):
        answer = ask.as_(who, "GET", path, headers={"X-Session-ID": session})
        assert (answer.status_code, "x-session-id" in answer.headers) == (200, False), who
    assert expires() == before
    for who in ("write", "admin"):
        assert ask.as_(who, "GET", path, headers={"X-Session-ID": session}).headers["x-session-id"] == session


def test_an_ended_session_is_remembered_for_its_own_key(ask):
    session = ask.session()
    ask.as_("write", "DELETE", f"/sessions/{session}")
    found = {who: ask.as_(who, "GET", f"/sessions/{session}/exists").json()["deleted"] for who in KEYS}
    assert found == {**dict.fromkeys(KEYS, False), "write": True, "admin": True}


def test_a_session_is_its_keys_also_after_a_restart(tmp_path):
    with guarded(tmp_path) as before, Asking(before) as ask:
        session = ask.session()
    with running(Settings(data_dir=str(tmp_path), log_level="CRITICAL")) as server:
        with KATOClient(server.url, api_key=before.secrets["write"]) as kato:
            kato.session_id = session
            assert kato.get_stm()["length"] == 1
        with KATOClient(server.url, api_key=before.secrets["same tenant"]) as kato:
            kato.session_id = session
            with pytest.raises(SessionNotFound):
                kato.get_stm()
        with client_of(server.url, headers={"X-API-Key": before.secrets["same tenant"]}) as http:
            assert http.get(f"/sessions/{session}/exists").json()["exists"] is False


def test_keys_are_followed_while_the_server_runs(tmp_path):
    file = key_file(tmp_path)
    with (
        running(Settings(data_dir=str(tmp_path), log_level="CRITICAL")) as server,
        client_of(server.url) as http,
    ):

        def status(key=None):
            return http.get("/nodes", headers={"X-API-Key": key} if key else {}).status_code

        assert (status(), http.get("/health").json()["features"]["api_keys"]) == (200, False)
        first, made = file.create("first", "read", ())
        assert http.get("/health").json()["features"]["api_keys"] is True
        assert (status(), status(first)) == (401, 200)
        second, _ = file.create("second", "read", ())
        file.revoke(made.key_id)
        assert (status(first), status(second)) == (401, 200)
        content = file.path.read_text()
        file.path.write_text("{")
        assert status(second) == 503
        health = http.get("/health").json()
        assert (health["status"], health["dependencies"]["api_keys"]["status"]) == ("unhealthy", "unhealthy")
        assert health["issues"] == ["The API keys cannot be read, so nobody is let in until they can"]
        assert health["dependencies"]["storage"]["status"] == "healthy"
        assert http.get("/health/ready").status_code == 503
        file.path.write_text(content)
        assert status(second) == 200
        health = http.get("/health").json()
        assert (health["status"], health["dependencies"]["api_keys"]["status"]) == ("healthy", "healthy")
        file.revoke("second")
        assert (status(), status(second)) == (401, 401)
        file.path.unlink()
        assert (status(), status(second)) == (401, 401), "a door that was shut stays shut"
    assert set(file.read_uses()) == {made.key_id, *(key for key in file.read_uses() if key != made.key_id)}
    assert len(file.read_uses()) == 2


def test_keys_of_the_environment_may_do_everything_and_are_nowhere_stored(tmp_path):
    given = ("first-key-of-the-environment", "second-key-of-the-environment")
    settings = Settings(data_dir=str(tmp_path), log_level="CRITICAL", api_keys=given)
    with running(settings) as server:
        for key in given:
            with KATOClient(server.url, api_key=key) as kato:
                assert kato.status()["status"] == "healthy"
        with KATOClient(server.url, max_retries=0) as kato, pytest.raises(Unauthorized):
            kato.list_nodes()
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"of-the-environment" not in stored


def test_clients_say_what_was_refused(guarded_server):
    url, secrets = guarded_server.server.url, guarded_server.secrets

    async def awaiting():
        async with AsyncKATOClient(url, api_key=secrets["read"], max_retries=0) as kato:
            assert (await kato.list_nodes())["count"] >= 0
            with pytest.raises(Forbidden, match="needs a key of scope write") as refused:
                await kato.create_session(NODE)
            assert (refused.value.status_code, refused.value.code) == (403, "FORBIDDEN")
        async with AsyncKATOClient(url, api_key="kato_wrong", max_retries=0) as kato:
            with pytest.raises(Unauthorized):
                await kato.list_nodes()

    asyncio.run(awaiting())
    with KATOClient(url, api_key=secrets["write"]) as kato:
        with pytest.raises(Forbidden, match="'ours/' or 'also/'"):
            kato.create_session("theirs/x")
        kato.create_session("also/x")


def test_who_did_it_is_in_the_log_of_the_node(guarded_server, ask):
    storage = guarded_server.server.application.system.storage
    session = ask.session()
    assert storage.log(NODE, limit=10**6)[-1].actor == guarded_server.ids["write"]
    ask.as_("admin", "POST", f"/sessions/{session}/clear-all")
    last = storage.log(NODE, limit=10**6)[-1]
    assert (last.operation, last.actor) == ("forget_all", guarded_server.ids["admin"])


# --- rates ----------------------------------------------------------------------------------------------------------------


def test_a_key_that_asks_too_often_is_told_when_to_come_again(tmp_path):
    with guarded(tmp_path, rate_limit_per_minute=5) as server, Asking(server) as ask:
        for _ in range(5):
            assert ask.as_("read", "GET", "/nodes").status_code == 200
        answer = ask.as_("read", "GET", "/nodes")
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["recoverable"]) == (429, "RATE_LIMITED", True)
        assert 1 <= int(answer.headers["retry-after"]) == error["details"]["retry_after_seconds"] <= 61
        assert ask.as_("read", "GET", "/nothing").status_code == 429, "before the route"
        assert ask.as_("write", "GET", "/nodes").status_code == 200, "another key has its own"
        preflight = {"Origin": "https://x.example", "Access-Control-Request-Method": "GET"}
        for _ in range(10):
            assert ask.http.get("/health").status_code == 200
            assert ask.http.options("/nodes", headers=preflight).status_code == 200
        statuses = [ask.as_("bad key", "GET", "/nodes").status_code for _ in range(7)]
        assert statuses == [401] * 5 + [429] * 2, "guessing counts against the address"
        assert ask.as_("admin", "GET", "/nodes").status_code == 200
        with (
            KATOClient(server.server.url, api_key=server.secrets["read"], max_retries=0) as kato,
            pytest.raises(RateLimited),
        ):
            kato.list_nodes()


def test_without_keys_addresses_are_counted(tmp_path):
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", rate_limit_per_minute=3)
    with running(settings) as server, client_of(server.url) as http:
        statuses = [http.get("/nodes", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert http.post("/sessions", json={"node_id": "n"}).status_code == 429
        assert http.get("/health/ready").status_code == 200
