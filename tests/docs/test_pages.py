"""The documentation is run, not trusted."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kato
from building import ask, knowing, only
from kato.engine.prediction import Metrics
from kato.engine.settings import KEYS
from kato.operations import OPERATIONS
from kato.settings import LIMIT_VARIABLES, VARIABLES, Settings
from serving import running

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def server():
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as found:
        yield found


@pytest.mark.parametrize("page", [page for page in PAGES if BLOCK.search(page.read_text())], ids=lambda page: page.name)
def test_the_python_of_a_page_runs_in_order(page, server, tmp_path):
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    program = (
        "\n\n".join(blocks).replace("http://localhost:8000", server.url).replace("http://127.0.0.1:8000", server.url)
    )
    program = re.sub(r"\b(\w*KATOClient)\(\)", rf'\1("{server.url}")', program)
    file = tmp_path / "page.py"
    file.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr


def test_the_readmes_first_prediction_is_what_it_says(tmp_path):
    block = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))[0]
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == re.search(r"# (\[\[.*)", block)[1]


def modules():
    return sorted(found.name for found in pkgutil.walk_packages(kato.__path__, "kato.") if "__main__" not in found.name)


@pytest.mark.parametrize("name", modules())
def test_the_examples_in_docstrings_hold(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_every_metric_has_a_section_with_its_worked_value():
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL))
    metrics = only(ask(knowing("alpha beta gamma"), "alpha beta", affinity_emotive="joy")).metrics
    for field in dataclasses.fields(Metrics):
        worked = [float(value) for value in re.findall(r"`(-?[0-9.]+)`", sections[field.name])]
        assert round(getattr(metrics, field.name), 4) in worked, field.name


def test_what_each_scope_may_is_as_the_page_says():
    """Reads that are no GET, and whatever only an administrator may, are listed one by one; all else follows."""
    page = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")

    def listed(scope):
        row = re.search(rf"^\| `{scope}` \| (.*) \|$", page, re.MULTILINE)[1]
        found = re.findall(r"`([A-Z]+)`(?= and `)|`([A-Z]+) (/[^`]*)`", row)
        pairs, waiting = set(), []
        for alone, method, template in found:
            if alone:
                waiting.append(alone)
                continue
            pairs |= {(each, template) for each in (*waiting, method)}
            waiting = []
        return pairs

    scopes = {(each.method, each.template): each.scope for each in OPERATIONS}
    assert listed("admin") == {operation for operation, scope in scopes.items() if scope == "admin"}
    assert listed("read") == {each for each, scope in scopes.items() if scope == "read" and each[0] != "GET"}
    assert {template for (_, template), scope in scopes.items() if scope is None} == {
        "/",
        "/health",
        "/health/live",
        "/health/ready",
    }


def test_every_setting_is_documented():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for variable in (*VARIABLES, *LIMIT_VARIABLES):
        assert all(f"`{name}`" in page for name in variable.names), variable.names
    for key in KEYS:
        assert f"| `{key.name}` | " in page


def test_every_operation_is_documented():
    page = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8").replace("{id}", "{session_id}")
    for operation in OPERATIONS:
        last = operation.template.rsplit("/", 1)[-1]
        known = operation.template in page or f"…/{last}" in page or "/patterns/{session_id}" in page
        assert known, operation.template


def test_pages_link_to_pages_that_are_there():
    for page in (*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_imports_point_down_only():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout
