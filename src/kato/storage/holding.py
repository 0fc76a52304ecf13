"""A lock that one process holds on a data directory; the operating system lets go of it when the process ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kato.errors import StorageInUse, StorageUnavailable

if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
    import msvcrt

    _BUSY = (PermissionError,)

    def _lock(descriptor: int) -> None:
        # Locked bytes cannot be read by others there, so the lock lies beyond the text that names the holder.
        os.lseek(descriptor, 1024, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    _BUSY = (BlockingIOError,)

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Hold:
    """
    Holds a lock file until `release` or the end of the process.

    Raises:
        StorageInUse: Somebody else holds it.
        StorageUnavailable: The file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError as error:
            raise StorageUnavailable(f"{path} cannot be opened: {error.strerror}") from error
        try:
            _lock(self._descriptor)
        except _BUSY as error:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise StorageInUse(_in_use(path.parent, holder)) from error
        except OSError as error:
            os.close(self._descriptor)
            raise StorageUnavailable(
                f"{path} cannot be locked: {error.strerror}; a memory must lie on a file system with locks"
            ) from error
        try:
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, str(os.getpid()).encode())
        except OSError as error:
            os.close(self._descriptor)
            raise StorageUnavailable(f"{path} cannot be written: {error.strerror}") from error

    def release(self) -> None:
        """Let go."""
        os.close(self._descriptor)


def _in_use(directory: Path, holder: str) -> str:
    if holder == str(os.getpid()):
        return f"{directory} is open in this program already (process {holder}); use that memory, or close it first"
    return (
        f"{directory} is in use by process {holder}; only one process may open a memory. "
        "Stop that process, talk to it over HTTP, or name another directory"
    )


def lock_of(database: Path) -> Path:
    """The lock file of a database."""
    return database.with_name(database.name + ".lock")


def is_held(database: Path) -> bool:
    """Whether some process has a memory open now."""
    lock = lock_of(database.resolve())
    if not lock.exists():
        return False
    try:
        Hold(lock).release()
    except StorageInUse:
        return True
    return False
