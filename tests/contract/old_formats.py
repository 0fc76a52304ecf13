"""
Files of the formats there have been, as text, so that opening them can be tested for ever.

Before a format is changed, `python tests/contract/old_formats.py` writes one of the present format; it is checked in.
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from kato import Kato
from kato.storage import schema

DIRECTORY = Path(__file__).parent / "formats"
MOMENT = 1_800_000_000_000_000
"""When everything in them happened; their sessions are alive then."""


def fill(memory: Kato) -> None:
    """Something of everything a file can hold: learnings of two nodes, an edit, a vector, live and ended sessions."""
    memory.create_session("shop", config={"recall_threshold": 0.2})
    memory.observe(["bread", "butter"], emotives={"joy": 0.5}, metadata={"till": "3"})
    memory.observe(["milk"])
    name = memory.learn()["pattern_name"]
    memory.edit_pattern(name, frequency=7)
    memory.observe(["bread"])
    memory.observe(["scanned"], vectors=[[1.0, 0.5, 0.25]])
    memory.learn()
    memory.observe(["bread", "butter"])
    memory.create_session("hörspiel ü/..")
    for symbol in ("x", "y"):
        memory.observe([symbol])
    memory.learn()
    memory.delete_session()


def main() -> None:
    """Write a file of the present format."""
    with tempfile.TemporaryDirectory() as place:
        with Kato(place, clock=lambda: MOMENT) as memory:
            fill(memory)
        connection = sqlite3.connect(Path(place) / "kato.db")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        head = [f"PRAGMA application_id = {schema.APPLICATION_ID};", f"PRAGMA user_version = {version};"]
        DIRECTORY.mkdir(exist_ok=True)
        path = DIRECTORY / f"{version}.sql"
        path.write_text("\n".join([*head, *connection.iterdump()]) + "\n", encoding="utf-8")
        connection.close()
    print(path)


if __name__ == "__main__":
    main()
