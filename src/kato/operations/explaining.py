"""Why a pattern is predicted for a memory, or why it is not."""

from __future__ import annotations

from collections.abc import Callable

from kato.engine.event import make_event
from kato.operations import node_id as nodes
from kato.operations.history import entry_members
from kato.operations.moments import AT, moment_of, told, view_at
from kato.operations.registry import Answer, Request, operation
from kato.operations.sessions import encode_cursor, read_configuration
from kato.service import explaining, knowledge
from kato.service.explaining import COUNTED, Answered, Provenance
from kato.service.predicting import Asked
from kato.service.system import System
from kato.storage.interface import Visible
from kato.wire.answers import (
    Json,
    aligned_token,
    explanation_tree,
    full_explanation,
    node,
    pattern_id,
    pattern_record,
    prediction,
    standing,
)
from kato.wire.node_requests import ExplainPattern
from kato.wire.reading import read_body, read_query
from kato.wire.schemas import predictions as shapes


def provenance_members(found: Provenance, visible: Visible) -> Json:
    """What made a pattern what it is."""
    return {
        "entries": [entry_members(entry, visible) for entry in found.entries],
        "has_more": found.has_more,
        "next_cursor": encode_cursor((found.entries[-1].sequence,)) if found.has_more else None,
        "total": found.total,
        "total_is_exact": found.total < COUNTED,
    }


async def provenance_of(system: System, node_id: str, asked: Asked, visible: Visible) -> Callable[[str], Json]:
    """What tells where each of the predicted patterns comes from, by its bare name."""
    names = dict.fromkeys(each.name for each in asked.predictions.ranked)
    sequence = asked.view.sequence if asked.view is not None else 0
    found = await explaining.provenance(system, node_id, names, sequence)
    return lambda name: provenance_members(found[name], visible)


@operation(
    "POST",
    "/nodes/{node_id}/explain",
    scope="read",
    summary="Explain one pattern",
    description="What becomes of it when a short-term memory asks for predictions: whether it matches, condition by "
    "condition, how it lies on the memory, where it stands and what it beat, what its numbers are made of, and how it was "
    "learned. No session is made and nothing is stored.",
    request=ExplainPattern,
    parameters=(AT,),
    errors=(400, 404, 413, 422),
    answer=shapes.EXPLAINED,
)
async def explain_pattern(system: System, request: Request) -> Answer:
    """POST /nodes/{node_id}/explain."""
    query, warnings = read_query((AT,), request.query)
    node_id = nodes.check_node_id(request.path["node_id"], ("path", "node_id"), system.limits)
    body, found = read_body(ExplainPattern, request.body, system.limits)
    overrides, ttl, said = read_configuration(system, {}, body.config, prefix="config.")
    if ttl is not None:
        said = [*said, "config.session_ttl was ignored: there is no session"]
    configuration = system.sessions.configure(overrides)
    settings, window = configuration.settings, system.policy.max_stm_events
    events = tuple(make_event(event, (), sort_symbols=settings.sort_symbols) for event in body.stm if event)
    if len(events) > window:
        said = [*said, f"stm has {len(events)} events; the newest {window} are held"]
    # The pattern first: what it is read from can only be as old as the view, or older.
    moment = await moment_of(system, node_id, query)
    sequence = moment.sequence if moment is not None else None
    pattern = await knowledge.read_pattern(system, node_id, body.pattern, sequence)
    view = await view_at(system, node_id, moment)
    answered = await explaining.explain_pattern(system, view, pattern, events[-window:], settings)
    made = (await explaining.provenance(system, node_id, [pattern.name], view.sequence))[pattern.name]
    return Answer(
        {
            "pattern_name": pattern_id(pattern.name),
            "name": pattern.name,
            **_answered(answered),
            "pattern": pattern_record(pattern),
            "provenance": provenance_members(made, request.visible),
            "sequence": view.sequence,
            "config": configuration.effective,
            **node(node_id),
            **told(moment),
            "warnings": [*warnings, *found, *said],
        }
    )


def _answered(answered: Answered) -> Json:
    verdict, shown = answered.verdict, None
    if answered.prediction is not None and answered.explained is not None:
        explanation = full_explanation(answered.prediction, answered.rank, answered.explained, None)
        shown = prediction(answered.prediction, explanation)
    return {
        "outcome": answered.outcome,
        "matched": verdict.matches,
        "sentence": answered.sentence,
        "checks": [
            {"name": check.name, "passed": check.passed, "sentence": check.sentence} for check in verdict.checks
        ],
        "similarity": explanation_tree(verdict.similarity),
        "alignment": [aligned_token(token) for token in verdict.alignment],
        "selection": standing(answered.selection) if answered.selection is not None else None,
        "prediction": shown,
    }
