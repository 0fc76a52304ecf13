"""Damage in the write-ahead log is told from a write that a crash cut short."""

from __future__ import annotations

import os
import shutil
import sqlite3

import pytest

from kato.errors import StoredDataCorrupt
from kato.storage.checking import check_file
from kato.storage.interface import Learn, Transaction
from kato.storage.repairing import NotRepairable, repair
from kato.storage.sqlite import SqliteStorage
from kato.storage.write_ahead import damage_in

HEADER, FRAME = 32, 24 + 4096


def learned(database):
    store = SqliteStorage(database)
    try:
        return len(list(store.load("node").patterns))
    finally:
        store.close()


@pytest.fixture
def crashed(tmp_path):
    """What a killed process leaves: twelve learnings, of which most stand in the write-ahead log alone."""
    live = SqliteStorage(tmp_path / "live" / "kato.db")
    live.compact()  # the tables stand in the database
    for number in range(12):
        live.commit([Transaction(1, "node", (Learn(((str(number), "x"),)),))], durable=False)
    (tmp_path / "crashed").mkdir()
    for ending in ("", "-wal"):
        shutil.copyfile(tmp_path / "live" / f"kato.db{ending}", tmp_path / "crashed" / f"kato.db{ending}")
    shutil.copyfile(tmp_path / "live" / "kato.db-shm", tmp_path / "index")
    live.close()
    return tmp_path / "crashed" / "kato.db"


def flip(database, place):
    log = database.with_name("kato.db-wal")
    content = bytearray(log.read_bytes())
    content[place] ^= 4
    log.write_bytes(content)


def test_a_whole_log_is_whole(crashed):
    assert damage_in(crashed.with_name("kato.db-wal")) is None
    assert damage_in(crashed.with_name("none")) is None
    assert learned(crashed) == 12


@pytest.mark.parametrize("place", [3, 9, 17, 30, HEADER + 1, HEADER + 5 * FRAME + 2, HEADER + 9 * FRAME + 4000])
def test_a_flipped_bit_before_whole_commits_is_named_and_opens_only_when_given_up(crashed, place):
    flip(crashed, place)
    with pytest.raises(StoredDataCorrupt, match=r"kato.db-wal is damaged at (its header|frame \d+)"):
        SqliteStorage(crashed)
    findings = check_file(crashed).findings
    assert "kato.db-wal" in findings[0].sentence
    assert not findings[0].is_derived
    with pytest.raises(NotRepairable):
        repair(crashed)
    done = repair(crashed, salvage=True)
    assert done.kept_at.with_name(done.kept_at.name + "-wal").exists()
    assert learned(crashed) < 12


def test_without_looking_the_same_bit_silently_takes_learnings_back(crashed):
    """The control: SQLite alone opens it and has forgotten."""
    frames = crashed.with_name("kato.db-wal").stat().st_size // FRAME
    flip(crashed, HEADER + (frames - 20) * FRAME + 40)
    connection = sqlite3.connect(crashed)
    assert 0 < connection.execute("SELECT count(*) FROM pattern").fetchone()[0] < 12
    connection.close()


@pytest.mark.parametrize("cut", [1, 100, FRAME - 1, FRAME, FRAME + 7])
def test_a_log_cut_at_its_end_is_what_a_crash_leaves(crashed, cut):
    log = crashed.with_name("kato.db-wal")
    log.write_bytes(log.read_bytes()[:-cut])
    assert damage_in(log) is None
    assert learned(crashed) == 11


@pytest.mark.parametrize("cut", [1, FRAME, 5 * FRAME, 30 * FRAME, None])
def test_what_a_killed_process_knew_was_committed_is_missed(crashed, cut):
    """The index that lies beside the log, as a killed process leaves it, tells a cut log from one that ends."""
    log, index = crashed.with_name("kato.db-wal"), crashed.with_name("kato.db-shm")
    shutil.copyfile(crashed.parents[1] / "index", index)
    assert damage_in(log) is None
    if cut is None:
        log.unlink()
    else:
        log.write_bytes(log.read_bytes()[:-cut])
    with pytest.raises(StoredDataCorrupt, match=r"kato\.db-wal is damaged"):
        SqliteStorage(crashed)
    os.utime(index, (1, 1))  # of a time before the machine was started
    assert damage_in(log) is None


def test_frames_of_an_earlier_round_are_not_taken_for_damage(tmp_path):
    """After a checkpoint the log is written from its beginning again; older frames stand behind the new ones."""
    live = SqliteStorage(tmp_path / "kato.db")
    for number in range(30):
        live.commit([Transaction(1, "node", (Learn(((str(number), "x"),)),))], durable=False)
    live._writer.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    live.commit([Transaction(1, "node", (Learn((("after", "x"),)),))], durable=False)
    assert (tmp_path / "kato.db-wal").stat().st_size > HEADER + 30 * FRAME
    assert damage_in(tmp_path / "kato.db-wal") is None
    live.close()
