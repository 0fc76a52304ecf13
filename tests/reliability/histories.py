"""Small memories with something in every table, and everything that can be asked of one."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

from kato import Kato
from kato.storage.sqlite import SqliteStorage

NODES = ("tea", "Tea", "té/€")


def make(directory: Path, *, rounds: int = 12, seed: int = 1) -> Path:
    """A closed memory of three nodes; the path of its database."""
    chance = random.Random(seed)
    with Kato(directory, session_ttl=10**6) as kato:
        for node in NODES:
            kato.create_session(node)
            for number in range(rounds):
                for _ in range(chance.randint(1, 4)):
                    kato.observe(
                        chance.choices("abcdeé", k=2),
                        emotives={"joy": chance.random()},
                        metadata={"n": chance.randint(0, 3)},
                        vectors=[[chance.randint(0, 3), 0.5]] if chance.random() < 0.4 else [],
                    )
                learned = kato.learn()
                if number == rounds // 2:
                    kato.edit_pattern(learned["pattern_name"], frequency=7, node_id=node)
                if number == rounds // 2 + 1:
                    kato.forget_pattern(learned["pattern_name"], node_id=node)
            kato.observe(["a", "b"])
    return directory / "kato.db"


def told(database: Path):
    """All that can be seen of what every node has learned, and of the sessions."""
    store = SqliteStorage(database)
    try:
        nodes = []
        for info in store.nodes():
            loaded = store.load(info.node_id)
            nodes.append((info, list(loaded.patterns), dict(loaded.vectors), store.log(info.node_id, limit=10**6)))
        sessions = [store.session(each.session_id) for each in store.sessions(now=0, limit=1000)]
        return nodes, sessions, store.count_sessions(now=0)
    finally:
        store.close()


def damage(database: Path, statement: str, *parameters: object) -> None:
    connection = sqlite3.connect(database)
    assert connection.execute(statement, parameters).rowcount != 0, "the damage must meet something"
    connection.commit()
    connection.close()


def copied(database: Path, directory: Path) -> Path:
    """A copy of a closed memory."""
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(database, directory / "kato.db")
    return directory / "kato.db"
