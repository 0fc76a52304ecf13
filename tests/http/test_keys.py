"""API keys over HTTP: made, shown once, listed, revoked; by administrators, and no further than they reach themselves."""

from __future__ import annotations

import asyncio

import pytest

from kato import AsyncKATOClient, Forbidden, Kato, KATOClient, KeyConflict, KeyNotFound, Unauthorized
from kato.settings import Settings
from kato.storage import keys
from kato.storage.opening import key_file
from kato.wire import key_requests
from serving import client_of, running


def client(guarded_server, who):
    return KATOClient(guarded_server.server.url, api_key=guarded_server.secrets[who], max_retries=0)


def test_a_request_may_name_the_scopes_that_are_kept():
    assert key_requests.SCOPES == keys.SCOPES


def test_a_key_is_made_used_listed_and_revoked(guarded_server):
    url = guarded_server.server.url
    with client(guarded_server, "admin") as admin:
        made = admin.create_key("shop", scope="read", prefixes=["shop/", "also/"])
        assert (made["name"], made["scope"], made["prefixes"]) == ("shop", "read", ["shop/", "also/"])
        assert made["created_by"] == guarded_server.ids["admin"]
        with KATOClient(url, api_key=made["key"], max_retries=0) as shop:
            assert shop.list_nodes()["nodes"] == []
            with pytest.raises(Forbidden, match="needs a key of scope write"):
                shop.create_session("shop/x")
            with pytest.raises(Forbidden):
                shop.list_keys()
            listed = {each["id"]: each for each in admin.list_keys()["keys"]}
            assert "key" not in listed[made["id"]]
            assert {name: each["is_own"] for name, each in listed.items() if each["is_own"]} == {
                guarded_server.ids["admin"]: True
            }
            revoked = admin.revoke_key(made["id"])
            assert revoked["revoked_at"] > made["created_at"]
            assert revoked["revoked_by"] == guarded_server.ids["admin"]
            with pytest.raises(Unauthorized, match="was revoked"):
                shop.list_nodes()
        with pytest.raises(KeyNotFound, match="no usable key"):
            admin.revoke_key(made["id"])
        assert next(each for each in admin.list_keys()["keys"] if each["id"] == made["id"])["revoked_at"] is not None


def test_without_a_body_it_is_a_key_to_write_with(ask):
    made = ask.as_("admin", "POST", "/keys").json()
    assert (made["name"], made["scope"], made["prefixes"]) == ("", "write", [])


def test_who_reaches_some_nodes_manages_keys_for_those_alone(guarded_server, ask):
    who = "other tenant's admin"
    mine = ask.as_(who, "POST", "/keys", json={"scope": "admin"}).json()
    assert mine["prefixes"] == ["theirs/", "ours/teapot"], "as far as the key that asks"
    narrower = ask.as_(who, "POST", "/keys", json={"prefixes": ["theirs/x", "ours/teapots"]}).json()
    ids = [each["id"] for each in ask.as_(who, "GET", "/keys").json()["keys"]]
    assert set(ids) == {guarded_server.ids["other tenant"], guarded_server.ids[who], mine["id"], narrower["id"]}
    for wider in ([], ["theirs"], ["theirs/", "ours/"], [""[:0] + "t"]):
        answer = ask.as_(who, "POST", "/keys", json={"prefixes": wider})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN"), wider
    for other in ("admin", "write", "read"):
        answer = ask.as_(who, "DELETE", f"/keys/{guarded_server.ids[other]}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "KEY_NOT_FOUND"), other
        assert ask.as_(other, "GET", "/nodes").status_code == 200
    assert ask.as_(who, "DELETE", f"/keys/{narrower['id']}").status_code == 200


def test_the_key_that_asks_is_not_revoked_by_itself(guarded_server):
    with client(guarded_server, "admin") as admin:
        with pytest.raises(KeyConflict, match="the key that asks"):
            admin.revoke_key(guarded_server.ids["admin"])
        assert admin.list_keys()["status"] == "active"


def test_a_key_is_revoked_by_its_id_alone(guarded_server, ask):
    """Names are for people, and two keys may have one."""
    ask.as_("admin", "POST", "/keys", json={"name": "alone"})
    assert ask.as_("admin", "DELETE", "/keys/alone").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": 1}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"scope": "root"}, "scope"),
        ({"scope": None}, "scope"),
        ({"prefixes": "shop/"}, "prefixes"),
        ({"prefixes": [""]}, "prefixes.0"),
        ({"prefixes": ["ok", "x" * 513]}, "prefixes.1"),
        ({"prefixes": ["a\u0000"]}, "prefixes.0"),
        ({"prefixes": ["x"] * 101}, "prefixes"),
        ([], ""),
    ],
    ids=lambda each: str(each)[:30],
)
def test_what_no_key_can_be_makes_none(ask, body, field):
    before = ask.as_("admin", "GET", "/keys").json()["count"]
    answer = ask.as_("admin", "POST", "/keys", json=body)
    assert answer.status_code == 422
    assert field in answer.json()["error"]["details"]["validation_errors"][0]["field"]
    assert ask.as_("admin", "GET", "/keys").json()["count"] == before


def test_a_repeated_request_makes_no_second_key_and_does_not_tell_the_first_again(guarded_server, ask):
    """What is remembered for repeated requests is stored, and keys are not."""
    headers = {"Idempotency-Key": "make-one"}
    first = ask.as_("admin", "POST", "/keys", json={"name": "once"}, headers=headers)
    again = ask.as_("admin", "POST", "/keys", json={"name": "once"}, headers=headers)
    secret = first.json()["key"]
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.json()["id"], again.json()["key"]) == (first.json()["id"], None)
    assert any("kept nowhere" in sentence for sentence in again.json()["warnings"])
    assert first.json()["warnings"] == []
    assert sum(each["name"] == "once" for each in ask.as_("admin", "GET", "/keys").json()["keys"]) == 1
    location = guarded_server.server.application.settings.data_dir
    files = list(key_file(location).path.parent.iterdir())
    assert len(files) > 2
    assert not any(secret.encode() in file.read_bytes() for file in files)


def test_without_keys_there_is_nothing_to_manage_and_it_says_so(tmp_path):
    """Who reaches a server without keys must not be able to shut everybody else out."""
    settings = Settings(data_dir=str(tmp_path), log_level="CRITICAL")
    with running(settings) as server, KATOClient(server.url, max_retries=0) as kato:
        listed = kato.list_keys()
        assert (listed["status"], listed["keys"]) == ("disabled", [])
        assert "kato keys create" in listed["reason"]
        with pytest.raises(KeyConflict, match="asks for no keys"):
            kato.create_key()
        with pytest.raises(KeyConflict, match="asks for no keys"):
            kato.revoke_key("key-1")
    assert key_file(tmp_path).read() == ()


def test_a_memory_that_is_kept_nowhere_keeps_no_keys():
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", api_keys=("a-key-of-the-environment",))
    with running(settings) as server, KATOClient(server.url, api_key=settings.api_keys[0]) as kato:
        assert "KATO_API_KEYS" in kato.list_keys()["reason"]
        with pytest.raises(KeyConflict, match="kept nowhere"):
            kato.create_key()


def test_an_embedded_memory_asks_for_none(tmp_path):
    with Kato(tmp_path) as kato:
        assert kato.list_keys()["status"] == "disabled"
        assert kato.server_log() == {"lines": [], "count": 0, "kept": 1000, "warnings": []}


def test_the_async_client_does_the_same(guarded_server):
    async def walk():
        async with AsyncKATOClient(
            guarded_server.server.url, api_key=guarded_server.secrets["admin"], max_retries=0
        ) as kato:
            made = await kato.create_key("awaited")
            assert any(each["id"] == made["id"] for each in (await kato.list_keys())["keys"])
            assert (await kato.revoke_key(made["id"]))["status"] == "revoked"
            assert (await kato.server_log(limit=1, level="error"))["count"] <= 1

    asyncio.run(walk())


def test_a_watcher_with_a_revoked_key_is_not_served_again(guarded_server, ask):
    made = ask.as_("admin", "POST", "/keys", json={"scope": "read"}).json()
    with client_of(guarded_server.server.url, headers={"X-API-Key": made["key"]}) as http:
        assert http.get("/nodes").status_code == 200
        ask.as_("admin", "DELETE", f"/keys/{made['id']}")
        assert http.get("/nodes").status_code == 401
