"""
Reading sequences from files.

A sequence is a list of events, an event a list of symbols. Files are read line by line; nothing is held but the sequence at
hand.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

Sequence = list[list[str]]
FORMATS = ("auto", "text", "csv", "tsv", "pairs", "jsonl")
TOKENS = ("words", "chars", "lines")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_PAIR = re.compile(r"\S+\s+\S+\s*")


class BadFile(ValueError):
    """A file that does not hold what its format says; the sentence names the line."""


def guess_format(path: Path) -> str:
    """The format by the name's ending; two columns of anything else are pairs, the rest is text."""
    by_ending = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "text"}
    if path.suffix.lower() in by_ending:
        return by_ending[path.suffix.lower()]
    with path.open(encoding="utf-8", errors="replace") as file:
        first = [line for _, line in zip(range(20), file, strict=False) if line.strip()]
    return "pairs" if first and all(_PAIR.fullmatch(line) for line in first) else "text"


def split(line: str, tokens: str) -> Sequence:
    """
    One line of text as events.

    >>> split("In the beginning, God", "words")
    [['in'], ['the'], ['beginning'], ['god']]
    """
    if tokens == "words":
        return [[word] for word in _WORD.findall(line.lower())]
    if tokens == "chars":
        return [[character] for character in line]
    return [[line]]


def read_sequences(file: BinaryIO, form: str, tokens: str) -> Iterator[Sequence]:
    """
    The sequences of an open file, in order.

    Text: a line each; with `tokens` "lines" the whole file is one sequence of lines. CSV, TSV and pairs: rows of an id and an
    item; consecutive rows of one id are one sequence. JSON lines: each a list of events or of strings.

    Raises:
        BadFile: A line is not what the format says.
    """
    lines = _decoded(file)
    if form == "text":
        if tokens == "lines":
            yield [[line] for _, line in lines if line]
        else:
            yield from (split(line, tokens) for _, line in lines if line)
    elif form == "jsonl":
        yield from (_from_json(number, line) for number, line in lines if line)
    else:
        rows = _rows(lines, form)
        for _, group in groupby(rows, key=lambda row: row[0]):
            yield [[item] for _, item in group]


def windows(sequences: Iterable[Sequence], length: int | None) -> Iterator[Sequence]:
    """Every run of `length` events of each sequence; the sequences themselves where no length is given or they are shorter."""
    for sequence in sequences:
        if length is None or len(sequence) <= length:
            yield sequence
        else:
            yield from (sequence[start : start + length] for start in range(len(sequence) - length + 1))


def _decoded(file: BinaryIO) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file, start=1):
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise BadFile(f"line {number} is not UTF-8 at byte {error.start}") from error


def _rows(lines: Iterator[tuple[int, str]], form: str) -> Iterator[tuple[str, str]]:
    for number, line in lines:
        if not line.strip():
            continue
        if form == "pairs":
            row = line.split(None, 1)
        else:
            row = next(csv.reader([line], delimiter="\t" if form == "tsv" else ","))
        if len(row) != 2:
            raise BadFile(f"line {number} has {len(row)} columns, an id and an item are needed")
        yield row[0], row[1].strip()


def _from_json(number: int, line: str) -> Sequence:
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"line {number} is not JSON") from error
    if not isinstance(value, list):
        raise BadFile(f"line {number} is not a list of events")
    events = [[event] if isinstance(event, str) else event for event in value]
    if not all(isinstance(event, list) and all(isinstance(symbol, str) for symbol in event) for event in events):
        raise BadFile(f"line {number} is not a list of events; an event is a string or a list of strings")
    return events
