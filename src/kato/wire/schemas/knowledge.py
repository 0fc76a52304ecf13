"""Answers about what nodes have learned."""

from __future__ import annotations

from kato.wire.schemas.episodes import COGNITION_DATA
from kato.wire.schemas.parts import (
    AT,
    EMOTIVES,
    EVENTS,
    FOLDED,
    LEARNED_ID,
    NODE,
    NODE_ID,
    PAGE,
    PATTERN_ID,
    SESSION_ID,
    Schema,
    answer,
    boolean,
    constant,
    empty,
    integer,
    listed,
    mapping,
    named,
    nullable,
    number,
    record,
    text,
    time,
)
from kato.wire.schemas.predictions import PREDICTED

_RECORD: dict[str, Schema] = {
    "name": PATTERN_ID,
    "pattern_name": PATTERN_ID,
    "pattern_data": EVENTS,
    "data": EVENTS,
    "length": integer("Symbols.", 3, minimum=1),
    "frequency": integer("How often it was learned.", minimum=1),
    "emotives": listed(EMOTIVES, "The stored dictionaries, oldest first."),
    "metadata": FOLDED,
}
PATTERN_RECORD = record("A pattern.", _RECORD)
_SHOWN: dict[str, Schema] = {
    "pattern": record(
        "The pattern.",
        {
            **_RECORD,
            "status": constant("Found.", "okay"),
            "emotives": mapping(
                listed(number("A value.", 0.7), "Oldest first."), "Emotive → its stored values.", key="joy"
            ),
            "pattern": named("Pattern"),
        },
    ),
    **NODE,
}
PATTERN = answer({**_SHOWN, **AT}, about="The pattern.", optional=("at",))
EDITED = answer(
    {**_SHOWN, "updated": listed(constant("A member.", "frequency", "emotives", "metadata"), "What was replaced.")},
    about="The pattern as it is now.",
)
FORGOTTEN = answer(
    {
        "status": constant("Done.", "deleted"),
        "deleted": boolean("Always true."),
        "pattern_name": PATTERN_ID,
        "frequency": integer("How often it had been learned.", minimum=1),
        **NODE,
    },
    about="The pattern is forgotten.",
)
_LIST: dict[str, Schema] = {"patterns": listed(named("Pattern"), "In the order asked for."), **PAGE, **NODE}
PATTERNS = answer({**_LIST, **AT}, about="One page of the patterns.", optional=("at",))
SESSION_PATTERNS = answer({**_LIST, "session_id": SESSION_ID}, about="One page of the patterns of the session's node.")

SYMBOL_STATS = answer(
    {
        "symbols": mapping(
            record(
                "What is known of a symbol.",
                {
                    "name": text("The symbol.", "tea"),
                    "frequency": integer("Occurrences over all learnings."),
                    "pattern_member_frequency": integer("Distinct patterns that hold it."),
                    "vector": nullable(
                        listed(
                            number("A component."),
                            "The vector it stands for; null: none, or its components never came.",
                        )
                    ),
                },
                optional=("vector",),
            ),
            "Symbol → statistics, by code point.",
            key="tea",
        ),
        **PAGE,
        **NODE,
        **AT,
    },
    about="One page of the symbols.",
    optional=("at",),
)
_AFFINITY = mapping(number("The sum over all learnings.", -0.3), "Emotive → sum.", key="joy")
AFFINITIES = answer(
    {"affinities": mapping(_AFFINITY, "Symbol → emotive → sum, by code point.", key="tea"), **PAGE, **NODE, **AT},
    about="One page of the symbols that have any affinity.",
    optional=("at",),
)
AFFINITY = answer({"symbol": text("The symbol.", "tea"), "affinity": _AFFINITY, **NODE}, about="Its affinity.")

_DEPRECATED: dict[str, Schema] = {
    **NODE,
    "warning": text("What to use instead.", "A node has no percept or cognition of its own"),
}
NODE_PERCEPT = answer({"percept_data": empty("Always empty."), **_DEPRECATED}, about="Nothing.")
NODE_COGNITION = answer({"cognition_data": COGNITION_DATA, **_DEPRECATED}, about="Nothing.")

NODES = answer(
    {
        "nodes": listed(
            record(
                "A node.",
                {
                    "node_id": NODE_ID,
                    "patterns": integer("Patterns it has."),
                    "sequence": integer("Changes of what it knows, ever."),
                    "created_at": time("When it first learned."),
                    "changed_at": time("When what it knows last changed."),
                    "is_loaded": boolean("Whether it is in memory."),
                    "symbols": nullable(integer("Distinct symbols; null while it is not in memory.")),
                    "size_bytes": nullable(integer("Bytes it takes in memory; null while it is not there.", 4096)),
                },
            ),
            "By node id.",
        ),
        "count": integer("Entries in this page."),
        "has_more": boolean("Whether there are more after the last of them."),
    },
    about="One page of the nodes.",
)
NODE_FACTS = answer(
    {
        **NODE,
        "patterns": integer("Patterns it has."),
        "symbols": integer("Distinct symbols in them."),
        "frequency": integer("How often anything was learned: the patterns' frequencies, summed up."),
        "vectors": integer("Learned vectors.", 0),
        "sequence": integer("The change after which it knows this."),
        "head": integer("The newest change."),
        "created_at": nullable(time("When it first learned; null if it never did.")),
        "changed_at": nullable(time("When what it knows last changed.")),
        "size_bytes": integer("Bytes it takes in memory.", 4096),
        **AT,
    },
    about="How much the node knows.",
    optional=("at",),
)
_BULK_RESULT: dict[str, Schema] = {
    "status": constant("`insufficient_data`: fewer than two symbols.", "learned", "insufficient_data"),
    "pattern_name": LEARNED_ID,
    "frequency": integer("How often it has been learned; 0 when it was not."),
    "is_new": boolean("Whether it was learned for the first time."),
}
BULK_LEARNED = answer(
    {
        "status": constant("Done.", "completed"),
        "learned": integer("Sequences that were learned."),
        "results": listed(record("What became of a sequence.", _BULK_RESULT), "One per sequence, in order."),
        **NODE,
    },
    about="What was learned, all in one commit. For `application/x-ndjson` one such result a line, see the description.",
)
BULK_PREDICTED = answer(
    {
        "results": listed(
            record("What comes next.", {**PREDICTED, "count": integer("How many predictions.")}),
            "One per short-term memory, in order.",
        ),
        "count": integer("How many short-term memories."),
        "config": named("Configuration"),
        **NODE,
        **AT,
    },
    about="What comes next, for each short-term memory.",
    optional=("at",),
)
