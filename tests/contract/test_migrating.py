"""A directory of an older format is brought up to date when it is opened, and loses nothing on the way."""

from __future__ import annotations

import json
import sqlite3

import pytest

from contract.old_formats import DIRECTORY, MOMENT, fill
from kato import Kato
from kato.errors import StoredDataCorrupt
from kato.storage import migrating, schema
from kato.storage.backing_up import MANIFEST, digest_of, make_backup, restore
from kato.storage.checking import check_file
from kato.storage.sqlite import SqliteStorage

OLD_FORMATS = range(migrating.OLDEST, schema.VERSION)


def old_file(path, version):
    connection = sqlite3.connect(path)
    connection.executescript((DIRECTORY / f"{version}.sql").read_text(encoding="utf-8"))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return path


def test_there_is_a_step_to_every_format_and_a_file_of_every_older_one():
    assert [step.to for step in migrating.STEPS] == list(range(migrating.OLDEST + 1, schema.VERSION + 1))
    assert sorted(int(file.stem) for file in DIRECTORY.glob("*.sql")) == list(OLD_FORMATS)


@pytest.mark.parametrize("version", OLD_FORMATS)
def test_an_older_file_becomes_one_of_the_present_format_with_everything_in_it(tmp_path, version):
    path = old_file(tmp_path / "kato.db", version)
    (ended,) = sqlite3.connect(path).execute("SELECT session_id FROM ended").fetchone()
    with Kato(":memory:", clock=lambda: MOMENT) as fresh, Kato(path, clock=lambda: MOMENT) as migrated:
        fill(fresh)
        patterns = fresh.list_patterns("shop")["patterns"]
        assert migrated.list_patterns("shop")["patterns"] == patterns
        assert migrated.list_patterns("hörspiel ü/..")["patterns"] == fresh.list_patterns("hörspiel ü/..")["patterns"]
        assert [each["frequency"] for each in patterns] == [1, 7]
        (session,) = migrated.list_sessions()["sessions"]
        assert (session["node_id"], session["stm_length"]) == ("shop", 1)
        assert migrated.session_exists(ended)["deleted"] is True
        fresh.create_session("shop", config={"recall_threshold": 0.2})
        migrated.session_id = session["session_id"]
        again = fresh.observe(["bread", "butter"])
        assert again["stm_length"] == 1
        assert migrated.get_stm()["stm"] == fresh.get_stm()["stm"]
        assert migrated.get_predictions()["predictions"] == fresh.get_predictions()["predictions"]
        migrated.observe(["jam"])
        assert migrated.learn()["frequency"] == 1
    checked = check_file(path)
    assert (checked.findings, checked.nodes, checked.sessions) == ([], 2, 1)
    with Kato(path, clock=lambda: MOMENT) as again_opened:
        assert again_opened.list_patterns("shop")["total"] == 3


class Stops:
    """A connection that fails at a statement."""

    def __init__(self, connection, before):
        self.connection, self.before = connection, before

    @property
    def in_transaction(self):
        return self.connection.in_transaction

    def create_function(self, *given, **named):
        self.connection.create_function(*given, **named)

    def execute(self, statement):
        if self.before == 0:
            self.before = -1
            raise sqlite3.OperationalError("disk I/O error")
        self.before -= 1
        return self.connection.execute(statement)


@pytest.mark.parametrize("version", OLD_FORMATS)
def test_what_fails_on_the_way_leaves_one_format_or_another_and_the_next_opening_goes_on(tmp_path, version):
    steps = [step for step in migrating.STEPS if step.to > version]
    for before in range(sum(len(step.statements) + 3 for step in steps)):
        path = old_file(tmp_path / f"{before}.db", version)
        connection = sqlite3.connect(path, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError):
            migrating.migrate(Stops(connection, before), version)
        reached = connection.execute("PRAGMA user_version").fetchone()[0]
        assert version <= reached < schema.VERSION
        connection.close()
        SqliteStorage(path).close()
        assert check_file(path).findings == []


@pytest.mark.parametrize("version", OLD_FORMATS)
def test_who_only_reads_an_older_file_says_what_brings_it_up_to_date(tmp_path, version):
    path = old_file(tmp_path / "kato.db", version)
    for read in (lambda: check_file(path), lambda: make_backup(path, tmp_path / "backup")):
        with pytest.raises(StoredDataCorrupt, match=f"kato.db has format {version}; opening it once"):
            read()
    SqliteStorage(path).close()
    assert check_file(path).findings == []


@pytest.mark.parametrize("version", OLD_FORMATS)
def test_a_backup_of_an_older_format_is_restored_and_brought_up_to_date_when_opened(tmp_path, version):
    backup = tmp_path / "backup"
    backup.mkdir()
    database = old_file(backup / "kato.db", version)
    counts = {"nodes": 2, "patterns": 3, "log_rows": 4, "sessions": 1, "size_bytes": database.stat().st_size}
    manifest = {"kato_backup": 1, "format": version, "database": "kato.db", "sha256": digest_of(database), **counts}
    (backup / MANIFEST).write_text(json.dumps(manifest))
    restore(backup, tmp_path / "restored" / "kato.db")
    SqliteStorage(tmp_path / "restored" / "kato.db").close()
    assert check_file(tmp_path / "restored" / "kato.db").findings == []
    (backup / MANIFEST).write_text(json.dumps({**manifest, "format": schema.VERSION + 1}))
    with pytest.raises(StoredDataCorrupt, match="a newer KATO"):
        restore(backup, tmp_path / "other" / "kato.db")


def test_a_session_keeps_its_owner_and_damage_gives_it_to_nobody_else(tmp_path):
    path = tmp_path / "kato.db"
    with Kato(path, clock=lambda: MOMENT) as memory:
        memory.create_session("shop")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE session SET owner = 'somebody'")
    connection.commit()
    connection.close()
    store = SqliteStorage(path)
    with pytest.raises(StoredDataCorrupt, match=r"What is stored of session .* is damaged"):
        store.sessions(now=MOMENT)
    store.close()
