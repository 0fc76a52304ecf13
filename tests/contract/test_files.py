"""What a storage in a file promises beyond the contract: surviving, refusing, sharing commits."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from kato.engine.knowledge import WrittenPatterns
from kato.errors import StorageFull, StorageInUse, StorageUnavailable, StoredDataCorrupt
from kato.storage.interface import Learn, SessionCreate, SessionRecord, Transaction
from kato.storage.opening import open_storage
from kato.storage.sqlite import SqliteStorage

AB = (("a",), ("b",))


def learn(store, *events, node="node"):
    return store.commit([Transaction(1, node, tuple(Learn(each) for each in events or (AB,)))], durable=True)[0]


def test_everything_is_there_after_closing_and_opening(tmp_path):
    store = SqliteStorage(tmp_path / "kato.db")
    learn(store)
    made = SessionRecord("s", "node", 1, 1, 9, 1, b"p", b"h", ((3, b"x"),))
    store.commit([Transaction(1, sessions=(SessionCreate(made),))], durable=False)
    before = (list(store.load("node").patterns), store.log("node"), store.session("s"), store.count_sessions(now=2))
    store.close()
    store.close()
    again = SqliteStorage(tmp_path / "kato.db")
    assert before == (
        list(again.load("node").patterns),
        again.log("node"),
        again.session("s"),
        again.count_sessions(now=2),
    )
    again.close()


WRITE = """
import sys
from pathlib import Path
from kato.storage.interface import Learn, Transaction
from kato.storage.sqlite import SqliteStorage
store = SqliteStorage(Path(sys.argv[1]))
for n in range(100000):
    store.commit([Transaction(n, "node", (Learn(((str(n), "x"),)), Learn((("all", "x"),))))], durable=n % 2 == 0)
    print(n, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(tmp_path):
    path = tmp_path / "kato.db"
    with subprocess.Popen([sys.executable, "-c", WRITE, str(path)], stdout=subprocess.PIPE) as writer:
        for line in writer.stdout:
            acknowledged = int(line)
            if acknowledged == 60:
                writer.send_signal(signal.SIGKILL)
    store = SqliteStorage(path)
    frequencies = {each.events[0][0]: each.frequency for each in store.load("node").patterns}
    count = frequencies.pop("all")
    assert acknowledged + 1 <= count <= acknowledged + 2
    assert frequencies == {str(n): 1 for n in range(count)}
    store.verify_log("node")
    store.close()


def test_a_second_opener_is_refused_with_the_holders_process(tmp_path):
    store = SqliteStorage(tmp_path / "kato.db")
    with pytest.raises(StorageInUse, match=rf"open in this program already \(process {os.getpid()}\).*close it first"):
        SqliteStorage(tmp_path / "kato.db")
    (tmp_path / "link.db").symlink_to(tmp_path / "kato.db")
    with pytest.raises(StorageInUse):
        SqliteStorage(tmp_path / "link.db")
    store.close()
    SqliteStorage(tmp_path / "link.db").close()


def test_a_second_process_is_refused_and_may_open_when_the_first_has_died(tmp_path):
    path = tmp_path / "kato.db"
    with subprocess.Popen([sys.executable, "-c", WRITE, str(path)], stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(StorageInUse, match=f"process {holder.pid}; .* Stop that process"):
            SqliteStorage(path)
        holder.kill()
        holder.stdout.read()
    SqliteStorage(path).close()


def test_files_that_are_not_ours_are_refused(tmp_path):
    (tmp_path / "a.db").write_bytes(b"no database at all" * 200)
    sqlite3.connect(tmp_path / "b.db").execute("CREATE TABLE t (x)").connection.close()
    for name, version in (("c.db", 99), ("d.db", 1)):
        other = sqlite3.connect(tmp_path / name)
        other.executescript(f"PRAGMA application_id = 1262572623; PRAGMA user_version = {version}; CREATE TABLE t (x);")
        other.close()
    refusals = {"a.db": "damaged", "b.db": "another program", "c.db": "a newer KATO", "d.db": "an older KATO"}
    for name, words in refusals.items():
        before = (tmp_path / name).read_bytes()
        with pytest.raises(StoredDataCorrupt, match=f"{name}.*{words}"):
            SqliteStorage(tmp_path / name)
        assert (tmp_path / name).read_bytes() == before
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageUnavailable):
        SqliteStorage(tmp_path / "file" / "kato.db")


@pytest.mark.parametrize("others", [0, 3000])
def test_a_node_is_read_as_it_is_written_or_as_patterns(tmp_path, others):
    """In the order first learned, whether its rows are found among those of others or most are its own."""
    store = SqliteStorage(tmp_path / "kato.db")
    learn(store, *(((f"other {n}",), ("x",)) for n in range(others)), node="other")
    learned = [*((("a", f"{n}"), ("é", '"')) for n in range(1200)), AB, AB]
    learn(store, *learned)
    patterns = list(store.load("node").patterns)
    assert [each.events for each in patterns] == learned[:-1]
    assert patterns[-1].frequency == 2
    as_written = store.load("node").patterns
    assert isinstance(as_written, WrittenPatterns)
    written = [each for page in as_written.pages() for each in page]
    assert [as_written.read(each) for each in written] == patterns
    assert (written[-1][:6]) == (bytes.fromhex(patterns[-1].name), '[["a"],["b"]]', 2, None, None, None)
    store._writer.execute("UPDATE pattern SET frequency = 3 WHERE name = ?", (written[9][0],))
    with pytest.raises(StoredDataCorrupt, match=f"Pattern {patterns[9].name} of node 'node' is damaged"):
        list(store.load("node").patterns.pages())
    store.close()


def damage(path, statement, *parameters):
    connection = sqlite3.connect(path)
    connection.execute(statement, parameters)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE log SET payload = X'7b7d' WHERE id & 0xff = 2", "sequence 2"),
        ("UPDATE log SET at = 99 WHERE id & 0xff = 1", "sequence 1"),
        ("DELETE FROM log WHERE id & 0xff = 2", "lacks sequence 2"),
        ("DELETE FROM log WHERE id & 0xff = 3", "ends at 2"),
    ],
)
def test_a_changed_log_is_detected_and_named(tmp_path, statement, words):
    store = SqliteStorage(tmp_path / "kato.db")
    learn(store, AB, AB, AB)
    store.close()
    damage(tmp_path / "kato.db", statement)
    store = SqliteStorage(tmp_path / "kato.db")
    with pytest.raises(StoredDataCorrupt, match=words):
        store.verify_log("node")
    store.close()


@pytest.mark.parametrize("column", ['events = \'[["a"],["c"]]\'', "events = 'x'", "frequency = 0", "name = X'00'"])
def test_a_changed_pattern_is_detected_and_never_predicted_from(tmp_path, column):
    store = SqliteStorage(tmp_path / "kato.db")
    learn(store)
    store.close()
    damage(tmp_path / "kato.db", f"UPDATE pattern SET {column}")
    store = SqliteStorage(tmp_path / "kato.db")
    with pytest.raises(StoredDataCorrupt, match="damaged"):
        list(store.load("node").patterns)
    store.close()


def test_errors_of_the_database_become_ours(tmp_path):
    store = SqliteStorage(tmp_path / "kato.db")
    store._writer.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StorageFull):
        learn(store, tuple((str(n) * 100,) for n in range(20_000)))
    store._writer.execute("PRAGMA max_page_count = 1000000")
    assert learn(store).changes
    store._writer.execute("PRAGMA query_only = ON")
    with pytest.raises(StorageUnavailable) as refused:
        learn(store)
    assert str(tmp_path) not in str(refused.value)
    store._writer.execute("PRAGMA query_only = OFF")
    assert [change.sequence for change in learn(store).changes] == [2]
    store.close()


def test_locations_are_understood(tmp_path, monkeypatch):
    assert open_storage(":memory:").name == "memory"
    for location, file in (
        (str(tmp_path / "dir"), tmp_path / "dir" / "kato.db"),
        (str(tmp_path / "one.db"), tmp_path / "one.db"),
        (f"sqlite:///{tmp_path}/two.db", tmp_path / "two.db"),
    ):
        open_storage(location).close()
        assert file.exists()
    monkeypatch.chdir(tmp_path)
    open_storage("sqlite:///three.db").close()
    assert (tmp_path / "three.db").exists()
    with pytest.raises(StorageUnavailable, match="redis"):
        open_storage("redis://localhost")
