"""What is put away comes back equal, is whole or absent, and never replaces anything."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from kato import Kato
from kato.errors import StorageInUse, StorageUnavailable, StoredDataCorrupt
from kato.storage.backing_up import make_backup, read_backup, restore
from kato.storage.checking import check_file
from kato.storage.keys import keys_beside
from kato.storage.opening import key_file
from kato.storage.transferring import export, import_lines
from reliability.histories import NODES, damage, remembered, told

WRITE = """
import sys
from pathlib import Path
from kato.storage.interface import Learn, Transaction
from kato.storage.sqlite import SqliteStorage
store = SqliteStorage(Path(sys.argv[1]))
for n in range(100000):
    store.commit([Transaction(n, "node", (Learn(((str(n), "x"),)), Learn((("all", "x"),))))], durable=False)
    print(n, flush=True)
"""


def make_key(database):
    key_file(database).create("shop", "write", ())
    assert keys_beside(database).exists()


def exported(database, **options):
    lines: list[bytes] = []
    done = export(database, lines.append, **options)
    return lines, done


def test_a_backup_comes_back_equal_with_its_sessions(database, tmp_path):
    expected, replies = told(database), remembered(database)
    assert {row.operation for node in expected[0] for row in node[3]} == {"learn", "edit", "forget", "undo"}
    make_key(database)
    made = make_backup(database, tmp_path / "backup")
    assert (made.nodes, made.sessions) == (3, 3)
    assert read_backup(tmp_path / "backup") == made
    assert restore(tmp_path / "backup", tmp_path / "other" / "kato.db") == made
    assert told(tmp_path / "other" / "kato.db") == expected
    assert remembered(tmp_path / "other" / "kato.db") == replies
    assert check_file(tmp_path / "other" / "kato.db").findings == []
    assert not keys_beside(tmp_path / "other" / "kato.db").exists(), "no revoked key comes back"


def test_what_was_answered_once_is_answered_so_by_a_restored_memory(database, tmp_path):
    make_backup(database, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "other" / "kato.db")
    with Kato(tmp_path / "other") as kato:
        head = kato.get_node("tea")["head"]
        again = kato.learn_many([[["a"], ["b"]]], node_id="tea", idempotency_key="once-0")
        assert again["learned"] == 1
        assert kato.get_node("tea")["head"] == head
        kato.undo(node_id="tea")
        assert kato.get_node("tea")["head"] > head


def test_backups_of_a_memory_in_use_are_each_one_moment(tmp_path):
    """Every commit learns two patterns, one of them always the same: its frequency tells how many commits there are."""
    database = tmp_path / "kato.db"
    with subprocess.Popen([sys.executable, "-c", WRITE, str(database)], stdout=subprocess.PIPE) as writer:
        acknowledged, seen = -1, []
        for number in range(4):
            for line in writer.stdout:
                acknowledged = int(line)
                if acknowledged >= 40 * (number + 1):
                    break
            made = make_backup(database, tmp_path / f"backup {number}")
            assert made.log_rows == 2 * (made.patterns - 1)
            assert made.patterns - 1 > acknowledged
            seen.append(made.patterns)
        writer.kill()
        writer.stdout.read()
    assert seen == sorted(set(seen))
    restore(tmp_path / "backup 2", tmp_path / "again" / "kato.db")
    (node,) = told(tmp_path / "again" / "kato.db")[0]
    assert {each.frequency for each in node[1] if each.events != (("all", "x"),)} == {1}
    assert max(each.frequency for each in node[1]) == seen[2] - 1


def test_an_open_memory_of_this_process_is_backed_up_while_it_learns(tmp_path):
    with Kato(tmp_path / "memory") as kato:
        kato.create_session("node")
        kato.observe_sequence([{"strings": ["a"]}, {"strings": ["b"]}], learn_at_end=True)
        made = make_backup(tmp_path / "memory" / "kato.db", tmp_path / "backup")
        kato.observe(["a"])
        assert kato.get_predictions()["predictions"][0]["future"] == [["b"]]
    assert (made.patterns, made.sessions) == (1, 1)


def test_a_backup_never_replaces_anything(database, tmp_path):
    (tmp_path / "backup").mkdir()
    with pytest.raises(StorageUnavailable, match="exists already"):
        make_backup(database, tmp_path / "backup")
    make_backup(database, tmp_path / "second")
    before = database.read_bytes()
    with pytest.raises(StorageUnavailable, match="There is a memory"):
        restore(tmp_path / "second", database)
    assert database.read_bytes() == before
    with Kato(tmp_path / "held"), pytest.raises(StorageInUse):
        restore(tmp_path / "second", tmp_path / "held" / "kato.db")


def test_what_is_not_sound_is_not_backed_up(database, tmp_path):
    damage(database, "UPDATE pattern SET frequency = frequency + 1 WHERE id = 3")
    with pytest.raises(StoredDataCorrupt, match="not sound, so no backup"):
        make_backup(database, tmp_path / "backup")
    with pytest.raises(StorageUnavailable, match="no memory"):
        make_backup(tmp_path / "nothing.db", tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
    assert not list(tmp_path.glob("*.making"))


@pytest.mark.parametrize("place", [0, 5000, -1])
def test_a_damaged_backup_is_refused(database, tmp_path, place):
    make_backup(database, tmp_path / "backup")
    content = bytearray((tmp_path / "backup" / "kato.db").read_bytes())
    content[place] ^= 1
    (tmp_path / "backup" / "kato.db").write_bytes(content)
    with pytest.raises(StoredDataCorrupt, match="damaged or changed"):
        restore(tmp_path / "backup", tmp_path / "new" / "kato.db")
    assert not (tmp_path / "new" / "kato.db").exists()


def test_a_manifest_that_cannot_be_read_or_is_of_another_version_is_refused(database, tmp_path):
    make_backup(database, tmp_path / "backup")
    manifest = tmp_path / "backup" / "backup.json"
    document = json.loads(manifest.read_text())
    for content, words in (
        (json.dumps({**document, "format": 99}), "a newer KATO"),
        (json.dumps({**document, "format": 0}), "an older KATO"),
        ("{", "damaged"),
        ("[]", "damaged"),
    ):
        manifest.write_text(content)
        with pytest.raises(StoredDataCorrupt, match=words):
            read_backup(tmp_path / "backup")
    manifest.unlink()
    with pytest.raises(StorageUnavailable, match=r"no backup\.json"):
        read_backup(tmp_path / "backup")


# --- export and import ---


def test_an_export_of_an_import_is_the_same_bytes(database, tmp_path):
    lines, done = exported(database)
    assert import_lines(tmp_path / "new" / "kato.db", lines) == done
    assert exported(tmp_path / "new" / "kato.db") == (lines, done)
    assert check_file(tmp_path / "new" / "kato.db").findings == []
    kinds = {next(iter(json.loads(line))) for line in lines}
    assert kinds == {"kato_export", "node", "sequence", "pattern", "symbol", "end"}
    new, old = told(tmp_path / "new" / "kato.db"), told(database)
    assert {node[0].node_id: node for node in new[0]} == {node[0].node_id: node for node in old[0]}


def test_chosen_nodes_are_imported_beside_others(database, tmp_path):
    expected = {node[0].node_id: node[1:] for node in told(database)[0]}
    target = tmp_path / "new" / "kato.db"
    for node in reversed(NODES):
        import_lines(target, exported(database, nodes=[node])[0])
    assert {node[0].node_id: node[1:] for node in told(target)[0]} == expected
    with pytest.raises(StorageUnavailable, match="'tea' has a history"):
        import_lines(target, exported(database, nodes=["tea"])[0])
    with pytest.raises(StorageUnavailable, match="no node 'coffee'"):
        exported(database, nodes=["coffee"])


def test_a_changed_or_cut_export_is_refused_and_changes_nothing(database, tmp_path):
    target = tmp_path / "new" / "kato.db"
    lines, _ = exported(database)
    import_lines(target, exported(database, nodes=["Tea"])[0])
    lines, _ = exported(database, nodes=["tea"])
    before = told(target)
    refused = 0
    for number in range(len(lines)):
        gone = [*lines[:number], *lines[number + 1 :]]
        twice = [*lines[:number], lines[number], *lines[number:]]
        cut = [*lines[:number], lines[number][: len(lines[number]) // 2]]
        digit = lines[number].replace(b"1", b"2", 1)
        for changed in (gone, twice, cut, lines[:number], [*lines[:number], digit, *lines[number + 1 :]]):
            if changed != lines:
                with pytest.raises(StoredDataCorrupt):
                    import_lines(target, changed)
                refused += 1
    assert refused > 100
    assert told(target) == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"kato_export":2,"nodes":0}\n', "format 2"),
        (b"[]\n", "no object"),
        (b"no json\n", "Line 1 is not JSON"),
        (b'{"node":1}\n', "Line 1 has no member 'kato_export'"),
    ],
)
def test_what_is_no_export_is_named(tmp_path, line, words):
    with pytest.raises(StoredDataCorrupt, match=words):
        import_lines(tmp_path / "kato.db", [line])
