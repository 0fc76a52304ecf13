"""Sessions: making, reading, listing, prolonging and ending them."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from kato.engine.settings import merge_overrides, split_unknown
from kato.errors import InvalidInput
from kato.operations.registry import Answer, Request, operation
from kato.service.session import Session
from kato.service.system import System
from kato.wire.answers import Json, in_session, node, time_text
from kato.wire.reading import Parameter, read_body, read_query
from kato.wire.requests import CreateSession, Extend, agreed_ttl
from kato.wire.schemas import sessions as shapes

_MAX_TTL = 31_536_000
LIMIT = Parameter("limit", "integer", default=100, minimum=1, maximum=1000, description="Entries in this page.")
CURSOR = Parameter("cursor", "string", default=None, description="`next_cursor` of the page before.")


def session_summary(session: Session, now: int, *, auto_extend: bool) -> Json:
    """A session as lists show it."""
    return {
        **in_session(session.session_id, session.node_id),
        **node(session.node_id),
        "status": "active",
        "created_at": time_text(session.created_at),
        "last_accessed": time_text(session.last_accessed),
        "expires_at": time_text(session.expires_at),
        "ttl": session.ttl_seconds,
        "remaining_ttl": session.remaining_seconds(now),
        "ttl_seconds": session.remaining_seconds(now),
        "auto_extend": auto_extend,
        "stm_length": len(session.state.memory.events),
        "time": session.state.memory.time,
    }


def session_answer(system: System, session: Session) -> Json:
    """A session with its configuration."""
    return {
        **session_summary(session, system.runtime.now(), auto_extend=system.policy.session_auto_extend),
        "metadata": session.metadata,
        **configuration_members(session),
    }


def configuration_members(session: Session) -> Json:
    """The configuration in force, under both its names, and what of it was set for this session."""
    effective = session.configuration.effective
    return {
        "config": effective,
        "session_config": effective,
        "config_overrides": session.configuration.overrides,
    }


def encode_cursor(position: tuple[Any, ...] | None) -> str | None:
    """A page position as an opaque string."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, shape: tuple[type, ...]) -> tuple[Any, ...] | None:
    """
    The position a cursor stands for.

    Raises:
        InvalidInput: It was not made by `encode_cursor` for this list.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        position = None
    if (
        not isinstance(position, list)
        or len(position) != len(shape)
        or any(type(part) is not kind for part, kind in zip(position, shape, strict=True))
    ):
        raise InvalidInput(
            [
                {
                    "type": "cursor",
                    "loc": ["query", "cursor"],
                    "msg": "must be the next_cursor of an earlier page of this list",
                    "input": cursor[:200],
                }
            ]
        )
    return tuple(position)


def decode_ordered_cursor(cursor: str | None, order: str, shape: tuple[type, ...]) -> tuple[Any, ...] | None:
    """
    The position that a cursor of an ordered list stands for, without the order it begins with.

    Raises:
        InvalidInput: It was not made for this list, or for another order of it.
    """
    marked = decode_cursor(cursor, (str, *shape))
    if marked is None or marked[0] == order:
        return marked if marked is None else marked[1:]
    problem = {
        "type": "cursor",
        "loc": ["query", "cursor"],
        "msg": f"was made for sort={marked[0][:20]}, not for sort={order}",
        "input": (cursor or "")[:200],
    }
    raise InvalidInput([problem])


def configuration_warnings(given: dict[str, Any], prefix: str) -> list[str]:
    """What should be said about configuration keys as they were given."""
    warnings = []
    token, ordered = given.get("use_token_matching"), given.get("sort_symbols")
    if isinstance(token, bool) and isinstance(ordered, bool) and token != ordered:
        warnings.append(
            f"{prefix}use_token_matching is {str(token).lower()} and {prefix}sort_symbols is {str(ordered).lower()}; "
            "both are kept as given"
        )
    return warnings


def read_configuration(
    system: System, old: dict[str, Any], given: dict[str, Any], *, prefix: str
) -> tuple[dict[str, Any], int | None, list[str]]:
    """
    What a configuration body asks for: (the overrides that result, a new lifetime in seconds or None, warnings).

    `session_ttl` sets the lifetime and is no part of the configuration. `use_token_matching` alone brings
    `sort_symbols` along.
    """
    known, unknown = split_unknown({key: value for key, value in given.items() if key != "session_ttl"})
    warnings = [f"unknown key '{prefix}{key}' was ignored" for key in unknown]
    warnings += configuration_warnings(known, prefix)
    if isinstance(known.get("use_token_matching"), bool) and "sort_symbols" not in known:
        known["sort_symbols"] = known["use_token_matching"]
    inside = ("body", prefix.rstrip(".")) if prefix else ("body",)
    ttl = agreed_ttl([((*inside, "session_ttl"), given.get("session_ttl"))])
    overrides = merge_overrides(old, known)
    warnings += system.sessions.configure(overrides).warnings
    return overrides, ttl, warnings


@operation(
    "POST",
    "/sessions",
    scope="write",
    summary="Create a session",
    description="Every call makes a new session of the node. The session is stored before the answer.",
    request=CreateSession,
    errors=(400, 413, 422, 429),
    answer=shapes.SESSION,
)
async def create_session(system: System, request: Request) -> Answer:
    """POST /sessions."""
    _, warnings = read_query((), request.query)
    body, found = read_body(CreateSession, request.body, system.limits)
    request.caller.require_node(body.node_id)
    given = body.config or {}
    ttl = agreed_ttl(
        [
            (("body", "ttl"), body.ttl),
            (("body", "ttl_seconds"), body.ttl_seconds),
            (("body", "config", "session_ttl"), given.get("session_ttl")),
        ]
    )
    overrides, _, said = read_configuration(system, {}, given, prefix="config.")

    def answer(session: Session) -> Answer:
        told = session_answer(system, session)
        told["ttl_seconds"] = session.ttl_seconds
        return Answer({**told, "warnings": [*warnings, *found, *said]}, session.session_id)

    session = await system.sessions.create(
        body.node_id,
        overrides=overrides,
        ttl_seconds=ttl,
        metadata=body.metadata or {},
        caller=request.caller,
        reply=request.replying(answer),
    )
    return answer(session)


@operation(
    "GET",
    "/sessions",
    scope="read",
    summary="List live sessions",
    description="By time of creation, then id. A session alive during the whole walk appears exactly once.",
    parameters=(Parameter("node_id", "string", default=None, description="Only sessions of this node."), LIMIT, CURSOR),
    errors=(422,),
    answer=shapes.SESSIONS,
)
async def list_sessions(system: System, request: Request) -> Answer:
    """GET /sessions."""
    query, warnings = read_query(list_sessions.parameters, request.query)
    after = decode_cursor(query["cursor"], (int, str))
    node_id, limit = query["node_id"], query["limit"]
    if node_id is not None:
        request.caller.require_node(node_id)
    page = system.sessions.listed(node_id=node_id, after=after, limit=limit + 1, visible=request.visible)
    has_more = len(page) > limit
    page = page[:limit]
    now = system.runtime.now()
    auto_extend = system.policy.session_auto_extend
    return Answer(
        {
            "sessions": [session_summary(session, now, auto_extend=auto_extend) for session in page],
            "count": len(page),
            "total": system.sessions.count(node_id, visible=request.visible).active,
            "next_cursor": encode_cursor((page[-1].created_at, page[-1].session_id)) if has_more else None,
            "has_more": has_more,
            "node_id": node_id,
            "warnings": warnings,
        }
    )


@operation(
    "GET",
    "/sessions/count",
    scope="read",
    summary="Count sessions",
    description="Exact at the moment of the answer.",
    answer=shapes.COUNT,
)
async def count_sessions(system: System, request: Request) -> Answer:
    """GET /sessions/count."""
    _, warnings = read_query((), request.query)
    counts = system.sessions.count(visible=request.visible)
    return Answer(
        {
            "active_session_count": counts.active,
            "active_sessions": counts.active,
            "count": counts.active,
            "total_sessions": counts.created,
            "last_modified": time_text(counts.last_modified) if counts.last_modified is not None else None,
            "warnings": warnings,
        }
    )


@operation(
    "GET", "/sessions/{session_id}", scope="read", summary="Read a session", errors=(404,), answer=shapes.SESSION
)
async def get_session(system: System, request: Request) -> Answer:
    """GET /sessions/{sid}."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)
        return Answer({**session_answer(system, session), "warnings": warnings}, session.session_id)


@operation(
    "GET",
    "/sessions/{session_id}/exists",
    scope="read",
    summary="Whether a session is alive",
    description="Alive, expired, deleted or unknown; always 200, and does not count as an access.",
    answer=shapes.EXISTS,
)
async def session_exists(system: System, request: Request) -> Answer:
    """GET /sessions/{sid}/exists."""
    session_id = request.path["session_id"]
    _, warnings = read_query((), request.query)
    state, remaining = await system.sessions.exists(session_id, caller=request.caller)
    return Answer(
        {
            "exists": state == "active",
            "expired": state == "expired",
            "deleted": state == "deleted",
            "session_id": session_id,
            "remaining_ttl": remaining,
            "warnings": warnings,
        },
        session_id if state == "active" else None,
    )


@operation(
    "DELETE",
    "/sessions/{session_id}",
    scope="write",
    summary="End a session",
    description="Patterns stay.",
    errors=(404,),
    answer=shapes.DELETED,
)
async def delete_session(system: System, request: Request) -> Answer:
    """DELETE /sessions/{sid}."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)
        await system.sessions.delete(session)
        return Answer(
            {
                "status": "deleted",
                "deleted": True,
                "session_id": session.session_id,
                "node_id": session.node_id,
                "message": "The session ended; what its node learned stays",
                "warnings": warnings,
            }
        )


@operation(
    "POST",
    "/sessions/{session_id}/extend",
    scope="write",
    summary="Give a session another lifetime",
    description="`expires_at` becomes now + N and N the session's own lifetime. Without N: its present one.",
    request=Extend,
    body_required=False,
    parameters=(
        Parameter("ttl_seconds", "integer", default=None, minimum=1, maximum=_MAX_TTL, description="Seconds."),
        Parameter("ttl", "integer", default=None, minimum=1, maximum=_MAX_TTL, description="The same."),
    ),
    errors=(404, 422),
    answer=shapes.EXTENDED,
)
async def extend_session(system: System, request: Request) -> Answer:
    """POST /sessions/{sid}/extend."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        query, warnings = read_query(extend_session.parameters, request.query)
        body, found = read_body(Extend, request.body, system.limits)
        ttl = agreed_ttl(
            [
                (("query", "ttl_seconds"), query["ttl_seconds"]),
                (("query", "ttl"), query["ttl"]),
                (("body", "ttl_seconds"), body.ttl_seconds),
                (("body", "ttl"), body.ttl),
            ]
        )

        def answer(extended: Session) -> Answer:
            remaining = extended.remaining_seconds(system.runtime.now())
            return Answer(
                {
                    "status": "extended",
                    "session_id": session.session_id,
                    "node_id": session.node_id,
                    "ttl_seconds": extended.ttl_seconds,
                    "ttl": extended.ttl_seconds,
                    "remaining_ttl": remaining,
                    "expires_at": time_text(extended.expires_at),
                    "message": f"The session lives for another {remaining} seconds",
                    "warnings": [*warnings, *found],
                },
                session.session_id,
            )

        lifetime = ttl if ttl is not None else session.ttl_seconds
        await system.sessions.reconfigure(session, ttl_seconds=lifetime, reply=request.replying(answer))
        return answer(session)
