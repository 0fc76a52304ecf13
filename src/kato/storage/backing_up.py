"""
Backups: a directory with one moment of a database and a manifest that says what it must hold.

The moment is read through a connection of its own, which needs no permission of the process that holds the data directory
and keeps nobody from writing. The copy is checked as a whole before it is called a backup.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kato.errors import StorageUnavailable, StoredDataCorrupt
from kato.storage import schema
from kato.storage.checking import check_file, reading
from kato.storage.files import SIDE_FILES, flush, made_beside, snapshots_of
from kato.storage.holding import Hold, lock_of
from kato.storage.sqlite_errors import DATABASE_ERRORS, translated

DATABASE = "kato.db"
MANIFEST = "backup.json"
_PIECE = 1 << 20
_COUNTS = ("nodes", "patterns", "log_rows", "sessions", "size_bytes")


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds."""

    nodes: int
    patterns: int
    log_rows: int
    sessions: int
    size_bytes: int
    sha256: str


def make_backup(source: Path, directory: Path) -> Backup:
    """
    Copy one moment of a database, which may be in use, into a new directory.

    Args:
        source: The database file.
        directory: Must not exist; it appears when the backup is whole, and never before.

    Raises:
        StorageUnavailable: There is nothing to copy, or no place to copy it to.
        StoredDataCorrupt: What was copied is not sound; there is no backup then.
    """
    if directory.exists():
        raise StorageUnavailable(
            f"{directory} exists already; a backup never replaces anything, name another directory"
        )
    making = directory.with_name(directory.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    try:
        making.mkdir(parents=True)
        copy = making / DATABASE
        _copy_moment(source, copy)
        checked = check_file(copy)
        if checked.findings:
            told = "; ".join(finding.sentence for finding in checked.findings[:3])
            raise StoredDataCorrupt(f"{source} is not sound, so no backup was made of it: {told}")
        backup = Backup(
            checked.nodes,
            checked.patterns,
            checked.log_rows,
            checked.sessions,
            copy.stat().st_size,
            digest_of(copy),
        )
        _write_manifest(making / MANIFEST, backup)
        flush(copy)
        flush(making)
        os.replace(making, directory)
        flush(directory.parent)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return backup


def _copy_moment(source: Path, copy: Path) -> None:
    with reading(source) as connection:
        try:
            # Within one read transaction, so the copy is one moment, however long it takes and whatever is written.
            target = sqlite3.connect(copy, isolation_level=None)
            try:
                connection.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")  # one file alone, readable from a medium without locks
            finally:
                target.close()
        except DATABASE_ERRORS as error:
            failure = translated(error, f"It cannot be copied: {error}")
            raise type(failure)(f"{source}: {failure.message}") from error


def _write_manifest(path: Path, backup: Backup) -> None:
    document = {
        "kato_backup": 1,
        "format": schema.VERSION,
        "database": DATABASE,
        "size_bytes": backup.size_bytes,
        "sha256": backup.sha256,
        "nodes": backup.nodes,
        "patterns": backup.patterns,
        "log_rows": backup.log_rows,
        "sessions": backup.sessions,
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    flush(path)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def read_backup(directory: Path) -> Backup:
    """
    What a backup holds, after its database was compared with its manifest.

    Raises:
        StorageUnavailable: There is no backup.
        StoredDataCorrupt: The database is not the one the manifest describes.
    """
    manifest = directory / MANIFEST
    if not manifest.is_file():
        raise StorageUnavailable(f"There is no backup at {directory}: it has no {MANIFEST}")
    try:
        document: Any = json.loads(manifest.read_text(encoding="utf-8"))
        nodes, patterns, log_rows, sessions, size = (int(document[name]) for name in _COUNTS)
        backup = Backup(nodes, patterns, log_rows, sessions, size, str(document["sha256"]))
        form = int(document["format"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoredDataCorrupt(f"{manifest} is damaged; use another backup") from error
    schema.check_format(form, directory)
    database = directory / DATABASE
    if not database.is_file() or digest_of(database) != backup.sha256:
        raise StoredDataCorrupt(
            f"{database} is not what {MANIFEST} says, it was damaged or changed; use another backup"
        )
    return backup


def restore(directory: Path, target: Path) -> Backup:
    """
    Put a backup's database where a memory is opened from.

    Args:
        target: The database file; must not exist.

    Raises:
        StorageInUse: A process holds the target.
        StorageUnavailable: There is no backup, or a memory at the target.
        StoredDataCorrupt: The backup is damaged; nothing was written.
    """
    backup = read_backup(directory)
    target = target.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"The directory {target.parent} cannot be made: {error.strerror}") from error
    hold = Hold(lock_of(target))
    try:
        for ending in ("", *SIDE_FILES):
            if target.with_name(target.name + ending).exists():
                raise StorageUnavailable(
                    f"There is a memory at {target} already; move it away first, or name another directory"
                )
        shutil.rmtree(snapshots_of(target), ignore_errors=True)  # of a memory that is gone
        with made_beside(target) as making:
            shutil.copyfile(directory / DATABASE, making)
            if digest_of(making) != backup.sha256:
                raise StoredDataCorrupt(f"What arrived at {making} is not what was read; try again or use another disk")
            _prepare(making)
    finally:
        hold.release()
    return backup


def _prepare(path: Path) -> None:
    """A database for use has a write-ahead log; a backup has none."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except DATABASE_ERRORS as error:
        raise translated(error, "The restored database cannot be opened") from error
    finally:
        connection.close()
