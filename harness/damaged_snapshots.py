"""Flipped bits and cut files among the snapshots of nodes: part of `harness.damage`."""

from __future__ import annotations

import logging
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from kato.engine.matching import choose
from kato.engine.settings import EngineSettings
from kato.service.nodes import Nodes
from kato.service.runtime import ThreadRuntime, drive
from kato.service.snapshots import Saved, Snapshots
from kato.storage import snapshots
from kato.storage.checking_snapshots import check_all
from kato.storage.interface import Forget, Learn, Transaction
from kato.storage.sqlite import SqliteStorage

_NODE = "one"
_ASKED = EngineSettings(affinity_emotive="joy", max_predictions=50)
_LINES = "kato.service.snapshots"


class Damaged:
    """A memory with a snapshot and changes after it; what is right by its rows."""

    def __init__(self, place: Path, seed: int) -> None:
        place.mkdir(parents=True)
        self.database = place / "kato.db"
        chance = random.Random(seed)
        store = SqliteStorage(self.database)
        vocabulary = [f"symbol {n}" for n in range(50)]

        def learn(count: int) -> None:
            for _ in range(count):
                events = tuple((symbol,) for symbol in chance.choices(vocabulary, k=chance.randint(2, 12)))
                emotives = ({"joy": chance.random()},) if chance.random() < 0.5 else ()
                store.commit([Transaction(1, _NODE, (Learn(events, emotives, ({"k": "v"},)),))], durable=False)

        learn(400)
        assert store.snapshots is not None
        knowledge = choose("native")()
        loaded = store.load(_NODE)
        knowledge.load(loaded.patterns, loaded.vectors, loaded.head)
        writing = Snapshots(store, store.snapshots)
        writing.due(_NODE, knowledge, Saved(due=0))
        writing.close()
        assert writing.written == 1
        learn(30)
        name = next(iter(store.load(_NODE).patterns)).name
        store.commit([Transaction(1, _NODE, (Forget(name),))], durable=False)
        store.close()
        self.file = snapshots.path_of(place / "kato.db.snapshots", _NODE)
        self.content = self.file.read_bytes()
        self.expected, used = self.told()
        assert used == 1
        shutil.rmtree(self.file.parent)
        by_rows, used = self.told()
        assert (by_rows, used) == (self.expected, 0)

    def told(self) -> tuple[Any, int]:
        """What the memory answers, and whether by its snapshot."""
        store = SqliteStorage(self.database)
        nodes = Nodes(store, choose("native"), ThreadRuntime())
        try:
            view = drive(nodes.view(_NODE))
            answers = [view.predict(((f"symbol {n}",), (f"symbol {n + 3}",)), _ASKED) for n in range(0, 40, 8)]
            assert nodes.snapshots is not None
            return (view.totals, view.symbols(), answers), nodes.snapshots.used
        finally:
            nodes.close()
            store.close()

    def damage(self, chance: random.Random) -> str:
        """Damage one place; what was done."""
        content = bytearray(self.content)
        self.file.parent.mkdir(exist_ok=True)
        if chance.random() < 0.15:
            size = chance.randrange(len(content))
            self.file.write_bytes(content[:size])
            return f"snapshot cut to {size}"
        for _ in range(chance.choice((1, 1, 1, 8))):
            place = chance.randrange(len(content))
            content[place] ^= chance.choice((1 << chance.randrange(8), chance.randrange(1, 256)))
        self.file.write_bytes(content)
        return f"snapshot flipped at {place}"


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        del record
        self.count += 1


def try_snapshot(subject: Damaged, chance: random.Random, counts: Counter[str]) -> str | None:
    """Damage the snapshot and ask: the right answer, whatever became of it. What was broken, or None."""
    what = subject.damage(chance)
    named = bool(check_all(subject.database).findings)
    log, lines = logging.getLogger(_LINES), _Lines()
    log.addHandler(lines)
    log.propagate, before, level = False, log.propagate, log.level
    log.setLevel(logging.WARNING)
    try:
        told, used = subject.told()
    finally:
        log.removeHandler(lines)
        log.propagate = before
        log.setLevel(level)
    if told != subject.expected:
        return f"{what}: wrong answers, {'by the snapshot' if used else 'by the rows'}"
    if named is bool(used) or lines.count != 1 - used:
        return f"{what}: named by verify: {named}, used: {bool(used)}, lines in the log: {lines.count}"
    counts["snapshots thrown away" if not used else "snapshots damaged where they say nothing"] += 1
    return None
