"""Damage to an index that hides a row: the row is whole, and no search finds it."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path


def hidden(path: Path, name: str) -> None:
    """Flip one bit of a pattern's name in the index of names, so that no search finds its row."""
    content = bytearray(path.read_bytes())
    at = [match.start() for match in re.finditer(re.escape(bytes.fromhex(name)), bytes(content))]
    for place in at:
        content[place + 10] ^= 1
        path.write_bytes(content)
        connection = sqlite3.connect(path)
        (row,) = connection.execute("SELECT name FROM pattern NOT INDEXED WHERE id = 1").fetchone()
        found = connection.execute("SELECT id FROM pattern WHERE node = 1 AND name = ?", (row,)).fetchall()
        connection.close()
        if row.hex() == name and not found:
            return
        content[place + 10] ^= 1
    raise LookupError(f"{name} is not in the index of names")
