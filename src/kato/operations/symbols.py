"""Symbols of a node: how often, in how many patterns, and how they feel."""

from __future__ import annotations

from typing import cast

from kato.engine.listing import SymbolOrder, SymbolPosition, symbol_page
from kato.operations import node_id as nodes
from kato.operations.moments import AT, moment_of, told, view_at
from kato.operations.registry import Answer, Request, operation
from kato.operations.sessions import decode_cursor, decode_ordered_cursor, encode_cursor
from kato.service import knowledge
from kato.service.system import System
from kato.wire.answers import node
from kato.wire.reading import Parameter, read_query
from kato.wire.schemas import knowledge as shapes

LISTING = (
    *nodes.PARAMETERS,
    AT,
    Parameter("symbol", "string", default=(), repeatable=True, description="Only these symbols."),
    Parameter("limit", "integer", default=None, minimum=1, maximum=100_000, description="Absent: all."),
    Parameter("cursor", "string", default=None, description="`next_cursor` of the page before."),
)
VECTORS = Parameter(
    "vectors", "boolean", default=False, description="Tell the components of symbols that stand for vectors."
)
ORDERS = ("name", "-name", "frequency", "-frequency")
STATISTICS = (
    *LISTING,
    Parameter("search", "string", default="", description="Only symbols that contain this text."),
    Parameter("sort", "string", default="name", choices=ORDERS, description="Ties by name; `-` for descending."),
    VECTORS,
)


@operation(
    "GET",
    "/symbols/stats",
    scope="read",
    summary="Symbol statistics",
    description="By code point unless sorted otherwise. `frequency` counts occurrences over all learnings, "
    "`pattern_member_frequency` the distinct patterns that hold the symbol.",
    parameters=STATISTICS,
    errors=(413, 422),
    answer=shapes.SYMBOL_STATS,
)
async def symbol_statistics(system: System, request: Request) -> Answer:
    """GET /symbols/stats."""
    query, warnings = read_query(STATISTICS, request.query)
    node_id = nodes.node_of(request, query, system.limits)
    order, limit, search = cast("SymbolOrder", query["sort"]), query["limit"], query["search"]
    after = cast("SymbolPosition | None", decode_ordered_cursor(query["cursor"], order, (int, str)))
    moment = await moment_of(system, node_id, query)
    view = await view_at(system, node_id, moment)
    if query["symbol"]:
        asked = await system.runtime.compute(view.symbols, only=list(query["symbol"]))
        page = symbol_page(dict(asked), order, after, limit, search)
    else:
        page = await knowledge.list_symbols(system, view, order=order, after=after, limit=limit, search=search)
    symbols = {
        symbol: {
            "name": symbol,
            "frequency": found.frequency,
            "pattern_member_frequency": found.pattern_member_frequency,
            **({"vector": view.vector(symbol)} if query["vectors"] else {}),
        }
        for symbol, found in page.symbols
    }
    return Answer(
        {
            "symbols": symbols,
            "count": len(symbols),
            "total": page.total,
            "next_cursor": encode_cursor((order, *page.position)) if page.position is not None else None,
            "has_more": page.position is not None,
            **node(node_id),
            **told(moment),
            "warnings": warnings,
        }
    )


@operation(
    "GET",
    "/symbols/affinity",
    scope="read",
    summary="Affinities of symbols",
    description="Symbols with any affinity, by code point: symbol, emotive, sum.",
    parameters=LISTING,
    errors=(413, 422),
    answer=shapes.AFFINITIES,
)
async def symbol_affinities(system: System, request: Request) -> Answer:
    """GET /symbols/affinity."""
    query, warnings = read_query(LISTING, request.query)
    node_id = nodes.node_of(request, query, system.limits)
    moment = await moment_of(system, node_id, query)
    view = await view_at(system, node_id, moment)
    after = decode_cursor(query["cursor"], (str,))
    only = list(query["symbol"]) or None
    everything = await system.runtime.compute(view.symbols, only=only, with_affinity=True)
    rest = everything if after is None else [entry for entry in everything if entry[0] > after[0]]
    page = rest if query["limit"] is None else rest[: query["limit"]]
    more = len(page) < len(rest)
    return Answer(
        {
            "affinities": {symbol: dict(found.affinity) for symbol, found in page},
            "count": len(page),
            "total": len(everything),
            "next_cursor": encode_cursor((page[-1][0],)) if more else None,
            "has_more": more,
            **node(node_id),
            **told(moment),
            "warnings": warnings,
        }
    )


@operation(
    "GET",
    "/symbols/{symbol}/affinity",
    scope="read",
    summary="Affinity of one symbol",
    description="Empty for an unknown symbol. The empty symbol is asked as `/symbols/affinity?symbol=`.",
    parameters=nodes.PARAMETERS,
    errors=(422,),
    answer=shapes.AFFINITY,
)
async def symbol_affinity(system: System, request: Request) -> Answer:
    """GET /symbols/{symbol}/affinity."""
    query, warnings = read_query(nodes.PARAMETERS, request.query)
    node_id = nodes.node_of(request, query, system.limits)
    view = await system.nodes.view(node_id)
    found = view.symbol(request.path["symbol"])
    affinity = dict(found.affinity) if found is not None else {}
    return Answer({"symbol": request.path["symbol"], "affinity": affinity, **node(node_id), "warnings": warnings})
