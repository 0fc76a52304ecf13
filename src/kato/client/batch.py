"""Many observations at once: as one request, and as one round of training and testing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kato.client import calls, recovery
from kato.client.calls import Call, Need
from kato.client.recovery import Body, Doing, logger
from kato.client.session_state import SessionState

Observations = Sequence[Mapping[str, Any]]


def observed(state: SessionState, call: Call, observations: Observations) -> Doing[list[Body]]:
    """Make the call of a sequence and return one result per observation, in order, like those of observe."""
    call = replace(call, needs=Need("results", list, len(observations)))
    answer = yield from recovery.resent(state, call, auto_reconnect=True)
    for sentence in answer.get("warnings", ()):
        logger.warning("%s", sentence)
    whole: Body = {name: answer[name] for name in ("node_id", "processor_id") if name in answer}
    return [{**whole, **_as_observed(given, one)} for given, one in zip(observations, answer["results"], strict=True)]


def learned_and_tested(state: SessionState, training: Observations, test: Observations) -> Doing[Body]:
    """Observe, learn, clear, observe, predict; each step in the session that is current by then."""
    yield from observed(state, calls.observe_sequence(state.required(), training), training)
    pattern = yield from recovery.learned(state, calls.learn(state.required()), auto_reconnect=True)
    yield from recovery.cleared(state, calls.clear_stm(state.required()))
    yield from observed(state, calls.observe_sequence(state.required(), test), test)
    predictions = yield from recovery.resent(state, calls.get_predictions(state.required()), auto_reconnect=True)
    return {"pattern": pattern, "predictions": predictions}


def _as_observed(given: Mapping[str, Any], result: Mapping[str, Any]) -> Body:
    """Return a result of a sequence with the members that an observe answers beyond it."""
    strings = list(given.get("strings") or ())
    symbols = list(result.get("symbols", ()))
    return {
        "length": result.get("stm_length"),
        "strings": strings,
        "sorted": symbols[len(symbols) - len(strings) :],  # an event is its vectors' symbols, then its strings
        "emotives": dict(given.get("emotives") or {}),
        "metadata": dict(given.get("metadata") or {}),
        **result,
    }
