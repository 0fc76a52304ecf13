"""The tables of a kato.db, and whether a file is one we can use."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from kato.errors import StoredDataCorrupt
from kato.storage import records
from kato.storage.migrating import OLDEST, migrate

VERSION = 6
APPLICATION_ID = 0x4B41544F  # "KATO"
_SPACES = re.compile(r"\s+")
_SEQUENCE_BITS = 38
"""Leaves 25 bits for the node: 33 million nodes of 274 thousand million log rows each."""

TABLES = f"""
CREATE TABLE node (
    id INTEGER PRIMARY KEY,
    node_id TEXT NOT NULL UNIQUE,
    head INTEGER NOT NULL,
    hash BLOB NOT NULL,
    patterns INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE pattern (
    id INTEGER PRIMARY KEY,
    node INTEGER NOT NULL,
    name BLOB NOT NULL,
    events TEXT NOT NULL,
    length INTEGER NOT NULL,
    frequency INTEGER NOT NULL,
    emotives BLOB,
    metadata BLOB,
    affinity BLOB,
    checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX pattern_by_name ON pattern (node, name);
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    operation TEXT NOT NULL,
    session_id TEXT,
    actor TEXT,
    payload BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX log_by_subject ON log (substr(payload, 10, 16));
CREATE TABLE vector (
    node INTEGER NOT NULL,
    name TEXT NOT NULL,
    holders INTEGER NOT NULL,
    components BLOB,
    PRIMARY KEY (node, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE session (
    session_id TEXT PRIMARY KEY,
    node_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_accessed INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ttl_seconds INTEGER NOT NULL,
    version INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    profile BLOB NOT NULL,
    head BLOB NOT NULL,
    owner TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX session_by_creation ON session (created_at, session_id);
CREATE INDEX session_by_node ON session (node_id, created_at, session_id);
CREATE INDEX session_by_expiry ON session (expires_at, session_id);
CREATE INDEX session_by_owner ON session (owner, created_at, session_id) WHERE owner IS NOT NULL;
CREATE TABLE step (
    session_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (session_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE ended (
    session_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    forget_at INTEGER NOT NULL,
    owner TEXT,
    node_id TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX ended_by_time ON ended (forget_at);
CREATE TABLE reply (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    keep INTEGER NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0,
    UNIQUE (scope, key)
) STRICT;
CREATE INDEX reply_by_age ON reply (scope, ordinal);
CREATE INDEX reply_by_time ON reply (expires_at);
CREATE TABLE derived (
    node_id TEXT NOT NULL,
    name TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    content TEXT NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (node_id, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('created', 0), ('deleted', 0), ('expired', 0), ('last_modified', 0),
    ('checksum', {records.facts(0, 0, 0, 0)});
"""


def log_id(node: int, sequence: int) -> int:
    """The key of a log row: rows of one node lie together, in order, in one tree."""
    return (node << _SEQUENCE_BITS) + sequence


def sequence_of(number: int) -> int:
    """The sequence in a log row's key."""
    return number & ((1 << _SEQUENCE_BITS) - 1)


def node_of(number: int) -> int:
    """The node in a log row's key."""
    return number >> _SEQUENCE_BITS


def version_of(connection: sqlite3.Connection, path: Path) -> int | None:
    """
    The format of a file of ours, from `OLDEST` to `VERSION`; None for a file that holds nothing yet.

    Raises:
        StoredDataCorrupt: It belongs to another program, or is of a format this version cannot use. The sentence names
            `path`, for it is read by whoever starts the program.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == APPLICATION_ID:
        check_format(version, path)
        return int(version)
    if tables:
        raise StoredDataCorrupt(f"{path} is a database of another program; name another file or directory")
    return None


def check_format(version: int, path: Path) -> None:
    """
    Whether a file of ours, or a backup of one, is of a format that can be opened.

    Raises:
        StoredDataCorrupt: It is not; says why and what helps.
    """
    if not OLDEST <= version <= VERSION:
        age = "a newer" if version > VERSION else "an older"
        raise StoredDataCorrupt(
            f"{path} has format {version}, this version of KATO reads formats {OLDEST} to {VERSION}; use {age} KATO, or let "
            "its `kato export` write what this one's `kato import` reads"
        )


def check(connection: sqlite3.Connection, path: Path) -> bool:
    """
    Whether a file is ours and of the present format; False for one that holds nothing yet.

    Raises:
        StoredDataCorrupt: As `version_of` says, or it is of an older format, which whoever only reads cannot bring up to date.
    """
    version = version_of(connection, path)
    if version is not None and version < VERSION:
        raise StoredDataCorrupt(
            f"{path} has format {version}; opening it once, as `kato nodes` does, brings it up to format {VERSION}"
        )
    return version is not None


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """
    Make the tables in an empty file, or bring a file of ours up to the present format.

    Raises:
        StoredDataCorrupt: As `version_of` says.
    """
    version = version_of(connection, path)
    if version is not None:
        migrate(connection, version)
        return
    # Pages that forgetting leaves empty can then be given back; it must be chosen before the first table.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(
        f"BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
    )


def same_statement(one: str | None, other: str | None) -> bool:
    """Whether two statements that made a table or an index say the same; a migrated table's is spaced otherwise."""
    return (one and _SPACES.sub("", one)) == (other and _SPACES.sub("", other))
