"""Saying something to the person who installs."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def tell(sentence: str) -> None:
    """
    Print a warning where the person who installs reads it.

    Installers keep to themselves what a build prints, unless it fails. So the warning goes to the error stream of the process
    that called this one, where the system shows it, or to the terminal; if there is neither, to our own error stream.
    """
    line = f"\nWARNING: {sentence}\n"
    for path in _places():
        try:
            with path.open("a") as stream:
                stream.write(line)
        except OSError:
            continue
        return
    sys.stderr.write(line)


def _places() -> list[Path]:
    caller = Path(f"/proc/{os.getppid()}")
    places = [caller / "fd" / "2"] if _may_be_appended(caller) else []
    return [*places, Path("/dev/tty")]


def _may_be_appended(caller: Path) -> bool:
    """Whether a line from us stays: in a file that the caller does not append to, its next line would overwrite ours."""
    try:
        if not (caller / "fd" / "2").is_file():
            return True
        facts = dict(each.split(":", 1) for each in (caller / "fdinfo" / "2").read_text().splitlines() if ":" in each)
        return bool(int(facts["flags"].strip(), 8) & os.O_APPEND)
    except (OSError, KeyError, ValueError):
        return False
