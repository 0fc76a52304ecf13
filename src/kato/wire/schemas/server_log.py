"""The answer about the server's log."""

from __future__ import annotations

from kato.wire.schemas.parts import answer, constant, integer, listed, nullable, number, record, text

SERVER_LOG = answer(
    {
        "lines": listed(
            record(
                "A line of the server's log.",
                {
                    "at": text("When, ISO-8601 in UTC.", "2026-01-01T12:00:00.000000Z"),
                    "level": constant("How serious.", "debug", "info", "warning", "error", "critical"),
                    "event": text("What happened.", "request"),
                    "trace_id": nullable(text("The request's.", "kato-0f8fad5b")),
                    "method": nullable(text("The request's method.", "POST")),
                    "route": nullable(text("The path's template; never an id.", "/sessions/{session_id}/observe")),
                    "status": nullable(integer("How it was answered.", 200, minimum=100)),
                    "duration_ms": nullable(number("How long it took, in milliseconds.", 0.42, minimum=0)),
                    "session_id": nullable(text("The beginning of the session's id.", "session-0f8fad5b…")),
                    "node_id": nullable(text("The node it is about.", "my_app")),
                    "key_id": nullable(text("The key it came with.", "key-9f1c2d3e4a5b")),
                    "task": nullable(text("The upkeep that failed.", "sweep")),
                    "withheld": listed(
                        text("A member's name.", "exception"), "Members that stand in the log itself and nowhere else."
                    ),
                },
            ),
            "Newest first.",
        ),
        "count": integer("Entries in this answer."),
        "kept": integer("How many are kept.", 1000),
    },
    about="The latest lines of the server's log.",
)
