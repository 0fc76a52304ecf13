"""The rows of the table of nodes: how they are read, and that they are what was written."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from kato.errors import StoredDataCorrupt
from kato.storage import records
from kato.storage.interface import NodeInfo

NODE_COLUMNS = "id, node_id, head, hash, patterns, created_at, changed_at, checksum"


class NodeRow(NamedTuple):
    """One node as it is stored."""

    number: int
    node_id: str
    head: int
    """Sequence of the newest log row."""
    hash: bytes
    """Of that row."""
    patterns: int
    created_at: int
    changed_at: int

    @property
    def checksum(self) -> int:
        """What is stored beside it."""
        return records.facts(self.node_id, self.head, self.hash, self.patterns, self.created_at, self.changed_at)

    @property
    def info(self) -> NodeInfo:
        """What others are told of it."""
        return NodeInfo(self.node_id, self.patterns, self.head, self.created_at, self.changed_at)


def read_node_row(connection: sqlite3.Connection, node_id: str) -> NodeRow | None:
    """
    The row of a node; None for one that has never learned.

    Raises:
        StoredDataCorrupt: It is not what was written.
    """
    row = connection.execute(f"SELECT {NODE_COLUMNS} FROM node WHERE node_id = ?", (node_id,)).fetchone()
    return checked_node_row(row) if row is not None else None


def checked_node_row(row: Sequence[Any]) -> NodeRow:
    """A node out of its row (NODE_COLUMNS); raises StoredDataCorrupt where it is not what was written."""
    node = NodeRow(*row[:-1])
    if node.checksum != row[-1]:
        raise damaged_node(node.node_id)
    return node


def damaged_node(node_id: object) -> StoredDataCorrupt:
    """The error for a row that is not what was written."""
    return StoredDataCorrupt(f"The row of node {node_id!r:.200} is damaged; restore a backup, or see `kato repair`")
