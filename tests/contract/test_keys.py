"""The file of keys: what it holds, who may read it, and many who write it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest

from kato.errors import StorageUnavailable, StoredDataCorrupt
from kato.storage.holding import Hold
from kato.storage.keys import KeyFile, fingerprint, keys_beside
from kato.storage.opening import key_file


@pytest.fixture
def file(tmp_path):
    return KeyFile(tmp_path / "kato.db")


def test_a_key_is_random_shown_once_and_kept_as_its_hash(file):
    made = [file.create("same", "read", ("a/", "a/", "b/")) for _ in range(50)]
    secrets = {secret for secret, _ in made}
    assert len(secrets) == len({key.key_id for _, key in made}) == 50
    assert all(secret.startswith("kato_") and len(secret) == len("kato_") + 43 for secret in secrets), (
        "32 bytes in base64"
    )
    content = file.path.read_text(encoding="utf-8")
    assert not any(secret in content or secret[5:] in content for secret in secrets)
    assert [key.sha256 for key in file.read()] == [fingerprint(secret) for secret, _ in made]
    assert file.read()[0].prefixes == ("a/", "b/")
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o600


def test_revoking_takes_an_id_or_a_name_that_one_usable_key_has(file):
    _, first = file.create("shop", "write", ())
    assert file.revoke("nobody") is None
    assert file.revoke("shop").key_id == first.key_id
    assert file.revoke("shop") is None
    _, second = file.create("shop", "write", ())
    _, third = file.create("shop", "write", ())
    assert file.revoke("shop") is None, "two have that name"
    assert file.revoke(second.key_id).key_id == second.key_id
    assert file.revoke("shop").key_id == third.key_id
    assert all(key.revoked_at is not None for key in file.read())
    assert len(file.read()) == 3


MAKE = "import sys; from pathlib import Path; from kato.storage.keys import KeyFile\n"
MAKE += "for _ in range(5): KeyFile(Path(sys.argv[1])).create('x', 'read', ())"


def test_keys_made_by_several_processes_at_once_are_all_there(tmp_path, file):
    makers = [subprocess.Popen([sys.executable, "-c", MAKE, str(tmp_path / "kato.db")]) for _ in range(3)]
    assert [maker.wait(60) for maker in makers] == [0, 0, 0]
    assert len(file.read()) == 15


def test_who_cannot_have_the_file_to_themselves_says_so(file, monkeypatch):
    monkeypatch.setattr("kato.storage.keys._PATIENCE_SECONDS", 0.05)
    file.create("", "read", ())
    hold = Hold(file.path.with_name(file.path.name + ".lock"))
    with pytest.raises(StorageUnavailable, match="by somebody else"):
        file.create("", "read", ())
    hold.release()
    assert len(file.read()) == 1


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", '{"keys": 5}', '{"keys": [{}]}', '{"keys": [{"key_id": 5}]}', "\udcff"],
)
def test_a_file_that_holds_no_keys_is_named(file, content):
    file.path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(StoredDataCorrupt, match=r"kato\.keys\.json"):
        file.read()


def test_a_scope_that_is_none_is_no_scope(file):
    file.create("", "read", ())
    file.path.write_text(file.path.read_text().replace('"read"', '"all"'))
    with pytest.raises(StoredDataCorrupt):
        file.read()


def test_a_disk_that_refuses_leaves_the_keys_as_they_were(file, monkeypatch):
    file.create("", "read", ())
    before = file.path.read_bytes()

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(StorageUnavailable, match="No space left"):
        file.create("", "read", ())
    assert file.path.read_bytes() == before
    (file.path.parent / "file").write_text("")
    with pytest.raises(StorageUnavailable):
        KeyFile(file.path.parent / "file" / "kato.db").create("", "read", ())


def test_the_stamp_changes_with_every_change(file):
    stamps = [file.stamp()]
    for _ in range(20):
        file.create("", "read", ())
        stamps.append(file.stamp())
    assert stamps[0] is None
    assert len(set(stamps)) == 21


def test_uses_are_written_beside_and_never_touch_the_keys(file):
    file.create("", "read", ())
    before = file.path.read_bytes()
    assert file.read_uses() == {}
    file.write_uses({"key-1": 5})
    assert file.read_uses() == {"key-1": 5}
    assert file.path.read_bytes() == before
    assert json.loads((file.path.parent / "kato.keys.used.json").read_text()) == {"key-1": 5}


def test_every_database_has_keys_of_its_own(tmp_path):
    assert key_file(":memory:") is None
    assert key_file(tmp_path).path == keys_beside(tmp_path / "kato.db") == tmp_path / "kato.keys.json"
    assert key_file(f"sqlite:///{tmp_path}/notes.db").path == tmp_path / "notes.keys.json"
