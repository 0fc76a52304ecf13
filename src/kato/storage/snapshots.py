"""
Files beside a storage that spare making a node from its rows: one per node, each one state of it.

Such a file is only ever a shortcut. It says which node it is of and which row of the node's log it stands for, by that row's
hash; it is used together with what the log tells of since, or not at all. All of them may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kato.engine.knowledge import CannotOpen, OpenableKnowledge, Savable
from kato.storage.files import made_beside
from kato.storage.interface import OtherLog, Since

_ENDING = ".snapshot"
_MAKING = ".making"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_LONGEST = 200
"""Characters of a quoted node id that make a file name; file systems take 255 bytes."""
_FEW = 10_000
"""So many patterns may have changed since, however small the node."""


class Unusable(Exception):
    """
    A snapshot cannot be used; the message says why.

    Args:
        is_old: It is sound, and what came after it left too little of it.
    """

    def __init__(self, message: str, *, is_old: bool = False) -> None:
        super().__init__(message)
        self.is_old = is_old


def path_of(place: Path, node_id: str) -> Path:
    """
    The file of a node. Two nodes never meet in one, also where a file system does not tell capitals from small letters.

    >>> path_of(Path("snapshots"), "Tea/2").as_posix()
    'snapshots/%54ea%2F2.snapshot'
    """
    quoted = "".join(
        letter if letter in _PLAIN else "".join(f"%{byte:02X}" for byte in letter.encode()) for letter in node_id
    )
    if len(quoted) > _LONGEST:  # no quoted name begins like this
        quoted = "=" + hashlib.sha256(node_id.encode()).hexdigest()
    return place / (quoted + _ENDING)


def listed(place: Path) -> list[Path]:
    """Every snapshot there is, by name."""
    return sorted(place.glob(f"*{_ENDING}"))


def remove_unfinished(place: Path) -> None:
    """Remove what a process left that ended while it wrote."""
    for path in place.glob(f"*{_ENDING}{_MAKING}"):
        path.unlink(missing_ok=True)


def write(place: Path, node_id: str, state: Savable, digest: bytes) -> Path:
    """
    Put a state of a node into its file, whole or not at all.

    Args:
        digest: The hash of the log row that the state stands for.

    Raises:
        OSError: It cannot be written; a file from before is still there.
    """
    path = path_of(place, node_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    origin = json.dumps({"node": node_id, "hash": digest.hex()}).encode()
    with made_beside(path) as making:
        state.save(str(making), origin)
    return path


@dataclass(frozen=True, slots=True)
class Brought:
    """What a snapshot was, and what was added to it."""

    node_id: str
    sequence: int
    """Of the node's log; what it stood for."""
    renewed: int
    """Patterns that were brought up to date."""


def bring_back(path: Path, knowledge: OpenableKnowledge, since: Callable[[str, int, bytes], Since]) -> Brought:
    """
    Fill an empty knowledge from a node's file and what has changed since.

    Args:
        since: `Storage.since`.

    Raises:
        Unusable: The file is damaged, of another node or another log, or too old to be of use. The knowledge is spoilt.
        StoredDataCorrupt: What the storage has since is not what was written.
    """
    try:
        origin = json.loads(knowledge.open(str(path)))
        node_id, digest = origin["node"], bytes.fromhex(origin["hash"])
        if path_of(path.parent, node_id) != path:
            raise Unusable(f"it is of another node, {node_id[:200]!r}")
        sequence = knowledge.sequence
        changes = since(node_id, sequence, digest)
        if changes.count > max(_FEW, changes.patterns):
            raise Unusable(f"it is too old: {changes.count} patterns have changed since", is_old=True)
        knowledge.renew(changes.present, changes.count, changes.head)
    except OtherLog as error:
        raise Unusable(str(error), is_old=error.later) from error
    except CannotOpen as error:
        raise Unusable(str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unusable("it does not say which node it is of") from error
    found = knowledge.view().totals.patterns
    if found != changes.patterns:
        raise Unusable(f"with what came since it has {found} patterns where the node has {changes.patterns}")
    return Brought(node_id, sequence, changes.count)
