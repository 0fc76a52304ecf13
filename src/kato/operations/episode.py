"""An episode: its memory, learning it, and letting go of it."""

from __future__ import annotations

from collections.abc import Sequence

from kato.engine.knowledge import Change
from kato.engine.memory import ShortTermMemory
from kato.operations.observing import asked_members
from kato.operations.registry import Answer, Request, operation
from kato.service import knowledge, learning, observing, predicting
from kato.service.learning import symbol_count
from kato.service.session import Session
from kato.service.system import System
from kato.wire.answers import Json, emotive_profile, events, in_session, pattern_id
from kato.wire.reading import read_query
from kato.wire.schemas import episodes as shapes


@operation(
    "POST",
    "/sessions/{session_id}/learn",
    scope="write",
    summary="Learn the short-term memory",
    description="The memory becomes a pattern, or one more learning of a known one, and the episode ends.",
    errors=(400, 404),
    answer=shapes.LEARNED,
)
async def learn(system: System, request: Request) -> Answer:
    """POST /sessions/{sid}/learn."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)
        memory = session.state.memory

        def answer(changes: Sequence[Change]) -> Answer:
            told = _learned(session, memory, changes)
            return Answer({**told, "warnings": warnings}, session.session_id)

        committed = await learning.learn_session(system, session, reply=request.replying(answer))
        return answer(committed.changes)


def _learned(session: Session, memory: ShortTermMemory, changes: Sequence[Change]) -> Json:
    """The answer to learning a memory, by what it changed."""
    count = symbol_count(memory.events)
    answer: Json = {
        "length": len(memory.events),
        "symbol_count": count,
        "events": events(memory.events),
        "stm_length": 0,
        **in_session(session.session_id, session.node_id),
        "stored_in": session.node_id,
    }
    if changes and (pattern := changes[-1].after) is not None:
        answer |= {
            "status": "learned",
            "pattern_name": pattern_id(pattern.name),
            "is_new": changes[-1].before is None,
            "frequency": pattern.frequency,
            "emotive_profile": emotive_profile(memory.emotives),
            "message": f"Learned {len(memory.events)} events with {count} symbols",
        }
    else:
        answer |= {
            "status": "insufficient_data",
            "pattern_name": "",
            "is_new": False,
            "frequency": 0,
            "emotive_profile": {},
            "message": "Nothing was learned: at least 2 symbols are needed, the memory held 1",
        }
    return answer


@operation(
    "GET",
    "/sessions/{session_id}/stm",
    scope="read",
    summary="Read the short-term memory",
    errors=(404,),
    answer=shapes.STM,
)
async def get_stm(system: System, request: Request) -> Answer:
    """GET /sessions/{sid}/stm."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)
        memory = session.state.memory
        return Answer(
            {
                **in_session(session.session_id, session.node_id),
                "stm": events(memory.events),
                "length": len(memory.events),
                "stm_length": len(memory.events),
                "time": memory.time,
                "warnings": warnings,
            },
            session.session_id,
        )


@operation(
    "POST",
    "/sessions/{session_id}/clear-stm",
    scope="write",
    summary="Forget the current episode",
    description="Empties memory, emotives, metadata, percept and time; configuration and patterns stay.",
    errors=(404,),
    answer=shapes.CLEARED,
)
async def clear_stm(system: System, request: Request) -> Answer:
    """POST /sessions/{sid}/clear-stm."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)
        answer = Answer(
            {
                "status": "cleared",
                **in_session(session.session_id, session.node_id),
                "stm_length": 0,
                "time": 0,
                "message": "The short-term memory is empty",
                "warnings": warnings,
            },
            session.session_id,
        )
        await observing.clear_stm(system, session, reply=request.reply(answer))
        return answer


@operation(
    "POST",
    "/sessions/{session_id}/clear-all",
    scope="admin",
    summary="Forget all the node has learned",
    description="Patterns, statistics, affinities and vectors of the node, and this session's episode.",
    errors=(404,),
    answer=shapes.CLEARED_ALL,
)
async def clear_all(system: System, request: Request) -> Answer:
    """POST /sessions/{sid}/clear-all."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)

        def answer(counts: tuple[int, int, int]) -> Answer:
            patterns, symbols, vectors = counts
            return Answer(
                {
                    "status": "cleared",
                    "scope": "all",
                    **in_session(session.session_id, session.node_id),
                    "stm_length": 0,
                    "time": 0,
                    "patterns_deleted": patterns,
                    "symbols_deleted": symbols,
                    "vectors_deleted": vectors,
                    "message": f"The node forgot {patterns} patterns; the short-term memory is empty",
                    "warnings": warnings,
                },
                session.session_id,
            )

        return answer(await knowledge.clear_all(system, session, reply=request.replying(answer)))


@operation(
    "POST",
    "/sessions/{session_id}/finalize-training",
    scope="write",
    summary="Let the store compact itself",
    description="Returns how many patterns the node has; never changes a prediction.",
    errors=(404,),
    answer=shapes.FINALIZED,
)
async def finalize_training(system: System, request: Request) -> Answer:
    """POST /sessions/{sid}/finalize-training."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)
        started = system.runtime.now()
        await system.runtime.compute(system.storage.compact)
        count = await knowledge.count_patterns(system, session.node_id)
        elapsed = (system.runtime.now() - started) / 1000
        return Answer(
            {
                "status": "completed",
                **in_session(session.session_id, session.node_id),
                "patterns_processed": count,
                "time_ms": elapsed,
                "message": f"The node has {count} patterns",
                "warnings": warnings,
            },
            session.session_id,
        )


@operation(
    "GET",
    "/sessions/{session_id}/percept-data",
    scope="read",
    summary="Read the last observation",
    errors=(404,),
    answer=shapes.PERCEPT,
)
async def get_percept_data(system: System, request: Request) -> Answer:
    """GET /sessions/{sid}/percept-data."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)
        percept = session.state.percept
        data: Json = {}
        if percept is not None:
            observation = percept.observation
            data = {
                "strings": sorted(observation.strings),
                "vectors": events(observation.vectors),  # type: ignore[arg-type]  # lists of numbers, same shape
                "emotives": dict(observation.emotives),
                "emotives_average": percept.emotives_average,
                "metadata": dict(observation.metadata),
                "path": [],
                "unique_id": observation.unique_id,
            }
        return Answer(
            {
                **in_session(session.session_id, session.node_id),
                "percept_data": data,
                "warnings": warnings,
            },
            session.session_id,
        )


@operation(
    "GET",
    "/sessions/{session_id}/cognition-data",
    scope="read",
    summary="Read the current cognition",
    description="Predictions are those of the last observation, for the node as it is now.",
    errors=(404,),
    answer=shapes.COGNITION,
)
async def get_cognition_data(system: System, request: Request) -> Answer:
    """GET /sessions/{sid}/cognition-data."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)
        state, memory = session.state, session.state.memory
        wanted = state.predicted_events if session.settings.process_predictions else ()
        asked = await predicting.predict(system, session.node_id, wanted, session.settings)
        return Answer(
            {
                **in_session(session.session_id, session.node_id),
                "cognition_data": {
                    "predictions": asked_members(asked)["predictions"],
                    "emotives": dict(memory.emotives[-1]) if memory.emotives else {},
                    "symbols": [symbol for event in memory.events for symbol in event],
                    "short_term_memory": events(memory.events),
                    "time": memory.time,
                    "command": "",
                    "metadata": {},
                    "path": [],
                    "strings": [],
                    "vectors": [],
                },
                "warnings": warnings,
            },
            session.session_id,
        )
