"""
What a node has learned, held in memory: the interface of every engine.

`Knowledge` takes changes in; a `View` is one consistent state of it, safe to ask in any thread while changes go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, runtime_checkable

from kato.engine.event import Event, Symbol, Vector
from kato.engine.forecasting.source import Source
from kato.engine.listing import PatternOrder, PatternPage, PatternPosition, SymbolOrder, SymbolPage, SymbolPosition
from kato.engine.pattern import Pattern
from kato.engine.prediction import Predictions
from kato.engine.settings import EngineSettings
from kato.engine.vectors import Near

if TYPE_CHECKING:  # both need Totals
    from kato.engine.explaining import Explained
    from kato.engine.members import Members


class Change(NamedTuple):
    """
    One change of what a node knows, as its log tells it. A tuple, as a commit may make thousands.

    `before` None: a new pattern; `after` None: one was forgotten; both None: everything was (`forget_all`).
    """

    sequence: int
    operation: str
    before: Pattern | None
    after: Pattern | None
    vectors: Mapping[Symbol, Vector] = MappingProxyType({})
    """Components of vectors in the events of `after`, as far as this change brought them."""
    at: int = 0
    session_id: str | None = None


def onwards(changes: Iterable[Change], sequence: int) -> list[Change]:
    """The same changes, numbered on from a sequence."""
    return [change._replace(sequence=number) for number, change in enumerate(changes, start=sequence + 1)]


@dataclass(frozen=True, slots=True)
class Present:
    """What has become of one pattern: its present state, None for one that is not there any more."""

    name: str
    pattern: Pattern | None
    vectors: Mapping[Symbol, Vector] = field(default_factory=dict)
    """Components of the vectors in its events, as far as known."""


Written = tuple[Any, ...]
"""
A pattern as a storage writes it down: its name's 20 bytes, its events as compact JSON, its frequency, then its emotives, metadata
and affinities, None for none, in a form that is the storage's own; anything may follow.
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """About how many bytes something takes in memory."""

    index: int
    """In memory or mapped from a file."""
    rest: int
    """Symbols' text, what travels with patterns, vectors."""

    @property
    def total(self) -> int:
        """Both."""
        return self.index + self.rest


class CannotOpen(Exception):
    """A file does not hold a knowledge; the message says why."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over a whole node."""

    patterns: int
    """Distinct patterns, U."""
    symbols: int
    """Distinct symbols, V."""
    frequency: int
    """Σ of the patterns' frequencies."""
    vectors: int
    """Learned vectors."""


@dataclass(frozen=True, slots=True)
class SymbolStatistics:
    """What is known of one symbol."""

    frequency: int
    """Occurrences in the patterns, each times its frequency."""
    pattern_member_frequency: int
    """Distinct patterns that hold it, pmf."""
    affinity: Mapping[str, float]
    """Emotive → sum; by name."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many patterns match a memory, ensemble or not."""

    matched: int
    """Patterns that pass the gate and the filters."""
    filters: tuple[tuple[str, int], ...]
    """Per filter in the order given: matches that pass it and those before it."""


class View(Protocol):
    """One consistent state of a node's knowledge."""

    @property
    def sequence(self) -> int:
        """The log sequence it stands for."""
        ...

    @property
    def totals(self) -> Totals:
        """Counts over the node."""
        ...

    def predict(self, events: Sequence[Event], settings: EngineSettings) -> Predictions:
        """Predictions for a sequence of events; none for no events."""
        ...

    def count(self, events: Sequence[Event], settings: EngineSettings) -> Counts:
        """How many patterns match a sequence of events; looks at all that share a symbol with it."""
        ...

    def explain(
        self, events: Sequence[Event], settings: EngineSettings, only: tuple[Event, ...] | None = None
    ) -> Mapping[tuple[Event, ...], Explained]:
        """How each of the predictions came about, by their pattern's events; with `only` that one, wherever it ranks."""
        ...

    def members(self, events: Sequence[Event], settings: EngineSettings) -> Members:
        """The members of the ensemble, in order of selection; none for no events."""
        ...

    def forecasting(self) -> Source:
        """What forecasts are made from."""
        ...

    def symbol(self, symbol: Symbol) -> SymbolStatistics | None:
        """What is known of a symbol; None for an unknown one."""
        ...

    def symbols(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        only: Sequence[str] | None = None,
        with_affinity: bool = False,
    ) -> list[tuple[Symbol, SymbolStatistics]]:
        """Symbols by code point, those after `after`; only those with any affinity if asked."""
        ...

    def list_patterns(self, order: PatternOrder, after: PatternPosition | None, limit: int, search: str) -> PatternPage:
        """One page of the patterns that pass a search, in an order (`listing.page_of`)."""
        ...

    def list_symbols(
        self, order: SymbolOrder, after: SymbolPosition | None, limit: int | None, search: str
    ) -> SymbolPage:
        """One page of the symbols that contain a text, in an order; without a limit all the rest."""
        ...

    def nearest(self, vector: Sequence[float], settings: EngineSettings) -> Near:
        """The learned neighbours of a vector, nearest first."""
        ...

    def has_dimension(self, dimension: int) -> bool:
        """Whether a vector of that dimension has been learned."""
        ...

    def vector(self, symbol: Symbol) -> Vector | None:
        """The components of a learned vector by its symbol; None for any other symbol."""
        ...


@runtime_checkable
class WrittenPatterns(Iterable[Pattern], Protocol):
    """Patterns as a storage writes them down. An engine that can read that need not have an object made for each."""

    def pages(self) -> Iterator[Sequence[Written]]:
        """What iterating gives, as it is written, some hundreds at a time; only one of the two can be had."""
        ...

    def read(self, written: Written) -> Pattern:
        """The pattern that is written so."""
        ...


class Knowledge(Protocol):
    """Takes changes in, in the order of the log. Every method may be called while another thread is in one."""

    @property
    def sequence(self) -> int:
        """The newest change applied."""
        ...

    def load(self, patterns: Iterable[Pattern], vectors: Mapping[Symbol, Vector], sequence: int) -> None:
        """Fill an empty knowledge with all a node has learned up to a log sequence."""
        ...

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply changes in order; those already applied are skipped."""
        ...

    def view(self) -> View:
        """The present state: it holds every change whose `apply` has returned, and none by half."""
        ...

    def fork(self) -> Self:
        """Another knowledge that begins as this one is and goes its own way; costs far less than filling one."""
        ...

    def rewind(self, changes: Sequence[Change], sequence: int) -> None:
        """Apply changes that lead back to an earlier sequence, in their order; what they say of sequences is not looked at."""
        ...

    def tend(self) -> bool:
        """One step of upkeep, alongside all else but another `tend`; False when there is nothing to do."""
        ...

    @property
    def is_untidy(self) -> bool:
        """Whether `tend` may have something to do; cheap enough to ask after every change."""
        ...

    @property
    def cost(self) -> Cost:
        """About what it takes in memory; cheap enough to ask now and then, not after every change."""
        ...


class Savable(Protocol):
    """One state that can be written to a file."""

    @property
    def sequence(self) -> int:
        """The log sequence it stands for."""
        ...

    @property
    def totals(self) -> Totals:
        """Counts over the node."""
        ...

    def save(self, path: str, origin: bytes) -> None:
        """Write it, with bytes of the caller's own; OSError where that fails. Slow; holds nobody up."""
        ...


@runtime_checkable
class OpenableKnowledge(Knowledge, Protocol):
    """A knowledge that can be filled from a file, which is quicker than from patterns."""

    def savable(self) -> Savable | None:
        """The present state; None where it is not of a kind that goes into a file."""
        ...

    def open(self, path: str) -> bytes:
        """Fill an empty knowledge from a file; the bytes of its caller's own. CannotOpen leaves it empty."""
        ...

    def renew(self, present: Iterable[Present], count: int, sequence: int) -> None:
        """Bring about `count` patterns up to what they are at a later sequence. CannotOpen leaves nothing useful."""
        ...

    def pattern(self, name: str) -> Pattern | None:
        """The pattern of a name, or None."""
        ...
