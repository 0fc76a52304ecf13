"""
The page in a real browser: Debian's chromium, driven by playwright, against a real server.

Skipped by name where there is no chromium or no playwright: `pip install --group browser`, `apt-get install chromium`.
KATO_BROWSER names another chromium. Screenshots go to `screenshots/`, which git ignores.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from browser.watched import Watched
from kato import Kato
from kato.settings import Settings
from serving import Running, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = os.environ.get("KATO_BROWSER") or shutil.which("chromium")
MANY = int(os.environ.get("KATO_BROWSER_PATTERNS", 100_000))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser each of these tests is skipped, and says why."""
    if CHROMIUM is None:
        skip = pytest.mark.skip(reason="browser tests need chromium: apt-get install chromium")
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(skip)


def sequence(number: int) -> list[list[str]]:
    """The n-th of many sequences, all different: eight events with words that come often and words that come seldom."""
    return [
        [f"w{(number * 7 + step * step) % 997}", f"step{step}"] if step % 3 else [f"n{number}"] for step in range(8)
    ]


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a node of 100,000 patterns."""
    folder = tmp_path_factory.mktemp("large")
    with Kato(folder) as kato:
        kato.learn_all((sequence(number) for number in range(MANY)), "large", batch_size=10_000)
    return folder


@pytest.fixture(scope="session")
def server(large: Path) -> Iterator[Running]:
    with running(Settings(data_dir=str(large), log_level="CRITICAL")) as found:
        yield found


@pytest.fixture
def http(server: Running) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")  # playwright runs an event loop in this thread, which other tests must not meet
def chromium() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Browser, server: Running) -> Iterator[Watched]:
    watched = Watched(chromium, server.url)
    yield watched
    watched.context.close()
    assert watched.wrong == []
