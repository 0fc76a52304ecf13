"""What answers look like, as JSON Schema: one file per noun, and here those that have a name of their own."""

from __future__ import annotations

from kato.wire.schemas import (
    episodes,
    errors,
    forecasts,
    history,
    keys,
    knowledge,
    predictions,
    server_log,
    service,
    sessions,
)
from kato.wire.schemas.parts import Schema, example

__all__ = [
    "COMPONENTS",
    "Schema",
    "episodes",
    "example",
    "forecasts",
    "history",
    "keys",
    "knowledge",
    "predictions",
    "server_log",
    "service",
    "sessions",
]

COMPONENTS: dict[str, Schema] = {
    "Configuration": sessions.CONFIGURATION,
    "Error": errors.ERROR,
    "Explanation": predictions.TREE,
    "HistoryEntry": history.ENTRY,
    "Forecast": forecasts.FORECAST,
    "FuturePotential": predictions.FUTURE_POTENTIAL,
    "NodesHeld": service.NODES_HELD,
    "Pattern": knowledge.PATTERN_RECORD,
    "Performance": service.PERFORMANCE,
    "Prediction": predictions.PREDICTION,
    "Problem": errors.PROBLEM,
    "Provenance": predictions.PROVENANCE,
    "Resources": service.RESOURCES,
    "SequenceResult": episodes.SEQUENCE_RESULT,
    "SessionNumbers": service.SESSION_NUMBERS,
    "SessionSummary": sessions.SUMMARY,
    "Standing": predictions.STANDING,
    "SymbolPotential": predictions.SYMBOL_POTENTIAL,
}
"""Schemas that others refer to, by name."""
