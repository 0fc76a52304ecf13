"""Predictions from a session's short-term memory."""

from __future__ import annotations

from dataclasses import replace

from kato.engine.knowledge import Counts
from kato.engine.settings import EngineSettings, resolve
from kato.errors import InvalidInput, InvalidSettings, LimitExceeded
from kato.operations.explaining import provenance_of
from kato.operations.registry import Answer, Request, operation
from kato.service import predicting
from kato.service.predicting import Asked
from kato.service.system import System
from kato.wire.answers import Json, in_session, predictions
from kato.wire.encoding import written_list
from kato.wire.limits import Limits
from kato.wire.reading import Parameter, problem, read_query
from kato.wire.schemas import predictions as shapes

PARAMETERS = (
    Parameter("limit", "integer", default=None, minimum=1, maximum=10_000, description="As `max_predictions`."),
    Parameter("recall_threshold", "number", default=None, minimum=0, maximum=1, description="As configured."),
    Parameter("rank_sort_algo", "string", default=None, description="As configured."),
    Parameter("explain", "boolean", default=False, description="Add how each prediction came about."),
    Parameter("unique_id", "string", default=None, description="For the memory as it stood after that observation."),
)


def settings_for_call(
    settings: EngineSettings, limit: int | None, recall_threshold: float | None, rank_sort_algo: str | None
) -> EngineSettings:
    """
    The session's settings with what this one call asks for.

    Raises:
        InvalidInput: The ranking is unknown, or needs an affinity that is not configured.
    """
    if limit is not None:
        settings = replace(settings, max_predictions=limit)
    if recall_threshold is not None:
        settings = replace(settings, recall_threshold=recall_threshold)
    if rank_sort_algo is not None:
        try:
            resolve({"rank_sort_algo": rank_sort_algo, "affinity_emotive": settings.affinity_emotive})
        except InvalidSettings as error:
            problem = {
                "type": "rank_sort_algo",
                "loc": ["query", "rank_sort_algo"],
                "msg": "; ".join(error.errors.values()),
                "input": rank_sort_algo[:200],
            }
            raise InvalidInput([problem]) from error
        settings = replace(settings, rank_sort_algo=rank_sort_algo)
    return settings


def observation_named(given: str | None, limits: Limits) -> str | None:
    """
    The observation a query names; an empty name counts as none, as it does where observations are named.

    Raises:
        LimitExceeded: No observation can have a name as long as that.
    """
    most = limits.max_name_characters
    if given is not None and len(given) > most:
        message = f"may have at most {most} characters, got {len(given)}"
        about = {"limit": most, "actual": len(given), "setting": "fixed"}
        raise LimitExceeded([problem(("query", "unique_id"), "limit", message, given, **about)])
    return given or None


def explanation(asked: Asked, counts: Counts, effective: Json) -> Json:
    """How many patterns were considered, matched, and passed each filter."""
    found = asked.predictions
    return {
        "patterns_considered": found.considered,
        "patterns_matched": counts.matched,
        "ensemble_size": found.ensemble_size,
        "returned": asked.count,
        "filters": [{"name": name, "passed": passed} for name, passed in counts.filters],
        "settings": effective,
    }


@operation(
    "GET",
    "/sessions/{session_id}/predictions",
    scope="read",
    summary="Predict",
    description="Ranked predictions for the short-term memory. The query's settings hold for this call alone.",
    parameters=PARAMETERS,
    errors=(404, 422),
    answer=shapes.PREDICTIONS,
)
async def get_predictions(system: System, request: Request) -> Answer:
    """GET /sessions/{sid}/predictions."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        query, warnings = read_query(PARAMETERS, request.query)
        settings = settings_for_call(
            session.settings, query["limit"], query["recall_threshold"], query["rank_sort_algo"]
        )
        state = session.state
        events, unique_id = state.memory.events, observation_named(query["unique_id"], system.limits)
        if unique_id is not None:
            stood = state.events_after(unique_id)
            if stood is None:
                warnings = [
                    *warnings,
                    f"no observation named '{unique_id[:200]}' is held any more, so nothing is predicted",
                ]
            events = stood or ()
        asked = await predicting.predict(system, session.node_id, events, settings)
        told = dict(asked.told)
        if query["explain"]:
            explained = await predicting.explain(system, asked)
            provenance = await provenance_of(system, session.node_id, asked, request.visible)
            # Explanations are many times what they explain: whoever waits for them delays nobody else.
            told["predictions"] = await system.runtime.compute(
                lambda: written_list(predictions(asked.predictions, explained, provenance))
            )
        answer: Json = {
            "predictions": told.pop("predictions"),
            "count": asked.count,
            **told,
            **in_session(session.session_id, session.node_id),
            "time": state.memory.time,
            "unique_id": unique_id if unique_id is not None else state.last_unique_id,
        }
        if query["explain"]:
            effective = {
                **session.configuration.effective,
                "max_predictions": settings.max_predictions,
                "recall_threshold": settings.recall_threshold,
                "rank_sort_algo": settings.rank_sort_algo,
            }
            answer["explain"] = explanation(asked, await predicting.count(system, asked), effective)
        answer["warnings"] = warnings
        return Answer(answer, session.session_id)
