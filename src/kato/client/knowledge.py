"""Doings about what a node has learned that take more than one call, or a choice between calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kato.client import calls
from kato.client.recovery import Body, Doing


def affinity(symbol: str, node_id: str | None) -> Doing[Body]:
    """Ask for the affinity of one symbol; symbols that no path can carry are asked for by query."""
    if symbol not in ("", ".", ".."):
        return (yield calls.get_affinity(symbol, node_id))
    page = yield calls.get_affinities(node_id, symbols=(symbol,))
    about: Body = {name: page[name] for name in ("node_id", "kb_id", "warnings") if name in page}
    affinities: Mapping[str, Any] = page.get("affinities", {})
    return {"symbol": symbol, "affinity": affinities.get(symbol, {}), **about}
