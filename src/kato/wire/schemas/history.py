"""Answers about what happened to nodes, and what was taken back."""

from __future__ import annotations

from kato.wire.schemas.parts import (
    EVENTS,
    NODE,
    PATTERN_ID,
    Schema,
    answer,
    anything,
    boolean,
    constant,
    integer,
    listed,
    named,
    nullable,
    record,
    text,
    time,
)

ENTRY: Schema = record(
    "One change of what a node knows.",
    {
        "sequence": integer("Its number, from 1.", 12, minimum=1),
        "at": time("When."),
        "operation": constant("What was done.", "learn", "edit", "forget", "forget_all", "undo"),
        "pattern_name": nullable(PATTERN_ID),
        "session_id": nullable(text("The session in which it was done.", "session-…")),
        "actor": nullable(text("Who did it: the API key.", "ops")),
        "details": anything(
            "What was given: of a learning `events` (the first time), `emotives`, `metadata`, `persistence`; of an edit what "
            "it replaced; of an undoing the sequence gone back `to`, which `part` of how many `parts`, and what the pattern "
            "is again, or `forgotten`.",
            {"emotives": [{"joy": 0.5}]},
        ),
        "hash": text("SHA-256 over the row before and this one.", "00" * 32),
    },
)
_PAGE: dict[str, Schema] = {
    "count": integer("Entries in this page."),
    "next_cursor": nullable(text("`cursor` of the next page; null at the end.", "WzEyXQ")),
    "has_more": boolean("Whether there is a next page."),
}
HISTORY = answer(
    {
        "entries": listed(named("HistoryEntry"), "In the order asked for."),
        **_PAGE,
        "head": integer("The newest sequence of the node.", 12),
        **NODE,
    },
    about="One page of what happened.",
)
UNDONE = answer(
    {
        "status": constant("Done.", "undone"),
        "count": integer("Changes taken back."),
        "from": integer("Where the log ended before.", 12),
        "to": integer("The sequence whose state the node is in again.", 10),
        "head": integer("Where the log ends now.", 13),
        "restored": listed(
            record(
                "A pattern that was put back.",
                {
                    "pattern_name": PATTERN_ID,
                    "frequency_before": integer("How often it was learned before the undoing; 0: it was not there.", 7),
                    "frequency": integer("How often it is learned now; 0: it is not there.", 2),
                },
            ),
            "Up to 100 of them.",
        ),
        "restored_count": integer("How many they are."),
        **NODE,
    },
    about="What was taken back.",
)
_MOMENT = record(
    "A moment.",
    {"sequence": integer("After this change.", 3), "patterns": integer("Patterns there were.", 5)},
)
COMPARED = answer(
    {
        "from": _MOMENT,
        "to": _MOMENT,
        "added": integer("Patterns there are only later."),
        "removed": integer("Patterns there were only earlier."),
        "changed": integer("Patterns that are not the same."),
        "total": integer("All of them."),
        "differences": listed(
            record(
                "A pattern that differs.",
                {
                    "change": constant("How.", "added", "removed", "changed"),
                    "pattern_name": PATTERN_ID,
                    "pattern_data": EVENTS,
                    "frequency_before": integer("How often it was learned; 0: it was not there."),
                    "frequency": integer("How often it was learned later; 0: it was not there."),
                    "members": listed(
                        constant("A member.", "frequency", "emotives", "metadata", "affinity"), "What changed."
                    ),
                },
            ),
            "By pattern name.",
        ),
        **_PAGE,
        **NODE,
    },
    about="One page of what differs.",
)
