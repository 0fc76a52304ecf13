"""Samples of `harness.faults`, `harness.damage` and `harness.durability`, and that they notice."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from harness import damage, durability, faults
from harness.command import Broken
from kato.errors import StorageUnavailable
from kato.storage import sqlite_loading, sqlite_reading, write_ahead
from kato.storage.interface import Learn, Transaction
from kato.storage.sqlite import SqliteStorage

needs_cc = pytest.mark.skipif(
    faults.compiler() is None, reason="there is no C compiler (cc) to build harness/disk.c with"
)


@needs_cc
def test_a_disk_that_refuses_changes_nothing_by_half():
    counts = faults.embedded(points=40, seed=3)
    assert counts["points"] >= 40
    assert counts["refused"] > 10
    assert counts["told of it"] > 0


@needs_cc
def test_a_server_whose_disk_refuses_goes_on_reading_says_so_and_recovers():
    assert faults.server()["recovered"] == 10


@needs_cc
@pytest.mark.parametrize("level", durability.LEVELS)
def test_each_level_of_durability_flushes_what_it_promises(level):
    found = durability.measured(level)
    durability.judge(level, found)
    found["learnings"] = 0
    with pytest.raises(Broken):
        durability.judge(level, found)


def test_a_failed_commit_is_told_until_a_write_succeeds_and_is_cut_away(tmp_path):
    store = SqliteStorage(tmp_path / "kato.db")
    learn = [Transaction(1, "node", (Learn((("a",), ("b",))),))]
    store.commit(learn, durable=True)
    store._writer.execute("PRAGMA query_only = ON")
    with pytest.raises(StorageUnavailable):
        store.commit(learn, durable=True)
    with pytest.raises(StorageUnavailable):
        store.check()
    assert [pattern.frequency for pattern in store.load("node").patterns] == [1]
    store._writer.execute("PRAGMA query_only = OFF")
    store.check()
    store.commit(learn, durable=True)
    assert [pattern.frequency for pattern in store.load("node").patterns] == [2]
    store.close()


@pytest.mark.no_cover
def test_damage_is_named_and_nothing_wrong_is_answered():
    counts = damage.run(places=60, seed=4, say=lambda _: None)
    assert counts["places"] == 60
    assert counts["named by verify"] > 10
    assert counts["refused by the memory"] > 10


def never_looks_at_the_log(monkeypatch):
    monkeypatch.setattr(write_ahead, "damage_in", lambda _: None)


def trusts_rows(monkeypatch):
    def unchecked(node_id, row):
        _, name, events, _, frequency, emotives, metadata, affinity, _ = row
        return sqlite_reading.records.read_pattern(name.hex(), events, frequency, emotives, metadata, affinity)

    monkeypatch.setattr(sqlite_reading, "read_checked", unchecked)
    monkeypatch.setattr(sqlite_loading, "check_rows", lambda *_: None)


@pytest.mark.no_cover
@pytest.mark.parametrize(("break_it", "killed"), [(never_looks_at_the_log, True), (trusts_rows, False)])
def test_a_memory_that_does_not_look_is_noticed(tmp_path, monkeypatch, break_it, killed):
    subject = damage.Subject(tmp_path / "subject", 1, killed=killed)
    break_it(monkeypatch)
    chance = random.Random(2)
    with pytest.raises((Broken, ValueError, KeyError)):  # noqa: PT012 - until one is noticed
        for _ in range(300):
            damage.try_place(subject, chance, Counter())
