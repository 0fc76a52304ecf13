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
            kato.undo(2, node_id=node)
            kato.learn_many([[["a"], ["b"]]], node_id=node, idempotency_key=f"once-{NODES.index(node)}")
            kato.undo(to=kato.get_node(node)["head"] - 1, node_id=node)
            kato.observe(["a", "b"])
        kato.create_session("none")
        kato.delete_session()
    store = SqliteStorage(directory / "kato.db")
    store.keep_derived("tea", "choice", 3, "worked out")
    store.close()
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


def remembered(database: Path):
    """The answers to requests with a key, how sessions ended, and what nodes found out about themselves."""
    connection = sqlite3.connect(database)
    try:
        found = [
            connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in ("reply", "ended", "derived")
        ]
    finally:
        connection.close()
    assert all(found), "there is something of each"
    return found


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
