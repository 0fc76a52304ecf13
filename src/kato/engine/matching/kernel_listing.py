"""Listing what a node holds out of the kernel's index: the pages of `engine/listing.py`, without looking at every pattern."""

from __future__ import annotations

from abc import abstractmethod

from kato.engine.event import Event, Symbol
from kato.engine.knowledge import SymbolStatistics, Totals
from kato.engine.listing import (
    PatternOrder,
    PatternPage,
    PatternPosition,
    SymbolOrder,
    SymbolPage,
    SymbolPosition,
    name_prefix,
    symbol_position,
    value_of,
)
from kato.engine.matching import _kernel
from kato.engine.pattern import Pattern


class KernelListing:
    """The part of a native view that lists. No two patterns of such a view have one name."""

    kernel: _kernel.View
    totals: Totals

    @abstractmethod
    def _pattern(self, slot: int, name: str, events: tuple[Event, ...], frequency: int) -> Pattern: ...

    @abstractmethod
    def symbol(self, symbol: Symbol) -> SymbolStatistics | None:
        """What is known of a symbol."""

    def list_patterns(self, order: PatternOrder, after: PatternPosition | None, limit: int, search: str) -> PatternPage:
        """One page of the patterns that pass a search, in an order. No two patterns here have one name."""
        column, descends, beyond = order.removeprefix("-"), order.startswith("-"), after and after[:2]
        told, more, total = self.kernel.list_patterns(
            column, descends, beyond, limit, search, name_prefix(search) if search else ""
        )
        page = [self._pattern(*each) for each in told]
        return PatternPage(page, (value_of(page[-1], order), page[-1].name, 1) if more else None, total)

    def list_symbols(
        self, order: SymbolOrder, after: SymbolPosition | None, limit: int | None, search: str
    ) -> SymbolPage:
        """One page of the symbols that contain a text, in an order; without a limit all the rest."""
        by_frequency, descends = order.endswith("frequency"), order.startswith("-")
        most = self.totals.symbols if limit is None else limit
        names, more, total = self.kernel.list_symbols(by_frequency, descends, after, most, search)
        page = [(name, facts) for name in names if (facts := self.symbol(name)) is not None]
        return SymbolPage(page, symbol_position(*page[-1], order) if more else None, total)
