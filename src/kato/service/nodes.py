"""
The nodes held in memory: what each has learned, ready to be asked.

A node is loaded from the storage on first use and then follows the storage's change feed. The committing thread applies
every change before the commit is acknowledged, so a question asked after an acknowledgement always sees it.

When the nodes in memory take more than the budget, those used longest ago are let go; they are loaded again when they are next
asked. Views keep what they show, so letting a node go disturbs nobody. The one used last stays, whatever it takes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from kato.engine.knowledge import Change, Cost, Knowledge, OpenableKnowledge, View
from kato.service.background import Background
from kato.service.runtime import Runtime
from kato.service.snapshots import Saved, Snapshots
from kato.service.upkeep import Upkeep
from kato.storage.interface import Storage

_WEIGHED = 500
"""Changes of a node after which the budget is looked at again: that many cost some hundred kilobytes."""


@dataclass(slots=True)
class LoadedNode:
    """One node in memory. `ready` resolves when it has been loaded; changes committed meanwhile wait in `pending`."""

    node_id: str
    knowledge: Knowledge
    ready: Future[None] = field(default_factory=Future)
    pending: list[Change] | None = field(default_factory=list)
    loaded_at: int = 0
    last_accessed: int = 0
    access_count: int = 0
    saved: Saved = field(default_factory=Saved)
    weigh_at: int = 0
    """The sequence at which the budget is looked at again."""


@dataclass(slots=True)
class Capture:
    """Views of a node right after each change that one session makes, in order."""

    views: list[View] = field(default_factory=list)


class Nodes:
    """Loads nodes on first use and keeps them in step with the storage."""

    def __init__(
        self,
        storage: Storage,
        knowledge: Callable[[], Knowledge],
        runtime: Runtime,
        *,
        memory_budget: int | None = None,
    ) -> None:
        """`memory_budget`: bytes that the nodes in memory may take together; None for no limit."""
        self._storage = storage
        self._make = knowledge
        self._runtime = runtime
        self._guard = threading.Lock()
        self._loaded: dict[str, LoadedNode] = {}
        self._captures: dict[tuple[str, str], Capture] = {}
        self._nothing = knowledge()
        self.budget = memory_budget
        self._upkeep = Upkeep()
        self._weighing = Background("kato-memory")
        place = storage.snapshots if isinstance(self._nothing, OpenableKnowledge) else None
        self.snapshots = Snapshots(storage, place) if place is not None else None
        """None where the storage is not on a disk, or the engine reads no files."""
        self.evicted = 0
        """Nodes let go so far."""
        storage.listen(self._follow)

    async def view(self, node_id: str) -> View:
        """What the node has learned, at one moment; an unknown node is an empty one and stays unknown."""
        with self._guard:
            known = node_id in self._loaded
        if not known and await self._runtime.compute(self._storage.node, node_id) is None:
            return self._nothing.view()
        return (await self.present(node_id)).view()

    async def present(self, node_id: str) -> Knowledge:
        """What a node that the storage knows has learned, as it goes on learning."""
        node = await self._present(node_id)
        node.last_accessed = self._runtime.now()
        node.access_count += 1
        return node.knowledge

    async def _present(self, node_id: str) -> LoadedNode:
        """The node in memory, loaded if it was not."""
        with self._guard:
            node = self._loaded.get(node_id)
            mine = node is None
            if node is None:
                now = self._runtime.now()
                node = LoadedNode(node_id, self._make(), loaded_at=now, last_accessed=now)
                self._loaded[node_id] = node
        if mine:
            await self._runtime.compute(self._load, node)
        elif not node.ready.done():
            await self._runtime.wait(node.ready)
        node.ready.result()
        return node

    def _load(self, node: LoadedNode) -> None:
        try:
            self._fill(node)
            with self._guard:
                node.knowledge.apply(node.pending or ())
                node.pending = None
        except BaseException as error:
            # Whoever waits for this node gets the reason; the next question tries again from the start.
            with self._guard:
                self._loaded.pop(node.node_id, None)
            node.ready.set_exception(error)
            raise
        node.ready.set_result(None)
        self._make_room(node)
        self._look_after(node)

    def _fill(self, node: LoadedNode) -> None:
        """From its snapshot and what came since, or else from its rows."""
        if self.snapshots is not None:
            knowledge = self._make()
            saved = self.snapshots.bring_back(node.node_id, knowledge)
            if saved is not None:
                node.knowledge, node.saved = knowledge, saved
                return
        loaded = self._storage.load(node.node_id)
        node.knowledge.load(loaded.patterns, loaded.vectors, loaded.head)

    def _make_room(self, kept: LoadedNode | None = None) -> None:
        """Let go of the nodes used longest ago while all together take more than the budget; never of `kept`."""
        if self.budget is None:
            return
        nodes = [node for node in self.loaded() if node.ready.done()]
        sizes = [node.knowledge.cost.total for node in nodes]
        taken = sum(sizes)
        for node, size in reversed(list(zip(nodes, sizes, strict=True))):
            if taken <= self.budget:
                return
            with self._guard:
                in_use = any(node_id == node.node_id for node_id, _ in self._captures)
                if node is (kept or nodes[0]) or in_use or self._loaded.get(node.node_id) is not node:
                    continue
                del self._loaded[node.node_id]
                self.evicted += 1
            taken -= size
            if self.snapshots is not None:
                self.snapshots.leaving(node.node_id, node.knowledge, node.saved)

    def _look_after(self, node: LoadedNode) -> None:
        """After a loading or a change: hand out what has become due. Costs next to nothing when nothing has."""
        knowledge = node.knowledge
        if knowledge.is_untidy:
            self._upkeep.due(knowledge)
        if self.snapshots is not None and knowledge.sequence >= node.saved.due:
            self.snapshots.due(node.node_id, knowledge, node.saved)
        if self.budget is not None and knowledge.sequence >= node.weigh_at:
            node.weigh_at = knowledge.sequence + _WEIGHED
            self._weighing.due("room", self._make_room)

    def _follow(self, node_id: str, changes: Sequence[Change]) -> None:
        with self._guard:
            node = self._loaded.get(node_id)
            if node is None:
                return
            if node.pending is not None:
                node.pending.extend(changes)
                return
            if not self._captures:
                node.knowledge.apply(changes)
            else:
                for change in changes:
                    node.knowledge.apply((change,))
                    capture = self._captures.get((node_id, change.session_id or ""))
                    if capture is not None:
                        capture.views.append(node.knowledge.view())
        self._look_after(node)

    async def capture(self, node_id: str, session_id: str) -> Capture:
        """From now until `release`, keep a view after every change the session makes."""
        capture = Capture()
        while True:
            node = await self._present(node_id)
            with self._guard:
                if self._loaded.get(node_id) is node:  # it may have been let go in between
                    self._captures[(node_id, session_id)] = capture
                    return capture

    def release(self, node_id: str, session_id: str) -> None:
        """End a capture."""
        with self._guard:
            self._captures.pop((node_id, session_id), None)

    def loaded(self) -> list[LoadedNode]:
        """The nodes in memory, most recently used first, ties by node id."""
        with self._guard:
            nodes = list(self._loaded.values())
        return sorted(nodes, key=lambda node: (-node.last_accessed, node.node_id))

    def peek(self, node_id: str) -> Knowledge | None:
        """What a node in memory knows, which does not count as using it; None for one that is not, or not yet."""
        with self._guard:
            node = self._loaded.get(node_id)
            return node.knowledge if node is not None and node.pending is None else None

    def costs(self) -> list[tuple[LoadedNode, Cost, int]]:
        """`loaded`, with what each costs in memory and its patterns; zeros while one is being loaded."""
        return [
            (node, node.knowledge.cost, node.knowledge.view().totals.patterns)
            if node.ready.done()
            else (node, Cost(0, 0), 0)
            for node in self.loaded()
        ]

    def close(self) -> None:
        """End the upkeep, and write the snapshots that the next start will be glad of."""
        self._weighing.close()
        self._upkeep.close()
        if self.snapshots is not None:
            for node in self.loaded():
                if node.ready.done() and node.ready.exception() is None:
                    self.snapshots.leaving(node.node_id, node.knowledge, node.saved)
            self.snapshots.close()
