"""Whether the snapshots beside a database are what its logs say; reads alone, also while a server goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from kato.engine.knowledge import OpenableKnowledge
from kato.engine.matching import native_knowledge
from kato.errors import StorageError
from kato.storage import snapshots, sqlite_reading
from kato.storage.checking import Checked, check_file, reading
from kato.storage.files import snapshots_of
from kato.storage.interface import Since
from kato.storage.sqlite_since import read_since


def check_all(database: Path) -> Checked:
    """`checking.check_file`, and every snapshot beside it."""
    checked = check_file(database)
    for path, wrong in check_snapshots(database):
        checked.snapshots += 1
        if wrong is not None:
            checked.add(f"The snapshot {path} is of no use: {wrong}", derived=True)
    return checked


def check_snapshots(database: Path) -> Iterator[tuple[Path, str | None]]:
    """
    Every snapshot, and what is wrong with it; None for one that stands for what the node's rows say, or did once.

    Without the kernel, which alone reads them, none is looked at.
    """
    try:
        engine = native_knowledge()
    except ImportError:  # `kato doctor` tells of a kernel that cannot be loaded
        engine = None
    if engine is None:
        return
    for path in snapshots.listed(snapshots_of(database)):
        knowledge = engine()
        assert isinstance(knowledge, OpenableKnowledge)
        try:
            yield path, _wrong(path, knowledge, database)
        except StorageError:
            yield path, None  # what is wrong is in the database


def remove_bad(database: Path) -> list[str]:
    """Remove the snapshots that are wrong; what was wrong with each."""
    removed = []
    for path, wrong in check_snapshots(database):
        if wrong is not None:
            path.unlink(missing_ok=True)
            removed.append(f"The snapshot {path} was of no use and is gone: {wrong}")
    return removed


def _wrong(path: Path, knowledge: OpenableKnowledge, database: Path) -> str | None:
    with ExitStack() as stack:
        connections: list[sqlite3.Connection] = []

        def since(node_id: str, sequence: int, digest: bytes) -> Since:
            # The moment is chosen after the file was opened: a server may have written it just now.
            connections.append(stack.enter_context(reading(database)))
            return read_since(connections[0], node_id, sequence, digest, lambda: False)

        try:
            node_id = snapshots.bring_back(path, knowledge, since).node_id
        except snapshots.Unusable as error:
            return None if error.is_old else str(error)
        return _differs(connections[0], node_id, knowledge)


def _differs(connection: sqlite3.Connection, node_id: str, knowledge: OpenableKnowledge) -> str | None:
    """What differs between a knowledge and the rows of its node."""
    for pattern in sqlite_reading.read_patterns(connection, node_id):
        if knowledge.pattern(pattern.name) != pattern:
            return f"pattern {pattern.name} of node {node_id[:200]!r} is another in it"
    (number,) = connection.execute("SELECT id FROM node WHERE node_id = ?", (node_id,)).fetchone()
    found, due = (
        knowledge.view().totals.vectors,
        sum(held.components is not None for held in sqlite_reading.read_vectors(connection, number, node_id).values()),
    )
    return None if found == due else f"it has {found} vectors, node {node_id[:200]!r} has {due}"
