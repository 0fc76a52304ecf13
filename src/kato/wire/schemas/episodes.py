"""Answers about an episode: observing, learning, the short-term memory."""

from __future__ import annotations

from kato.wire.schemas.parts import (
    EMOTIVES,
    EVENT,
    EVENTS,
    IN_SESSION,
    LEARNED_ID,
    NODE_ID,
    PATTERN_ID,
    SESSION_ID,
    Schema,
    answer,
    anything,
    boolean,
    constant,
    empty,
    integer,
    listed,
    mapping,
    named,
    null,
    nullable,
    number,
    record,
    text,
)
from kato.wire.schemas.predictions import PREDICTED

_LENGTHS: dict[str, Schema] = {
    "stm_length": integer("Events in the short-term memory after it."),
    "length": integer("The same."),
    "time": integer("Observations of the session so far."),
}
_UNIQUE_ID = text("The observation's name, given or made.", "obs-1")
_AUTO_LEARNED = nullable({**PATTERN_ID, "description": "What was learned at it, or null."})
_OPTIONAL = tuple(PREDICTED)
_IN_SESSION_SHORT: dict[str, Schema] = {"session_id": SESSION_ID, "node_id": NODE_ID}
METADATA = anything("As received.", {})

OBSERVED = answer(
    {
        "status": constant("Done.", "okay"),
        **IN_SESSION,
        **_LENGTHS,
        "unique_id": _UNIQUE_ID,
        "auto_learned_pattern": _AUTO_LEARNED,
        "strings": listed(text("A symbol.", "tea"), "As received."),
        "emotives": EMOTIVES,
        "metadata": METADATA,
        "sorted": listed(text("A symbol.", "tea"), "The strings as they stand in the event."),
        "symbols": EVENT,
        **PREDICTED,
    },
    about="What became of the observation.",
    optional=_OPTIONAL,
)
SEQUENCE_RESULT = record(
    "What became of one observation of a sequence.",
    {
        "status": constant(
            "`insufficient_data`: learning after it found a single symbol.", "okay", "insufficient_data"
        ),
        "error": null("Always null: a bad item refuses the whole sequence."),
        "sequence_position": integer("Its place, from 0.", 0),
        **IN_SESSION,
        **_LENGTHS,
        "unique_id": _UNIQUE_ID,
        "symbols": EVENT,
        "auto_learned_pattern": _AUTO_LEARNED,
        **PREDICTED,
    },
    optional=_OPTIONAL,
)
_LEARNED = listed(PATTERN_ID, "All that was learned, in order.")
SEQUENCE = answer(
    {
        "status": constant("Done.", "completed"),
        **IN_SESSION,
        "observations_processed": integer("Items."),
        "initial_stm_length": integer("Events in the short-term memory before.", 0),
        "final_stm_length": integer("Events in it after.", 0),
        "stm_length": integer("The same.", 0),
        "time": integer("Observations of the session so far."),
        "results": listed(named("SequenceResult"), "One per item, in order."),
        "individual_results": listed(named("SequenceResult"), "The same."),
        "auto_learned_patterns": _LEARNED,
        "patterns_learned": _LEARNED,
        "final_learned_pattern": nullable({**PATTERN_ID, "description": "What `learn_at_end` learned, or null."}),
        "isolated": boolean("Whether each item stood alone (`clear_stm_between`).", False),
        "final_predictions": listed(named("Prediction"), "For the memory after the last item, before learning it."),
    },
    about="What became of the sequence.",
    optional=("final_predictions",),
)
LEARNED = answer(
    {
        "status": constant("`insufficient_data`: there was a single symbol.", "learned", "insufficient_data"),
        "pattern_name": LEARNED_ID,
        "is_new": boolean("Whether it was learned for the first time."),
        "frequency": integer("How often it has been learned; 0 when it was not."),
        "length": integer("Events.", 3),
        "symbol_count": integer("Symbols.", 4),
        "events": EVENTS,
        "emotive_profile": mapping(
            listed(
                {
                    "type": "array",
                    "items": {"type": ["number", "null"], "examples": [0.7]},
                    "minItems": 1,
                    "maxItems": 1,
                },
                "One list per emotive dictionary gathered.",
            ),
            "Emotive → what was gathered, [null] where a dictionary lacks it.",
            key="joy",
        ),
        "message": text("In words.", "Learned 3 events with 4 symbols"),
        "stm_length": {**integer("The episode ended.", 0), "maximum": 0},
        **IN_SESSION,
        "stored_in": text("The session's node.", "my_app"),
    },
    about="What was learned.",
)
STM = answer(
    {
        **_IN_SESSION_SHORT,
        "stm": EVENTS,
        "length": integer("Events."),
        "stm_length": integer("The same."),
        "time": integer("Observations of the session so far."),
    },
    about="The short-term memory.",
)
_CLEARED: dict[str, Schema] = {
    "status": constant("Done.", "cleared"),
    **_IN_SESSION_SHORT,
    "stm_length": {**integer("Nothing is left.", 0), "maximum": 0},
    "time": {**integer("Counting begins again.", 0), "maximum": 0},
    "message": text("In words.", "The short-term memory is empty"),
}
CLEARED = answer(_CLEARED, about="The episode is forgotten.")
CLEARED_ALL = answer(
    {
        **_CLEARED,
        "scope": constant("Everything the node had learned.", "all"),
        "patterns_deleted": integer("Patterns there were."),
        "symbols_deleted": integer("Symbols there were."),
        "vectors_deleted": integer("Vectors there were.", 0),
    },
    about="The node knows nothing any more.",
)
FINALIZED = answer(
    {
        "status": constant("Done.", "completed"),
        **_IN_SESSION_SHORT,
        "patterns_processed": integer("Patterns of the node."),
        "time_ms": number("How long it took.", 1.5, minimum=0),
        "message": text("In words.", "The node has 1 patterns"),
    },
    about="The store is compact.",
)
_PERCEPT: dict[str, Schema] = {
    "strings": listed(text("A symbol.", "tea"), "Sorted."),
    "vectors": listed(listed(number("A component."), "A vector."), "As received.", examples=[[]]),
    "emotives": EMOTIVES,
    "emotives_average": mapping(number("The mean over the episode.", 0.7), "Emotive → mean.", key="joy"),
    "metadata": METADATA,
    "path": {"type": "array", "items": {}, "maxItems": 0, "description": "Always empty."},
    "unique_id": _UNIQUE_ID,
}
PERCEPT = answer(
    {
        **_IN_SESSION_SHORT,
        "percept_data": record("`{}` before the first observation.", _PERCEPT, optional=tuple(_PERCEPT)),
    },
    about="The last observation.",
)
_NOTHING: Schema = {"type": "array", "items": {}, "maxItems": 0, "description": "Always empty."}
COGNITION_DATA = record(
    "What is on the session's mind.",
    {
        "predictions": listed(named("Prediction"), "Those of the last observation."),
        "emotives": EMOTIVES,
        "symbols": listed(text("A symbol.", "tea"), "The short-term memory, flattened."),
        "short_term_memory": EVENTS,
        "time": integer("Observations so far."),
        "command": {"type": "string", "maxLength": 0, "description": "Always empty.", "examples": [""]},
        "metadata": empty("Always empty."),
        "path": _NOTHING,
        "strings": _NOTHING,
        "vectors": _NOTHING,
    },
)
COGNITION = answer({**_IN_SESSION_SHORT, "cognition_data": COGNITION_DATA}, about="The current cognition.")
