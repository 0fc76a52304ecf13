"""`kato backup`, `kato restore`: a whole memory, sessions included, put away and brought back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kato.cli.opening import AsJson, Data, database
from kato.cli.printing import console, print_json
from kato.storage import backing_up
from kato.storage.backing_up import Backup

Directory = Annotated[Path, typer.Argument(help="Directory of the backup.")]


def backup(directory: Directory, data: Data = None, as_json: AsJson = False) -> None:
    """Copy a memory as it is at one moment into a new directory, and check the copy. A server may go on using it."""
    source = database(data)
    _tell(f"{source} is backed up in {directory}", backing_up.make_backup(source, directory), as_json=as_json)


def restore(directory: Directory, data: Data = None, as_json: AsJson = False) -> None:
    """Put a backup where a memory is opened from. Never replaces a memory that is there."""
    target = database(data)
    _tell(f"{directory} is restored to {target}", backing_up.restore(directory, target), as_json=as_json)


def _tell(sentence: str, made: Backup, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "nodes": made.nodes,
                "patterns": made.patterns,
                "log_rows": made.log_rows,
                "sessions": made.sessions,
                "size_bytes": made.size_bytes,
                "sha256": made.sha256,
            }
        )
        return
    console.print(
        f"{sentence}: {made.nodes:,} nodes, {made.patterns:,} patterns, {made.log_rows:,} log rows, "
        f"{made.sessions:,} sessions, {made.size_bytes:,} bytes, SHA-256 {made.sha256}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
