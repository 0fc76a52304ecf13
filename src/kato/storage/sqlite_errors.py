"""What SQLite raises, turned into what we raise: the edge where one becomes the other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from kato.errors import StorageError, StorageFull, StorageUnavailable, StoredDataCorrupt

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
DATABASE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What a call may raise; the second where SQLite's own sentence quotes damaged text."""
_SILENT = "The database does not answer; nothing was changed"


@contextmanager
def mapped() -> Iterator[None]:
    """No sentence holds a path or a statement: callers of a server may see it."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise silenced(error) from error


def silenced(error: Exception) -> StorageError:
    """Our error for one of SQLite's, without any of what that says."""
    return translated(error, _SILENT)


def translated(error: Exception, otherwise: str) -> StorageError:
    """
    Our error for one of SQLite's.

    Args:
        otherwise: The sentence for a database that is sound and has room, and yet refuses.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Python's own complaint, which only damage explains: text that is not UTF-8.
        damaged = isinstance(error, UnicodeDecodeError) or "decode" in str(error)
    else:
        damaged = code & 0xFF in _CORRUPT
    if damaged:
        return StoredDataCorrupt("The database file is damaged; restore a backup")
    if code is not None and code & 0xFF == sqlite3.SQLITE_FULL:
        return StorageFull("There is no room left to store the change; nothing was changed")
    return StorageUnavailable(otherwise)


def is_of_the_storage(error: Exception) -> bool:
    """
    Whether an error concerns the place itself and so every transaction of a group.

    Values that SQLite will not take (too big, of a wrong type, against a constraint) concern the one that brought them.
    """
    if isinstance(error, (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)):
        return False
    return isinstance(error, (*DATABASE_ERRORS, StorageError))
