"""
What a node knows besides its index, and how that is written into the index's file: what travels with a pattern, what was felt
about a symbol, the components of vectors.

Patterns and symbols are read when they are asked for, so that opening a file costs the same whatever their number.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from kato.engine.event import Symbol, Vector
from kato.engine.matching.shared_table import SharedTable, SharedView
from kato.engine.matching.stored_table import StoredTable, breaths

_ROWS = 100
"""Vectors converted at a time."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """What travels with a pattern besides its symbols."""

    emotives: tuple[Mapping[str, float], ...]
    metadata: Mapping[str, tuple[str, ...]]
    affinity: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Felt:
    """What was felt about a symbol."""

    symbol: Symbol
    sums: Mapping[str, Fraction]
    """Emotive → exact sum."""
    holders: Mapping[str, int]
    """Emotive → how many patterns give the symbol an affinity for it."""


@dataclass(frozen=True, slots=True)
class Saved:
    """All that an index's file holds besides the index."""

    origin: bytes
    """The caller's own."""
    sequence: int
    occurrences: int
    annotations: SharedTable[Annotations]
    felt: SharedTable[Felt]
    vectors: dict[Symbol, Vector]


def write(
    origin: bytes,
    sequence: int,
    occurrences: int,
    annotations: SharedView[Annotations],
    felt: SharedView[Felt],
    vectors: Mapping[Symbol, Vector],
) -> bytes:
    """The bytes of a `Saved`."""
    by_dimension: dict[int, list[Symbol]] = {}
    for name, vector in vectors.items():
        by_dimension.setdefault(len(vector), []).append(name)
    head = {"sequence": sequence, "occurrences": occurrences, "vectors": list(by_dimension.values())}
    parts = [json.dumps(head).encode(), origin]
    parts += annotations.packed(_annotations_text) if annotations else (b"", b"")
    parts += felt.packed(_felt_text) if felt else (b"", b"")
    parts += [b"".join(_rows(vectors, names)) for names in by_dimension.values()]
    file = io.BytesIO()
    np.savez(file, *(np.frombuffer(part, dtype=np.uint8) for part in parts))
    return file.getvalue()


def read(content: bytes) -> Saved:
    """What `write` was given."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        parts = [file[f"arr_{number}"].tobytes() for number in range(len(file.files))]
    head, origin, ends, annotations, felt_ends, felt, *matrices = parts
    told = json.loads(head)
    vectors: dict[Symbol, Vector] = {}
    for names, matrix in zip(told["vectors"], matrices, strict=True):
        rows = np.frombuffer(matrix, dtype="<f8").reshape(len(names), -1)
        for some, _ in zip(range(0, len(names), _ROWS), breaths(), strict=False):
            vectors.update(zip(names[some : some + _ROWS], map(tuple, rows[some : some + _ROWS].tolist()), strict=True))
    return Saved(
        origin,
        told["sequence"],
        told["occurrences"],
        SharedTable(StoredTable(ends, annotations, _read_annotations) if ends else None),
        SharedTable(StoredTable(felt_ends, felt, _read_felt) if felt_ends else None),
        vectors,
    )


def _rows(vectors: Mapping[Symbol, Vector], names: list[Symbol]) -> Iterator[bytes]:
    """The components of vectors of one dimension, some at a time."""
    for some, _ in zip(range(0, len(names), _ROWS), breaths(), strict=False):
        yield np.array([vectors[name] for name in names[some : some + _ROWS]], dtype="<f8").tobytes()


def _annotations_text(each: Annotations) -> bytes:
    affinity = {name: str(amount) for name, amount in each.affinity.items()}
    return json.dumps([list(map(dict, each.emotives)), dict(each.metadata), affinity]).encode()


def _read_annotations(content: bytes) -> Annotations:
    emotives, metadata, affinity = json.loads(content)
    return Annotations(
        tuple(emotives),
        {key: tuple(texts) for key, texts in metadata.items()},
        {name: Fraction(amount) for name, amount in affinity.items()},
    )


def _felt_text(each: Felt) -> bytes:
    sums = {name: str(amount) for name, amount in each.sums.items()}
    return json.dumps([each.symbol, sums, dict(each.holders)]).encode()


def _read_felt(content: bytes) -> Felt:
    symbol, sums, holders = json.loads(content)
    return Felt(symbol, {name: Fraction(amount) for name, amount in sums.items()}, holders)
