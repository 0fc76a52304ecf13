"""How everything a node has learned is read: a page at a time, checked, and made into objects only for who wants them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import TypeVar

import orjson

from kato.engine.event import Symbol
from kato.engine.knowledge import Written
from kato.engine.pattern import Pattern
from kato.errors import StorageUnavailable, StoredDataCorrupt
from kato.storage import records
from kato.storage.folding import VECTOR_PREFIX, vector_symbols
from kato.storage.interface import Loaded
from kato.storage.schema import log_id, sequence_of
from kato.storage.sqlite_errors import mapped
from kato.storage.sqlite_nodes import read_node_row
from kato.storage.sqlite_reading import log_ends, pattern_damaged, patterns_are, read_vectors

T = TypeVar("T")
_PAGE = 1000
"""Rows taken from SQLite at a time: enough that the call costs nothing, few enough to be no burden."""
_WRITTEN = "name, events, frequency, emotives, metadata, affinity, length, checksum"
"""What `knowledge.Written` names, then what its checksum needs besides."""
_PASSED_OVER = 8
"""Rows in all for each of the node's, up to which all are passed over."""


class Stream(Iterator[T]):
    """
    What is read out of one read transaction, which ends with the last of it or with `close`.

    Raises (while iterating):
        StoredDataCorrupt: A row is not what was written, or rows are missing.
        StorageUnavailable: The storage was closed meanwhile.
    """

    def __init__(self, connection: sqlite3.Connection, rows: Iterator[T]) -> None:
        self._connection = connection
        self._rows = rows

    def __next__(self) -> T:
        try:
            return next(self._rows)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the read transaction; the rest is not read."""
        self._rows = iter(())
        self._connection.close()

    def __del__(self) -> None:
        self.close()


class WrittenStream(Stream[Pattern]):
    """Patterns, as objects or as they are written down."""

    def __init__(self, connection: sqlite3.Connection, pages: Iterator[list[Written]]) -> None:
        super().__init__(connection, map(self.read, chain.from_iterable(pages)))
        self._pages = pages

    def pages(self) -> Iterator[list[Written]]:
        """The same as they are written, checked; ends the read transaction like iterating."""
        yield from self._pages  # holds this too, which ends the transaction when it is dropped

    @staticmethod
    def read(written: Written) -> Pattern:
        """The pattern that is written so."""
        return records.read_pattern(written[0].hex(), *written[1:6])


def _read_pages(
    connection: sqlite3.Connection,
    node_id: str,
    number: int,
    expected: int,
    holders: Mapping[Symbol, int],
    is_closed: Callable[[], bool],
) -> Iterator[list[Written]]:
    found, counted = 0, Counter[Symbol]()
    try:
        with mapped():
            cursor = connection.execute(_query(connection, expected), (number,))
            while rows := cursor.fetchmany(_PAGE):
                check_rows(node_id, number, rows)
                for row in rows:
                    if VECTOR_PREFIX in row[1]:
                        counted.update(vector_symbols(records.read_events(orjson.loads(row[1]))))
                yield rows
                found += len(rows)
                if is_closed():
                    raise StorageUnavailable("The storage has been closed")
        if found != expected:
            raise patterns_are(node_id, found, expected)
        if counted != holders:
            raise StoredDataCorrupt(
                f"The vectors of node {node_id[:200]!r} are not those of its patterns; see `kato repair`"
            )
    finally:
        connection.close()


def _query(connection: sqlite3.Connection, expected: int) -> str:
    """
    How a node's rows are read, in the order of their ids.

    Finding a row by the index of names, and sorting it, costs more than passing over many rows of other nodes.
    """
    (rows,) = connection.execute("SELECT coalesce(max(id), 0) FROM pattern").fetchone()
    way = "NOT INDEXED" if rows <= _PASSED_OVER * expected else "INDEXED BY pattern_by_name"
    return f"SELECT {_WRITTEN} FROM pattern {way} WHERE node = ? ORDER BY id"


def check_rows(node_id: str, number: int, rows: list[Written]) -> None:
    """Whether rows of _WRITTEN are what was written; raises StoredDataCorrupt naming the first that is not."""
    for name, events, frequency, emotives, metadata, affinity, length, checksum in rows:
        try:
            is_sound = checksum == records.checksum(
                number, name, events, length, frequency, emotives, metadata, affinity
            )
        except (TypeError, AttributeError):
            is_sound = False  # damage can turn a value into one of another type
        if not is_sound:
            raise pattern_damaged(node_id, name)


def read_node(connection: sqlite3.Connection, node_id: str, is_closed: Callable[[], bool]) -> Loaded | None:
    """
    Everything a node has learned; takes the connection over, unless there is no such node.

    Raises:
        StoredDataCorrupt: A vector is not what was written, or the log ends elsewhere than the node says.
    """
    row = read_node_row(connection, node_id)
    if row is None:
        return None
    number, head = row.number, row.head
    newest = connection.execute(
        "SELECT max(id) FROM log WHERE id > ? AND id < ?", (log_id(number, 0), log_id(number + 1, 0))
    ).fetchone()[0]
    ends_at = sequence_of(newest) if newest is not None else 0
    if ends_at != head:
        raise log_ends(node_id, ends_at, head)
    vectors = read_vectors(connection, number, node_id)
    holders = {name: held.holders for name, held in vectors.items()}
    pages = _read_pages(connection, node_id, number, row.patterns, holders, is_closed)
    known = {name: held.components for name, held in vectors.items() if held.components is not None}
    return Loaded(head, WrittenStream(connection, pages), known)
