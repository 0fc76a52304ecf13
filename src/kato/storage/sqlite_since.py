"""What has changed in a node since a sequence of its log, read at one moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence

from kato.engine.event import Symbol, Vector
from kato.engine.knowledge import Present
from kato.errors import StorageUnavailable, StoredDataCorrupt
from kato.storage import records
from kato.storage.folding import vector_symbols
from kato.storage.interface import OtherLog, Since
from kato.storage.sqlite_errors import mapped
from kato.storage.sqlite_nodes import read_node_row
from kato.storage.sqlite_reading import PATTERN_COLUMNS, HeldVector, log_ends, read_checked, read_log_of, read_vectors

_PAGE = 1000
_CHUNK = 500
"""Names looked up by one statement; below SQLite's limit of parameters."""


def read_since(
    connection: sqlite3.Connection, node_id: str, sequence: int, digest: bytes, is_closed: Callable[[], bool]
) -> Since:
    """
    What `Storage.since` promises, by the caller's own transaction.

    The log's rows since then are checked by their hashes, for they say what has to be looked at.
    """
    row = read_node_row(connection, node_id)
    if row is None:
        raise OtherLog("there is no such node")
    names = _names_since(connection, row.number, node_id, sequence, digest, row.head, row.hash)
    present = _present(connection, row.number, node_id, list(names), is_closed)
    return Since(row.head, row.patterns, len(names), present)


def _names_since(
    connection: sqlite3.Connection, number: int, node_id: str, sequence: int, digest: bytes, head: int, newest: bytes
) -> dict[bytes, None]:
    """The names that the log tells of after a sequence."""
    start = read_log_of(connection, number, node_id, sequence - 1, 1)
    if sequence > head or not start or start[0].sequence != sequence:
        raise OtherLog(f"it stands for sequence {sequence} of the log, which ends at {head}")
    if start[0].hash != digest:
        raise OtherLog(f"it stands for another log than the one that is here at sequence {sequence}")
    names: dict[bytes, None] = {}
    while page := read_log_of(connection, number, node_id, sequence, _PAGE):
        try:
            digest = records.check_chain(node_id, digest, page, after=sequence)
        except StoredDataCorrupt as error:
            raise OtherLog("the log is damaged after it") from error
        for entry in page:
            if entry.operation == "forget_all":
                raise OtherLog(f"everything was forgotten after it, at sequence {entry.sequence}", later=True)
            names[bytes.fromhex(records.subject_of(entry.payload) or "")] = None
        sequence = page[-1].sequence
    if (sequence, digest) != (head, newest):
        raise log_ends(node_id, sequence, head)
    return names


def _present(
    connection: sqlite3.Connection, number: int, node_id: str, names: Sequence[bytes], is_closed: Callable[[], bool]
) -> Iterator[Present]:
    with mapped():
        for start in range(0, len(names), _CHUNK):
            if is_closed():
                raise StorageUnavailable("The storage has been closed")
            yield from _chunk(connection, number, node_id, names[start : start + _CHUNK])


def _chunk(connection: sqlite3.Connection, number: int, node_id: str, names: Sequence[bytes]) -> Iterator[Present]:
    marks = ",".join("?" * len(names))
    rows = connection.execute(
        f"SELECT {PATTERN_COLUMNS} FROM pattern WHERE node = ? AND name IN ({marks})", (number, *names)
    ).fetchall()
    found = [read_checked(node_id, row) for row in rows]
    by_name = {pattern.name: pattern for pattern in found}
    if len(by_name) != len(found):
        raise OtherLog("two patterns have one name")
    held = {pattern.name: vector_symbols(pattern.events) for pattern in found}
    vectors = _vectors(connection, number, node_id, list({symbol for symbols in held.values() for symbol in symbols}))
    for name in map(bytes.hex, names):
        known = {symbol: vectors[symbol] for symbol in held.get(name, ()) if symbol in vectors}
        yield Present(name, by_name.get(name), known)


def _vectors(
    connection: sqlite3.Connection, number: int, node_id: str, symbols: Sequence[Symbol]
) -> dict[Symbol, Vector]:
    """Components of the vectors that patterns hold, as far as known."""
    vectors: dict[Symbol, HeldVector] = {}
    for start in range(0, len(symbols), _CHUNK):
        chunk = symbols[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        vectors.update(read_vectors(connection, number, node_id, f"AND name IN ({marks})", chunk))
    if len(vectors) != len(symbols):
        raise StoredDataCorrupt(f"Vectors of node {node_id[:200]!r} cannot be found; see `kato repair`")
    return {name: held.components for name, held in vectors.items() if held.components is not None}
