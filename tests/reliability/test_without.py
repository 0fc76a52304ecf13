"""Every protection that can be taken out is missed by the harness that tries it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contract.hiding import hidden
from harness import breaking, crash, crowd, durability, faults, golden, sockets, storm
from harness.command import Broken
from harness.processes import Server
from kato import Kato
from kato.errors import StoredDataCorrupt
from kato.storage import sqlite, sqlite_history, sqlite_reading, sqlite_writing
from kato.storage.sqlite_replies import ReplyTable

needs_cc = pytest.mark.skipif(
    faults.compiler() is None, reason="there is no C compiler (cc) to build harness/disk.c with"
)


def silently(_: str) -> None:
    pass


def test_a_storm_of_mutated_bodies_does_no_harm():
    found = storm.run(400, 5, timed=False)
    assert found["status 422"] > 100


def test_without_its_parser_a_server_fails_in_the_storm():
    with pytest.raises(Broken, match="status 500"):
        storm.run(400, 5, timed=False, without="parser")


def test_slow_sockets_take_nothing_from_good_clients():
    """Idle ones are let go after longer than a test should take; tests/http/test_connections.py has them."""
    assert sockets.run(60, 0, 5, requests=80, most=None)["ratio"] > 0


def test_slow_senders_that_take_places_are_noticed():
    with pytest.raises(Broken, match="503"):
        sockets.run(60, 0, 5, requests=80, most=None, without="places")


def test_idle_sockets_that_are_kept_are_noticed(monkeypatch):
    monkeypatch.setattr(sockets, "HEAD_SECONDS", -17.0)
    with pytest.raises(Broken, match="idle sockets"):
        sockets.run(0, 5, 5, requests=40, most=None, without="timers")


def test_acknowledgements_before_the_commit_are_noticed():
    with pytest.raises(Broken):
        crash.run("server", kills=20, seed=5, say=silently, without="commit")


def test_a_second_process_that_is_not_refused_is_noticed(tmp_path):
    with Server(Path(tmp_path), without="hold"), pytest.raises(Broken, match="was not refused"):
        crowd.second_process(tmp_path)


@needs_cc
def test_failed_commits_that_are_told_as_done_are_noticed():
    with pytest.raises(Broken):
        faults.embedded(40, 3, without="rollback")


@needs_cc
def test_a_level_that_does_not_flush_is_noticed():
    with pytest.raises(Broken, match="flushes"):
        durability.judge("full", durability.measured("full", without="flush"))


def test_a_hidden_pattern_that_is_believed_to_be_missing_is_learned_anew(tmp_path, monkeypatch):
    for owner, name in (
        (sqlite, "check_indexes"),
        (sqlite_history, "check_subjects"),
        (sqlite_reading, "check_absent"),
        (sqlite_writing, "check_absent"),
        (ReplyTable, "_check_scope"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # so that each is back at the end
    events = [["a"], ["b"]]
    with Kato(tmp_path) as memory:
        name = memory.learn_many([events], "node")["results"][0]["pattern_name"]
    hidden(tmp_path / "kato.db", name.removeprefix("PTRN|"))
    with Kato(tmp_path) as memory, pytest.raises(StoredDataCorrupt, match="cannot be found"):
        memory.learn_many([events], "node")
    breaking.take_out("second_look")
    with Kato(tmp_path) as memory:
        assert memory.learn_many([events], "node")["results"][0]["is_new"]


def test_an_order_that_comes_from_hashing_is_noticed():
    program = (
        "from harness import breaking, golden; from kato import Kato; breaking.take_out({!r}); "
        "print(golden.digest(golden.play(Kato(engine='plain'))))"
    )
    found = []
    for name in ("", "order"):
        environment = {**os.environ, "PYTHONHASHSEED": "7"}
        command = [sys.executable, "-c", program.format(name)]
        found.append(
            subprocess.check_output(command, env=environment, cwd=Path(__file__).parents[2], text=True).strip()
        )
    assert found[0] == golden.golden()["history"]
    assert golden.judge({"embedded, history": found[1]}, golden.golden())


def test_every_protection_is_taken_out_somewhere():
    tried = Path(__file__).read_text(encoding="utf-8") + Path(__file__).with_name("test_hostile.py").read_text("utf-8")
    for name in breaking.WITHOUT:
        assert f'"{name}"' in tried
