"""Damage is seen: a flipped byte or a cut file gives what was written or a named error, never a wrong memory."""

from __future__ import annotations

import random
import re
import sqlite3
import struct

import pytest

from contract.asking import AB, CD, NOWHERE, change, commit, create, record
from contract.hiding import hidden
from kato.engine.event import vector_name
from kato.errors import SessionNotFound, StorageError, StorageUnavailable, StoredDataCorrupt
from kato.storage import sqlite_history, sqlite_indexes, sqlite_loading, sqlite_reading
from kato.storage.checking import check_file
from kato.storage.interface import (
    Edit,
    Forget,
    ForgetAll,
    Learn,
    Reply,
    Restore,
    SessionEnd,
    SessionTouch,
    Transaction,
)
from kato.storage.repairing import NotRepairable, repair
from kato.storage.sqlite import SqliteStorage
from kato.storage.sqlite_history import check_subjects

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
    monkeypatch.setattr(sqlite_loading, "check_rows", lambda *_: None)
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


@pytest.mark.parametrize(
    ("damage", "attempt"),
    [
        ("UPDATE node SET node_id = 'another'", lambda store: commit(store, Learn(AB))),
        ("UPDATE session SET version = 7", lambda store: commit(store, node=None, sessions=(change(),))),
        ("UPDATE session SET session_id = 'another'", lambda store: commit(store, node=None, sessions=(change(),))),
    ],
)
def test_damage_to_a_row_that_was_just_written_is_noticed_by_who_changes_it(tmp_path, damage, attempt):
    store = SqliteStorage(tmp_path / "kato.db")
    commit(store, Learn(AB))
    create(store, record())
    store._writer.execute(damage)
    with pytest.raises((StoredDataCorrupt, SessionNotFound)):
        attempt(store)
    store.close()


# --- what has a checksum of its own ---


def altered(path, statement, *parameters):
    connection = sqlite3.connect(path)
    assert connection.execute(statement, parameters).rowcount != 0, "the damage must meet something"
    connection.commit()
    connection.close()


def filled(path, *, ended=False):
    """A closed file with two sessions, one of which may have ended, and an answer in each."""
    store = SqliteStorage(path)
    create(store, record("s"), record("other", node="else"))
    for scope in ("s", "other"):
        commit(store, node=None, reply=Reply(scope, "key", b"print", b"answer", expires_at=10**6, keep=5))
    if ended:
        commit(store, node=None, sessions=(SessionEnd("s", "expired", at=3, forget_at=10**6),))
    store.keep_derived("node", "choice", 1, "worked out")
    store.close()
    return path


def test_answers_beyond_those_that_are_kept_are_not_damage(tmp_path):
    path = tmp_path / "kato.db"
    store = SqliteStorage(path)
    for number in range(21):
        commit(store, node=None, reply=Reply("s", str(number), b"print", b"answer", expires_at=10**6, keep=20))
    assert store.reply("s", "0", now=1) is None
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM reply").fetchone()[0] > 20
    assert check_file(path).findings == []
    altered(path, "UPDATE reply SET keep = 30 WHERE key = '0'")
    assert any("the answer to 0 of s is damaged" in each.sentence for each in check_file(path).findings)


@pytest.mark.parametrize("column", ["ttl_seconds", "last_accessed", "version"])
def test_a_damaged_session_is_told_to_whoever_asks_for_it_and_disturbs_nobody_else(tmp_path, column):
    path = filled(tmp_path / "kato.db")
    altered(path, f"UPDATE session SET {column} = {column} + 1 WHERE session_id = 's'")
    assert any("What is stored of session 's' is damaged" in each.sentence for each in check_file(path).findings)
    store = SqliteStorage(path)
    for ask in (
        lambda: store.session("s"),
        lambda: commit(store, node=None, sessions=(change("s"),)),
        lambda: store.sessions(now=2),
    ):
        with pytest.raises(StoredDataCorrupt, match="What is stored of session 's' is damaged"):
            ask()
    spoilt, fine = store.commit(
        [Transaction(1, sessions=(change("s"),)), Transaction(1, sessions=(change("other"),))], durable=False
    )
    assert isinstance(spoilt, StoredDataCorrupt)
    assert not isinstance(fine, Exception)
    commit(store, node=None, sessions=(SessionTouch("s", 5, 500), SessionTouch("other", 5, 500)))
    assert store.session("other").expires_at == 500
    store.close()


@pytest.mark.parametrize("statement", ["fingerprint = X'00'", "expires_at = 5", "keep = 1", "answer = X'00'"])
def test_a_damaged_answer_is_never_told_nor_taken_for_none(tmp_path, statement):
    path = filled(tmp_path / "kato.db")
    altered(path, f"UPDATE reply SET {statement} WHERE scope = 's'")
    store = SqliteStorage(path)
    with pytest.raises(StoredDataCorrupt, match="What is stored of the answer to key of s is damaged"):
        store.reply("s", "key", now=6)
    assert store.reply("other", "key", now=6).answer == b"answer"
    store.close()


@pytest.mark.parametrize("column", ["state", "owner", "node_id"])
def test_a_damaged_end_of_a_session_is_not_told(tmp_path, column):
    path = filled(tmp_path / "kato.db", ended=True)
    store = SqliteStorage(path)
    assert store.ended_session("s") == "expired"
    store.close()
    altered(path, f"UPDATE ended SET {column} = 'deleted'")
    store = SqliteStorage(path)
    with pytest.raises(StoredDataCorrupt, match="the end of session s is damaged"):
        store.ended_session("s")
    store.close()
    assert any("A row of the table ended is damaged" in each.sentence for each in check_file(path).findings)
    assert "a row of ended" in " ".join(repair(path, salvage=True).lost)


def test_damaged_counts_and_facts_of_nodes_are_named(tmp_path):
    path = filled(tmp_path / "kato.db")
    altered(path, "UPDATE counter SET value = value + 1 WHERE name = 'last_modified'")
    store = SqliteStorage(path)
    with pytest.raises(StoredDataCorrupt, match="count of sessions is damaged"):
        store.count_sessions(now=2)
    commit(store, Learn(AB))
    store.close()
    altered(path, "UPDATE node SET created_at = created_at + 1")
    with pytest.raises(StoredDataCorrupt, match=r"kato\.db: The row of node 'node' is damaged"):
        SqliteStorage(path)


def test_what_was_worked_out_and_is_damaged_is_worked_out_again(tmp_path):
    path = filled(tmp_path / "kato.db")
    store = SqliteStorage(path)
    assert store.derived("node", "choice") == "worked out"
    store.close()
    altered(path, "UPDATE derived SET content = 'worked oux'")
    store = SqliteStorage(path)
    assert store.derived("node", "choice") is None
    store.close()
    assert [each.is_derived for each in check_file(path).findings] == [True]
    assert repair(path).lost == ()
    assert check_file(path).findings == []


def test_a_row_that_cannot_be_read_or_is_only_listed_is_told_as_lost(tmp_path):
    """Where a page says it has a row less, or is none, SQLite ends early or refuses; neither is silent."""
    path = filled(tmp_path / "kato.db")
    content = path.read_bytes()
    (root,) = sqlite3.connect(path).execute("SELECT rootpage FROM sqlite_master WHERE name = 'reply'").fetchone()
    (rows,) = sqlite3.connect(path).execute("SELECT count(*) FROM reply").fetchone()
    page = (root - 1) * 4096
    assert content[page + 3 : page + 5] == bytes((0, rows)), "the count of cells of the table's only page"
    for place, value, told in (
        (page + 4, rows - 1, "1 rows of the table reply, which an index of it lists and which are not there"),
        (page, 99, "what the table reply holds behind its row 0, where it cannot be read"),
        (page + 9, 1, "the remembered answer to"),
    ):
        path.write_bytes(content[:place] + bytes((value,)) + content[place + 1 :])
        assert not all(each.is_derived for each in check_file(path).findings)
        with pytest.raises(NotRepairable):
            repair(path)
        assert told in " ".join(repair(path, salvage=True).lost)
        assert check_file(path).findings == []


# --- what an index hides ---


def flipped_until(path, text, complains):
    """Flip a bit in each place where the file has a text, until a question is answered as it should be."""
    content = bytearray(path.read_bytes())
    for match in list(re.finditer(re.escape(text), bytes(content))):
        content[match.end() - 1] ^= 1
        path.write_bytes(content)
        if complains():
            return
        content[match.end() - 1] ^= 1
    pytest.fail("it was never noticed")


def test_an_index_of_sessions_that_is_not_that_of_its_rows_stops_the_start(tmp_path):
    path = tmp_path / "kato.db"
    names = [f"session {n}" for n in range(9)]
    store = SqliteStorage(path)
    create(store, *(record(name, owner="somebody") for name in names))
    store.close()
    seen = set()

    def complains():
        try:
            SqliteStorage(path).close()
        except StoredDataCorrupt as error:
            seen.update(re.findall(r"the index (\w+) does not say what the session table says", error.message))
        return len(seen) == 5

    flipped_until(path, b"session 4", complains)


def test_an_index_of_ended_sessions_that_is_not_that_of_its_rows_stops_the_start(tmp_path):
    """Also where the row's own key is what changed: SQLite must not compare the index with itself."""
    path = filled(tmp_path / "kato.db", ended=True)
    content = path.read_bytes()
    places = [match.end() - len("expired") - 1 for match in re.finditer(b"sexpired", content)]
    assert places
    for place in places:
        path.write_bytes(content[:place] + b"t" + content[place + 1 :])
        with pytest.raises(StoredDataCorrupt, match="ended_by_time does not say what the ended table says"):
            SqliteStorage(path)


@pytest.mark.parametrize("index", ["session_by_creation", "log_by_subject"])
def test_an_index_that_holds_the_right_entries_in_another_order_is_no_index(tmp_path, monkeypatch, index):
    """Two pointers of its page changed places: a search goes wrong, though nothing is missing."""
    monkeypatch.setattr(sqlite_indexes, "_AT_ONCE", 1)
    path = tmp_path / "kato.db"
    store = SqliteStorage(path)
    create(store, *(record(f"session {n}") for n in range(4)))
    commit(store, Learn(AB), Learn((("c",), ("d",))))
    store.close()
    content = bytearray(path.read_bytes())
    (root,) = sqlite3.connect(path).execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (index,)).fetchone()
    page = (root - 1) * 4096
    assert content[page] == 10, "a leaf of an index"
    content[page + 8 : page + 12] = content[page + 10 : page + 12] + content[page + 8 : page + 10]
    path.write_bytes(content)
    with pytest.raises(StoredDataCorrupt, match=r"does not say what|that finds the log's rows"):
        SqliteStorage(path).prepare_history()


def test_an_answer_that_its_index_hides_is_not_taken_for_none(tmp_path):
    path = filled(tmp_path / "kato.db")

    def complains():
        store = SqliteStorage(path)
        try:
            store.reply("other", "key", now=2)
        except StoredDataCorrupt as error:
            return "The answers of other cannot all be found" in error.message
        finally:
            store.close()

    flipped_until(path, b"otherkey", complains)


def test_vectors_that_are_not_those_of_the_patterns_are_named(tmp_path):
    path, name = tmp_path / "kato.db", vector_name(VECTOR)
    store = SqliteStorage(path)
    commit(store, Learn(((name,), ("z",)), vectors={name: VECTOR}))
    (first,) = store.log("node")
    commit(store, Learn(((name,), ("y",))))
    for statement in ("UPDATE vector SET holders = 3", "DELETE FROM vector"):
        store._writer.execute(statement)
        with pytest.raises(StoredDataCorrupt, match="The vectors of node 'node' are not those of its patterns"):
            list(store.load("node").patterns)
    with pytest.raises(StoredDataCorrupt, match="Vectors of node 'node' cannot be found"):
        list(store.since("node", 1, first.hash).present)
    store.close()


# --- the log by pattern ---


@pytest.fixture
def logged(tmp_path):
    """A closed file whose log has a row of each kind about a pattern; its path and the pattern's name."""
    path = tmp_path / "kato.db"
    store = SqliteStorage(path)
    (made,) = commit(store, Learn(AB))
    name = made.after.name
    commit(store, Learn(CD), Edit(name, frequency=5), Edit(name, frequency=6))
    assert [row.sequence for row in store.history("node", name=name, newest_first=False)] == [1, 3, 4]
    assert store.count_history("node", name, most=10) == 3
    store.close()
    return path, name


def test_a_log_row_that_its_index_hides_is_missed(logged):
    path, name = logged

    def complains():
        try:
            store = SqliteStorage(path)
        except StoredDataCorrupt:
            return False
        try:
            store.count_history("node", name, most=10)
        except StoredDataCorrupt as error:
            return "The index that finds the log's rows by their pattern is damaged" in error.message
        finally:
            store.close()

    flipped_until(path, name[:16].encode(), complains)


@pytest.mark.parametrize("rows", [(60, 1), (1, 60)])
def test_a_log_whose_keys_do_not_ascend_is_named_instead_of_read_for_ever(tmp_path, rows):
    """SQLite finds rows by the keys above them: with a damaged one, what it finds behind a row may stand before it."""
    path = tmp_path / "kato.db"
    store = SqliteStorage(path)
    for node, many in zip(("one", "two"), rows, strict=True):
        commit(store, *(Learn(((f"symbol {n}", "x" * 50),)) for n in range(many)), node=node)
    store.close()
    content = bytearray(path.read_bytes())
    (root,) = sqlite3.connect(path).execute("SELECT rootpage FROM sqlite_master WHERE name = 'log'").fetchone()
    page = (root - 1) * 4096
    assert content[page] == 5, "an inner page"
    (cells,) = struct.unpack_from(">H", content, page + 3)
    for number in range(cells):
        (cell,) = struct.unpack_from(">H", content, page + 12 + 2 * number)
        damaged = bytearray(content)
        damaged[page + cell + 4] |= 0x7F  # the key behind the number of the page below: larger than any
        path.write_bytes(damaged)
        sentences = [each.sentence for each in check_file(path).findings]
        assert any("The log's rows do not ascend" in each for each in sentences), sentences
        with pytest.raises(StoredDataCorrupt, match=r"kato\.db: .*"):
            SqliteStorage(path)
        with pytest.raises(NotRepairable):
            repair(path)


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_sound_index_of_the_log_is_found_sound_bit_by_bit(logged, monkeypatch, at_once):
    path, name = logged
    monkeypatch.setattr(sqlite_indexes, "_AT_ONCE", at_once)
    store = SqliteStorage(path)
    store.prepare_history()
    assert store.count_history("node", name, most=10) == 3
    store.close()


def test_looking_at_the_logs_index_ends_when_the_storage_is_closed(logged, monkeypatch):
    path, name = logged
    store = SqliteStorage(path)
    looked = []

    def close_after_two(connection, go_on):
        def counting():
            looked.append(1)
            if len(looked) > 2:
                monkeypatch.setattr(store, "_closed", True)
            go_on()

        check_subjects(connection, counting)

    monkeypatch.setattr(sqlite_indexes, "_AT_ONCE", 1)
    monkeypatch.setattr(sqlite_history, "check_subjects", close_after_two)
    with pytest.raises(StorageUnavailable, match="has been closed"):
        store.prepare_history()
    assert len(looked) == 3
    monkeypatch.undo()
    store.prepare_history()
    assert store.count_history("node", name, most=10) == 3
    store.close()


@pytest.mark.parametrize("place", ["45", "60"])
def test_a_damaged_log_row_is_named_by_whoever_asks_for_its_pattern(logged, place):
    path, name = logged
    altered(path, f"UPDATE log SET payload = CAST(substr(payload, 1, {place}) || 'X' AS BLOB) WHERE id & 0xff = 3")
    store = SqliteStorage(path)
    for ask in (
        lambda: store.history("node", name=name),
        lambda: store.count_history("node", name, most=10) == 3 and store.history("node", name=name),
        lambda: store.rows_about("node", [name], after=0, before=5, limit=9),
        lambda: store.history("node"),
    ):
        with pytest.raises(StoredDataCorrupt, match="altered or damaged at sequence 3"):
            ask()
    store.close()


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_log_row_that_is_gone_is_missed(logged, newest_first):
    path, _ = logged
    altered(path, "DELETE FROM log WHERE id & 0xff = 2")
    store = SqliteStorage(path)
    with pytest.raises(StoredDataCorrupt, match=r"lacks sequence 2|damaged at sequence 3"):
        store.history("node", newest_first=newest_first)
    with pytest.raises(StoredDataCorrupt, match="lacks sequence 2"):
        store.history("node", before=3, newest_first=newest_first)
    store.close()
