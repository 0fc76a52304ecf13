"""Answers about sessions and their configuration."""

from __future__ import annotations

from kato.engine.settings import DEFAULTS, KEYS
from kato.wire.schemas.parts import (
    IN_SESSION,
    NODE,
    NODE_ID,
    PAGE,
    SESSION_ID,
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

_FOLLOWS = {"minhash_num_hashes": {"type": "integer", "minimum": 1, "maximum": 2000}}
"""A number that follows from others may be beyond the range in which it can be given."""
CONFIGURATION = record(
    "The configuration in force: every key, itself valid input.",
    {
        key.name: {
            **_FOLLOWS.get(key.name, key.schema or {}),
            "description": key.governs,
            "examples": [DEFAULTS[key.name]],
        }
        for key in KEYS
    },
)
OVERRIDES = anything("Only the keys set for this session.", {"recall_threshold": 0.3})

_CONFIGURED: dict[str, Schema] = {
    "config": named("Configuration"),
    "session_config": named("Configuration"),
    "config_overrides": OVERRIDES,
}
_LIFETIME: dict[str, Schema] = {
    "created_at": time("When it began."),
    "last_accessed": time("When it was last used, this access included."),
    "expires_at": time("When it ends unless it is used."),
    "ttl": integer("Its own lifetime in seconds.", 3600, minimum=1),
    "remaining_ttl": integer("Seconds left, rounded up.", 3600),
    "ttl_seconds": integer("On creation its lifetime, later the seconds left.", 3600),
    "auto_extend": boolean("Whether using it renews its lifetime."),
}
_SUMMARY: dict[str, Schema] = {
    **IN_SESSION,
    **NODE,
    "status": constant("Alive.", "active"),
    **_LIFETIME,
    "stm_length": integer("Events in the short-term memory.", 0),
    "time": integer("Observations so far.", 0),
}

SUMMARY = record("A session, as lists show it.", _SUMMARY)
SESSION = answer(
    {**_SUMMARY, "metadata": anything("The caller's own, as given.", {}), **_CONFIGURED}, about="The session."
)
SESSIONS = answer(
    {
        "sessions": listed(named("SessionSummary"), "By time of creation, then id."),
        **PAGE,
        "node_id": nullable(text("The node that was asked for; null for all.", "my_app")),
    },
    about="One page of the live sessions.",
)
COUNT = answer(
    {
        "active_session_count": integer("Live sessions, exact at this moment."),
        "active_sessions": integer("The same."),
        "count": integer("The same."),
        "total_sessions": integer("Sessions ever created here."),
        "last_modified": nullable(time("The last creation, deletion or expiry.")),
    },
    about="How many sessions there are.",
)
EXISTS = answer(
    {
        "exists": boolean("Alive."),
        "expired": boolean("Ended by its lifetime, and still remembered.", False),
        "deleted": boolean("Ended by request, and still remembered.", False),
        "session_id": SESSION_ID,
        "remaining_ttl": integer("Seconds left; 0 unless alive.", 3600),
    },
    about="What became of the session.",
)
DELETED = answer(
    {
        "status": constant("Ended.", "deleted"),
        "deleted": boolean("Always true."),
        "session_id": SESSION_ID,
        "node_id": NODE_ID,
        "message": text("In words.", "The session ended; what its node learned stays"),
    },
    about="The session ended.",
)
EXTENDED = answer(
    {
        "status": constant("Done.", "extended"),
        "session_id": SESSION_ID,
        "ttl_seconds": integer("The session's own lifetime from now on.", 60, minimum=1),
        "ttl": integer("The same.", 60, minimum=1),
        "remaining_ttl": integer("Seconds left.", 60),
        "expires_at": time("When it ends unless it is used."),
        "message": text("In words.", "The session lives for another 60 seconds"),
    },
    about="The session has another lifetime.",
)
CONFIG = answer({"session_id": SESSION_ID, "node_id": NODE_ID, **_CONFIGURED}, about="The session's configuration.")
CONFIG_UPDATED = answer(
    {
        "status": constant("Done.", "okay"),
        "message": constant("In words.", "Configuration updated"),
        "session_id": SESSION_ID,
        "node_id": NODE_ID,
        **_CONFIGURED,
        "updated": listed(text("A key.", "recall_threshold"), "The keys that were given."),
        "ttl": integer("The session's own lifetime in seconds.", 3600, minimum=1),
        "expires_at": time("When it ends unless it is used."),
    },
    about="The configuration from the next operation on.",
)
