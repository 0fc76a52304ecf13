"""
Snapshots of nodes: written while nobody waits, used when a node is loaded.

A node's snapshot is written again when what has changed since would take noticeably long to catch up with: after many changes,
and when the node leaves memory. Writing has a thread of its own, as it waits for the disk.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

from kato.engine.knowledge import Knowledge, OpenableKnowledge
from kato.errors import StorageError
from kato.service.background import Background
from kato.storage import snapshots
from kato.storage.interface import Storage

_log = logging.getLogger("kato.service.snapshots")
_LEAST = 5000
"""Changes that are worth a snapshot, whatever the node's size: below, catching up takes no noticeable time."""
_PART = 4
"""Of a large node, a snapshot is due when this part of it has changed: growing, it is written a few times over in all."""
_LEAST_LEAVING, _PART_LEAVING = 1000, 50
"""The same when a node leaves memory, and its next loading may be what somebody waits for."""
_RESERVE = 64 * 2**20
"""Bytes that are left free on the disk, for what must be kept."""


@dataclass(slots=True)
class Saved:
    """How a node's snapshot stands. Sequences of its log."""

    sequence: int = 0
    """What the newest snapshot stands for; 0 for none."""
    due: int = field(default_factory=lambda: _LEAST)
    """When the next one is due."""


class Snapshots:
    """
    Reads and writes the snapshots of a storage.

    Args:
        place: Its directory for them.
    """

    def __init__(self, storage: Storage, place: Path) -> None:
        self._storage = storage
        self._place = place
        self._background = Background("kato-snapshots")
        self._guard = threading.Lock()
        self.written = 0
        """Snapshots written so far."""
        self.used = 0
        """Loadings that a snapshot served."""
        self.discarded = 0
        """Snapshots thrown away."""
        snapshots.remove_unfinished(place)

    # --- reading ---

    def bring_back(self, node_id: str, knowledge: Knowledge) -> Saved | None:
        """
        Fill an empty knowledge from the node's snapshot and the log since; how that snapshot stands.

        None without a snapshot, or with one that is thrown away: the knowledge is spoilt then.
        """
        path = snapshots.path_of(self._place, node_id)
        if not isinstance(knowledge, OpenableKnowledge) or not path.exists():
            return None
        try:
            sequence = snapshots.bring_back(path, knowledge, self._storage.since).sequence
        except snapshots.Unusable as error:
            self._discard(path, node_id, str(error))
            return None
        with self._guard:
            self.used += 1
        return Saved(sequence, sequence + _changes(knowledge, _LEAST, _PART))

    def _discard(self, path: Path, node_id: str, reason: str) -> None:
        _log.warning(
            "The snapshot of node %r was thrown away: %s. The node is read from its rows", node_id[:200], reason
        )
        with self._guard:
            self.discarded += 1
        with contextlib.suppress(OSError):  # it will be refused again, and overwritten by the next one
            path.unlink(missing_ok=True)

    # --- writing ---

    def due(self, node_id: str, knowledge: Knowledge, saved: Saved) -> None:
        """Have the node's present state written soon, if enough has changed by then."""
        self._background.due((node_id, id(knowledge)), lambda: self._write(node_id, knowledge, saved))

    def leaving(self, node_id: str, knowledge: Knowledge, saved: Saved) -> None:
        """The node leaves memory: have its state written, unless there is little to catch up with."""
        if knowledge.sequence - saved.sequence >= _changes(knowledge, _LEAST_LEAVING, _PART_LEAVING):
            saved.due = knowledge.sequence
            self.due(node_id, knowledge, saved)

    def _write(self, node_id: str, knowledge: Knowledge, saved: Saved) -> None:
        if knowledge.sequence < saved.due or not isinstance(knowledge, OpenableKnowledge):
            return
        state = knowledge.savable()
        if state is None:
            saved.due = knowledge.sequence + _changes(knowledge, _LEAST, _PART)
            return
        saved.due = state.sequence + _changes(knowledge, _LEAST, _PART)
        try:
            self._refuse_when_full(2 * knowledge.cost.total + _RESERVE)
            (entry,) = self._storage.log(node_id, after=state.sequence - 1, limit=1)
            snapshots.write(self._place, node_id, state, entry.hash)
        except (OSError, StorageError) as error:
            _log.warning("No snapshot of node %r was written: %s", node_id[:200], error)
            return
        saved.sequence = state.sequence
        with self._guard:
            self.written += 1

    def _refuse_when_full(self, needed: int) -> None:
        free = shutil.disk_usage(self._place.parent).free
        if free < needed:
            raise OSError(f"the disk has {free:,} bytes free, and should have {needed:,}")

    def close(self) -> None:
        """Write what waits to be written and end the thread."""
        self._background.close()


def _changes(knowledge: Knowledge, least: int, part: int) -> int:
    return max(least, knowledge.view().totals.patterns // part)
