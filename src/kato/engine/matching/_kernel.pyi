"""The native kernel, written in `native/`; absent where none could be built."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kato.engine.event import Event, Symbol
from kato.engine.knowledge import Written
from kato.engine.matching import SequenceRead
from kato.engine.pattern import Pattern
from kato.engine.prediction import Encode, FuturePotential, Prediction, Predictions, SymbolPotential
from kato.engine.settings import EngineSettings

Weights = npt.NDArray[np.float64]
Told = tuple[int, str, tuple[Event, ...], int]
"""A pattern: slot, name, events, frequency."""

def build_information() -> dict[str, str]:
    """How the kernel was built: compiler, flags, build_type, sanitizers, nanobind, python, system."""

def set_shapes(shapes: Any) -> None:
    """Say which classes predictions are made of: an object with one attribute for each, named like it."""

def written_number(value: float) -> bytes:
    """A number as `Later.written` writes it, for whoever compares: the shortest digits that read back as it, or null."""

class Later:
    """What makes the parts of one answer (`kato.engine.prediction.Later`)."""

    def ranked(self) -> tuple[Prediction, ...]:
        """The predictions."""
    def potentials(self) -> tuple[tuple[FuturePotential, ...], tuple[SymbolPotential, ...]]:
        """Those of the futures, and those of the symbols."""
    def written(self, encode: Encode) -> tuple[bytes, bytes, bytes] | None:
        """All three as JSON arrays, written without the interpreter's lock; None where a symbol is no text."""

class Forecasting:
    """Votes in one state: what does not depend on the question is kept as long as this is, for the horizon asked about last."""

    def tally(
        self, question: Any, menu: Any, mix: Any, repeat: float, most: int
    ) -> tuple[list[tuple[Symbol, float]], int, float, int]:
        """
        The vote by a mix: symbols with shares, in no order, at least the `most` best; how many have one; entropy; voters.

        Args:
            question: Steps (event, symbols), newest first; horizon; the events left out, or None.
            menu: Shapes, profiles, number of the general one, furthest displacement, floor, (window, everybody, voters, tokens).
            mix: (profile, times) each.
        """
    def attributed(
        self, question: Any, menu: Any, mix: Any, repeat: float, symbols: Sequence[Symbol], most: int
    ) -> tuple[list[Told], list[tuple[list[tuple[int, int, float]], int, float]]]:
        """
        Voters, and for each of some different symbols who votes for it: (number among the voters, position, what it adds)
        of the `most` positions that add most; how many others do; what those add together.
        """
    def ballots(
        self, question: Any, menu: Any, right: Any, leading: int, most_tied: int
    ) -> tuple[list[Symbol], list[list[float]]]:
        """Symbols that lead by any profile, in no order; per profile, the share of each."""

class View:
    """One state of an index. Safe to ask from any thread; what takes long is done without the interpreter's lock."""

    @property
    def patterns(self) -> int:
        """Distinct patterns."""
    @property
    def symbols(self) -> int:
        """Distinct symbols."""
    @property
    def frequency(self) -> int:
        """Σ of the patterns' frequencies."""
    def predict(
        self,
        events: tuple[Event, ...],
        settings: EngineSettings,
        key: str,
        weights: Weights | None,
        least_weight: float,
        annotate: Callable[[int], tuple[Mapping[str, float], Mapping[str, tuple[str, ...]]]] | None,
    ) -> Predictions:
        """
        Predictions for at least one event.

        Args:
            key: What the ensemble is chosen by (`ranking.selection_key_name`).
            weights: Of every symbol by number, where an emotive weights the metrics; others weigh `least_weight`.
            annotate: A slot's emotives and metadata; None where no pattern has any.
        """
    def stages(
        self,
        events: tuple[Event, ...],
        settings: EngineSettings,
        key: str,
        weights: Weights | None,
        least_weight: float,
        annotate: Callable[[int], tuple[Mapping[str, float], Mapping[str, tuple[str, ...]]]] | None,
    ) -> dict[str, int]:
        """
        Where the processor time of such a question goes, in nanoseconds: reading it, counting what patterns share with it,
        ordering those that may win, comparing them, measuring the ensemble, making the objects of the answer.
        """
    def members(
        self,
        events: tuple[Event, ...],
        settings: EngineSettings,
        key: str,
        weights: Weights | None,
        least_weight: float,
    ) -> list[Told]:
        """The ensemble's members, in order of selection."""
    def count(self, events: tuple[Event, ...], settings: EngineSettings) -> tuple[int, list[int]]:
        """How many patterns match; per filter, how many passed it and those before."""
    def symbol(self, symbol: Symbol) -> tuple[int, int, int] | None:
        """(number, patterns that hold it, occurrences, each times the pattern's frequency); None for an unknown one."""
    def known_symbols(self) -> list[Symbol]:
        """Every symbol that a pattern holds, in the order they were first learned."""
    def all(self) -> list[Told]:
        """Every pattern, in no order."""
    def list_patterns(
        self, order: str, descending: bool, after: tuple[int, str] | None, limit: int, search: str, prefix: str
    ) -> tuple[list[Told], bool, int]:
        """
        A page of patterns.

        Args:
            order: "name", "frequency" or "length"; ties by name, ascending.
            after: Value (0 by name) and name of the last one given; None to begin.
            search: A pattern passes when one of its symbols contains this; all do when it is empty.
            prefix: Where there is a search, a pattern also passes when its name begins with this.

        Returns:
            The page, whether more follow, how many pass the search.
        """
    def list_symbols(
        self, by_frequency: bool, descending: bool, after: tuple[int, str] | None, limit: int, search: str
    ) -> tuple[list[Symbol], bool, int]:
        """A page of symbols that contain `search`: by occurrences or by text, ties by text, ascending; as list_patterns."""
    def forecasting(self) -> Forecasting:
        """Votes in this state."""
    def familiarity(self, question: Any, asked: Any, pairs: Any) -> tuple[list[int], list[int], int]:
        """Numbers of symbols never seen; of pairs never adjacent; most of the symbols that one pattern holds."""
    def elect(self, question: Any, menu: Any) -> list[Told]:
        """Who votes, in order."""
    def heard(self, question: Any, menu: Any) -> int:
        """Symbols of those who vote."""
    def everybody_votes(self, menu: Any) -> bool:
        """Whether all patterns vote in every question."""
    def smallest(self, most: int) -> list[Told]:
        """The patterns with the smallest names, ascending."""
    def save(self, path: str, extra: bytes) -> None:
        """Write everything to a file, and the caller's own bytes; RuntimeError where that fails."""

class SequenceReader:
    """As `kato.engine.matching.SequenceReader` says."""

    def __init__(self, sorts: bool, symbol_bytes: int, symbols: int, events: int, sequences: int) -> None: ...
    def sequence(self, body: bytes) -> SequenceRead | None:
        """One sequence."""
    def sequences(self, body: bytes) -> list[SequenceRead] | None:
        """All of a body."""

class Index:
    """The patterns of one node. Learning, forgetting and asking for a view may happen in any thread."""

    def find(self, events: Sequence[Event], name: str) -> int:
        """A content's slot; -1 if it is not there, -2 if another content has its name."""
    def learn(self, events: Sequence[Event], name: str, frequency: int) -> int:
        """Take a new content; its slot, or -1 if there is one of its name."""
    def learn_many(self, patterns: list[Pattern], most: int) -> tuple[int, int, list[tuple[int, int]]]:
        """
        Take new patterns in order, up to the first whose name is there or with which their occurrences (frequency · length)
        would reach `most`: how many were taken, their occurrences, and (slot, place) of those with emotives or metadata.
        """
    def learn_written(self, rows: list[Written], most: int) -> tuple[int, int, list[tuple[int, int]]]:
        """The same of patterns as a storage writes them; those it cannot read are not new to it. After `begin_many`."""
    def set_frequency(self, slot: int, frequency: int) -> None:
        """Change how often a pattern was learned; at least 1."""
    def forget(self, slot: int) -> None:
        """Forget a pattern."""
    def clear(self) -> None:
        """Forget everything."""
    def fork(self) -> Index:
        """Another index that begins as this one is and goes its own way."""
    def begin_many(self) -> None:
        """Many patterns are coming: gather them for one large segment."""
    def end_many(self) -> None:
        """They have come."""
    def tend(self) -> bool:
        """One step of upkeep, without the interpreter's lock; False when nothing is to be done. One caller at a time."""
    @property
    def is_untidy(self) -> bool:
        """Whether `tend` may have something to do."""
    def view(self) -> View:
        """The present state."""
    def number(self, symbol: Symbol) -> int:
        """A symbol's number, given to it now if it has none."""
    def open(self, path: str) -> bytes:
        """Fill an empty index from a file; the caller's own bytes. RuntimeError, saying why, where it is not whole."""
    def named(self, name: str) -> Told | None:
        """The pattern of a name."""
    @property
    def bytes(self) -> int:
        """Bytes in memory or mapped, the symbols' text apart."""
    @property
    def text_bytes(self) -> int:
        """About the bytes of the symbols' text."""
