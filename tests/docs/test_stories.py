"""The stories are run as they are written, and must print what they show."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kato.settings import Settings
from serving import running

STORIES = Path(__file__).parents[2] / "docs" / "stories"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = [
    pytest.param(body, id=f"{page.stem}: {title}")
    for page in sorted(STORIES.glob("*.md"))
    for title, body in SECTION.findall(page.read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module")
def server():
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as found:
        yield found


def at(server, text):
    """The same for a server elsewhere."""
    text = re.sub(
        r"(?<![/\w])localhost:8000", f"127.0.0.1:{server.port}", text.replace("http://localhost:8000", server.url)
    )
    text = text.replace("ws://localhost:8000", f"ws://127.0.0.1:{server.port}")
    return re.sub(r"\b((?:Async)?KATOClient)\(\)", rf'\1("{server.url}")', text)


def run_python(text):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "story", "exec"), {"__name__": "story"})  # the page is ours, and it is what is tested
    return printed.getvalue()


def run_shell(text, directory):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        capture_output=True,
        text=True,
        cwd=directory,
        env={**os.environ, "PATH": path, "HOME": str(directory)},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shows(shown: Any, value: Any, place: str = "answer") -> None:
    """`shown` may leave out members, and ends of strings where it has `…`."""
    if isinstance(shown, dict):
        assert isinstance(value, dict), f"{place} is {value!r}"
        for name, member in shown.items():
            assert name in value, f"{place} has no {name}"
            shows(member, value[name], f"{place}.{name}")
    elif isinstance(shown, list):
        assert isinstance(value, list), f"{place} is {value!r}"
        assert len(value) == len(shown), f"{place} is {value!r}"
        for position, member in enumerate(shown):
            shows(member, value[position], f"{place}[{position}]")
    elif isinstance(shown, str) and "…" in shown:
        assert re.fullmatch(".*".join(map(re.escape, shown.split("…"))), value), f"{place} is {value!r}"
    else:
        assert value == shown, f"{place} is {value!r}"


@pytest.mark.parametrize("body", SECTIONS)
def test_a_story_does_what_it_says(server, body, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (language, program), (kind, shown) = BLOCK.findall(body)
    program = at(server, program)
    if language == "python":
        assert kind == "text"
        assert run_python(program) == shown
        return
    assert (language, kind) == ("sh", "json")
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    shows(json.loads(shown), json.loads(run_shell(program, tmp_path).splitlines()[-1]))


def test_there_are_enough_of_them_and_each_page_is_listed():
    assert len(SECTIONS) >= 30
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (STORIES / "README.md").read_text(encoding="utf-8"))
    assert {*listed, "README.md"} == {page.name for page in STORIES.glob("*.md")}
