"""
Every operation of the HTTP specification, without HTTP: decode, call one use-case, encode.

One file per noun. The server turns each operation into a route, the embedded memory calls the same ones in process.
"""

from kato.operations import (
    bulk,
    capacity,
    comparing,
    compatible,
    configuration,
    episode,
    explaining,
    forecasts,
    health,
    history,
    keys,
    monitoring,
    nodes,
    observing,
    patterns,
    predictions,
    requests,
    server_log,
    sessions,
    symbols,
)
from kato.operations.registry import OPERATIONS, Answer, Operation, Request

__all__ = [
    "OPERATIONS",
    "Answer",
    "Operation",
    "Request",
    "bulk",
    "capacity",
    "comparing",
    "compatible",
    "configuration",
    "episode",
    "explaining",
    "forecasts",
    "health",
    "history",
    "keys",
    "monitoring",
    "nodes",
    "observing",
    "patterns",
    "predictions",
    "requests",
    "server_log",
    "sessions",
    "symbols",
]
