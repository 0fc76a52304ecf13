"""`kato export`, `kato import`: what nodes have learned as JSON lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kato.cli.opening import AsJson, Data, database
from kato.cli.printing import print_json
from kato.storage import transferring
from kato.storage.transferring import Transferred

File = Annotated[Path, typer.Argument(help="A file of JSON lines; - for standard output or input.")]
Nodes = Annotated[list[str] | None, typer.Option("--node", "-n", help="Only this node; may be given several times.")]
_STANDARD = Path("-")


def export(file: File, nodes: Nodes = None, data: Data = None, as_json: AsJson = False) -> None:
    """Write patterns, statistics and logs as they are at one moment. A server may go on using the memory."""
    source = database(data)
    if file == _STANDARD:
        done = transferring.export(source, sys.stdout.buffer.write, nodes=nodes or ())
        sys.stdout.buffer.flush()
    else:
        with file.open("xb") as lines:
            try:
                done = transferring.export(source, lines.write, nodes=nodes or ())
            except BaseException:
                file.unlink()  # half an export is none
                raise
    _tell("exported", done, as_json=as_json, aside=file == _STANDARD)


def import_(file: File, data: Data = None, as_json: AsJson = False) -> None:
    """Learn what an export tells, all of it or nothing, beside what the memory holds."""
    target = database(data)
    if file == _STANDARD:
        done = transferring.import_lines(target, sys.stdin.buffer)
    else:
        with file.open("rb") as lines:
            done = transferring.import_lines(target, lines)
    _tell("imported", done, as_json=as_json)


def _tell(what: str, done: Transferred, *, as_json: bool, aside: bool = False) -> None:
    """To standard error, for standard output may be the export; JSON only where it is (`aside`)."""
    if as_json:
        told = {"nodes": done.nodes, "patterns": done.patterns, "log_rows": done.log_rows, "sha256": done.sha256}
        print_json(told, sys.stderr if aside else None)
        return
    sys.stderr.write(
        f"{what}: {done.nodes:,} nodes, {done.patterns:,} patterns, {done.log_rows:,} log rows, SHA-256 {done.sha256}\n"
    )
