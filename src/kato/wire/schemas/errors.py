"""The one shape of every error."""

from __future__ import annotations

from kato.wire.schemas.parts import SESSION_ID, Schema, anything, boolean, integer, listed, record, text, time

PROBLEM = record(
    "One thing that is wrong.",
    {
        "type": text("What kind of wrong.", "string_type"),
        "loc": listed(
            {"anyOf": [{"type": "string", "examples": ["body"]}, {"type": "integer"}]},
            "Where.",
            examples=[["body", "x"]],
        ),
        "msg": text("In words.", "must be a string"),
        "input": {"description": "What was given, cut short.", "examples": [5]},
        "ctx": anything("Limit, actual value and setting, where it is about a limit.", {"limit": 10, "actual": 11}),
    },
    optional=("ctx",),
)
DETAIL: Schema = {
    "description": "A sentence; an object for configurations, vectors and counts; a list for 422.",
    "anyOf": [
        {"type": "string", "examples": ["Cannot learn from empty STM"]},
        {"type": "object"},
        {"type": "array", "items": {"$ref": "#/components/schemas/Problem"}},
    ],
}
ERROR = record(
    "Every error, whatever its origin.",
    {
        "detail": DETAIL,
        "status": integer("The HTTP status.", 400, minimum=400),
        "error": record(
            "The facts.",
            {
                "code": text("What happened, for programs.", "EMPTY_STM"),
                "type": text("What family it is of.", "LearningError"),
                "message": text("In words.", "Cannot learn from empty STM"),
                "details": anything("The facts of `detail` as an object.", {}),
                "recoverable": boolean("Whether the same request may succeed later, unchanged.", False),
                "session_id": SESSION_ID,
                "trace_id": text(
                    "The request's, as in `X-Trace-ID` and the log.", "kato-0f8fad5bd9cb469fa16570867728950e"
                ),
                "timestamp": time("When."),
            },
            optional=("session_id",),
        ),
    },
)
