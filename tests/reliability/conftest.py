from __future__ import annotations

from pathlib import Path

import pytest

from reliability.histories import copied, make


@pytest.fixture(scope="package")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a closed memory; copied, never opened."""
    return make(tmp_path_factory.mktemp("original"))


@pytest.fixture
def database(original: Path, tmp_path: Path) -> Path:
    """A copy of it, to do anything with."""
    return copied(original, tmp_path / "memory")
