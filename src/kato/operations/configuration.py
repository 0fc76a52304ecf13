"""A session's configuration: reading and changing it."""

from __future__ import annotations

from kato.operations.registry import Answer, Request, operation
from kato.operations.sessions import configuration_members, read_configuration
from kato.service.session import Session
from kato.service.system import System
from kato.wire.answers import time_text
from kato.wire.reading import read_body, read_query
from kato.wire.requests import ConfigUpdate
from kato.wire.schemas import sessions as shapes

_DESCRIPTION = (
    "Keys that are given replace the session's own; `null` removes one, so that the server's default applies again "
    "(for keys that may be null it is a value: off). Effective from the next operation. POST, PUT and PATCH do the same."
)


@operation(
    "GET",
    "/sessions/{session_id}/config",
    scope="read",
    summary="Read a session's configuration",
    errors=(404,),
    answer=shapes.CONFIG,
)
async def get_config(system: System, request: Request) -> Answer:
    """GET /sessions/{sid}/config."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)
        return Answer(
            {
                "session_id": session.session_id,
                "node_id": session.node_id,
                **configuration_members(session),
                "warnings": warnings,
            },
            session.session_id,
        )


async def update_config(system: System, request: Request) -> Answer:
    """POST, PUT, PATCH /sessions/{sid}/config."""
    async with system.sessions.using(request.path["session_id"], caller=request.caller) as session:
        _, warnings = read_query((), request.query)
        body, found = read_body(ConfigUpdate, request.body, system.limits)
        overrides, ttl, said = read_configuration(
            system, dict(session.configuration.overrides), body.config, prefix=body.prefix
        )
        configuration = system.sessions.configure(overrides)

        def answer(changed: Session) -> Answer:
            return Answer(
                {
                    "status": "okay",
                    "message": "Configuration updated",
                    "session_id": session.session_id,
                    "node_id": session.node_id,
                    **configuration_members(changed),
                    "updated": list(body.config),
                    "ttl": changed.ttl_seconds,
                    "expires_at": time_text(changed.expires_at),
                    "warnings": [*warnings, *found, *said],
                },
                session.session_id,
            )

        if body.config:
            await system.sessions.reconfigure(
                session, configuration=configuration, ttl_seconds=ttl, reply=request.replying(answer)
            )
        return answer(session)


for _method in ("POST", "PUT", "PATCH"):
    operation(
        _method,
        "/sessions/{session_id}/config",
        scope="write",
        summary="Change a session's configuration",
        description=_DESCRIPTION,
        request=ConfigUpdate,
        errors=(400, 404, 422),
        answer=shapes.CONFIG_UPDATED,
    )(update_config)
