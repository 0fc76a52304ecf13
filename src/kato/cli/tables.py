"""Tables that fit the terminal: long texts are folded, and where there is no room the columns needed least are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.markup import escape
from rich.table import Column, Table

from kato.cli.printing import console

_FOLDED = 16
"""Cells a column of long texts has at least, unless its texts are shorter."""
_BETWEEN = 3
"""Cells that a column's borders and padding take."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column."""

    title: str
    folds: bool = False
    """Whether its texts may go on in the next line; others are whole or the column is not there."""
    is_number: bool = False
    goes: int = 0
    """How soon it is left out: the highest first, 0 never."""


def fitted(fields: Sequence[Field], rows: Sequence[Sequence[str]]) -> tuple[Table, str]:
    """
    The table as the terminal has room for it, and a sentence about what was left out, "" if nothing was.

    Texts are shown as they are; nothing in them is markup.
    """
    shown = list(range(len(fields)))
    while sum(_needed(fields[at], [row[at] for row in rows]) + _BETWEEN for at in shown) + 1 > console.width:
        least = max(shown, key=lambda at: fields[at].goes)
        if not fields[least].goes:
            break
        shown.remove(least)
    table = Table(
        *(
            Column(
                fields[at].title,
                no_wrap=not fields[at].folds,
                overflow="fold",
                justify="right" if fields[at].is_number else "left",
            )
            for at in shown
        )
    )
    for row in rows:
        table.add_row(*(escape(row[at]) for at in shown))
    gone = [field.title for at, field in enumerate(fields) if at not in shown]
    return table, f"No room for: {', '.join(gone)}. --json has all." if gone else ""


def print_table(fields: Sequence[Field], rows: Sequence[Sequence[str]]) -> None:
    """Print what `fitted` gives."""
    table, sentence = fitted(fields, rows)
    console.print(table)
    if sentence:
        console.print(sentence, style="dim", markup=False, highlight=False)


def _needed(field: Field, texts: Sequence[str]) -> int:
    widest = max(cell_len(text) for text in (field.title, *texts))
    return min(widest, max(_FOLDED, cell_len(field.title))) if field.folds else widest
