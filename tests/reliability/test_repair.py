"""What follows from the logs can be made again; what does not is named, and given up only when asked to."""

from __future__ import annotations

import pytest

from kato.errors import StorageInUse, StoredDataCorrupt
from kato.storage import repairing
from kato.storage.checking import check_file
from kato.storage.opening import key_file
from kato.storage.repairing import NotRepairable, repair
from kato.storage.sqlite import SqliteStorage
from reliability.histories import damage, remembered, told

DERIVED = {
    "UPDATE pattern SET frequency = frequency + 1 WHERE id = 3": "Pattern",
    "UPDATE pattern SET events = '[[\"a\"]]' WHERE id = 4": "Pattern",
    "DELETE FROM pattern WHERE id > 5": "more patterns",
    "INSERT INTO pattern SELECT 9999, node, name, events, length, frequency, emotives, metadata, affinity, checksum "
    "FROM pattern WHERE id = 1": "Pattern",
    "UPDATE vector SET components = X'0000000000000000'": "vectors",
    "UPDATE vector SET holders = holders + 1": "vectors",
    "DELETE FROM vector": "vectors",
    "UPDATE node SET patterns = patterns - 1": "facts",
    "UPDATE node SET changed_at = changed_at + 1": "facts",
}
ORIGINAL = {
    "UPDATE log SET payload = X'7b7d' WHERE id & 0xff = 9": "sequence 9",
    "UPDATE log SET at = at + 1 WHERE id & 0xff = 9": "sequence 9",
    "DELETE FROM log WHERE id & 0xff = 9": "lacks sequence 9",
    "UPDATE session SET head = X'00'": "head",
    "DELETE FROM step": "Steps",
    "DELETE FROM session": "counters",
    "UPDATE counter SET value = value + 1 WHERE name = 'created'": "count of sessions",
    "UPDATE session SET ttl_seconds = ttl_seconds + 1": "session",
    "UPDATE node SET hash = X'00' WHERE id = 1": "ends at",
}


def test_a_sound_memory_is_found_sound_and_left_alone(database):
    before = database.read_bytes()
    checked = check_file(database)
    assert checked.findings == []
    assert (checked.nodes, checked.sessions) == (3, 3)
    assert (checked.patterns, checked.log_rows) == (
        sum(len(node[1]) for node in told(database)[0]),
        sum(len(node[3]) for node in told(database)[0]),
    )
    assert repair(database).kept_at is None
    assert database.read_bytes() == before


@pytest.mark.parametrize(("statement", "words"), DERIVED.items())
def test_what_follows_from_the_log_is_named_and_made_again(database, statement, words):
    expected, replies = told(database), remembered(database)
    key_file(database).create("shop", "write", ())
    keys = key_file(database).read()
    damage(database, statement)
    damaged = database.read_bytes()
    findings = check_file(database).findings
    assert any(words in finding.sentence for finding in findings)
    assert all(finding.is_derived for finding in findings)
    done = repair(database)
    assert done.lost == ()
    assert done.kept_at.read_bytes() == damaged
    assert told(database) == expected
    assert remembered(database) == replies
    assert key_file(database).read() == keys
    assert check_file(database).findings == []


def test_a_lost_index_is_made_again(database):
    expected = told(database)
    damage(database, "DROP INDEX pattern_by_name")
    (finding,) = check_file(database).findings
    assert finding.is_derived
    assert "pattern_by_name" in finding.sentence
    assert repair(database).lost == ()
    assert told(database) == expected
    assert check_file(database).findings == []


@pytest.mark.parametrize(("statement", "words"), ORIGINAL.items())
def test_what_follows_from_nothing_is_named_and_never_invented(database, statement, words):
    expected = told(database)
    damage(database, statement)
    before = database.read_bytes()
    findings = check_file(database).findings
    assert any(words in finding.sentence and not finding.is_derived for finding in findings)
    with pytest.raises(NotRepairable) as refused:
        repair(database)
    assert refused.value.found.findings == findings
    assert database.read_bytes() == before
    done = repair(database, salvage=True)
    assert check_file(database).findings == []
    assert done.kept_at.read_bytes() == before
    nodes, sessions, counts = told(database)
    assert counts.active == len(sessions)
    for node, whole in zip(nodes, expected[0], strict=True):
        assert node[3] == whole[3][: len(node[3])]  # a log is kept from its beginning
        kept_whole = node[3] == whole[3]
        assert kept_whole == (node[1] == whole[1])
        assert kept_whole or any(repr(node[0].node_id) in sentence for sentence in done.lost)
    assert all(session in expected[1] for session in sessions)


def test_a_memory_in_use_is_checked_but_not_repaired(database):
    damage(database, "UPDATE pattern SET frequency = 5 WHERE id = 3")
    store = SqliteStorage(database)
    assert check_file(database).findings
    with pytest.raises(StorageInUse):
        repair(database)
    store.close()


def test_a_repair_whose_result_is_not_sound_changes_nothing(database, monkeypatch):
    """The control of the last check: a repair that forgets the sessions is not put in place."""
    damage(database, "UPDATE pattern SET frequency = 5 WHERE id = 3")
    before = database.read_bytes()
    monkeypatch.setattr(repairing, "_keep_sessions", lambda *_: 3)
    with pytest.raises(StoredDataCorrupt, match="would not be sound"):
        repair(database)
    assert database.read_bytes() == before
    assert [each.name for each in database.parent.glob("*.making*")] == []
