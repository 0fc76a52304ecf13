"""Printing for people: one console, and values as they are read best."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from rich.console import Console

console = Console()


def line_of(events: Sequence[Sequence[str]]) -> str:
    """Events as people read them; several symbols of one event are joined by +."""
    return " ".join("+".join(event) for event in events)


def number(value: Any) -> str:
    """A number cut to what the eye can use."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def print_json(value: Any, to: TextIO | None = None) -> None:
    """JSON on standard output, or elsewhere, for other programs."""
    (to or sys.stdout).write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
