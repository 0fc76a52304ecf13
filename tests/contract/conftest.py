from __future__ import annotations

import pytest

from kato.storage.memory import MemoryStorage
from kato.storage.sqlite import SqliteStorage


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    """Every storage; the suite never names one."""
    found = MemoryStorage() if request.param == "memory" else SqliteStorage(tmp_path / "kato.db")
    yield found
    found.close()
