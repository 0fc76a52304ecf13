"""Answers about API keys."""

from __future__ import annotations

from kato.wire.schemas.parts import answer, boolean, constant, integer, listed, nullable, record, text, time

_KEY_ID = text("Names the key in lists, logs and histories; no secret.", "key-9f1c2d3e4a5b")
_MEMBERS = {
    "id": _KEY_ID,
    "name": text("What it is for, or whose it is; may be empty.", "the shop's web server"),
    "scope": constant("What it may do.", "read", "write", "admin"),
    "prefixes": listed(text("The beginning of a node id.", "shop/"), "Nodes it may touch; none: all."),
    "created_at": time("When it was made."),
    "created_by": nullable(text("The key whose holder made it; null: `kato keys`.", "key-0123456789ab")),
    "last_used_at": nullable(time("When it was used last; null: never.")),
    "revoked_at": nullable(time("When it was revoked; null: it is usable.")),
    "revoked_by": nullable(text("The key whose holder revoked it.", "key-0123456789ab")),
}

KEYS = answer(
    {
        "status": constant("Whether there are keys to manage.", "active", "disabled"),
        "reason": nullable(text("Why there are none, in a sentence.", "This server asks for no keys")),
        "keys": listed(
            record(
                "An API key, without the key itself.",
                {**_MEMBERS, "is_own": boolean("Whether it is the one that asks.")},
            ),
            "Oldest first.",
        ),
        "count": integer("Entries in this answer."),
    },
    about="The API keys.",
)
CREATED = answer(
    {
        "status": constant("Done.", "created"),
        "key": nullable(
            text("The key itself, told this once; null in the answer to a repeated request.", "kato_" + "A" * 43)
        ),
        **_MEMBERS,
    },
    about="A key was made.",
)
REVOKED = answer({"status": constant("Done.", "revoked"), **_MEMBERS}, about="A key was revoked.")
