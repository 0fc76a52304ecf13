"""Files that must be whole or not there: written beside their place, flushed to the disk, then moved into it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, by the ending of its name."""


def snapshots_of(database: Path) -> Path:
    """The directory beside a database for what follows from it and only spares time."""
    return database.with_name(database.name + ".snapshots")


def flush(path: Path) -> None:
    """Wait until a file, or the names in a directory, would survive the loss of power."""
    if os.name == "nt" and path.is_dir():  # pragma: no cover - there a directory cannot be opened, nor need it be
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_database(path: Path) -> None:
    """Remove a database and what lies beside it; nothing happens where there is none."""
    for ending in ("", *SIDE_FILES):
        path.with_name(path.name + ending).unlink(missing_ok=True)


@contextlib.contextmanager
def made_beside(path: Path) -> Iterator[Path]:
    """
    A name beside `path` to make a database under; when the block ends well it is flushed and takes its place.

    What lay beside `path` must have been moved away by then; what stood at `path` itself is replaced.
    """
    making = path.with_name(path.name + ".making")
    remove_database(making)
    try:
        yield making
        flush(making)
        for ending in SIDE_FILES:
            making.with_name(making.name + ending).unlink(missing_ok=True)
        os.replace(making, path)
        flush(path.parent)
    finally:
        remove_database(making)
