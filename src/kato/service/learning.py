"""Learning what a session's memory holds, and learning sequences in bulk."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kato.engine.event import Event
from kato.engine.knowledge import Change
from kato.engine.learning import Learning, learn
from kato.engine.settings import EngineSettings
from kato.errors import EmptyMemory
from kato.service.events import PatternsLearned
from kato.service.session import Session
from kato.service.system import System
from kato.storage.interface import Committed, Learn, Reply, Transaction


def as_operation(learning: Learning, settings: EngineSettings) -> Learn:
    """What the storage is to do for one learning."""
    return Learn(
        events=learning.events,
        emotives=tuple(learning.emotives),
        metadata=tuple(learning.metadata),
        persistence=settings.persistence,
        vectors=learning.vectors,
    )


async def learn_session(
    system: System, session: Session, *, reply: Callable[[Sequence[Change]], Reply] | None = None
) -> Committed:
    """
    Learn the session's short-term memory and end the episode. The caller holds the session's turn.

    Args:
        reply: Makes the answer that is to be remembered with it, if one is.

    Returns:
        What was committed: no change when the memory held fewer than two symbols.

    Raises:
        EmptyMemory: There is nothing in it; nothing changed.
    """
    if not session.state.memory.events:
        raise EmptyMemory()
    memory, learning = learn(session.state.memory)
    state = session.state._replace(memory=memory, steps=())
    committed = await system.sessions.record(
        session,
        state,
        fields=("short_term_memory", "emotives", "metadata"),
        operations=(as_operation(learning, session.settings),) if learning is not None else (),
        reply=reply,
    )
    if committed.changes:
        change = committed.changes[-1]
        assert change.after is not None
        system.events.learned(
            PatternsLearned(
                session_id=session.session_id,
                node_id=session.node_id,
                at=change.at,
                names=(change.after.name,),
                frequency=change.after.frequency,
                is_new=change.before is None,
                trigger="learn",
                owner=session.owner,
            )
        )
    return committed


async def learn_many(
    system: System,
    node_id: str,
    sequences: Sequence[Learn],
    *,
    actor: str | None = None,
    reply: Callable[[Sequence[Change]], Reply] | None = None,
) -> Committed:
    """
    Learn many sequences of at least two symbols each, all at once: one commit, one change per sequence in order.

    Args:
        reply: Makes the answer that is to be remembered with it, if one is.
    """
    now = system.runtime.now()
    transaction = Transaction(at=now, node_id=node_id, operations=tuple(sequences), actor=actor, reply=reply)
    committed = await system.commit(transaction)
    if committed.changes:
        last = committed.changes[-1]
        system.events.learned(
            PatternsLearned(
                session_id=None,
                node_id=node_id,
                at=now,
                names=tuple(change.after.name for change in committed.changes if change.after is not None),
                frequency=last.after.frequency if last.after is not None else 0,
                is_new=last.before is None,
                trigger="learn",
            )
        )
    return committed


def symbol_count(events: Sequence[Event]) -> int:
    """Symbols in a sequence of events, repetitions counted."""
    return sum(map(len, events))
