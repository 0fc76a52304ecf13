"""docs/metrics.md: a section for each metric, and examples that run."""

from __future__ import annotations

import doctest
import re
from dataclasses import fields
from pathlib import Path

import pytest

from kato.engine.prediction import Metrics
from kato.engine.settings import RANKINGS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "metrics.md"


def sections() -> dict[str, str]:
    """Heading → the text below it."""
    _, *found = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(found[::2], found[1::2], strict=True))


@pytest.mark.parametrize("metric", [field.name for field in fields(Metrics)])
def test_every_metric_has_a_section_with_a_number(metric: str) -> None:
    assert re.search(r"\d", sections()[metric])


def test_every_ranking_is_documented() -> None:
    assert set(RANKINGS) - {"frequency"} <= set(sections())


def test_every_link_of_the_page_finds_its_section() -> None:
    anchors = {heading.replace(" ", "-") for heading in sections()}
    linked = set(re.findall(r"\]\(#([^)]+)\)", PAGE.read_text(encoding="utf-8")))
    assert linked <= anchors


def test_every_source_named_in_the_code_is_there() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    named = set(re.findall(r"docs/metrics\.md#(\w+)", code))
    assert named
    assert named <= set(sections())


def test_the_examples_run() -> None:
    failed, attempted = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert failed == 0
    assert attempted > 20
