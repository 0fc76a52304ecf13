"""
The native engine: the plain engine's answers, to the last bit, at a cost that follows what a question touches.

The kernel (`native/`) keeps the patterns' symbols and frequencies, finds the best matches and measures them. What few patterns
have (emotives, metadata, affinities, vectors) is kept here. A node whose numbers leave the range in which doubles count
exactly, or in which two contents share a name, goes over to the plain engine: that is slower, never different.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from zipfile import BadZipFile

from kato.engine.event import Symbol, Vector
from kato.engine.knowledge import CannotOpen, Change, Cost, Present, Written, WrittenPatterns, onwards
from kato.engine.matching import _kernel
from kato.engine.matching.beside import Annotations, Felt, read
from kato.engine.matching.plain import PlainKnowledge, PlainView
from kato.engine.matching.shared_table import SharedTable, about_bytes
from kato.engine.matching.view import NativeView, pattern_of
from kato.engine.pattern import Pattern
from kato.engine.vectors import VectorSet

_EXACT = 2**53
"""Whole numbers below this are doubles; the kernel counts in them."""
_AT_ONCE = 1000
"""New patterns are handed to the kernel in such numbers."""
_MANY = 2000
"""From this many changes at once on, their patterns are gathered for one segment."""


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
            if isinstance(patterns, WrittenPatterns):
                for page in patterns.pages():
                    self._add_written(list(page), patterns.read)
            else:
                rest = iter(patterns)
                while some := list(islice(rest, _AT_ONCE)):
                    self._add_all(some)
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
            fresh: list[Pattern] = []
            for change in changes:
                if change.sequence <= self.sequence:
                    continue
                if many and change.before is None and change.after is not None and not change.vectors:
                    fresh.append(change.after)
                    self.sequence = change.sequence
                    continue
                self._add_all(fresh)
                fresh = []
                self._apply(change)
            self._add_all(fresh)
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
            self._occurrences,
        )

    def fork(self) -> NativeKnowledge:
        """Another knowledge that begins as this one is and goes its own way; segments that neither changes are held once."""
        made = NativeKnowledge()
        with self._lock:
            made.sequence = self.sequence
            made._index = self._index.fork()
            made._losses, made._names = self._losses, self._names
            made._annotations, made._felt = self._annotations.fork(), self._felt.fork()
            made._components, made._vectors = dict(self._components), self._vectors
            made._occurrences = self._occurrences
            made._plain = self._plain.fork() if self._plain is not None else None
        return made

    def rewind(self, changes: Sequence[Change], sequence: int) -> None:
        """Apply changes that lead back to an earlier sequence, in their order; what they say of sequences is not looked at."""
        self.apply(onwards(changes, self.sequence))
        with self._lock:
            self._view = None
            self.sequence = sequence
            if self._plain is not None:
                self._plain.rewind((), sequence)

    def tend(self) -> bool:
        """One step of upkeep; False when there is nothing to do. One caller at a time, alongside all else."""
        return self._index.tend()

    @property
    def is_untidy(self) -> bool:
        """Whether `tend` may have something to do."""
        return self._index.is_untidy

    @property
    def cost(self) -> Cost:
        """What it takes in memory; of the plain engine all is index."""
        with self._lock:
            if self._plain is not None:
                return self._plain.cost
            vectors = len(self._components) * sum(map(about_bytes, islice(self._components.items(), 1)))
            beside = self._annotations.size_bytes + self._felt.size_bytes + vectors
            return Cost(self._index.bytes, self._index.text_bytes + beside)

    # --- a file ---

    def savable(self) -> NativeView | None:
        """The present state, which can be written to a file; None where it is the plain engine's."""
        view = self.view()
        return view if isinstance(view, NativeView) else None

    def open(self, path: str) -> bytes:
        """
        Fill an empty knowledge from a file that `NativeView.save` wrote; the bytes of its caller's own.

        Raises:
            CannotOpen: It is not one, or not whole.
        """
        with self._lock:
            try:
                saved = read(self._index.open(path))
            except (RuntimeError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
                self._forget_all()
                raise CannotOpen(str(error)) from error
            self._annotations, self._felt, self._components = saved.annotations, saved.felt, saved.vectors
            self._occurrences, self.sequence = saved.occurrences, saved.sequence
            self._view = None
            return saved.origin

    def renew(self, present: Iterable[Present], count: int, sequence: int) -> None:
        """
        Bring patterns up to what they are at a later sequence; those not named are the same then and now.

        Args:
            count: About how many are named.

        Raises:
            CannotOpen: The kernel cannot hold what they are now; nothing useful is left.
        """
        with self._lock:
            self._view = None
            if count >= _MANY:
                self._index.begin_many()
            for each in present:
                before = self._named(each.name)
                if before is not None or each.pattern is not None:
                    self._take(before, each.pattern, each.vectors)
                if self._plain is not None:
                    raise CannotOpen("its patterns are now held by the plain engine")
            if count >= _MANY:
                self._index.end_many()
            self.sequence = sequence

    def pattern(self, name: str) -> Pattern | None:
        """The pattern of a name; None where there is none, or the plain engine holds them."""
        with self._lock:
            return self._named(name) if self._plain is None else None

    def _named(self, name: str) -> Pattern | None:
        told = self._index.named(name)
        return None if told is None else pattern_of(*told[1:], self._annotations.get(told[0]))

    # --- changing ---

    def _apply(self, change: Change) -> None:
        before, after = change.before, change.after
        if before is None and after is None:
            self._forget_all()
        elif self._plain is not None:
            self._plain.apply([change])
        else:
            self._take(before, after, change.vectors)
        self.sequence = change.sequence

    def _take(self, before: Pattern | None, after: Pattern | None, vectors: Mapping[Symbol, Vector]) -> None:
        """One pattern's change; one of the two is there."""
        if after is None:
            assert before is not None
            self._remove(before)
            return
        if before is None:
            self._add(after)
        else:
            self._change(before, after)
        self._learn_vectors(vectors)

    def _add(self, pattern: Pattern) -> None:
        if self._plain is not None:
            self._plain.load([pattern], {}, self.sequence)
            return
        self._occurrences += pattern.frequency * pattern.length
        if self._occurrences >= _EXACT:
            self._go_plain([pattern])
            return
        slot = self._index.learn(pattern.events, pattern.name, pattern.frequency)
        if slot < 0:  # of a name that another content has
            self._go_plain([pattern])
            return
        self._annotate(slot, None, pattern)

    def _add_all(self, patterns: list[Pattern]) -> None:
        """As one after the other, in one go as far as the kernel holds them."""
        while patterns and self._plain is None:
            taken, occurrences, annotated = self._index.learn_many(patterns, _EXACT - self._occurrences)
            self._occurrences += occurrences
            for slot, place in annotated:
                self._annotate(slot, None, patterns[place])
            if taken < len(patterns):
                self._add(patterns[taken])
            patterns = patterns[taken + 1 :]
        for pattern in patterns:
            self._add(pattern)

    def _add_written(self, rows: list[Written], read: Callable[[Written], Pattern]) -> None:
        """As one after the other; what the kernel does not take as it is written is read first."""
        while rows and self._plain is None:
            taken, occurrences, annotated = self._index.learn_written(rows, _EXACT - self._occurrences)
            self._occurrences += occurrences
            for slot, place in annotated:
                self._annotate(slot, None, read(rows[place]))
            if taken < len(rows):
                self._add(read(rows[taken]))
            rows = rows[taken + 1 :]
        for row in rows:
            self._add(read(row))

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
            sums, holders = (dict(felt.sums), dict(felt.holders)) if felt is not None else ({}, {})
            for emotive in old.keys() | new.keys():
                holders[emotive] = holders.get(emotive, 0) + (emotive in new) - (emotive in old)
                if not holders[emotive]:
                    del holders[emotive], sums[emotive]
                    continue
                gained = new.get(emotive, Fraction(0)) - old.get(emotive, Fraction(0))
                sums[emotive] = sums.get(emotive, Fraction(0)) + gained
            self._felt.set(number, Felt(symbol, sums, holders) if sums else None)

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
