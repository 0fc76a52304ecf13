"""Opening a storage by its location: the only file that knows every backend."""

from __future__ import annotations

from pathlib import Path

from kato.errors import StorageUnavailable
from kato.storage.interface import Storage
from kato.storage.keys import KeyFile
from kato.storage.memory import MemoryStorage
from kato.storage.sqlite import SqliteStorage

FILE_NAME = "kato.db"


def open_storage(location: str | Path) -> Storage:
    """
    The storage at a location.

    Args:
        location: ":memory:"; a directory, which holds kato.db; a path ending in .db; or `sqlite:///` and such a path.

    Raises:
        StorageInUse: Another process has it open.
        StorageUnavailable: The location is not understood or cannot be opened.
        StoredDataCorrupt: What is there is not ours.
    """
    path = _path_of(location)
    return MemoryStorage() if path is None else SqliteStorage(path)


def key_file(location: str | Path) -> KeyFile | None:
    """
    The API keys of the storage at a location; None where nothing is kept.

    Raises:
        StorageUnavailable: The location is not understood.
    """
    path = _path_of(location)
    return KeyFile(path) if path is not None else None


def _path_of(location: str | Path) -> Path | None:
    """The database file that a location means; None for a storage that is kept nowhere."""
    if isinstance(location, Path):
        return database_at(location)
    if location == ":memory:":
        return None
    scheme, separator, rest = location.partition("://")
    if not separator and location:
        return database_at(location)
    if scheme != "sqlite" or rest in {"", "/"}:
        raise StorageUnavailable(
            f"{location!r} is no place to keep things; a location is :memory:, a directory, or a path ending in .db"
        )
    # After sqlite:/// comes a path: sqlite:///notes.db is relative, sqlite:////srv/notes.db absolute.
    return database_at(rest.removeprefix("/"))


def database_at(location: str | Path) -> Path:
    """The database file that a directory or a path ending in .db means."""
    path = Path(location).expanduser()
    return path if path.suffix == ".db" else path / FILE_NAME
