"""What a node has learned: looking it up, correcting it, forgetting it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kato.engine.knowledge import View
from kato.engine.listing import PatternOrder, PatternPage, PatternPosition, SymbolOrder, SymbolPage, SymbolPosition
from kato.engine.pattern import Pattern, bare_name
from kato.errors import PatternNotFound
from kato.service.events import PatternsCorrected, corrected
from kato.service.session import Session
from kato.service.session_state import cleared
from kato.service.system import System
from kato.storage.interface import Edit, Forget, ForgetAll, NodeInfo, Reply, Storage, Transaction
from kato.storage.recollecting import recollect_name


async def read_pattern(system: System, node_id: str, pattern_id: str, sequence: int | None = None) -> Pattern:
    """
    One pattern by its name, with or without prefix, in any case.

    Args:
        sequence: As it was after that change; None: as it is.

    Raises:
        PatternNotFound: The node has none of that name, or the name is malformed.
    """
    name = bare_name(pattern_id)
    pattern: Pattern | None = None
    if name is not None and sequence is None:
        pattern = await system.runtime.compute(system.storage.pattern, node_id, name)
    elif name is not None and sequence is not None:
        found = await system.runtime.compute(recollect_name, system.storage, node_id, name, sequence)
        pattern = next(iter(found.patterns.values()), None)
    if pattern is None:
        raise PatternNotFound(pattern_id, node_id)
    return pattern


async def list_patterns(
    system: System, view: View, *, order: PatternOrder, after: PatternPosition | None, limit: int, search: str
) -> PatternPage:
    """One page of the patterns that a node knew at one moment."""
    return await system.runtime.compute(view.list_patterns, order, after, limit, search)


async def list_symbols(
    system: System, view: View, *, order: SymbolOrder, after: SymbolPosition | None, limit: int | None, search: str
) -> SymbolPage:
    """One page of the symbols that a node knew at one moment."""
    return await system.runtime.compute(view.list_symbols, order, after, limit, search)


async def edit_pattern(
    system: System,
    node_id: str,
    pattern_id: str,
    *,
    frequency: int | None,
    emotives: tuple[Mapping[str, float], ...] | None,
    metadata: Mapping[str, Any] | None,
    actor: str | None = None,
) -> Pattern:
    """
    Replace a pattern's frequency, emotives or metadata; None leaves a part as it is.

    Raises:
        PatternNotFound: The node has none of that name.
    """
    name = (await read_pattern(system, node_id, pattern_id)).name
    edit = Edit(name, frequency=frequency, emotives=emotives, metadata=metadata)
    now = system.runtime.now()
    committed = await system.commit(Transaction(at=now, node_id=node_id, operations=(edit,), actor=actor))
    system.events.tell(corrected(node_id, now, "edit", committed.changes))
    after = committed.changes[-1].after
    assert after is not None
    return after


async def forget_pattern(system: System, node_id: str, pattern_id: str, *, actor: str | None = None) -> Pattern:
    """
    Forget one pattern and everything it contributed; returns it as it was.

    Raises:
        PatternNotFound: The node has none of that name.
    """
    name = (await read_pattern(system, node_id, pattern_id)).name
    now = system.runtime.now()
    committed = await system.commit(Transaction(at=now, node_id=node_id, operations=(Forget(name),), actor=actor))
    system.events.tell(corrected(node_id, now, "forget", committed.changes))
    before = committed.changes[-1].before
    assert before is not None
    return before


async def clear_all(
    system: System, session: Session, *, reply: Callable[[tuple[int, int, int]], Reply] | None = None
) -> tuple[int, int, int]:
    """
    Forget all the session's node has learned, and the session's episode. The caller holds the session's turn.

    Args:
        reply: Makes the answer that is to be remembered with it, if one is, of what is returned.

    Returns:
        How many patterns, symbols and vectors there were.
    """
    view = await system.nodes.view(session.node_id)
    totals = view.totals
    counts = totals.patterns, totals.symbols, totals.vectors
    committed = await system.sessions.record(
        session,
        cleared(session.state),
        fields=("short_term_memory", "emotives", "metadata"),
        operations=(ForgetAll(),) if totals.patterns else (),
        reply=reply(counts) if reply is not None else None,
    )
    if committed.changes:
        system.events.tell(
            PatternsCorrected(
                "pattern.forgotten",
                session.session_id,
                session.node_id,
                committed.changes[-1].at,
                names=(),
                count=totals.patterns,
                frequency=0,
                trigger="clear_all",
                owner=session.owner,
            )
        )
    return counts


async def count_patterns(system: System, node_id: str) -> int:
    """How many patterns a node has."""
    info = await system.runtime.compute(system.storage.node, node_id)
    return info.patterns if info is not None else 0


async def read_node(system: System, node_id: str) -> NodeInfo | None:
    """What the storage knows of a node; None for one that has never learned."""
    return await system.runtime.compute(system.storage.node, node_id)


async def list_nodes(system: System, *, after: str, limit: int, prefixes: Sequence[str] = ()) -> list[NodeInfo]:
    """Nodes that have ever learned something, by node id, those after `after` that begin with a prefix, if there are any."""
    return await system.runtime.compute(_listed, system.storage, after, limit, prefixes or ("",))


def _listed(storage: Storage, after: str, limit: int, prefixes: Sequence[str]) -> list[NodeInfo]:
    """Nodes of one prefix stand together in the order of ids, so each run is read from where it begins."""
    found: list[NodeInfo] = []
    for prefix in sorted(set(prefixes)):
        if prefix.startswith(tuple(other for other in prefixes if other != prefix)):
            continue  # within a run that another prefix names
        position = after
        if after < prefix:
            position = prefix
            itself = storage.node(prefix)
            found += [itself] if itself is not None else []
        while len(found) < limit:
            page = storage.nodes(after=position, limit=limit - len(found))
            run = [info for info in page if info.node_id.startswith(prefix)]
            found += run
            if not page or len(run) < len(page):
                break
            position = page[-1].node_id
    return found[:limit]
