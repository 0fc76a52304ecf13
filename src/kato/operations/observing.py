"""Observing: one observation, or a sequence as one."""

from __future__ import annotations

from collections.abc import Mapping

from kato.engine.memory import Observation
from kato.operations.registry import Answer, Request, operation
from kato.operations.vectors import check_vectors
from kato.service import observing
from kato.service.observing import Observed, SequenceObserved, SequenceOptions, Taken
from kato.service.predicting import Asked
from kato.service.runtime import random_id
from kato.service.session import Session
from kato.service.system import System
from kato.wire.answers import Json, in_session, pattern_id
from kato.wire.reading import read_body, read_query
from kato.wire.requests import Observe, ObserveSequence
from kato.wire.schemas import episodes as shapes

_SILENT = "process_predictions is false for this session, so no predictions were made"
_LOST = (
    "predictions of what the sequence itself learned were not made, because its time was up or the server was stopped; "
    "what was observed and learned is kept"
)


def as_observation(body: Observe, prefix: str) -> Observation:
    """What was observed; an observation without a name gets one."""
    return Observation(
        strings=tuple(body.strings),
        vectors=tuple([tuple(map(float, vector)) for vector in body.vectors]) if body.vectors else (),
        emotives=body.emotives,
        metadata=body.metadata,
        unique_id=body.unique_id or f"{prefix}{random_id()}",
    )


def shown(name: str | None) -> str | None:
    """A pattern's name as answers show it."""
    return pattern_id(name) if name is not None else None


def strings_in_event(result: Observed) -> list[str]:
    """The strings as they stand in the event: after the vectors' symbols."""
    count = len(result.observation.strings)
    return list(result.event[len(result.event) - count :]) if count else []


def emotives_as_given(emotives: Mapping[str, float]) -> Json:
    """A plain dictionary."""
    return dict(emotives)


def asked_members(asked: Asked | None) -> Json:
    """The members that predictions add to an answer; empty lists where there are none."""
    if asked is None:
        return {"predictions": [], "future_potentials": [], "symbol_potentials": []}
    return dict(asked.told)


@operation(
    "POST",
    "/sessions/{session_id}/observe",
    scope="write",
    summary="Observe",
    description="One observation, at most one event. `{}` is a valid observation that adds none.",
    request=Observe,
    errors=(400, 404, 413, 422),
    answer=shapes.OBSERVED,
)
async def observe(system: System, request: Request) -> Answer:
    """POST /sessions/{sid}/observe."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        warnings = read_query((), request.query)[1] if request.query else []
        body, found = read_body(Observe, request.body, system.limits)
        check_vectors(body.vectors, session.settings)
        observation = as_observation(body, "obs-")

        def answer(taken: Taken) -> Answer:
            result = taken.result
            told: Json = {
                "status": "okay",
                **in_session(session.session_id, session.node_id),
                "stm_length": result.stm_length,
                "length": result.stm_length,
                "time": result.time,
                "unique_id": observation.unique_id,
                "auto_learned_pattern": shown(taken.learned),
                "strings": body.strings,
                "emotives": emotives_as_given(body.emotives),
                "metadata": body.metadata,
                "sorted": strings_in_event(result),
                "symbols": result.event,
            }
            said = [*warnings, *found, *taken.warnings]
            if body.include_predictions:
                told |= asked_members(taken.predictions)
                if not session.settings.process_predictions:
                    said.append(_SILENT)
            told["warnings"] = said
            return Answer(told, session.session_id)

        return answer(
            await observing.observe(
                system, session, observation, predict=body.include_predictions, reply=request.replying(answer)
            )
        )


@operation(
    "POST",
    "/sessions/{session_id}/observe-sequence",
    scope="write",
    summary="Observe a sequence",
    description="Everything is checked first; then all is applied in order and appears to everyone at one instant.",
    request=ObserveSequence,
    errors=(400, 404, 413, 422),
    answer=shapes.SEQUENCE,
)
async def observe_sequence(system: System, request: Request) -> Answer:
    """POST /sessions/{sid}/observe-sequence."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)
        body, found = read_body(ObserveSequence, request.body, system.limits)
        for position, item in enumerate(body.observations):
            check_vectors(item.vectors, session.settings, observation_index=position)

        def answer(done: SequenceObserved) -> Answer:
            told = _told(session, body, done)
            told["warnings"] = [*warnings, *found, *told["warnings"]]
            return Answer(told, session.session_id)

        return answer(
            await observing.observe_sequence(
                system,
                session,
                [as_observation(item, "seq-obs-") for item in body.observations],
                SequenceOptions(
                    learn_after_each=body.learn_after_each,
                    learn_at_end=body.learn_at_end,
                    clear_between=body.clear_stm_between,
                ),
                predict_each=[item.include_predictions for item in body.observations],
                predict_final=body.include_predictions,
                reply=request.replying(answer),
            )
        )


def _told(session: Session, body: ObserveSequence, done: SequenceObserved) -> Json:
    """The answer to a sequence, with the warnings that come of what was done."""
    course = done.course
    results = []
    for position, (item, result) in enumerate(zip(body.observations, course.results, strict=True)):
        entry: Json = {
            "status": "insufficient_data" if result.insufficient else "okay",
            "error": None,
            "sequence_position": position,
            **in_session(session.session_id, session.node_id),
            "stm_length": result.stm_length,
            "length": result.stm_length,
            "time": result.time,
            "unique_id": result.observation.unique_id,
            "symbols": result.event,
            "auto_learned_pattern": shown(course.name_of(result.learned)),
        }
        if item.include_predictions:
            entry |= asked_members(done.predictions[position])
        results.append(entry)
    warnings = list(course.warnings)
    if course.final_insufficient:
        warnings.append("learn_at_end found a single symbol and learned nothing; at least 2 symbols are needed")
    asked_for = body.include_predictions or any(item.include_predictions for item in body.observations)
    if asked_for and not session.settings.process_predictions:
        warnings.append(_SILENT)
    if not done.is_complete:
        warnings.append(_LOST)
    length = len(course.state.memory.events)
    learned = [shown(course.name_of(position)) for position in range(len(course.operations))]
    answer: Json = {
        "status": "completed",
        **in_session(session.session_id, session.node_id),
        "observations_processed": len(results),
        "initial_stm_length": done.initial_length,
        "final_stm_length": length,
        "stm_length": length,
        "time": course.state.memory.time,
        "results": results,
        "individual_results": results,
        "auto_learned_patterns": learned,
        "patterns_learned": learned,
        "final_learned_pattern": shown(course.name_of(course.final_learned)),
        "isolated": body.clear_stm_between,
    }
    if body.include_predictions:
        answer["final_predictions"] = asked_members(done.final_predictions)["predictions"]
    return {**answer, "warnings": warnings}
