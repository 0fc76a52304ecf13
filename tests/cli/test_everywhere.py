"""What holds for every command: JSON for programs, and tables that fit the terminal for people."""

from __future__ import annotations

import json
import re
import threading

import httpx2
import pytest
import typer
from rich.cells import cell_len

from kato import Kato
from kato.cli.main import app, main
from kato.cli.printing import console
from kato.cli.tables import Field, fitted
from kato.settings import Settings
from kato.storage.opening import key_file
from serving import running

LONG = "a node with a name as long as names of nodes become when people put everything into them/küche/7"


def commands(command, path=()):
    """(words, command) of every command that can be run."""
    inner = getattr(command, "commands", None)
    if inner is None:
        return [(path, command)]
    return [found for name, each in inner.items() for found in commands(each, (*path, name))]


COMMANDS = commands(typer.main.get_command(app))


@pytest.fixture
def memory(tmp_path):
    """A memory with something of everything that commands show."""
    place = tmp_path / "memory"
    with Kato(place) as kato:
        kato.create_session(LONG)
        for word in ("kettle", "cup", "a symbol that goes on and on " * 5):
            kato.observe([word], emotives={"joy": 0.5}, metadata={"room": "kitchen"})
        kato.learn()
        name = kato.learn_many([[["kettle"], ["cup"], ["tea"]]], LONG)["results"][0]["pattern_name"]
        kato.edit_pattern(name, LONG, frequency=12345)
        kato.forget_pattern(name, LONG)
        kato.undo(1, LONG)
        kato.learn_many([[["[red]a[/red]"], ["b"]]], "[bold]n")
    file = key_file(place)
    file.create(
        "a name that somebody thought a lot about, and then some more", "write", ["shop/", "test_shop/", "x" * 90]
    )
    file.revoke(file.create("", "admin", [])[1].key_id)
    return place, name


def call(capsys, *arguments):
    """(exit code, standard output, standard error) of a command line."""
    with pytest.raises(SystemExit) as ended:
        main([*map(str, arguments)])
    printed = capsys.readouterr()
    return ended.value.code or 0, printed.out, printed.err


def test_there_are_commands_within_commands():
    assert {("keys", "list"), ("predict",), ("serve",)} <= {path for path, _ in COMMANDS}


@pytest.mark.parametrize("command", [each for _, each in COMMANDS], ids=[" ".join(path) for path, _ in COMMANDS])
def test_every_command_speaks_json(command):
    options = [option for parameter in command.params for option in parameter.opts]
    assert "--json" in options


@pytest.mark.parametrize("command", [each for _, each in COMMANDS], ids=[" ".join(path) for path, _ in COMMANDS])
def test_whatever_talks_to_a_server_can_bring_a_key(command):
    options = [option for parameter in command.params for option in parameter.opts]
    assert ("--url" in options) == ("--api-key" in options)


def lines(tmp_path, place, name):
    """Of every command that ends by itself a line that does something."""
    text = tmp_path / "text.txt"
    text.write_text("the cat sat\nthe dog\n", encoding="utf-8")
    node = ("--node", LONG)
    return {
        ("train",): (text, *node),
        ("predict",): ("kettle", *node),
        ("forecast",): ("kettle", *node),
        ("nodes",): (),
        ("explain",): (name, "kettle", *node),
        ("history",): node,
        ("forget",): (name, *node),
        ("undo",): node,
        ("top",): (),
        ("backup",): (tmp_path / "backup",),
        ("restore",): (tmp_path / "backup", "--data", tmp_path / "restored"),
        ("export",): (tmp_path / "export",),
        ("import",): (tmp_path / "export", "--data", tmp_path / "imported"),
        ("verify",): (),
        ("repair",): (),
        ("keys", "create"): (),
        ("keys", "list"): (),
        ("keys", "revoke"): ("again",),
        ("doctor",): (),
    }


def test_what_they_print_is_json_and_nothing_else(capsys, tmp_path, memory):
    place, name = memory
    key_file(place).create("again", "read", ())
    asked = lines(tmp_path, place, name)
    assert asked.keys() == {path for path, _ in COMMANDS} - {("serve",), ("watch",)}, (
        "those two go on until they are ended"
    )
    for path, arguments in asked.items():
        data = () if "--data" in arguments else ("--data", place)
        code, out, err = call(capsys, *path, *arguments, "--json", *data)
        assert (code, err) == (0, ""), (path, err)
        assert isinstance(json.loads(out), dict), path


def test_an_export_to_standard_output_tells_of_itself_beside_it(capfdbinary, memory):
    with pytest.raises(SystemExit):
        main(["export", "-", "--json", "--data", str(memory[0])])
    printed = capfdbinary.readouterr()
    assert json.loads(printed.err)["nodes"] == 2
    assert all(json.loads(line) for line in printed.out.splitlines())


def test_serving_with_json_is_a_log_of_json(monkeypatch):
    served = []
    monkeypatch.setattr("kato.server.running.serve", served.append)
    for arguments in (["serve", "--json"], ["serve"]):
        with pytest.raises(SystemExit):
            main(arguments)
    assert [settings.log_format for settings in served] == ["json", "human"]


def test_watching_with_json_is_one_object_a_line(capsys):
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as server:
        ended = threading.Event()

        def act():
            for _ in range(100):
                httpx2.post(f"{server.url}/sessions", json={"node_id": "n"})
                if ended.wait(0.1):
                    return

        acting = threading.Thread(target=act)
        acting.start()
        code, out, _ = call(capsys, "watch", "--json", "--count", "2", "--url", server.url)
        ended.set()
        acting.join()
    assert code == 0
    assert [json.loads(line)["event_type"] for line in out.splitlines()] == ["state.snapshot", "session.created"]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_tables_fit_the_terminal(capsys, memory, monkeypatch, width):
    place, _ = memory
    monkeypatch.setattr(console, "width", width)
    for arguments in (["nodes"], ["history", "--node", LONG], ["keys", "list"], ["top", "--once"]):
        code, out, _ = call(capsys, *arguments, "--data", place)
        assert code == 0
        wide = [line for line in out.splitlines() if cell_len(line) > width]
        assert wide == [], arguments
        assert width < 120 or "No room for: " not in out, arguments
        if arguments == ["nodes"]:
            assert "[bold]n" in out, "text is text, not markup"


def test_what_is_whole_stays_whole_and_the_least_needed_goes_first(monkeypatch):
    fields = (Field("id"), Field("text", folds=True), Field("when", goes=2), Field("who", goes=1))
    row = ("key-0123456789ab", "long " * 20, "2026-01-01 12:00:00", "session-0123456789ab")
    gone = []
    for width in (120, 90, 70, 50, 20):
        monkeypatch.setattr(console, "width", width)
        table, sentence = fitted(fields, [row])
        with console.capture() as captured:
            console.print(table)
        text = captured.get()
        assert max(map(cell_len, text.splitlines())) <= width
        gone.append(re.findall(r"when|who", sentence))
        if width >= 50:
            assert row[0] in text
    assert gone == [[], [], ["when"], ["when", "who"], ["when", "who"]]
