"""One state of a node's knowledge in the native engine: what the kernel answers, with what lies beside its index."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np

from kato.engine.alignment import Block, flat
from kato.engine.event import Event, Symbol, Vector
from kato.engine.exact import to_float
from kato.engine.explaining import Explained, explain, explained
from kato.engine.knowledge import Counts, SymbolStatistics, Totals
from kato.engine.matching import _kernel
from kato.engine.matching.beside import Annotations, Felt, write
from kato.engine.matching.comparing import Known, compare
from kato.engine.matching.kernel_forecasting import KernelSource
from kato.engine.matching.kernel_listing import KernelListing
from kato.engine.matching.plain import PlainKnowledge, PlainView
from kato.engine.matching.shared_table import SharedView
from kato.engine.measuring import Match, Node
from kato.engine.members import Members
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

_HEAVIEST = 1e290
"""Weights up to here can be summed over any memory and pattern without leaving the range of doubles."""

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
        occurrences: int,
    ) -> None:
        self.sequence = sequence
        self.kernel = kernel
        self._annotations = annotations
        self._felt = felt
        self._vectors = vectors
        self._names = names
        self._occurrences = occurrences
        self._weights: dict[str, _kernel.Weights] = {}
        self._plain: PlainView | None = None
        self._guard = threading.Lock()
        self.totals = Totals(kernel.patterns, kernel.symbols, kernel.frequency, len(vectors.vectors))

    # --- predicting ---

    def predict(self, events: Sequence[Event], settings: EngineSettings) -> Predictions:
        """Predictions for a sequence of events; none for no events."""
        if not events:
            return Predictions((), (), (), self.totals.patterns, 0, 0)
        if not self._can_weigh(settings):
            return self.plain().predict(events, settings)
        weights = self._weights_of(settings.affinity_emotive)
        annotate = self._annotate if self._annotations else None
        key = selection_key_name(settings.rank_sort_algo)
        return self.kernel.predict(tuple(events), settings, key, weights, LEAST, annotate)

    def count(self, events: Sequence[Event], settings: EngineSettings) -> Counts:
        """How many patterns match a sequence of events."""
        if not events:
            return Counts(0, tuple((name, 0) for name in settings.filter_pipeline))
        matched, passed = self.kernel.count(tuple(events), settings)
        return Counts(matched, tuple(zip(settings.filter_pipeline, passed, strict=True)))

    def forecasting(self) -> KernelSource:
        """What forecasts are made from."""
        return KernelSource(self.kernel)

    def explain(
        self, events: Sequence[Event], settings: EngineSettings, only: tuple[Event, ...] | None = None
    ) -> dict[tuple[Event, ...], Explained]:
        """How each of the predictions came about, by their pattern's events; with `only` that one, wherever it ranks."""
        if not self._can_weigh(settings):
            return self.plain().explain(events, settings, only)
        members = self.members(events, settings)
        ranked = self.predict(events, replace(settings, max_predictions=max(1, len(members)))).ranked
        shown = explained(ranked, settings, only)
        symbols = {symbol for rank in shown for symbol in flat(ranked[rank].events)}.union(flat(events))
        held = {symbol: facts[1] for symbol in symbols if (facts := self.kernel.symbol(symbol)) is not None}
        node = Node(self.totals, held, self._feeler(settings.affinity_emotive))
        return explain(members, ranked, shown, events, node, settings)

    def members(self, events: Sequence[Event], settings: EngineSettings) -> Members:
        """The best matches, in order of selection."""
        if not self._can_weigh(settings):
            return self.plain().members(events, settings)
        weights = self._weights_of(settings.affinity_emotive)
        key = selection_key_name(settings.rank_sort_algo)
        found = self.kernel.members(tuple(events), settings, key, weights, LEAST) if events else []
        patterns = [self._pattern(*told) for told in found]
        memory, weigh = flat(events), self._weigher(settings.affinity_emotive)

        def match(place: int) -> Match:
            lies = compare(_known(patterns[place]), memory, settings, weigh)
            assert lies is not None, "the kernel has chosen it"
            return lies

        return Members(patterns, match)

    def _annotate(self, slot: int) -> tuple[Mapping[str, float], Mapping[str, tuple[str, ...]]]:
        found = self._annotations.get(slot)
        return ({}, {}) if found is None else (emotive_means(found.emotives), found.metadata)

    def _pattern(self, slot: int, name: str, events: tuple[Event, ...], frequency: int) -> Pattern:
        return pattern_of(name, events, frequency, self._annotations.get(slot))

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

    def save(self, path: str, origin: bytes) -> None:
        """
        Write this state to a file that `NativeKnowledge.open` reads, with bytes of the caller's own.

        Raises:
            OSError: It cannot be written.
        """
        beside = write(origin, self.sequence, self._occurrences, self._annotations, self._felt, self._vectors.vectors)
        try:
            self.kernel.save(path, beside)
        except RuntimeError as error:
            raise OSError(str(error)) from error

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

    def _can_weigh(self, settings: EngineSettings) -> bool:
        """Whether the kernel's sums of weights stay within the range of doubles; always without an emotive."""
        weights = self._weights_of(settings.affinity_emotive)
        return weights is None or self._can_sum(weights)

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

    def vector(self, symbol: Symbol) -> Vector | None:
        """The components of a learned vector by its symbol; None for any other symbol."""
        return self._vectors.vectors.get(symbol)

    def has_dimension(self, dimension: int) -> bool:
        """Whether a vector of that dimension has been learned."""
        return self._vectors.has_dimension(dimension)


def _known(pattern: Pattern) -> Known:
    tokens = flat(pattern.events)
    return Known(pattern, tokens, frozenset(tokens))


def pattern_of(name: str, events: tuple[Event, ...], frequency: int, annotations: Annotations | None) -> Pattern:
    """A pattern of what the kernel and the table beside it hold."""
    if annotations is None:
        return Pattern(name, events, frequency)
    return Pattern(name, events, frequency, annotations.emotives, annotations.metadata, annotations.affinity)
