"""Correcting, explaining and watching from the command line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from kato import Kato, KATOClient
from kato.cli.main import main
from kato.settings import Settings
from serving import running


@pytest.fixture
def memory(tmp_path):
    with Kato(tmp_path / "memory") as found:
        (learned,) = found.learn_many([[["the"], ["cat"], ["sat"]]], "n")["results"]
    return tmp_path / "memory", learned["pattern_name"]


@pytest.fixture
def run(capsys, memory):
    def go(*arguments, data=True):
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments), *(["--data", str(memory[0])] if data else [])])
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return go


def test_a_pattern_is_forgotten_brought_back_and_the_history_tells(run, memory):
    _, name = memory
    assert run("history", "--node", "nobody")[1] == "Nothing has happened.\n"
    code, out, _ = run("forget", name, "--node", "n")
    assert (code, out) == (0, f"Forgot {name}, learned 1 times.\n")
    code, out, _ = run("undo", "--node", "n")
    assert "Took back 1 changes: the node is as it was after 1, 1 patterns were put back." in out
    assert f"{name}: learned 0 → 1 times" in out
    code, out, _ = run("history", "--node", "n", "--limit", "2")
    assert "undo" in out
    assert "forget" in out
    assert "older ones" in out
    code, out, _ = run("history", "--node", "n", "--operation", "undo", "--pattern", name, "--json")
    assert [entry["sequence"] for entry in json.loads(out)["entries"]] == [3]
    code, out, _ = run("undo", "--node", "n", "--to", "0", "--json")
    assert json.loads(out)["restored_count"] == 1
    assert "there were only 4 changes" in run("undo", "--node", "n", "--count", "9")[1]
    assert run("undo", "--node", "n", "--count", "1", "--to", "0")[0] == 2
    code, _, err = run("forget", "0" * 40, "--node", "n")
    assert (code, "not found" in err) == (1, True)
    assert json.loads(run("forget", name, "--node", "nobody", "--json")[1] or "null") is None


def test_a_pattern_is_explained(run, memory):
    _, name = memory
    code, out, _ = run("explain", name, "the", "cat", "--node", "n")
    assert code == 0
    assert "It is prediction 1 of 1" in out
    assert "  match   the cat" in out
    assert "patterns that hold 'cat'" not in out
    assert "patterns that hold 'cat'" in run("explain", name, "the", "cat", "--node", "n", "--levels", "99")[1]
    assert "It is not predicted" in run("explain", name, "dog", "--node", "n", "--threshold", "0.5")[1]
    code, out, _ = run("explain", name, "the", "--node", "n", "--rank", "similarity", "--at", "1", "--json")
    assert json.loads(out)["at"] == {"sequence": 1, "head": 1}


def test_rates_and_memory_are_told(run):
    code, out, _ = run("top", "--once")
    assert code == 0
    assert "requests/s" in out
    assert set(json.loads(run("top", "--json")[1])) == {"metrics", "nodes"}


def test_a_server_is_watched_until_enough_was_seen():
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as server:
        command = [sys.executable, "-m", "kato", "watch", "--url", server.url, "--node", "n", "--count", "2", "--json"]
        watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert json.loads(watching.stdout.readline())["event_type"] == "state.snapshot"
            with KATOClient(server.url) as client:
                client.create_session("other")
                client.create_session("n")
            told = json.loads(watching.stdout.readline())
            assert (told["event_type"], told["data"]["node_id"]) == ("session.created", "n")
            assert watching.wait(20) == 0
        finally:
            watching.kill()
            watching.stdout.close()


def test_one_who_watches_is_told_when_the_server_stops():
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as server:
        command = [sys.executable, "-m", "kato", "watch", "--url", server.url, "--json"]
        watching = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert json.loads(watching.stdout.readline())["event_type"] == "state.snapshot"
    out, err = watching.communicate(timeout=20)
    assert (watching.returncode, out, err) == (1, "", f"kato: {server.url} is watched no longer: the server stops\n")


def test_a_server_that_wants_a_key_says_so_to_one_who_watches(run):
    with running(Settings(data_dir=":memory:", log_level="CRITICAL", api_keys=("a-secret-of-length",))) as server:
        code, out, err = run("watch", "--url", server.url, "--count", "1", data=False)
        assert (code, out) == (1, "")
        assert err == "kato: An API key is needed: send it as X-API-Key or Authorization: Bearer\n"
        command = ("watch", "--url", server.url, "--count", "1", "--api-key", "a-secret-of-length")
        assert run(*command, data=False)[0] == 0


def test_what_cannot_be_watched_says_so(run):
    code, _, err = run("watch", "--url", "http://127.0.0.1:9", data=False)
    assert (code, "does not let itself be watched" in err) == (1, True)
    assert run("watch", "--url", "127.0.0.1:9", data=False)[0] == 2
