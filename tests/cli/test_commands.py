"""The commands as people type them: what they print, and how they end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from kato import KATOClient, __version__
from kato.cli.main import main
from kato.settings import Settings
from serving import running

LINES = "The cat sat on the mat.\nThe cat ran.\n\nword\n"


@pytest.fixture
def run(capsys, tmp_path):
    """Run a command line on a fresh memory: (exit code, standard output, standard error)."""

    def go(*arguments, data=True):
        extra = ["--data", str(tmp_path / "memory")] if data else []
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments), *extra])
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return go


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(LINES, encoding="utf-8")
    return path


def test_text_is_learned_and_predicted(run, text):
    code, out, _ = run("train", text, "--node", "n")
    assert code == 0
    assert "Learned 2 sequences (2 new patterns)" in out
    assert "1 had fewer than 2 symbols" in out
    code, out, _ = run("predict", "--node", "n", "the", "cat", "--metrics", "confidence,frequency")
    assert code == 0
    assert "the cat · ran" in out
    assert "confidence 1  frequency 1" in out


def test_a_forecast_says_what_comes_next_and_why(run, text):
    run("train", text, "--node", "n")
    code, out, _ = run("forecast", "--node", "n", "the", "cat", "--explain", "--limit", "1")
    assert code == 0
    assert "ran  share" in out
    assert "the cat · ran" in out
    assert "something it has never seen" in out
    assert "not tested" in out
    code, out, _ = run("forecast", "--node", "n", "the", "--tokens", "chars", "--json")
    assert json.loads(out)["count"] > 0
    assert "has learned nothing" in run("forecast", "--node", "nobody", "the")[1]


def test_predictions_as_json_are_what_the_client_gets(run, text):
    run("train", text, "--node", "n")
    code, out, _ = run("predict", "--node", "n", "the", "cat", "--json", "--limit", "1", "--rank", "similarity")
    assert code == 0
    answer = json.loads(out)
    assert answer["count"] == 1
    assert answer["predictions"][0]["future"] == [["ran"]]


@pytest.mark.parametrize(
    ("name", "content", "form", "expected"),
    [
        ("a.csv", 'one,"x, y"\none,z\ntwo,x\ntwo,z\n', "csv", "x, y"),
        ("a.tsv", "1\ta\n1\tb\n2\ta\n2\tc\n", "tsv", "a"),
        ("a.dat", "28 10307\n28 10311\n29 10307\n29 10315\n", "pairs", "10307"),
        ("a.jsonl", '["a", ["b", "c"]]\n[["a"], "d"]\n', "jsonl", "a"),
    ],
)
def test_every_format_is_read(run, tmp_path, name, content, form, expected):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    code, out, _ = run("train", path, "--node", "n")
    assert code == 0
    assert f"Learned 2 sequences (2 new patterns) of {name} as {form}" in out
    assert "confidence" in run("predict", "--node", "n", expected)[1]


def test_windows_chars_and_whole_files(run, text, tmp_path):
    assert "Learned 5 sequences" in run("train", text, "--node", "w", "--window", "3")[1]
    assert "Learned 3 sequences" in run("train", text, "--node", "c", "--tokens", "chars")[1]
    assert "the cat" not in run("predict", "--node", "c", "The", "--tokens", "chars", "--json")[1]
    assert "Learned 1 sequences" in run("train", text, "--node", "l", "--tokens", "lines")[1]
    assert "Learned 1 sequences" in run("train", text, "--node", "one", "--limit", "1")[1]
    long = tmp_path / "long.jsonl"
    long.write_text(json.dumps(["a", "b"] * 600) + "\n", encoding="utf-8")
    assert "1 were longer than 1000 events" in run("train", long, "--node", "long")[1]


def test_nodes_are_listed(run, text):
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as server:
        assert "No node has learned anything yet" in run("nodes", "--url", server.url, data=False)[1]
    run("train", text, "--node", "[red]n")
    code, out, _ = run("nodes")
    assert code == 0
    assert "[red]n" in out
    assert json.loads(run("nodes", "--json")[1])["nodes"][0]["patterns"] == 2


def test_the_doctor_finds_nothing_wrong_and_says_where_things_are(run, text):
    code, out, _ = run("doctor")
    assert code == 0
    assert "does not exist yet" in out
    run("train", text, "--node", "n")
    code, out, _ = run("doctor", "--json")
    assert code == 0
    report = json.loads(out)
    assert (report["patterns"], report["state"], report["problems"]) == (2, "good", [])
    assert report["largest"] == [{"node_id": "n", "patterns": 2, "snapshot_bytes": None}]
    assert report["memory_budget"] > 2**20
    assert "'n': 2 patterns, no snapshot" in run("doctor")[1]


def test_the_doctor_asks_a_server_what_its_nodes_cost(run):
    with running(Settings(data_dir=":memory:", log_level="CRITICAL", memory_budget=10**9)) as server:
        with KATOClient(server.url) as client:
            client.learn_many([[["a"], ["b"]]], node_id="n")
            client.predict_many([[["a"]]], node_id="n")
        code, out, _ = run("doctor", "--url", server.url, "--json")
        told = json.loads(out)["server"]
        assert (code, told["memory_budget_bytes"], told["evictions"]) == (0, 10**9, 0)
        (node,) = told["nodes"]
        assert (node["node_id"], node["patterns"], node["is_loading"]) == ("n", 1, False)
        assert node["index_bytes"] + node["rest_bytes"] == told["memory_bytes"] > 0
        assert "'n': 1 patterns, " in run("doctor", "--url", server.url)[1]
    code, out, _ = run("doctor", "--url", server.url)
    assert (code, f"wrong: {server.url}" in out) == (1, True)


def test_the_doctor_names_what_is_wrong(run, monkeypatch, tmp_path):
    monkeypatch.setenv("KATO_PORT", "99999")
    monkeypatch.setenv("KATO_ENGINE", "quantum")
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "kato.db").write_bytes(b"this is no database" * 100)
    code, out, _ = run("doctor")
    assert code == 1
    assert "KATO_PORT must be an integer from 1 to 65535" in out
    assert "KATO_ENGINE" in out
    assert "damaged" in out


HOLD = "import sys; from kato import Kato; kato = Kato(sys.argv[1]); print(flush=True); sys.stdin.read()"


def test_a_memory_in_use_is_refused_with_advice(run, tmp_path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "memory")], **pipes) as holder:
        holder.stdout.readline()
        code, _, err = run("nodes")
        assert code == 1
        assert "in use by process" in err
        assert "over HTTP" in err
        assert "in use" in run("doctor")[1]


def test_commands_talk_to_a_running_server(run, text):
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as server:
        assert run("train", text, "--node", "n", "--url", server.url, data=False)[0] == 0
        assert "· ran" in run("predict", "--node", "n", "the", "cat", "--url", server.url, data=False)[1]
        assert '"patterns": 2' in run("nodes", "--json", "--url", server.url, data=False)[1]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["train", "missing.txt", "--node", "n"], 2, "does not exist"),
        (["predict", "word"], 2, "--node"),
        (["predict", "--node", "n", "word", "--threshold", "2"], 1, "recall_threshold must be a number from 0 to 1"),
        (["predict", "--node", "n", "word", "--rank", "best"], 1, "rank_sort_algo must be one of"),
        (["predict", "--node", "", "word"], 1, "must not be empty"),
        (["predict", "--node", "n", "word", "--url", "http://127.0.0.1:9"], 2, "not both"),
        (["serve", "--port", "70000"], 2, "65535"),
        (["fly"], 2, "fly"),
    ],
)
def test_wrong_command_lines_end_with_a_sentence(run, tmp_path, arguments, code, sentence):
    (tmp_path / "memory").mkdir()
    found = run(*arguments, data=arguments[0] not in {"serve", "fly"})
    assert found[0] == code
    assert sentence in " ".join(found[2].split())
    assert "Traceback" not in found[2]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.jsonl", b"{}\n", "line 1 is not a list of events"),
        ("a.jsonl", b'["a"]\n[1, 2]\n', "line 2 is not a list of events"),
        ("a.jsonl", b"nonsense\n", "line 1 is not JSON"),
        ("a.csv", b"a,b,c\n", "line 1 has 3 columns"),
        ("a.txt", b"fine\n\xff\xfe\n", "line 2 is not UTF-8"),
    ],
)
def test_a_bad_file_is_named_by_its_line(run, tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)
    code, _, err = run("train", path, "--node", "n")
    assert (code, sentence in err) == (1, True)


def test_a_file_that_breaks_off_says_what_was_learned_and_what_takes_it_back(run, text, tmp_path):
    run("train", text, "--node", "n")
    path, good = tmp_path / "long.jsonl", "".join(f'["a{number}", "b"]\n' for number in range(1500))
    path.write_text(good + "nonsense\n", encoding="utf-8")
    code, _, err = run("train", path, "--node", "n")
    memory = tmp_path / "memory"
    undo = f"`kato undo --node n --to 2 --data {memory}`"
    told = f"1,000 sequences were learned before this; {undo} takes them back, with whatever else the node has learned since\n"
    assert (code, err) == (1, told + "kato: line 1501 is not JSON\n")
    assert run("undo", "--node", "n", "--to", "2")[0] == 0
    path.write_text(good, encoding="utf-8")
    assert "Learned 1,500 sequences" in run("train", path, "--node", "n")[1]
    assert json.loads(run("predict", "--node", "n", "a7", "--json")[1])["predictions"][0]["frequency"] == 1


def test_wrong_formats_and_metrics_are_named(run, text):
    assert "--format must be one of" in " ".join(run("train", text, "--node", "n", "--format", "xml")[2].split())
    assert "--tokens must be one of" in " ".join(run("train", text, "--node", "n", "--tokens", "x")[2].split())
    run("train", text, "--node", "n")
    code, _, err = run("predict", "--node", "n", "the", "--metrics", "magic")
    assert code == 2
    assert "magic" in err
    assert run("predict", "--node", "n", "zebra", "--metrics", "magic")[0] == 2
    assert "No pattern of node" in run("predict", "--node", "n", "zebra")[1]


@pytest.mark.parametrize("arguments", [["nodes"], ["predict", "--node", "n", "word"]])
def test_a_memory_that_is_not_there_is_not_made_by_reading(run, tmp_path, arguments):
    code, _, err = run(*arguments)
    assert code == 1
    assert f"there is no memory at {tmp_path / 'memory'}; `kato train` makes one" in err
    assert not (tmp_path / "memory").exists()


@pytest.mark.parametrize("url", ["nonsense", "localhost:8000", "ftp://localhost", ""])
def test_an_address_that_is_none_is_a_wrong_command_line(run, url):
    code, _, err = run("nodes", "--url", url, data=False)
    assert code == 2
    assert "--url must look like http://localhost:8000" in " ".join(err.split())


def test_the_version_is_told(run):
    code, out, err = run("--version", data=False)
    assert (code, out, err) == (0, f"kato {__version__}\n", "")


def test_no_server_is_said_in_a_sentence(run):
    code, _, err = run("nodes", "--url", "http://127.0.0.1:9", data=False)
    assert code == 1
    assert "kato serve" in err


def test_more_than_one_worker_and_public_addresses_are_refused(run):
    code, _, err = run("serve", "--workers", "2", data=False)
    assert code == 1
    assert "one process holds a data directory" in err
    code, _, err = run("serve", "--host", "0.0.0.0", data=False)
    assert code == 1
    assert "--insecure" in err


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "kato", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "train" in done.stdout
