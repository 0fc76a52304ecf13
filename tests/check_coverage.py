"""Reads a coverage report: every branch of engine/ must be taken, and nine tenths of the whole package."""

from __future__ import annotations

import json
import sys
from pathlib import Path

WHOLE_PERCENT = 90.0


def main(report: str) -> int:
    """Print what falls short; the exit status says whether anything did."""
    found = json.loads(Path(report).read_text(encoding="utf-8"))
    bad = []
    for name, file in sorted(found["files"].items()):
        if "kato/engine/" in name.replace("\\", "/"):
            lines, branches = file["missing_lines"], file.get("missing_branches", [])
            if lines or branches:
                bad.append(f"{name}: lines {lines}, branches {branches} are not tested")
    whole = found["totals"]["percent_covered"]
    print(f"whole package: {whole:.1f} % covered")
    if whole < WHOLE_PERCENT:
        bad.append(f"the whole package is covered to {whole:.1f} %, {WHOLE_PERCENT:.0f} % are needed")
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
