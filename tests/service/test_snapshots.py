"""Snapshots of nodes: used when they are right, thrown away with one line when they are not, never in the way."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from kato import Kato
from kato.engine.knowledge import OpenableKnowledge
from kato.engine.matching import choose, native_knowledge
from kato.engine.pattern import edited, new_pattern
from kato.engine.settings import EngineSettings
from kato.service import snapshots as service
from kato.service.background import Background
from kato.service.nodes import Nodes
from kato.service.runtime import ThreadRuntime, drive
from kato.storage import snapshots
from kato.storage.backing_up import MANIFEST, make_backup, restore
from kato.storage.checking_snapshots import check_all, remove_bad
from kato.storage.interface import Edit, Forget, ForgetAll, Learn, Operation, Transaction
from kato.storage.sqlite import SqliteStorage

pytestmark = pytest.mark.skipif(native_knowledge() is None, reason="only the native engine has snapshots")
NODE = "Tea / 2"


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """What is worth a snapshot in these tests."""
    for name, value in (("_LEAST", 20), ("_LEAST_LEAVING", 3), ("_RESERVE", 0)):
        monkeypatch.setattr(service, name, value)


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "data"


def learning(number: int) -> Learn:
    return Learn(
        ((f"a{number}",), ("b", f"c{number % 3}")), ({"joy": number / 8},) if number % 2 else (), ({"k": number},)
    )


def names(storage: SqliteStorage) -> list[str]:
    return [pattern.name for pattern in storage.load(NODE).patterns]


class Place:
    """A memory that is opened and closed again and again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = snapshots.path_of(directory / "kato.db.snapshots", NODE)

    def run(self, *operations: Operation, engine: str | None = None, loaded: bool = True):
        """Open, load the node, apply, and close; what was predicted before closing, and the snapshots' numbers."""
        storage = SqliteStorage(self.directory / "kato.db")
        nodes = Nodes(storage, choose(engine), ThreadRuntime())
        try:
            if loaded:
                drive(nodes.view(NODE))
            for operation in operations:
                (done,) = storage.commit([Transaction(1, NODE, (operation,))], durable=False)
                assert not isinstance(done, Exception), done
            view = drive(nodes.view(NODE))
            settings = EngineSettings(max_predictions=1000, affinity_emotive="joy")
            told = view.totals, view.symbols(), view.predict((("b",), ("a3",), ("c2",)), settings)
        finally:
            nodes.close()
            storage.close()
        return told, nodes.snapshots


def lines(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("kato.service")]


def test_what_was_saved_is_used_and_what_came_since_is_added(directory, caplog):
    place = Place(directory)
    _, counts = place.run(*(learning(n) for n in range(60)))
    assert place.file.exists()
    assert counts is not None
    assert counts.written >= 1
    first = names(storage := SqliteStorage(directory / "kato.db"))
    storage.close()
    later = (Forget(first[4]), Edit(first[3], frequency=9), learning(3), Forget(first[5]), learning(5), learning(100))
    place.run(*later, engine="plain")
    told, counts = place.run()
    plain, _ = place.run(engine="plain")
    assert counts is not None
    assert (counts.used, counts.discarded) == (1, 0)
    assert told == plain
    assert lines(caplog) == []


def test_little_is_not_worth_a_file(directory):
    place = Place(directory)
    place.run(learning(1), learning(2))
    assert not place.file.exists()
    with Kato(":memory:") as memory:
        assert memory.system.nodes.snapshots is None


def test_an_embedded_memory_saves_when_it_is_closed_and_is_as_it_was(directory):
    told = []
    for expected in (0, 1):
        with Kato(directory) as memory:
            if not expected:
                memory.learn_many([[[f"a{n}"], ["b"], [f"c{n % 3}"]] for n in range(10)], node_id="n")
            told.append(memory.predict_many([[["b"], ["c1"]], [["a4"]]], node_id="n")["results"])
            assert memory.system.nodes.snapshots is not None
            assert memory.system.nodes.snapshots.used == expected
        assert snapshots.path_of(directory / "kato.db.snapshots", "n").exists()
    assert told[0] == told[1]


def test_a_snapshot_is_written_while_the_node_grows(directory):
    storage = SqliteStorage(directory / "kato.db")
    nodes = Nodes(storage, choose(None), ThreadRuntime())
    written = threading.Event()
    file = Place(directory).file
    try:
        for number in range(30):
            storage.commit([Transaction(1, NODE, (learning(number),))], durable=False)
            drive(nodes.view(NODE))
        assert nodes.snapshots is not None
        nodes.snapshots._background.due("then", written.set)
        assert written.wait(30)
        assert file.exists()
    finally:
        nodes.close()
        storage.close()


def spoil_with_flipped_bit(place: Place) -> None:
    content = bytearray(place.file.read_bytes())
    content[len(content) // 2] ^= 4
    place.file.write_bytes(content)


def spoil_by_cutting(place: Place) -> None:
    os.truncate(place.file, place.file.stat().st_size // 2)


def spoil_with_nothing(place: Place) -> None:
    place.file.write_bytes(b"")


def spoil_with_older_memory(place: Place) -> None:
    shutil.copy(place.directory / "before.db", place.directory / "kato.db")


def spoil_with_another_memory(place: Place) -> None:
    (place.directory / "kato.db").unlink()
    place.run(*(learning(n) for n in range(1000, 1070)), engine="plain")


def spoil_with_another_node(place: Place) -> None:
    storage = SqliteStorage(place.directory / "kato.db")
    for number in range(70):
        storage.commit([Transaction(1, "other", (learning(number),))], durable=False)
    nodes = Nodes(storage, choose(None), ThreadRuntime())
    drive(nodes.view("other"))
    nodes.close()
    storage.close()
    shutil.copy(snapshots.path_of(place.directory / "kato.db.snapshots", "other"), place.file)


def spoil_by_forgetting(place: Place) -> None:
    place.run(ForgetAll(), *(learning(n) for n in range(2)), engine="plain")


def spoil_by_forgetting_most(place: Place) -> None:
    storage = SqliteStorage(place.directory / "kato.db")
    known = names(storage)
    storage.close()
    place.run(*(Forget(name) for name in known[5:]), engine="plain")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_with_flipped_bit, "a checksum does not fit"),
        (spoil_by_cutting, "it is cut off"),
        (spoil_with_nothing, "it is too short"),
        (spoil_with_older_memory, " of the log, which ends at 10"),  # one written a little before the end may do
        (spoil_with_another_memory, "it stands for another log"),
        (spoil_with_another_node, "it is of another node"),
        (spoil_by_forgetting, "everything was forgotten after it, at sequence 61"),
        (spoil_by_forgetting_most, "it is too old: 55 patterns have changed since"),
    ],
)
def test_what_does_not_fit_is_thrown_away_with_one_line(directory, caplog, monkeypatch, spoil, reason):
    monkeypatch.setattr(snapshots, "_FEW", 10)
    place = Place(directory)
    place.run(*(learning(n) for n in range(10)), engine="plain")
    shutil.copy(directory / "kato.db", directory / "before.db")
    place.run(*(learning(n) for n in range(10, 60)))
    assert place.file.exists()
    spoil(place)
    expected, _ = place.run(engine="plain")
    with caplog.at_level(logging.INFO):
        told, counts = place.run()
    assert told == expected
    assert counts is not None
    assert (counts.used, counts.discarded) == (0, 1)
    (line,) = lines(caplog)
    assert line.startswith("The snapshot of node 'Tea / 2' was thrown away: ")
    assert reason in line


@pytest.mark.parametrize(
    ("spoil", "is_wrong"),
    [
        (spoil_with_flipped_bit, True),
        (spoil_with_older_memory, True),
        (spoil_with_another_node, True),
        (spoil_by_forgetting, False),
        (spoil_by_forgetting_most, False),
    ],
)
def test_verify_compares_snapshots_and_repair_removes_those_that_are_wrong(directory, monkeypatch, spoil, is_wrong):
    monkeypatch.setattr(snapshots, "_FEW", 10)
    place, database = Place(directory), directory / "kato.db"
    place.run(*(learning(n) for n in range(10)), engine="plain")
    shutil.copy(database, directory / "before.db")
    place.run(*(learning(n) for n in range(10, 60)))
    place.run(learning(3), learning(70), engine="plain")
    sound = check_all(database)
    assert (sound.snapshots, sound.findings) == (1, [])
    spoil(place)
    found = check_all(database)
    assert bool(found.findings) is is_wrong
    assert all(finding.is_derived and str(place.file) in finding.sentence for finding in found.findings)
    assert len(remove_bad(database)) == is_wrong
    assert place.file.exists() is not is_wrong
    assert check_all(database).findings == []


def test_verify_sees_a_snapshot_that_says_something_else_than_the_rows(directory):
    """Sound by its checksums, of the right row of the log, and yet made of something else."""
    place = Place(directory)
    place.run(*(learning(n) for n in range(60)))
    storage = SqliteStorage(directory / "kato.db")
    loaded = storage.load(NODE)
    known = list(loaded.patterns)
    (entry,) = storage.log(NODE, after=loaded.head - 1)
    storage.close()
    for wrong in (edited(known[7], frequency=5), new_pattern((("another",), ("one",)))):
        liar = choose(None)()
        liar.load([*known[:7], wrong, *known[8:]], {}, loaded.head)
        assert isinstance(liar, OpenableKnowledge)
        snapshots.write(place.file.parent, NODE, liar.savable(), entry.hash)
        (finding,) = check_all(directory / "kato.db").findings
        assert f"pattern {known[7].name} of node" in finding.sentence
    liar = choose(None)()
    liar.load(known[1:], {}, loaded.head)
    snapshots.write(place.file.parent, NODE, liar.savable(), entry.hash)
    (finding,) = check_all(directory / "kato.db").findings
    assert "it has 59 patterns where the node has 60" in finding.sentence


def test_a_snapshot_is_not_blamed_for_a_damaged_database(directory):
    place = Place(directory)
    place.run(*(learning(n) for n in range(60)))
    connection = sqlite3.connect(directory / "kato.db")
    connection.execute("UPDATE pattern SET frequency = 9 WHERE id = 5")
    connection.commit()
    connection.close()
    checked = check_all(directory / "kato.db")
    assert [place.file.name in finding.sentence for finding in checked.findings] == [False]


def test_restoring_takes_away_the_snapshots_of_a_memory_that_is_gone(directory, tmp_path):
    place = Place(directory)
    place.run(*(learning(n) for n in range(60)))
    make_backup(directory / "kato.db", tmp_path / "backup")
    assert {file.name for file in (tmp_path / "backup").iterdir()} == {"kato.db", MANIFEST}
    for file in directory.glob("kato.db*"):
        if file.is_file():
            file.unlink()
    restore(tmp_path / "backup", directory / "kato.db")
    assert not place.file.exists()
    assert place.run()[0] == place.run(engine="plain")[0]


def test_what_a_killed_process_left_is_removed_and_never_used(directory, caplog):
    place = Place(directory)
    place.run(*(learning(n) for n in range(60)))
    half = place.file.with_name(place.file.name + ".making")
    half.write_bytes(place.file.read_bytes()[:100])
    expected, _ = place.run(engine="plain")
    told, _ = place.run()
    assert told == expected
    assert not half.exists()
    assert lines(caplog) == []


def test_a_full_disk_costs_a_line_and_nothing_else(directory, caplog, monkeypatch):
    monkeypatch.setattr(service, "_RESERVE", 2**62)
    place = Place(directory)
    told, _ = place.run(*(learning(n) for n in range(60)))
    assert not place.file.exists()
    assert {line.partition("(")[0].split(":")[0] for line in lines(caplog)} == {
        "No snapshot of node 'Tea / 2' was written"
    }
    assert place.run(engine="plain")[0] == told


def test_what_leaves_memory_is_saved_first(directory):
    storage = SqliteStorage(directory / "kato.db")
    for node_id in ("one", "two"):
        for number in range(10):
            storage.commit([Transaction(1, node_id, (learning(number),))], durable=False)
    nodes = Nodes(storage, choose(None), ThreadRuntime(), memory_budget=1)
    try:
        for node_id in ("one", "two"):
            assert drive(nodes.view(node_id)).totals.patterns == 10
        assert nodes.snapshots is not None
        nodes.snapshots._background.close()
        assert snapshots.path_of(directory / "kato.db.snapshots", "one").exists()
    finally:
        nodes.close()
        storage.close()


HOSTILE = [
    "a",
    "A",
    "a/b",
    "../../x",
    "é" * 100,
    "日本" * 256,
    ".",
    "..",
    "x.snapshot",
    "%41",
    "con",
    " ",
    "a" * 191 + ".snapshot",
]


def test_files_of_different_nodes_never_meet(tmp_path):
    paths = {node_id: snapshots.path_of(tmp_path, node_id) for node_id in HOSTILE}
    assert len({str(path).lower() for path in paths.values()}) == len(HOSTILE)
    for path in paths.values():
        assert tmp_path in path.resolve().parents
        assert all(len(os.fsencode(part)) <= 255 for part in path.parts)
        path.write_bytes(b"")
    assert sorted(paths.values()) == snapshots.listed(tmp_path)


def test_work_in_the_background_goes_on_after_a_failure(caplog):
    background = Background("kato-test")
    done: list[str] = []
    background.due("bad", lambda: [][0])
    background.due("good", lambda: done.append(threading.current_thread().name))
    background.close()
    background.due("late", lambda: done.append("late"))
    assert done == ["kato-test"]
    assert "goes on without it" in caplog.text
