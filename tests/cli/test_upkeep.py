"""Backup, restore, export, import, verify and repair as people type them."""

from __future__ import annotations

import json
import sqlite3

import pytest

from kato import Kato
from kato.cli.main import main


@pytest.fixture
def run(capsys, tmp_path):
    """Run a command line on a memory: (exit code, standard output, standard error)."""

    def go(*arguments, data="memory"):
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments), "--data", str(tmp_path / data)])
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    with Kato(tmp_path / "memory") as kato:
        kato.learn_many([[["a"], ["b"]], [["c"], ["d"]]], node_id="n")
    return go


def test_a_backup_is_made_verified_and_restored(run, tmp_path):
    code, out, _ = run("backup", tmp_path / "put away")
    assert (code, "1 nodes, 2 patterns, 2 log rows" in out) == (0, True)
    assert run("verify", data="put away")[0] == 0
    code, _, err = run("backup", tmp_path / "put away")
    assert (code, "exists already" in err) == (1, True)
    code, out, _ = run("restore", tmp_path / "put away", "--json", data="other")
    assert (code, json.loads(out)["patterns"]) == (0, 2)
    code, _, err = run("restore", tmp_path / "put away", data="other")
    assert (code, "There is a memory" in err) == (1, True)
    (tmp_path / "put away" / "kato.db").write_bytes(b"x")
    code, _, err = run("verify", data="put away")
    assert (code, "damaged or changed" in err) == (1, True)


def test_an_export_is_imported(run, tmp_path):
    code, _, err = run("export", tmp_path / "lines.jsonl")
    assert (code, err.startswith("exported: 1 nodes, 2 patterns")) == (0, True)
    code, out, _ = run("import", tmp_path / "lines.jsonl", "--json", data="other")
    assert (code, json.loads(out)["log_rows"]) == (0, 2)
    assert run("export", tmp_path / "again.jsonl", "--node", "n", data="other")[0] == 0
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "lines.jsonl").read_bytes()
    code, _, err = run("export", tmp_path / "lines.jsonl")
    assert (code, "lines.jsonl" in err) == (1, True)
    code, _, err = run("export", tmp_path / "none.jsonl", "--node", "m")
    assert (code, "no node 'm'" in err, (tmp_path / "none.jsonl").exists()) == (1, True, False)
    code, _, err = run("import", tmp_path / "lines.jsonl", data="other")
    assert (code, "has a history here already" in err) == (1, True)


def test_what_is_damaged_is_named_and_repaired(run, tmp_path):
    assert run("verify")[:2] == (0, run("repair")[1])
    connection = sqlite3.connect(tmp_path / "memory" / "kato.db")
    connection.execute("UPDATE pattern SET frequency = 9 WHERE id = 1")
    connection.commit()
    code, out, _ = run("verify", "--json")
    assert code == 1
    (finding,) = json.loads(out)["findings"]
    assert finding["repairable"]
    assert "is not what the log makes of it" in finding["sentence"]
    code, out, _ = run("repair")
    assert (code, "Repaired. The damaged file is kept as" in out) == (0, True)
    assert run("verify")[0] == 0


def test_what_cannot_be_made_again_is_given_up_only_when_asked_to(run, tmp_path):
    connection = sqlite3.connect(tmp_path / "memory" / "kato.db")
    connection.execute("UPDATE log SET at = 9 WHERE id & 255 = 2")
    connection.commit()
    connection.close()
    code, out, err = run("repair")
    assert (code, "cannot be made again" in out, "--salvage" in err) == (1, True, True)
    code, out, _ = run("repair", "--salvage", "--json")
    told = json.loads(out)
    assert (code, len(told["lost"]), "after sequence 1" in told["lost"][0]) == (0, 1, True)
    assert run("repair", "--json")[1].count('"kept_at": null') == 1
