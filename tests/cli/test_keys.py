"""`kato keys`, and commands that bring one."""

from __future__ import annotations

import json

import pytest

from kato.cli.main import main
from kato.settings import Settings
from kato.storage.keys import fingerprint
from kato.storage.opening import key_file
from serving import running


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("KATO_API_KEY", raising=False)

    def call(*arguments, data=True):
        with pytest.raises(SystemExit) as ended:
            main([*arguments, *(["--data", str(tmp_path)] if data else [])])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return call


def test_a_key_is_made_listed_and_revoked(run, tmp_path):
    code, key, about = run("keys", "create", "--name", "shop", "--scope", "read", "--prefix", "shop/", "--prefix", "x")
    assert (code, key.count("\n"), "scope read, nodes that begin with 'shop/', 'x'" in about) == (0, 1, True)
    (kept,) = key_file(tmp_path).read()
    assert kept.sha256 == fingerprint(key.strip())
    code, out, _ = run("keys", "list")
    assert (code, kept.key_id in out, "shop" in out, key.strip() in out) == (0, True, True, False)
    code, out, _ = run("keys", "list", "--json")
    (listed,) = json.loads(out)["keys"]
    assert (listed["id"], listed["prefixes"], listed["last_used_at"], listed["revoked_at"]) == (
        kept.key_id,
        ["shop/", "x"],
        None,
        None,
    )
    assert run("keys", "revoke", "shop")[0] == 0
    assert json.loads(run("keys", "list", "--json")[1])["keys"][0]["revoked_at"] is not None
    code, _, err = run("keys", "revoke", "shop")
    assert (code, "there is no usable key 'shop'" in err) == (1, True)


def test_as_json_the_key_is_there_once_too(run):
    made = json.loads(run("keys", "create", "--json")[1])
    assert (made["scope"], made["prefixes"], made["key"][:5]) == ("write", [], "kato_")
    assert json.loads(run("keys", "revoke", made["id"], "--json")[1])["id"] == made["id"]


def test_where_there_are_none_it_says_what_that_means(run):
    assert "everybody do everything" in " ".join(run("keys", "list")[1].split())


@pytest.mark.parametrize(
    "wrong",
    [
        ("--scope", "all"),
        ("--prefix", ""),
        ("--prefix", "a\nb"),
        ("--prefix", "x" * 513),
        ("--name", "x" * 101),
        ("--name", "\x1b"),
    ],
)
def test_what_may_not_be_is_a_wrong_command_line_and_makes_no_key(run, tmp_path, wrong):
    assert run("keys", "create", *wrong)[0] == 2
    assert key_file(tmp_path).read() == ()


def test_a_memory_kept_nowhere_keeps_no_keys(run):
    code, _, err = run("keys", "create", "--data", ":memory:", data=False)
    assert (code, "KATO_API_KEYS" in err) == (1, True)


def test_commands_bring_the_key_they_are_given(run, tmp_path, monkeypatch):
    secret, _ = key_file(tmp_path).create("", "read", ())
    with running(Settings(data_dir=str(tmp_path), log_level="CRITICAL")) as server:
        code, _, err = run("nodes", "--url", server.url, data=False)
        assert (code, "An API key is needed" in err) == (1, True)
        assert run("nodes", "--url", server.url, "--api-key", secret, data=False)[0] == 0
        monkeypatch.setenv("KATO_API_KEY", secret)
        assert run("nodes", "--url", server.url, data=False)[0] == 0
        code, _, err = run("predict", "--url", server.url, "--node", "n", "a", data=False)
        assert (code, "needs a key of scope write" in err) == (1, True)
        monkeypatch.setenv("KATO_API_KEY", "two words")
        code, _, err = run("nodes", "--url", server.url, data=False)
        assert (code, "two words" in err) == (2, False)
    assert Settings.read({"KATO_API_KEY": secret})[1] == []
