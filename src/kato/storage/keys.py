"""
API keys, kept in a small file beside the database: who may call a server, and what each key may touch.

A file of its own, because one process holds the database and keys are made and revoked while it runs. The file is replaced as
a whole, so whoever reads it sees all of one moment; `Keys` notices when it has been replaced. When a key was used last is
written by the server alone, to a second file, so that the keys themselves are written only when one is made or revoked.

A key is stored as its SHA-256 alone. It has 256 random bits, so nobody finds it by trying, however fast the hash; a slow hash and
a salt are for passwords, which people choose, and would cost every request what they cost a thief.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from kato.errors import StorageInUse, StorageUnavailable, StoredDataCorrupt
from kato.storage.files import flush
from kato.storage.holding import Hold

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""From the least to the most; each may what those before it may."""
_FORMAT = 1
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key; never the key itself."""

    key_id: str
    """Names it in lists, logs and the histories of nodes; no secret."""
    name: str
    scope: Scope
    prefixes: tuple[str, ...]
    """Node ids it may touch begin with one of these; none: all nodes."""
    sha256: str
    created_at: int
    """Microseconds since 1970."""
    revoked_at: int | None = None
    created_by: str | None = None
    """The id of the key whose holder made it over HTTP; None for `kato keys`."""
    revoked_by: str | None = None


def fingerprint(key: str) -> str:
    """What a key is known by."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def keys_beside(database: Path) -> Path:
    """The file of the keys that belong to a database."""
    return database.with_suffix(".keys.json")


class KeyFile:
    """
    The keys that belong to a database.

    Raises (any method): StorageUnavailable when the file cannot be read or written, StoredDataCorrupt when it does not hold
    keys. The sentences name the path, for they are read by whoever administers the server.
    """

    def __init__(self, database: Path) -> None:
        self.path = keys_beside(database)
        self._name = str(self.path)
        self._uses = self.path.with_suffix(".used.json")

    def read(self) -> tuple[Key, ...]:
        """All keys ever made, revoked ones too, oldest first; none where there is no file."""
        document = _read(self.path)
        if document is None:
            return ()
        try:
            return tuple(_key(entry) for entry in document["keys"])
        except (KeyError, TypeError, ValueError) as error:
            raise StoredDataCorrupt(
                f"{self.path} does not hold keys; restore it, or remove it and make new ones"
            ) from error

    def create(self, name: str, scope: Scope, prefixes: Sequence[str], by: str | None = None) -> tuple[str, Key]:
        """Make a key; returns it, which nobody can do again, and what is kept of it. `by`: the id of the maker's key."""
        secret = f"kato_{secrets.token_urlsafe(32)}"
        made = Key(
            key_id=f"key-{secrets.token_hex(6)}",
            name=name,
            scope=scope,
            prefixes=tuple(dict.fromkeys(prefixes)),
            sha256=fingerprint(secret),
            created_at=time.time_ns() // 1000,
            created_by=by,
        )
        with self._changing() as keys:
            self._write([*keys, made])
        return secret, made

    def revoke(self, named: str, by: str | None = None) -> Key | None:
        """
        Revoke a key by its id, or by a name that one usable key alone has; None where there is no such usable key.

        It stays in the file, so that whoever reads a history can tell whose key it was.
        """
        with self._changing() as keys:
            usable = [key for key in keys if key.revoked_at is None]
            by_id = [key for key in usable if key.key_id == named]
            found = by_id or [key for key in usable if key.name == named]
            if len(found) != 1:
                return None
            revoked = replace(found[0], revoked_at=time.time_ns() // 1000, revoked_by=by)
            self._write([revoked if key is found[0] else key for key in keys])
        return revoked

    def read_uses(self) -> dict[str, int]:
        """When each key was used last, by its id, as far as the server has written it down; microseconds since 1970."""
        document = _read(self._uses) or {}
        return {name: at for name, at in document.items() if isinstance(at, int)}

    def write_uses(self, uses: Mapping[str, int]) -> None:
        """Write down when keys were used last. Only the process that holds the database does this."""
        _replace(self._uses, dict(uses))

    def stamp(self) -> tuple[int, int, int] | None:
        """Differs whenever the file has been replaced; None where there is none."""
        try:
            found = os.stat(self._name)  # every request asks
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageUnavailable(f"{self.path} cannot be read: {error.strerror}") from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    @contextlib.contextmanager
    def _changing(self) -> Iterator[tuple[Key, ...]]:
        """The keys as they are, while nobody else changes them."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"The directory {self.path.parent} cannot be made: {error.strerror}") from error
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                hold = Hold(self.path.with_name(self.path.name + ".lock"))
                break
            except StorageInUse as error:
                if time.monotonic() > deadline:
                    raise StorageUnavailable(f"{self.path} is being changed by somebody else; try again") from error
                time.sleep(0.02)
        try:
            yield self.read()
        finally:
            hold.release()

    def _write(self, keys: Sequence[Key]) -> None:
        _replace(self.path, {"kato_keys": _FORMAT, "keys": [asdict(key) for key in keys]})


def _key(entry: Mapping[str, Any]) -> Key:
    found = Key(**{**entry, "prefixes": tuple(entry["prefixes"])})
    texts = (found.key_id, found.name, found.sha256, *found.prefixes, found.created_by or "", found.revoked_by or "")
    if not all(isinstance(text, str) for text in texts) or found.scope not in SCOPES or not found.sha256:
        raise ValueError(found.key_id)
    return found


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise StoredDataCorrupt(f"{path} is damaged; restore it, or remove it and make new keys") from error
    if not isinstance(document, dict):
        raise StoredDataCorrupt(f"{path} is damaged; restore it, or remove it and make new keys")
    return document


def _replace(path: Path, document: Mapping[str, Any]) -> None:
    """Put a document in the place of a file, whole or not at all, readable by its owner alone."""
    making = path.with_name(path.name + ".making")
    try:
        making.unlink(missing_ok=True)
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(making, path)
        flush(path.parent)
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be written: {error.strerror}") from error
