"""Opening a storage by its location: the only file that knows every backend."""

from __future__ import annotations

from pathlib import Path

from kato.errors import StorageUnavailable
from kato.storage.interface import Storage
from kato.storage.memory import MemoryStorage
from kato.storage.sqlite import SqliteStorage

FILE_NAME = "kato.db"


def open_storage(location: str) -> Storage:
    """
    The storage at a location.

    Args:
        location: ":memory:"; a directory, which holds kato.db; a path ending in .db; or `sqlite:///` and such a path.

    Raises:
        StorageInUse: Another process has it open.
        StorageUnavailable: The location is not understood or cannot be opened.
        StoredDataCorrupt: What is there is not ours.
    """
    if location == ":memory:":
        return MemoryStorage()
    scheme, separator, rest = location.partition("://")
    if separator and scheme != "sqlite":
        raise StorageUnavailable(
            f"There is no storage called {scheme!r}; a location is :memory:, a directory, or a path ending in .db"
        )
    path = Path(rest.removeprefix("/") if separator and rest.startswith("/") and not rest.startswith("//") else rest)
    path = path if separator else Path(location)
    if path.suffix != ".db":
        path = path / FILE_NAME
    return SqliteStorage(path.expanduser())
