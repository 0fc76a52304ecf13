"""
The definition of a prediction, written to be read, and the judge of everything faster.

Every pattern is compared with the memory (`comparing.py`). `PlainKnowledge` keeps the statistics of a node
and hands out views; `PlainView.predict` reads like the definition: gate, filter, select, measure, rank.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from sys import getsizeof

from kato.engine.alignment import flat
from kato.engine.event import Event, Symbol, Vector
from kato.engine.exact import to_float
from kato.engine.explaining import Explained, explain, explained
from kato.engine.filtering import passes
from kato.engine.forecasting.electing import Voter
from kato.engine.forecasting.plain import PlainSource
from kato.engine.knowledge import Change, Cost, Counts, SymbolStatistics, Totals, onwards
from kato.engine.listing import (
    PatternOrder,
    PatternPage,
    PatternPosition,
    SymbolOrder,
    SymbolPage,
    SymbolPosition,
    page_of,
    symbol_page,
)
from kato.engine.matching.comparing import Known, compare
from kato.engine.measuring import Match, Node, measure
from kato.engine.members import Members
from kato.engine.metrics.weighted import weight
from kato.engine.pattern import Pattern
from kato.engine.prediction import Predictions
from kato.engine.ranking import selection_order
from kato.engine.settings import EngineSettings
from kato.engine.vectors import Near, VectorSet


class PlainView:
    """One state of a node's knowledge."""

    def __init__(
        self,
        sequence: int,
        known: tuple[Known, ...],
        members: Mapping[Symbol, int],
        frequencies: Mapping[Symbol, int],
        affinities: Mapping[Symbol, Mapping[str, Fraction]],
        frequency: int,
        vectors: VectorSet,
    ) -> None:
        self.sequence = sequence
        self._known = known
        self._members = members
        self._frequencies = frequencies
        self._affinities = affinities
        self._vectors = vectors
        self._sorted: dict[bool, list[Symbol]] = {}
        self.totals = Totals(len(known), len(members), frequency, len(vectors.vectors))

    # --- predicting ---

    def predict(self, events: Sequence[Event], settings: EngineSettings) -> Predictions:
        """Predictions for a sequence of events; none for no events."""
        return measure(self.members(events, settings), events, self._node(settings), settings)

    def count(self, events: Sequence[Event], settings: EngineSettings) -> Counts:
        """How many patterns match a sequence of events."""
        matches, passed = self._matches(events, settings)
        return Counts(len(matches), passed)

    def forecasting(self) -> PlainSource:
        """What forecasts are made from."""
        voters = (
            Voter(each.pattern.name, each.pattern.events, each.pattern.frequency, each.symbols, place)
            for place, each in enumerate(self._known)
        )
        return PlainSource(voters, self._members)

    def explain(
        self, events: Sequence[Event], settings: EngineSettings, only: tuple[Event, ...] | None = None
    ) -> dict[tuple[Event, ...], Explained]:
        """How each of the predictions came about, by their pattern's events; with `only` that one, wherever it ranks."""
        members, node = self.members(events, settings), self._node(settings)
        every = replace(settings, max_predictions=max(1, len(members)))
        ranked = measure(members, events, node, every).ranked
        return explain(members, ranked, explained(ranked, settings, only), events, node, settings)

    def members(self, events: Sequence[Event], settings: EngineSettings) -> Members:
        """The best matches, in order of selection."""
        matches, _ = self._matches(events, settings)
        matches.sort(key=lambda match: selection_order(match, settings.rank_sort_algo))
        size = max(settings.ensemble_size, settings.max_predictions) if settings.ensemble_size else len(matches)
        return Members([match.pattern for match in matches[:size]], matches.__getitem__)

    def _matches(
        self, events: Sequence[Event], settings: EngineSettings
    ) -> tuple[list[Match], tuple[tuple[str, int], ...]]:
        """(all matches, per filter how many passed it and those before)."""
        memory, weigh = flat(events), self._weights(settings)
        matches: list[Match] = []
        if events:
            compared = (compare(known, memory, settings, weigh) for known in self._known)
            matches = [found for found in compared if found is not None]
        passed = []
        for name in settings.filter_pipeline:
            matches = [match for match in matches if passes(name, match.facts, settings)]
            passed.append((name, len(matches)))
        return matches, tuple(passed)

    def _node(self, settings: EngineSettings) -> Node:
        return Node(self.totals, self._members, self._felt(settings.affinity_emotive))

    def _felt(self, emotive: str | None) -> Callable[[Symbol], tuple[float, int]] | None:
        """What tells a symbol's affinity for the emotive, and its frequency; zeros for an unknown symbol."""
        if emotive is None:
            return None

        def felt(symbol: Symbol) -> tuple[float, int]:
            affinity = self._affinities.get(symbol, {}).get(emotive, Fraction(0))
            return to_float(affinity), self._frequencies.get(symbol, 0)

        return felt

    def _weights(self, settings: EngineSettings) -> Callable[[Symbol], float] | None:
        """What tells a symbol's weight, or None without affinity; each is worked out once."""
        felt = self._felt(settings.affinity_emotive)
        if felt is None:
            return None
        weights: dict[Symbol, float] = {}

        def weigh(symbol: Symbol) -> float:
            found = weights.get(symbol)
            if found is None:
                found = weights[symbol] = weight(*felt(symbol))
            return found

        return weigh

    # --- looking up ---

    def symbol(self, symbol: Symbol) -> SymbolStatistics | None:
        """What is known of a symbol."""
        members = self._members.get(symbol)
        if members is None:
            return None
        felt = self._affinities.get(symbol, {})
        affinity = {name: to_float(felt[name]) for name in sorted(felt)}
        return SymbolStatistics(self._frequencies[symbol], members, affinity)

    def symbols(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        only: Sequence[str] | None = None,
        with_affinity: bool = False,
    ) -> list[tuple[Symbol, SymbolStatistics]]:
        """Symbols by code point."""
        held = self._affinities if with_affinity else self._members
        names = self._names(with_affinity) if only is None else sorted(held.keys() & set(only))
        start = bisect_right(names, after) if after is not None else 0
        stop = None if limit is None else start + limit
        found = ((name, self.symbol(name)) for name in names[start:stop])
        return [(name, statistics) for name, statistics in found if statistics is not None]

    def _names(self, with_affinity: bool) -> list[Symbol]:
        """The symbols, or those with an affinity, by code point; sorted once, as long lists are read page by page."""
        names = self._sorted.get(with_affinity)
        if names is None:
            names = self._sorted[with_affinity] = sorted(self._affinities if with_affinity else self._members)
        return names

    def list_patterns(self, order: PatternOrder, after: PatternPosition | None, limit: int, search: str) -> PatternPage:
        """One page of the patterns that pass a search, in an order."""
        return page_of((known.pattern for known in self._known), order, after, limit, search)

    def list_symbols(
        self, order: SymbolOrder, after: SymbolPosition | None, limit: int | None, search: str
    ) -> SymbolPage:
        """One page of the symbols that contain a text, in an order; without a limit all the rest."""
        return symbol_page(dict(self.symbols()), order, after, limit, search)

    def nearest(self, vector: Sequence[float], settings: EngineSettings) -> Near:
        """The learned neighbours of a vector."""
        return self._vectors.nearest(vector, settings)

    def vector(self, symbol: Symbol) -> Vector | None:
        """The components of a learned vector by its symbol; None for any other symbol."""
        return self._vectors.vectors.get(symbol)

    def has_dimension(self, dimension: int) -> bool:
        """Whether a vector of that dimension has been learned."""
        return self._vectors.has_dimension(dimension)


class PlainKnowledge:
    """
    What a node has learned: patterns by content, and the statistics that follow from them.

    Changes arrive in one thread while others ask for views, so both take the lock: a view made halfway through a change
    would mix two states, and one kept from before a change would hide it. Views themselves need no lock.
    """

    def __init__(self) -> None:
        self.sequence = 0
        self._known: dict[tuple[Event, ...], Known] = {}
        self._members: Counter[Symbol] = Counter()
        self._frequencies: Counter[Symbol] = Counter()
        self._affinities: dict[Symbol, dict[str, Fraction]] = {}
        """Its inner dictionaries are shared with views: they are replaced, never changed."""
        self._holders: dict[tuple[Symbol, str], int] = {}
        """How many patterns give a symbol an affinity for an emotive."""
        self._frequency = 0
        self._components: dict[Symbol, Vector] = {}
        self._vectors: VectorSet | None = None
        """Of the components; None when they have changed since it was made."""
        self._view: PlainView | None = None
        self._lock = threading.Lock()

    def load(self, patterns: Iterable[Pattern], vectors: Mapping[Symbol, Vector], sequence: int) -> None:
        """Fill an empty knowledge."""
        with self._lock:
            self._view = None
            for pattern in patterns:
                self._add(pattern)
            self._learn_vectors(vectors)
            self.sequence = sequence

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply changes in order, all of them at once for whoever asks for a view; those already applied are skipped."""
        with self._lock:
            for change in changes:
                if change.sequence > self.sequence:
                    self._view = None
                    self._apply(change)

    def view(self) -> PlainView:
        """The present state; the same object until something changes. Safe to call from any thread."""
        with self._lock:
            if self._vectors is None:
                self._vectors = VectorSet(dict(self._components))
            if self._view is None:
                self._view = PlainView(
                    self.sequence,
                    tuple(self._known.values()),
                    dict(self._members),
                    dict(self._frequencies),
                    dict(self._affinities),
                    self._frequency,
                    self._vectors,
                )
            return self._view

    def fork(self) -> PlainKnowledge:
        """Another knowledge that begins as this one is and goes its own way."""
        made = PlainKnowledge()
        with self._lock:
            made.sequence = self.sequence
            made._known = dict(self._known)
            made._members, made._frequencies = Counter(self._members), Counter(self._frequencies)
            made._affinities, made._holders = dict(self._affinities), dict(self._holders)
            made._frequency = self._frequency
            made._components, made._vectors = dict(self._components), self._vectors
        return made

    def rewind(self, changes: Sequence[Change], sequence: int) -> None:
        """Apply changes that lead back to an earlier sequence, in their order; what they say of sequences is not looked at."""
        self.apply(onwards(changes, self.sequence))
        with self._lock:
            self._view = None
            self.sequence = sequence

    def tend(self) -> bool:
        """There is no upkeep."""
        return False

    @property
    def is_untidy(self) -> bool:
        """Never."""
        return False

    @property
    def cost(self) -> Cost:
        """About what the patterns take: a few of them, times all; there is no rest."""
        known = list(self._known.values())
        few = known[:: max(1, len(known) // 50)]
        own = sum(
            getsizeof(each.pattern.events)
            + sum(map(getsizeof, each.pattern.events))
            + getsizeof(each.tokens)
            + getsizeof(each.symbols)
            + getsizeof(each)
            + getsizeof(each.pattern)
            + getsizeof(each.pattern.name)
            for each in few
        )
        return Cost(own * len(known) // max(1, len(few)), 0)

    def _apply(self, change: Change) -> None:
        before, after = change.before, change.after
        if before is None and after is None:
            self._forget_all()
        if before is not None:
            self._remove(before, keeps_place=after is not None)
        if after is not None:
            self._add(after)
            self._learn_vectors(change.vectors)
        if before is not None:
            self._forget_vectors(flat(before.events))
        self.sequence = change.sequence

    def _learn_vectors(self, vectors: Mapping[Symbol, Vector]) -> None:
        """Keep the components of those vectors that an event of a remembered pattern holds."""
        for name, vector in vectors.items():
            if name in self._members and self._components.get(name) != vector:
                self._components[name] = vector
                self._vectors = None

    def _forget_vectors(self, symbols: Iterable[Symbol]) -> None:
        """Drop the components of those symbols that no remembered pattern holds."""
        for symbol in symbols:
            if symbol not in self._members and self._components.pop(symbol, None) is not None:
                self._vectors = None

    def _add(self, pattern: Pattern) -> None:
        tokens = flat(pattern.events)
        symbols = frozenset(tokens)
        self._known[pattern.events] = Known(pattern, tokens, symbols)
        self._members.update(symbols)
        for symbol in tokens:
            self._frequencies[symbol] += pattern.frequency
        self._frequency += pattern.frequency
        for emotive, amount in pattern.affinity.items():
            for symbol in symbols:
                felt = self._affinities.get(symbol, {})
                self._affinities[symbol] = {**felt, emotive: felt.get(emotive, Fraction(0)) + amount}
                self._holders[symbol, emotive] = self._holders.get((symbol, emotive), 0) + 1

    def _remove(self, pattern: Pattern, *, keeps_place: bool) -> None:
        known = self._known[pattern.events]
        if not keeps_place:  # among the patterns in the order first learned
            del self._known[pattern.events]
        for symbol in known.tokens:
            self._frequencies[symbol] -= pattern.frequency
        for symbol in known.symbols:
            self._members[symbol] -= 1
            if not self._members[symbol]:
                del self._members[symbol], self._frequencies[symbol]
        self._frequency -= pattern.frequency
        for emotive, amount in pattern.affinity.items():
            for symbol in known.symbols:
                felt = self._affinities[symbol]
                self._holders[symbol, emotive] -= 1
                if self._holders[symbol, emotive]:
                    self._affinities[symbol] = {**felt, emotive: felt[emotive] - amount}
                    continue
                del self._holders[symbol, emotive]
                rest = {name: felt[name] for name in felt if name != emotive}
                if rest:
                    self._affinities[symbol] = rest
                else:
                    del self._affinities[symbol]

    def _forget_all(self) -> None:
        self._known.clear()
        self._members.clear()
        self._frequencies.clear()
        self._affinities.clear()
        self._holders.clear()
        self._frequency = 0
        self._components.clear()
        self._vectors = None
