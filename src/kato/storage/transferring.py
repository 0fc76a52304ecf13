"""
Export and import: what nodes have learned as JSON lines, for other programs and other versions.

The first line says what it is. Then, node by node: a line about the node, its log, its patterns in the order first learned,
its symbols with their statistics. The last line holds the SHA-256 of all lines before it. Only the logs are read back; from
them everything else is made again, and must be what the lines say. So an export of what was imported is the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kato.engine.matching import choose
from kato.engine.pattern import Pattern
from kato.errors import StorageUnavailable, StoredDataCorrupt
from kato.storage import records, schema, sqlite_reading, write_ahead
from kato.storage.checking import entries, reading
from kato.storage.holding import Hold, lock_of
from kato.storage.interface import LogEntry
from kato.storage.replaying import repeat
from kato.storage.sqlite_errors import DATABASE_ERRORS, translated

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Transferred:
    """What an export or import held."""

    nodes: int
    patterns: int
    log_rows: int
    sha256: str
    """Of all lines but the last."""


# --- export ---


def export(path: Path, write: Callable[[bytes], object], *, nodes: Sequence[str] = ()) -> Transferred:
    """
    Write what nodes have learned, at one moment; the process that holds the memory goes on.

    Args:
        path: The database file.
        write: Takes one line after another.
        nodes: Only these; all when empty.

    Raises:
        StorageUnavailable: There is no memory, or no such node in it.
        StoredDataCorrupt: A log, pattern or vector is not what was written.
    """
    digest = hashlib.sha256()
    patterns_in_all = rows_in_all = 0

    def put(document: dict[str, Any]) -> None:
        line = records.dump(document) + b"\n"
        digest.update(line)
        write(line)

    with reading(path) as connection:
        try:
            chosen = _chosen(connection, nodes)
            put({"kato_export": FORMAT, "nodes": len(chosen)})
            for number, node_id, patterns, head in chosen:
                put({"node": node_id, "patterns": patterns, "log": head})
                _export_log(connection, number, node_id, head, put)
                patterns_in_all, rows_in_all = patterns_in_all + patterns, rows_in_all + head
                for document in _derived(connection, node_id):
                    put(document)
        except DATABASE_ERRORS as error:
            raise translated(error, f"{path} cannot be read: {error}") from error
    write(records.dump({"end": True, "sha256": digest.hexdigest()}) + b"\n")
    return Transferred(len(chosen), patterns_in_all, rows_in_all, digest.hexdigest())


def _chosen(connection: sqlite3.Connection, nodes: Sequence[str]) -> list[tuple[int, str, int, int]]:
    rows = connection.execute("SELECT id, node_id, patterns, head FROM node ORDER BY node_id").fetchall()
    known = {row[1] for row in rows}
    for node_id in nodes:
        if node_id not in known:
            raise StorageUnavailable(f"There is no node {node_id[:200]!r} here; `kato nodes` lists those there are")
    return [row for row in rows if not nodes or row[1] in nodes]


def _export_log(
    connection: sqlite3.Connection, number: int, node_id: str, head: int, put: Callable[[dict[str, Any]], None]
) -> None:
    previous, sequence = records.GENESIS, 0
    for entry in entries(connection, number, node_id, head):
        previous = records.check_chain(node_id, previous, [entry], after=sequence)
        sequence = entry.sequence
        put(
            {
                "sequence": sequence,
                "at": entry.at,
                "operation": entry.operation,
                "session_id": entry.session_id,
                "actor": entry.actor,
                # As text: another way to write the same JSON would have another hash.
                "payload": entry.payload.decode(),
                "hash": entry.hash.hex(),
            }
        )
    if sequence != head:
        raise sqlite_reading.log_ends(node_id, sequence, head)


def _derived(connection: sqlite3.Connection, node_id: str) -> Iterator[dict[str, Any]]:
    """What follows from a node's log: its patterns in the order first learned, its symbols by code point."""
    patterns: list[Pattern] = []
    for pattern in sqlite_reading.read_patterns(connection, node_id):
        patterns.append(pattern)
        yield {
            "pattern": pattern.name,
            "events": pattern.events,
            "frequency": pattern.frequency,
            "emotives": [dict(each) for each in pattern.emotives],
            "metadata": dict(pattern.metadata),
            "affinity": {name: str(amount) for name, amount in pattern.affinity.items()},
        }
    knowledge = choose("plain")()
    knowledge.load(patterns, {}, 1)
    for symbol, known in knowledge.view().symbols():
        yield {
            "symbol": symbol,
            "frequency": known.frequency,
            "pattern_member_frequency": known.pattern_member_frequency,
            "affinity": dict(known.affinity),
        }


# --- import ---


class _Lines:
    """The lines of an export, one ahead, with their numbers and the digest of those taken."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self._digest = hashlib.sha256()
        self._raw = b""
        self.number = 0
        self.next: dict[str, Any] | None = None
        self._advance()

    def _advance(self) -> None:
        self._raw = next(self._lines, b"")
        if not self._raw:
            self.next = None
            return
        self.number += 1
        try:
            found: Any = json.loads(self._raw)
        except (ValueError, RecursionError) as error:
            raise StoredDataCorrupt(f"Line {self.number} is not JSON; nothing was imported") from error
        if not isinstance(found, dict) or not self._raw.endswith(b"\n"):
            raise StoredDataCorrupt(f"Line {self.number} is cut or no object; nothing was imported")
        self.next = found

    def take(self, member: str) -> dict[str, Any]:
        """The next line, which must have the member."""
        found = self.next
        if found is None:
            raise StoredDataCorrupt(f"The file ends after line {self.number}; nothing was imported")
        if member not in found:
            raise self.wrong(f"has no member {member!r}")
        self._digest.update(self._raw)
        self._advance()
        return found

    def end(self) -> str:
        """Take the last line; the digest it confirms."""
        digest = self._digest.hexdigest()
        if self.take("end").get("sha256") != digest:
            raise StoredDataCorrupt(
                "The lines are not those that were exported: their SHA-256 differs; nothing was imported"
            )
        if self.next is not None:
            raise self.wrong("follows after the end")
        return digest

    def wrong(self, what: str) -> StoredDataCorrupt:
        """The error for the line ahead."""
        return StoredDataCorrupt(f"Line {self.number} {what}; nothing was imported")


def import_lines(path: Path, lines: Iterable[bytes]) -> Transferred:
    """
    Learn what an export tells, all of it or nothing, beside what the memory holds.

    Args:
        path: The database file; made if there is none.

    Raises:
        StorageInUse: A process holds the memory.
        StorageUnavailable: A node of the export has learned something here already, or the memory cannot be written.
        StoredDataCorrupt: The lines are not a whole export; the sentence names the line.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    hold = Hold(lock_of(path))
    try:
        broken = write_ahead.damage_in(path.with_name(path.name + "-wal"))
        if broken is not None:
            raise StoredDataCorrupt(broken)
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            schema.prepare(connection, path)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = _import(connection, _Lines(lines))
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except DATABASE_ERRORS as error:
            raise translated(error, f"{path} cannot be written: {error}; nothing was imported") from error
        finally:
            connection.close()
    finally:
        hold.release()
    return done


def _import(connection: sqlite3.Connection, lines: _Lines) -> Transferred:
    form = lines.take("kato_export")["kato_export"]
    if form != FORMAT:
        raise StoredDataCorrupt(f"The export has format {form!r:.20}, this version of KATO reads format {FORMAT}")
    nodes = patterns = log_rows = 0
    while lines.next is not None and "node" in lines.next:
        first = lines.number
        node = lines.take("node")
        node_id = node["node"]
        if not isinstance(node_id, str):
            raise StoredDataCorrupt(f"Line {first} names no node; nothing was imported")
        if connection.execute("SELECT 1 FROM node WHERE node_id = ?", (node_id,)).fetchone():
            raise StorageUnavailable(
                f"Node {node_id[:200]!r} has a history here already; import it into another memory. Nothing was imported"
            )
        repeat(connection, node_id, _logged(node_id, lines))
        info = sqlite_reading.read_info(connection, node_id)
        if info is None or (info.head, info.patterns) != (node.get("log"), node.get("patterns")):
            raise StoredDataCorrupt(f"Node {node_id[:200]!r} is not whole in the export; nothing was imported")
        for due in _derived(connection, node_id):
            member = "pattern" if "pattern" in due else "symbol"
            if records.dump(lines.take(member)) != records.dump(due):
                raise StoredDataCorrupt(
                    f"Line {lines.number - 1} is not what the log of node {node_id[:200]!r} makes of it; "
                    "nothing was imported"
                )
        nodes, patterns, log_rows = nodes + 1, patterns + info.patterns, log_rows + info.head
    return Transferred(nodes, patterns, log_rows, sha256=lines.end())


def _logged(node_id: str, lines: _Lines) -> Iterator[LogEntry]:
    previous, sequence = records.GENESIS, 0
    while lines.next is not None and "sequence" in lines.next:
        line = lines.take("sequence")
        try:
            entry = LogEntry(
                node_id,
                line["sequence"],
                line["at"],
                line["operation"],
                line["session_id"],
                line["actor"],
                line["payload"].encode(),
                bytes.fromhex(line["hash"]),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise StoredDataCorrupt(f"Line {lines.number - 1} is no row of a log; nothing was imported") from error
        previous = records.check_chain(node_id, previous, [entry], after=sequence)
        sequence = entry.sequence
        yield entry
