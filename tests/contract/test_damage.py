"""Damage is seen: a flipped byte or a cut file gives what was written or a named error, never a wrong memory."""

from __future__ import annotations

import random
import re
import sqlite3

import pytest

from contract.asking import AB, CD, NOWHERE, commit, create, record
from kato.engine.event import vector_name
from kato.errors import StorageError, StoredDataCorrupt
from kato.storage import sqlite_reading
from kato.storage.interface import Edit, Forget, ForgetAll, Learn, Reply, Restore
from kato.storage.sqlite import SqliteStorage

VECTOR = (0.25, -1.0)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A closed file with something in every table, its bytes and what it tells."""
    path = tmp_path_factory.mktemp("sound") / "kato.db"
    store = SqliteStorage(path)
    name = vector_name(VECTOR)
    commit(store, *(Learn(((f"symbol {n}", "x"), ("y",)), ({"joy": n / 7},), ({"k": n},)) for n in range(60)))
    commit(store, Learn(((name,), ("z",)), vectors={name: VECTOR}), Learn(AB), Learn(AB), Learn(CD), session="s")
    create(store, record(steps=tuple((n, b"step %d" % n) for n in range(20))))
    commit(store, node=None, reply=Reply("s", "key", b"print", b"answer" * 10, expires_at=10**6, keep=5))
    store.close()
    return path.read_bytes(), told(path)


def told(path):
    """What the file tells, question by question; an error's class where it refuses."""
    try:
        store = SqliteStorage(path)
    except StorageError as error:
        return {"opening": type(error)}
    questions = {
        "patterns": lambda: tuple(store.load("node").patterns),
        "vectors": lambda: dict(store.load("node").vectors),
        "log": lambda: (store.verify_log("node"), store.log("node", limit=10**6)),
        "session": lambda: (lambda it: (it.profile, it.head, it.steps) if it else None)(store.session("s")),
        "reply": lambda: (lambda it: it.answer if it else None)(store.reply("s", "key", now=1)),
    }
    answers = {}
    for name, question in questions.items():
        try:
            answers[name] = question()
        except StorageError as error:
            answers[name] = type(error)
    store.close()
    return answers


def surprises(answers, expected):
    """
    Answers that are neither right nor an error.

    Something may be gone: damage in a key hides a whole node, session or reply, as if it had never been there.
    """
    gone = {"patterns": (), "vectors": {}, "log": (None, []), "session": None, "reply": None}
    return {
        name: answer
        for name, answer in answers.items()
        if not isinstance(answer, type) and answer != expected[name] and answer != gone[name]
    }


def flipped(content, seed):
    chosen = random.Random(seed)
    damaged = bytearray(content)
    for _ in range(chosen.choice((1, 1, 8))):
        damaged[chosen.randrange(len(damaged))] ^= chosen.randrange(1, 256)
    return bytes(damaged)


def test_flipped_bytes_are_seen(sound, tmp_path):
    content, expected = sound
    path, refused = tmp_path / "kato.db", 0
    for seed in range(250):
        path.write_bytes(flipped(content, seed))
        answers = told(path)
        assert not surprises(answers, expected), seed
        refused += any(isinstance(answer, type) for answer in answers.values())
    assert refused > 25  # much of a small file is empty, but not all of it


def test_without_checksums_the_same_bytes_give_wrong_memories(sound, tmp_path, monkeypatch):
    """The control: what the test above asks can fail."""

    def unchecked(node_id, row):
        _, name, events, _, frequency, emotives, metadata, affinity, _ = row
        return sqlite_reading.records.read_pattern(name.hex(), events, frequency, emotives, metadata, affinity)

    monkeypatch.setattr(sqlite_reading, "read_checked", unchecked)
    content, expected = sound
    path = tmp_path / "kato.db"
    places = [match.start() for match in re.finditer(rb'\["symbol ', content)]
    assert places
    for place in places:
        damaged = bytearray(content)
        damaged[place + 3] ^= 1
        path.write_bytes(damaged)
        if surprises(told(path), expected):
            return
    pytest.fail("nothing wrong came out although nothing was checked")


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.99])
def test_cut_files_are_seen(sound, tmp_path, share):
    content, expected = sound
    path = tmp_path / "kato.db"
    path.write_bytes(content[: int(len(content) * share)])
    answers = told(path)
    assert not surprises(answers, expected)
    if share:  # an empty file is a new one
        assert any(isinstance(answer, type) for answer in answers.values())


def test_a_pattern_that_disappeared_is_missed(sound, tmp_path):
    content, _ = sound
    path = tmp_path / "kato.db"
    path.write_bytes(content)
    store = SqliteStorage(path)
    store._writer.execute("DELETE FROM pattern WHERE id = 5")
    with pytest.raises(StoredDataCorrupt, match="62 patterns where 63"):
        list(store.load("node").patterns)
    store._writer.execute("DELETE FROM log WHERE id = (SELECT max(id) FROM log)")
    with pytest.raises(StoredDataCorrupt, match="ends at 63, not as stored at 64"):
        store.load("node")
    store.close()


def hidden(path, name):
    """Flip one bit of a pattern's name in the index of names, so that no search finds its row."""
    content = bytearray(path.read_bytes())
    at = [match.start() for match in re.finditer(re.escape(bytes.fromhex(name)), bytes(content))]
    for place in at:
        content[place + 10] ^= 1
        path.write_bytes(content)
        connection = sqlite3.connect(path)
        (row,) = connection.execute("SELECT name FROM pattern NOT INDEXED WHERE id = 1").fetchone()
        found = connection.execute("SELECT id FROM pattern WHERE node = 1 AND name = ?", (row,)).fetchall()
        connection.close()
        if row.hex() == name and not found:
            return
        content[place + 10] ^= 1
    pytest.fail("the name is not in the index")


@pytest.fixture
def hiding(tmp_path):
    """A storage whose index of names hides the only pattern of a node, which knows it."""
    path = tmp_path / "kato.db"
    store = SqliteStorage(path)
    (change,) = commit(store, Learn(AB))
    store.close()
    hidden(path, change.after.name)
    store = SqliteStorage(path)
    yield store, change.after.name
    store.close()


@pytest.mark.parametrize("operation", [lambda _: Learn(AB), lambda name: Edit(name, frequency=5), Forget])
def test_a_pattern_that_its_index_hides_is_neither_learned_anew_nor_told_to_be_missing(hiding, operation):
    store, name = hiding
    with pytest.raises(StoredDataCorrupt, match=f"Pattern {name} of node 'node' is in the log and cannot be found"):
        commit(store, operation(name))
    with pytest.raises(StoredDataCorrupt, match="cannot be found: an index is damaged"):
        store.pattern("node", name)
    assert store.node("node").head == 1
    assert store.pattern("node", NOWHERE) is None
    assert store.pattern("nobody", name) is None
    commit(store, Learn(CD))


def test_forgetting_everything_leaves_no_hidden_row_behind(hiding):
    store, _ = hiding
    commit(store, Learn(CD))
    store._writer.execute("DELETE FROM pattern WHERE name = (SELECT max(name) FROM pattern)")
    with pytest.raises(StoredDataCorrupt, match="patterns where 2 were stored"):
        commit(store, ForgetAll())


def test_what_was_forgotten_is_new_again(tmp_path):
    store = SqliteStorage(tmp_path / "kato.db")
    (change,) = commit(store, Learn(AB))
    name = change.after.name
    commit(store, Forget(name))
    assert store.pattern("node", name) is None
    assert commit(store, Learn(AB))[0].after.frequency == 1
    commit(store, ForgetAll())
    assert store.pattern("node", name) is None
    commit(store, Restore(name, AB, change.after, to=1))
    commit(store, Restore(name, AB, None, to=0))
    assert store.pattern("node", name) is None
    assert commit(store, Learn(AB))[0].after.frequency == 1
    store.close()
