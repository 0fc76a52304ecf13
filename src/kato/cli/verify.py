"""`kato verify`, `kato repair`: whether a memory holds what was written, and what can be done when it does not."""

from __future__ import annotations

from typing import Annotated

import typer

from kato.cli.opening import AsJson, Data, database
from kato.cli.printing import console, print_json
from kato.storage import backing_up, repairing
from kato.storage.checking import Checked
from kato.storage.checking_snapshots import check_all, remove_bad

Salvage = Annotated[
    bool, typer.Option("--salvage", help="Give up what is damaged and follows from nothing, and say what that was.")
]


def verify(data: Data = None, as_json: AsJson = False) -> None:
    """
    Check every log, and that all else follows from the logs, snapshots included.

    Changes nothing; a server may go on meanwhile.

    Exit code 0: sound; 1: something is not what was written.
    """
    file = database(data)
    if (file.parent / backing_up.MANIFEST).is_file():
        backing_up.read_backup(file.parent)
    checked = check_all(file)
    _tell(str(file), checked, as_json=as_json)
    if checked.findings:
        raise typer.Exit(1)


def repair(salvage: Salvage = False, data: Data = None, as_json: AsJson = False) -> None:
    """
    Make again what follows from the logs; the damaged file is kept beside the repaired one.

    Exit code 0: it is sound now; 1: it could not be repaired, nothing was changed.
    """
    file = database(data)
    try:
        done = repairing.repair(file, salvage=salvage)
    except repairing.NotRepairable as error:
        _tell(str(file), error.found, as_json=as_json)
        raise
    removed = remove_bad(file)
    if as_json:
        print_json(
            {
                "sound": True,
                "found": [finding.sentence for finding in done.found.findings],
                "lost": list(done.lost),
                "removed": removed,
                "kept_at": str(done.kept_at) if done.kept_at else None,
            }
        )
        return
    _tell(str(file), done.found, as_json=False)
    for sentence in removed:
        console.print(sentence, markup=False, soft_wrap=True)
    if done.kept_at is None:
        return
    for sentence in done.lost:
        console.print(f"given up: {sentence}", style="yellow", markup=False, soft_wrap=True)
    console.print(f"Repaired. The damaged file is kept as {done.kept_at}.", markup=False, soft_wrap=True)


def _tell(file: str, checked: Checked, *, as_json: bool) -> None:
    counts = {
        "nodes": checked.nodes,
        "patterns": checked.patterns,
        "log_rows": checked.log_rows,
        "sessions": checked.sessions,
        "snapshots": checked.snapshots,
    }
    if as_json:
        findings = [{"sentence": each.sentence, "repairable": each.is_derived} for each in checked.findings]
        print_json({"sound": not findings, **counts, "findings": findings})
        return
    looked_at = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
    console.print(f"{file}: {looked_at}", markup=False, highlight=False, soft_wrap=True)
    for finding in checked.findings:
        note = "can be made again" if finding.is_derived else "cannot be made again"
        console.print(f"wrong ({note}): {finding.sentence}", style="red", markup=False, soft_wrap=True)
    if not checked.findings:
        console.print("Sound.", style="green")
