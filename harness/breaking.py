"""
Protections that can be taken out of a process, so that a harness shows that it would notice.

Each function patches the process it is called in, which is always one that a harness made for the purpose: `Server(…,
without=NAME)`, or the harness itself under `--without NAME`.
"""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Callable
from typing import Any


def places() -> None:
    """Whoever sends slowly takes the place of a request in flight."""
    from kato.service.measuring import Measures

    Measures.set_aside = Measures.take_up = lambda _: None  # type: ignore[method-assign]


def timers() -> None:
    """Whoever sends no request is waited for."""
    from kato.server.connections import Connection

    Connection._expect_head = lambda _: None  # type: ignore[method-assign]


def parser() -> None:
    """Bodies are read as the standard library reads them, and what it raises goes where it will."""
    from kato.wire import reading

    reading.parse = lambda body, _: json.loads(body)  # type: ignore[attr-defined]


def encoding() -> None:
    """The storage sees node ids folded, as many a database would."""
    from kato.storage.sqlite import SqliteStorage

    def folded(text: str) -> str:
        return unicodedata.normalize("NFKC", text).casefold().strip()

    commit, load, node = SqliteStorage.commit, SqliteStorage.load, SqliteStorage.node

    def folding_commit(self: Any, transactions: Any, **options: Any) -> Any:
        changed = [
            each._replace(node_id=folded(each.node_id)) if each.node_id is not None else each for each in transactions
        ]
        return commit(self, changed, **options)

    SqliteStorage.commit = folding_commit  # type: ignore[method-assign]
    SqliteStorage.load = lambda self, node_id: load(self, folded(node_id))  # type: ignore[method-assign]
    SqliteStorage.node = lambda self, node_id: node(self, folded(node_id))  # type: ignore[method-assign]


def commit() -> None:
    """Sessions' changes are acknowledged a little before they are committed."""
    from kato.storage.interface import Committed
    from kato.storage.writer import Writer

    original = Writer._commit

    def early(self: Any, group: Any, **options: Any) -> None:
        kept = []
        for transaction, future in group:
            if not transaction.operations and future.set_running_or_notify_cancel():
                future.set_result(Committed())
                kept.append(transaction)
        rest = [each for each in group if each[0].operations]
        if kept:
            time.sleep(0.05)
            self._storage.commit(kept, durable=False)
        if rest:
            original(self, rest, **options)

    Writer._commit = early  # type: ignore[method-assign]
    Writer.at_once = lambda *_: None  # type: ignore[method-assign]


def rollback() -> None:
    """A failed commit is told as done."""
    from kato.errors import StorageError
    from kato.storage.interface import Committed
    from kato.storage.sqlite import SqliteStorage

    original = SqliteStorage.commit

    def careless(self: Any, transactions: Any, **options: Any) -> Any:
        try:
            return original(self, transactions, **options)
        except StorageError:
            return [Committed() for _ in transactions]

    SqliteStorage.commit = careless  # type: ignore[method-assign]


def flush() -> None:
    """Nothing is flushed to the disk before it is acknowledged."""
    from kato.storage.sqlite import SqliteStorage

    original = SqliteStorage._set_durable
    SqliteStorage._set_durable = lambda self, connection, _: original(self, connection, False)  # type: ignore[method-assign]


def order() -> None:
    """The symbols of an event come as a set gives them, which differs from process to process."""
    from kato.engine import memory
    from kato.operations import bulk

    original = memory.make_event

    def made(symbols: Any, *rest: Any, **options: Any) -> Any:
        return tuple(set(original(symbols, *rest, **options)))

    def made_many(sequence: Any, **options: Any) -> Any:
        return tuple(made(event, (), **options) for event in sequence if event)

    memory.make_event = made
    bulk.make_events = made_many  # type: ignore[attr-defined]


def hold() -> None:
    """Nobody holds a data directory."""
    from kato.storage import holding

    holding._lock = lambda _: None


def second_look() -> None:
    """What an index does not find is not there, and what the indexes of sessions and of the log say is believed."""
    from kato.storage import sqlite, sqlite_history, sqlite_reading, sqlite_writing
    from kato.storage.sqlite_replies import ReplyTable

    def believed(*_: Any) -> None:
        pass

    sqlite.check_indexes = sqlite_history.check_subjects = believed  # type: ignore[attr-defined,assignment]
    sqlite_reading.check_absent = sqlite_writing.check_absent = believed  # type: ignore[attr-defined]
    ReplyTable._check_scope = believed  # type: ignore[method-assign,assignment]


WITHOUT: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (places, timers, parser, encoding, commit, rollback, flush, order, hold, second_look)
}


def take_out(name: str) -> None:
    """Take one protection out of this process; the empty name takes none."""
    if name:
        WITHOUT[name]()
