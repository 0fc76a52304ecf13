"""
Bringing a file of an older format up to the present one, step by step.

A step leads from the format before it to its own and is one transaction: a process that dies on the way leaves a file that is
wholly of one format, from which the next opening goes on. A step only adds, so nothing a file held is lost; what it adds to a
table stands at the end of that table in `schema.TABLES` too. The file is made in none but the present format.

To change the format: raise `schema.VERSION`, change `schema.TABLES`, add a step here, and keep a file of the format before in
`tests/contract/formats/`, which the tests migrate.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kato.storage import records


@dataclass(frozen=True, slots=True)
class Step:
    """What leads to one format from the one before it."""

    to: int
    statements: tuple[str, ...]


STEPS = (
    Step(
        3,  # sessions belong to the key that made them, also when they have ended
        (
            "ALTER TABLE session ADD COLUMN owner TEXT",
            "CREATE INDEX session_by_owner ON session (owner, created_at, session_id) WHERE owner IS NOT NULL",
            "ALTER TABLE ended ADD COLUMN owner TEXT",
            "ALTER TABLE ended ADD COLUMN node_id TEXT",
        ),
    ),
    Step(
        4,  # a pattern's log rows are found by its name; a row may be an undoing
        ("CREATE INDEX log_by_subject ON log (substr(payload, 10, 16))",),
    ),
    Step(
        5,  # what a node has found out about itself
        (
            "CREATE TABLE derived (node_id TEXT NOT NULL, name TEXT NOT NULL, sequence INTEGER NOT NULL, "
            "content TEXT NOT NULL, PRIMARY KEY (node_id, name)) STRICT, WITHOUT ROWID",
        ),
    ),
    Step(
        6,  # what no checksum covered has one of its own
        (
            *(
                statement
                for table, covered in (
                    ("node", "node_id, head, hash, patterns, created_at, changed_at"),
                    (
                        "session",
                        "session_id, node_id, created_at, last_accessed, expires_at, ttl_seconds, owner, version, steps",
                    ),
                    ("ended", "session_id, state, forget_at, owner, node_id"),
                    ("reply", "scope, key, fingerprint, expires_at, keep"),
                    ("derived", "node_id, name, sequence, content"),
                )
                for statement in (
                    f"ALTER TABLE {table} ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0",
                    f"UPDATE {table} SET checksum = facts({covered})",
                )
            ),
            "INSERT INTO counter SELECT 'checksum', facts("
            + ", ".join(
                f"(SELECT value FROM counter WHERE name = '{name}')"
                for name in ("created", "deleted", "expired", "last_modified")
            )
            + ")",
        ),
    ),
)
"""Ascending, without gaps, up to the present format."""
OLDEST = STEPS[0].to - 1
"""The oldest format that can be brought up to the present one."""


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """
    Bring a file from a format ≥ `OLDEST` up to the present one; nothing happens when it is there.

    Args:
        connection: In autocommit mode, the only one that writes.
    """
    connection.create_function("facts", -1, records.facts, deterministic=True)
    for step in STEPS:
        if step.to <= version:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in step.statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {step.to}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
