"""
The native engine: the plain engine's answers, to the last bit, at a cost that follows what a question touches.

The kernel (`native/`) keeps the patterns' symbols and frequencies, finds the best matches and measures them. What few patterns
have (emotives, metadata, affinities, vectors) is kept here. A node whose numbers leave the range in which doubles count
exactly, or in which two contents share a name, goes over to the plain engine: that is slower, never different.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace

import numpy as np

from kato.engine.alignment import Block, flat
from kato.engine.event import Event, Symbol, Vector
from kato.engine.exact import to_float
from kato.engine.explaining import explain
from kato.engine.explanation import Explanation
from kato.engine.knowledge import Change, Counts, SymbolStatistics, Totals
from kato.engine.matching import _kernel
from kato.engine.matching.comparing import Known, compare
from kato.engine.matching.kernel_listing import KernelListing
from kato.engine.matching.plain import PlainKnowledge, PlainView
from kato.engine.matching.shared_table import SharedTable, SharedView
from kato.engine.measuring import Node
from kato.engine.metrics.weighted import LEAST, weight
from kato.engine.pattern import Pattern, emotive_means
from kato.engine.prediction import (
    Anomaly,
    FuturePotential,
    Metrics,
    Prediction,
    Predictions,
    SymbolPotential,
)
from kato.engine.ranking import selection_key_name
from kato.engine.settings import EngineSettings
from kato.engine.vectors import Near, VectorSet

_EXACT = 2**53
"""Whole numbers below this are doubles; the kernel counts in them."""
_HEAVIEST = 1e290
"""Weights up to here can be summed over any memory and pattern without leaving the range of doubles."""
_MANY = 2000
"""From this many changes at once on, their patterns are gathered for one segment."""

_kernel.set_shapes(
    SimpleNamespace(
        Block=Block,
        Anomaly=Anomaly,
        Metrics=Metrics,
        Prediction=Prediction,
        FuturePotential=FuturePotential,
        SymbolPotential=SymbolPotential,
        Predictions=Predictions,
    )
)


@dataclass(frozen=True, slots=True)
class Annotations:
    """What travels with a pattern besides its symbols."""

    emotives: tuple[Mapping[str, float], ...]
    metadata: Mapping[str, tuple[str, ...]]
    affinity: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Felt:
    """What was felt about a symbol: emotive → exact sum."""

    symbol: Symbol
    sums: Mapping[str, Fraction]


class NativeView(KernelListing):
    """One state of a node's knowledge."""

    def __init__(
        self,
        sequence: int,
        kernel: _kernel.View,
        annotations: SharedView[Annotations],
        felt: SharedView[Felt],
        vectors: VectorSet,
        names: Callable[[], list[Symbol]],
    ) -> None:
        self.sequence = sequence
        self.kernel = kernel
        self._annotations = annotations
        self._felt = felt
        self._vectors = vectors
        self._names = names
        self._weights: dict[str, _kernel.Weights] = {}
        self._plain: PlainView | None = None
        self._guard = threading.Lock()
        self.totals = Totals(kernel.patterns, kernel.symbols, kernel.frequency, len(vectors.vectors))

    # --- predicting ---

    def predict(self, events: Sequence[Event], settings: EngineSettings) -> Predictions:
        """Predictions for a sequence of events; none for no events."""
        if not events:
            return Predictions((), (), (), self.totals.patterns, 0, 0)
        weights = self._weights_of(settings.affinity_emotive)
        if weights is not None and not self._can_sum(weights):
            return self.plain().predict(events, settings)
        annotate = self._annotate if self._annotations else None
        key = selection_key_name(settings.rank_sort_algo)
        return self.kernel.predict(tuple(events), settings, key, weights, LEAST, annotate)

    def count(self, events: Sequence[Event], settings: EngineSettings) -> Counts:
        """How many patterns match a sequence of events."""
        if not events:
            return Counts(0, tuple((name, 0) for name in settings.filter_pipeline))
        matched, passed = self.kernel.count(tuple(events), settings)
        return Counts(matched, tuple(zip(settings.filter_pipeline, passed, strict=True)))

    def explain(
        self, events: Sequence[Event], settings: EngineSettings
    ) -> dict[tuple[Event, ...], Mapping[str, Explanation]]:
        """For every member of the ensemble, by its events: each metric as a tree of what it was made of."""
        if not events:
            return {}
        weights = self._weights_of(settings.affinity_emotive)
        if weights is not None and not self._can_sum(weights):
            return self.plain().explain(events, settings)
        key = selection_key_name(settings.rank_sort_algo)
        found = self.kernel.members(tuple(events), settings, key, weights, LEAST)
        known = [_known(self._pattern(*told)) for told in found]
        memory, weigh = flat(events), self._weigher(settings.affinity_emotive)
        matches = [match for each in known if (match := compare(each, memory, settings, weigh)) is not None]
        symbols = {symbol for each in known for symbol in each.symbols}.union(memory)
        held = {symbol: facts[1] for symbol in symbols if (facts := self.kernel.symbol(symbol)) is not None}
        node = Node(self.totals, held, self._feeler(settings.affinity_emotive))
        return {match.events: trees for match, trees in explain(matches, events, node, settings)}

    def _annotate(self, slot: int) -> tuple[Mapping[str, float], Mapping[str, tuple[str, ...]]]:
        found = self._annotations.get(slot)
        return ({}, {}) if found is None else (emotive_means(found.emotives), found.metadata)

    def _pattern(self, slot: int, name: str, events: tuple[Event, ...], frequency: int) -> Pattern:
        found = self._annotations.get(slot)
        if found is None:
            return Pattern(name, events, frequency)
        return Pattern(name, events, frequency, found.emotives, found.metadata, found.affinity)

    def patterns(self) -> Iterator[Pattern]:
        """Every pattern, in no order."""
        return (self._pattern(*told) for told in self.kernel.all())

    def plain(self) -> PlainView:
        """The same state in the plain engine; made when first asked for."""
        with self._guard:
            if self._plain is None:
                knowledge = PlainKnowledge()
                knowledge.load(self.patterns(), self._vectors.vectors, self.sequence)
                self._plain = knowledge.view()
            return self._plain

    # --- affinity ---

    def _weights_of(self, emotive: str | None) -> _kernel.Weights | None:
        """Every symbol's weight, by number; None without an emotive. Those beyond the end weigh the least."""
        if emotive is None:
            return None
        weights = self._weights.get(emotive)
        if weights is None:
            felt = [(number, each.symbol) for number, each in self._felt.items() if emotive in each.sums]
            weights = np.full(max((number for number, _ in felt), default=-1) + 1, LEAST)
            weigh = self._weigher(emotive)
            assert weigh is not None
            for number, symbol in felt:
                weights[number] = weigh(symbol)
            self._weights[emotive] = weights
        return weights

    @staticmethod
    def _can_sum(weights: _kernel.Weights) -> bool:
        return len(weights) == 0 or float(weights.max()) < _HEAVIEST

    def _feeler(self, emotive: str | None) -> Callable[[Symbol], tuple[float, int]] | None:
        """What tells a symbol's affinity for the emotive, and its frequency; zeros for an unknown symbol."""
        if emotive is None:
            return None

        def feel(symbol: Symbol) -> tuple[float, int]:
            facts = self.kernel.symbol(symbol)
            if facts is None:
                return 0.0, 0
            number, _, frequency = facts
            return to_float(self._sums(number).get(emotive, Fraction(0))), frequency

        return feel

    def _weigher(self, emotive: str | None) -> Callable[[Symbol], float] | None:
        feel = self._feeler(emotive)
        return None if feel is None else lambda symbol: weight(*feel(symbol))

    def _sums(self, number: int) -> Mapping[str, Fraction]:
        found = self._felt.get(number)
        return {} if found is None else found.sums

    # --- looking up ---

    def symbol(self, symbol: Symbol) -> SymbolStatistics | None:
        """What is known of a symbol."""
        facts = self.kernel.symbol(symbol)
        if facts is None:
            return None
        number, members, frequency = facts
        sums = self._sums(number)
        return SymbolStatistics(frequency, members, {name: to_float(sums[name]) for name in sorted(sums)})

    def symbols(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        only: Sequence[str] | None = None,
        with_affinity: bool = False,
    ) -> list[tuple[Symbol, SymbolStatistics]]:
        """Symbols by code point."""
        if only is not None:
            found = ((name, self.symbol(name)) for name in set(only))
            names = sorted(name for name, facts in found if facts and (facts.affinity or not with_affinity))
        elif with_affinity:
            names = sorted(each.symbol for _, each in self._felt.items())
        else:
            names = self._names()
        start = bisect_right(names, after) if after is not None else 0
        stop = None if limit is None else start + limit
        page = ((name, self.symbol(name)) for name in names[start:stop])
        return [(name, facts) for name, facts in page if facts is not None]

    def nearest(self, vector: Sequence[float], settings: EngineSettings) -> Near:
        """The learned neighbours of a vector."""
        return self._vectors.nearest(vector, settings)

    def has_dimension(self, dimension: int) -> bool:
        """Whether a vector of that dimension has been learned."""
        return self._vectors.has_dimension(dimension)


def _known(pattern: Pattern) -> Known:
    tokens = flat(pattern.events)
    return Known(pattern, tokens, frozenset(tokens))


class NativeKnowledge:
    """What a node has learned, in the kernel's index."""

    def __init__(self) -> None:
        self.sequence = 0
        self._lock = threading.Lock()
        self._index = _kernel.Index()
        self._losses = 0
        """How often something was forgotten."""
        self._names: tuple[tuple[int, int], list[Symbol]] = ((-1, -1), [])
        self._forget_all()

    def _forget_all(self) -> None:
        self._losses += 1
        self._index.clear()
        self._annotations: SharedTable[Annotations] = SharedTable()
        self._felt: SharedTable[Felt] = SharedTable()
        self._holders: dict[tuple[Symbol, str], int] = {}
        """How many patterns give a symbol an affinity for an emotive."""
        self._components: dict[Symbol, Vector] = {}
        self._vectors: VectorSet | None = None
        self._view: NativeView | None = None
        self._occurrences = 0
        """Σ frequency · length: no count of the node is larger."""
        self._plain: PlainKnowledge | None = None
        """Where this node has gone, if it went over to the plain engine."""

    # --- taking changes in ---

    def load(self, patterns: Iterable[Pattern], vectors: Mapping[Symbol, Vector], sequence: int) -> None:
        """Fill an empty knowledge."""
        with self._lock:
            self._view = None
            self._index.begin_many()
            for pattern in patterns:
                self._add(pattern)
            self._index.end_many()
            self._learn_vectors(vectors)
            self.sequence = sequence
            if self._plain is not None:
                self._plain.sequence = sequence

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply changes in order, all of them at once for whoever asks for a view; those already applied are skipped."""
        with self._lock:
            if all(change.sequence <= self.sequence for change in changes):
                return
            self._view = None
            many = len(changes) >= _MANY
            if many:
                self._index.begin_many()
            for change in changes:
                if change.sequence > self.sequence:
                    self._apply(change)
            if many:
                self._index.end_many()

    def view(self) -> NativeView | PlainView:
        """The present state; the same object until something changes. Safe to call from any thread."""
        with self._lock:
            if self._plain is not None:
                return self._plain.view()
            if self._view is None:
                self._view = self._present()
            return self._view

    def _present(self) -> NativeView:
        if self._vectors is None:
            self._vectors = VectorSet(dict(self._components))
        kernel, losses = self._index.view(), self._losses
        return NativeView(
            self.sequence,
            kernel,
            self._annotations.share(),
            self._felt.share(),
            self._vectors,
            lambda: self._names_of(kernel, losses),
        )

    def tend(self) -> bool:
        """One step of upkeep; False when there is nothing to do. One caller at a time, alongside all else."""
        return self._index.tend()

    @property
    def is_untidy(self) -> bool:
        """Whether `tend` may have something to do."""
        return self._index.is_untidy

    @property
    def size_bytes(self) -> int:
        """Bytes of the index, the symbols' text and what travels with patterns apart; or about those of the plain engine."""
        return self._index.bytes if self._plain is None else self._plain.size_bytes

    def _apply(self, change: Change) -> None:
        before, after = change.before, change.after
        if before is None and after is None:
            self._forget_all()
        elif self._plain is not None:
            self._plain.apply([change])
        elif after is None:
            assert before is not None
            self._remove(before)
        elif before is None:
            self._add(after)
            self._learn_vectors(change.vectors)
        else:
            self._change(before, after)
            self._learn_vectors(change.vectors)
        self.sequence = change.sequence

    def _add(self, pattern: Pattern) -> None:
        if self._plain is not None:
            self._plain.load([pattern], {}, self.sequence)
            return
        self._occurrences += pattern.frequency * pattern.length
        if self._occurrences >= _EXACT or self._index.find(pattern.events, pattern.name) != -1:
            self._go_plain([pattern])
            return
        slot = self._index.learn(pattern.events, pattern.name, pattern.frequency)
        self._annotate(slot, None, pattern)

    def _change(self, before: Pattern, after: Pattern) -> None:
        self._occurrences += (after.frequency - before.frequency) * after.length
        if self._occurrences >= _EXACT:
            self._remove(before)
            self._go_plain([after])
            return
        slot = self._index.find(after.events, after.name)
        self._index.set_frequency(slot, after.frequency)
        self._annotate(slot, before, after)

    def _remove(self, before: Pattern) -> None:
        self._occurrences -= before.frequency * before.length
        slot = self._index.find(before.events, before.name)
        self._annotate(slot, before, None)
        self._index.forget(slot)
        self._losses += 1
        held = {symbol for event in before.events for symbol in event} & self._components.keys()
        kernel = self._index.view() if held else None
        for symbol in held:
            if kernel and kernel.symbol(symbol) is None:
                del self._components[symbol]
                self._vectors = None

    def _go_plain(self, patterns: Sequence[Pattern]) -> None:
        """Leave the kernel for the plain engine, with all there is and these patterns."""
        here = self._present()
        self._plain = PlainKnowledge()
        self._plain.load((*here.patterns(), *patterns), self._components, self.sequence)
        self._index.clear()

    # --- what few patterns have ---

    def _annotate(self, slot: int, before: Pattern | None, after: Pattern | None) -> None:
        """Keep what travels with a pattern, and what its symbols are felt to be."""
        old = before.affinity if before is not None else {}
        new = after.affinity if after is not None else {}
        if old != new:
            pattern = after or before
            assert pattern is not None
            self._feel({symbol for event in pattern.events for symbol in event}, old, new)
        if after is not None and (after.emotives or after.metadata or after.affinity):
            self._annotations.set(slot, Annotations(after.emotives, after.metadata, after.affinity))
        elif self._annotations.get(slot) is not None:
            self._annotations.set(slot, None)

    def _feel(self, symbols: Iterable[Symbol], old: Mapping[str, Fraction], new: Mapping[str, Fraction]) -> None:
        for symbol in symbols:
            number = self._index.number(symbol)
            felt = self._felt.get(number)
            sums = dict(felt.sums) if felt is not None else {}
            for emotive in old.keys() | new.keys():
                holders = self._holders.get((symbol, emotive), 0) + (emotive in new) - (emotive in old)
                if not holders:
                    del self._holders[symbol, emotive]
                    del sums[emotive]
                    continue
                self._holders[symbol, emotive] = holders
                gained = new.get(emotive, Fraction(0)) - old.get(emotive, Fraction(0))
                sums[emotive] = sums.get(emotive, Fraction(0)) + gained
            self._felt.set(number, Felt(symbol, sums) if sums else None)

    def _learn_vectors(self, vectors: Mapping[Symbol, Vector]) -> None:
        """Keep the components of those vectors that an event of a remembered pattern holds."""
        if self._plain is not None:
            self._plain.load([], vectors, self.sequence)
            return
        kernel = self._index.view() if vectors else None
        for name, vector in vectors.items():
            if self._components.get(name) != vector and kernel and kernel.symbol(name) is not None:
                self._components[name] = vector
                self._vectors = None

    def _names_of(self, kernel: _kernel.View, losses: int) -> list[Symbol]:
        """
        The symbols of a state by code point; sorted once, as long lists are read page by page.

        States between the same two losses only gain symbols, so `losses` and the number of symbols tell which they are.
        """
        state = (losses, kernel.symbols)
        known, names = self._names
        if known != state:
            names = sorted(kernel.known_symbols())
            self._names = (state, names)
        return names
