"""Answers that say what comes next, and how likely."""

from __future__ import annotations

from kato.wire.schemas.parts import (
    EVENT,
    IN_SESSION,
    NODE,
    PATTERN_ID,
    Schema,
    answer,
    boolean,
    integer,
    listed,
    named,
    nullable,
    number,
    record,
    text,
)

_MATCHED = record(
    "An event of the memory that was found in the pattern.",
    {
        "position": integer("Event of the pattern, from 0.", 1),
        "back": integer("Event of the memory, counted back from the newest, 0.", 0),
        "event": EVENT,
    },
)
_VOICE = record(
    "One position of one pattern.",
    {
        "pattern_name": PATTERN_ID,
        "sequence": listed(EVENT, "The whole pattern."),
        "position": integer("Events of the pattern before what it votes for.", 2),
        "matched": listed(_MATCHED, "What it was heard for, newest first."),
        "share": number("What it adds to the symbol's share.", 0.1),
    },
)
ENTRY = record(
    "One symbol that may come.",
    {
        "symbol": text("The symbol.", "tea"),
        "probability": number("How often a symbol of this rank and share was right in the node's self-test.", 0.4),
        "share": number("Its share of the vote.", 0.35),
        "voices": listed(_VOICE, "Up to 10 positions that vote for it, those that add most first."),
        "other_voices": integer("Further positions that vote for it.", 3),
        "other_share": number("What those add together.", 0.05),
    },
    optional=("voices", "other_voices", "other_share"),
)
_NOVELTY = record(
    "How unlike everything learned the memory is.",
    {
        "score": number("The mean of the four parts, 0 to 1.", 0.1),
        "threshold": nullable(number("Above this no more than `false_alarms` of the node's own patterns are.", 0.4)),
        "is_novel": nullable(boolean("Whether the score is above the threshold; null without one.", example=False)),
        "symbols": number("Share of the memory's symbols never seen.", 0.0),
        "transitions": number("Share of its transitions never seen.", 0.2),
        "together": number("Share of its symbols missing in the pattern that holds most of them.", 0.25),
        "unlike": number("One minus the similarity of the most similar pattern; 1 where none shares a symbol.", 0.3),
        "unseen_symbols": listed(text("A symbol.", "tae"), "Newest first."),
        "unseen_transitions": listed(EVENT, "Pairs of neighbours, newest first."),
        "nearest": nullable(
            record(
                "The most similar pattern.",
                {"pattern_name": PATTERN_ID, "similarity": number("As predictions have it.", 0.7)},
            )
        ),
    },
)


def _asked_so(description: str, tested: int, hit_rate: float) -> Schema:
    return record(
        description,
        {
            "tested": integer("How many.", tested),
            "hit_rate": nullable(number("How often the first symbol was right; null without any.", hit_rate)),
        },
    )


_PROFILE = record(
    "How the node votes on questions of this kind, and how it knows.",
    {
        "mix": listed(
            record("A way of voting.", {"name": text("Its name.", "suffix"), "count": integer("How often it counts.")}),
            "What is mixed.",
        ),
        "repeat": number("What another symbol of the memory is worth.", 1.0),
        "tested": integer("Questions of the self-test behind the probabilities; 0 before any.", 500),
        "hit_rate": nullable(number("How often the first symbol was right in it; null before any.", 0.4)),
        "left_out": _asked_so("Of these, those that left one learning of their pattern out.", 400, 0.42),
        "foretold": _asked_so("Of these, those about a pattern as before it was learned.", 100, 0.32),
        "sequence": nullable(integer("Log sequence the choice was made at; null before any.", 12)),
    },
)
_FORECAST: dict[str, Schema] = {
    "forecast": listed(ENTRY, "By share, ties by symbol."),
    "count": integer("How many symbols are in the answer."),
    "symbols": integer("How many symbols have a share."),
    "voters": integer("Patterns heard."),
    "unknown": number("Probability that none of what the node knows comes.", 0.02),
    "entropy": number("Of the shares, in bits.", 1.5),
    "novelty": _NOVELTY,
    "profile": _PROFILE,
}
FORECAST = record("What comes next.", _FORECAST)
_ASKED: dict[str, Schema] = {
    "horizon": integer("Events ahead that count; 0 for the last event."),
    "ending": boolean("Whether the sequence ends with them.", example=False),
}
SESSION_FORECAST = answer(
    {**_FORECAST, **_ASKED, **IN_SESSION, "time": integer("Observations so far.")}, about="What comes next."
)
NODE_FORECASTS = answer(
    {
        "results": listed(named("Forecast"), "One per memory, in order."),
        "count": integer("How many."),
        **_ASKED,
        **NODE,
    },
    about="What comes next, per memory.",
)
