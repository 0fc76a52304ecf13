"""
What a node holds, listed: which patterns and symbols pass a search, in which order, and page by page.

`page_of` is the definition for patterns; an engine may find the same page without looking at every pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kato.engine.event import Symbol
from kato.engine.pattern import Pattern

if TYPE_CHECKING:
    from kato.engine.knowledge import SymbolStatistics

PatternOrder = Literal["name", "-name", "frequency", "-frequency", "length", "-length"]
"""By what patterns are listed, with `-` descending; ties by name, ascending, then by events."""
SymbolOrder = Literal["name", "-name", "frequency", "-frequency"]
"""By what symbols are listed, with `-` descending; names by code point, ties by name, ascending."""
PatternPosition = tuple[int, str, int]
"""After which pattern a page begins: value (0 by name), name, and how many of this name have been given."""
SymbolPosition = tuple[int, str]
"""After which symbol a page begins: frequency (0 by name) and the symbol."""


@dataclass(frozen=True, slots=True)
class PatternPage:
    """Some of a node's patterns."""

    patterns: Sequence[Pattern]
    position: PatternPosition | None
    """Where the next page begins; None at the end."""
    total: int
    """How many pass the search, on all pages."""


@dataclass(frozen=True, slots=True)
class SymbolPage:
    """Some of a node's symbols."""

    symbols: Sequence[tuple[Symbol, SymbolStatistics]]
    position: SymbolPosition | None
    """Where the next page begins; None at the end."""
    total: int
    """How many pass the search, on all pages."""


def name_prefix(search: str) -> str:
    """A search text as the beginning of a bare name: case and the prefix PTRN| do not count."""
    return search.lower().removeprefix("ptrn|")


def passes_search(pattern: Pattern, search: str) -> bool:
    """Whether one of the pattern's symbols contains the text, or its bare name begins with it."""
    if not search or pattern.name.startswith(name_prefix(search)):
        return True
    return any(search in symbol for event in pattern.events for symbol in event)


def value_of(pattern: Pattern, order: PatternOrder) -> int:
    """The number that patterns are ordered by; 0 where it is the name."""
    column = order.removeprefix("-")
    return pattern.frequency if column == "frequency" else pattern.length if column == "length" else 0


def page_of(
    patterns: Iterable[Pattern], order: PatternOrder, after: PatternPosition | None, limit: int, search: str
) -> PatternPage:
    """One page out of patterns in any order; `limit` ≥ 1."""
    found = [pattern for pattern in patterns if passes_search(pattern, search)]
    found.sort(key=lambda pattern: pattern.events)
    if order == "-name":
        found.sort(key=lambda pattern: pattern.name, reverse=True)
    else:
        found.sort(key=lambda pattern: pattern.name)
    found.sort(key=lambda pattern: value_of(pattern, order), reverse=order.startswith("-"))
    given: dict[tuple[int, str], int] = {}
    page: list[Pattern] = []
    last: PatternPosition | None = None
    for pattern in found:
        place = (value_of(pattern, order), pattern.name)
        given[place] = given.get(place, 0) + 1
        if after is not None and not _is_beyond(place, given[place], after, order):
            continue
        if len(page) == limit:
            return PatternPage(page, last, len(found))
        page.append(pattern)
        last = (*place, given[place])
    return PatternPage(page, None, len(found))


def _is_beyond(place: tuple[int, str], number: int, after: PatternPosition, order: PatternOrder) -> bool:
    value, name = place
    descends = order.startswith("-")
    if value != after[0]:
        return value < after[0] if descends else value > after[0]
    if name != after[1]:
        return name < after[1] if order == "-name" else name > after[1]
    return number > after[2]


def symbol_page(
    statistics: Mapping[Symbol, SymbolStatistics],
    order: SymbolOrder,
    after: SymbolPosition | None,
    limit: int | None,
    search: str,
) -> SymbolPage:
    """One page out of symbols in any order; no limit gives all that are beyond `after`."""
    by_frequency, descends = order.endswith("frequency"), order.startswith("-")
    found = sorted((symbol for symbol in statistics if search in symbol), reverse=order == "-name")
    if by_frequency:
        found.sort(key=lambda symbol: statistics[symbol].frequency, reverse=descends)
    rest = found
    if after is not None:
        rest = [symbol for symbol in found if _is_symbol_beyond(symbol, statistics[symbol], after, order)]
    page = rest if limit is None else rest[:limit]
    position = symbol_position(page[-1], statistics[page[-1]], order) if len(page) < len(rest) else None
    return SymbolPage([(symbol, statistics[symbol]) for symbol in page], position, len(found))


def symbol_position(symbol: Symbol, statistics: SymbolStatistics, order: SymbolOrder) -> SymbolPosition:
    """Where a page that begins after this symbol begins."""
    return (statistics.frequency if order.endswith("frequency") else 0, symbol)


def _is_symbol_beyond(symbol: Symbol, known: SymbolStatistics, after: SymbolPosition, order: SymbolOrder) -> bool:
    value, _ = symbol_position(symbol, known, order)
    if value != after[0]:
        return value < after[0] if order.startswith("-") else value > after[0]
    return symbol < after[1] if order == "-name" else symbol > after[1]
