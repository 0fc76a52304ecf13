"""The tables of a kato.db, and whether a file is one we can use."""

from __future__ import annotations

import sqlite3

from kato.errors import StoredDataCorrupt

VERSION = 1
APPLICATION_ID = 0x4B41544F  # "KATO"

TABLES = """
CREATE TABLE node (
    id INTEGER PRIMARY KEY,
    node_id TEXT NOT NULL UNIQUE,
    head INTEGER NOT NULL,
    hash BLOB NOT NULL,
    patterns INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
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
    affinity BLOB
) STRICT;
CREATE INDEX pattern_by_name ON pattern (node, name);
CREATE TABLE log (
    node INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    operation TEXT NOT NULL,
    session_id TEXT,
    actor TEXT,
    payload BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (node, sequence)
) STRICT, WITHOUT ROWID;
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
    profile BLOB NOT NULL,
    head BLOB NOT NULL
) STRICT;
CREATE INDEX session_by_creation ON session (created_at, session_id);
CREATE INDEX session_by_expiry ON session (expires_at, session_id);
CREATE TABLE step (
    session_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (session_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE ended (
    session_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    forget_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE reply (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    keep INTEGER NOT NULL,
    UNIQUE (scope, key)
) STRICT;
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('created', 0), ('deleted', 0), ('expired', 0), ('last_modified', 0);
"""


def prepare(connection: sqlite3.Connection) -> None:
    """
    Make the tables in an empty file, or check that the file is ours.

    Raises:
        StoredDataCorrupt: It belongs to another program, or to a newer version of this one.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == APPLICATION_ID and version == VERSION:
        return
    if application == APPLICATION_ID and version > VERSION:
        raise StoredDataCorrupt(
            f"The database has format {version}, this version of KATO reads format {VERSION}; install a newer KATO"
        )
    if tables:
        raise StoredDataCorrupt("The file is a database of another program; name another file or directory")
    connection.executescript(
        f"BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
    )
