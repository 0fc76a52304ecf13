"""API keys over HTTP: made, listed and revoked by whoever has one of scope admin, for nodes that one may touch itself."""

from __future__ import annotations

from typing import cast

from kato.errors import Forbidden, KeyConflict, KeyNotFound
from kato.operations.registry import Answer, Request, operation
from kato.service.callers import Caller
from kato.service.system import System
from kato.storage.keys import Key, KeyFile, Scope
from kato.wire.answers import Json, time_text
from kato.wire.key_requests import CreateKey
from kato.wire.reading import read_body, read_query
from kato.wire.schemas import keys as shapes

_NOT_ASKED_FOR = (
    "This server asks for no keys: everybody who reaches it may do everything. "
    "The first key is made on its machine, with `kato keys create`"
)
_NOT_KEPT = "This server's memory is kept nowhere, and so are keys; those it asks for were given in KATO_API_KEYS"


def key_members(key: Key, used: int | None) -> Json:
    """What is told of a key. `used`: when it was used last, in microseconds since 1970."""
    return {
        "id": key.key_id,
        "name": key.name,
        "scope": key.scope,
        "prefixes": list(key.prefixes),
        "created_at": time_text(key.created_at),
        "created_by": key.created_by,
        "last_used_at": time_text(used) if used is not None else None,
        "revoked_at": time_text(key.revoked_at) if key.revoked_at is not None else None,
        "revoked_by": key.revoked_by,
    }


@operation(
    "GET",
    "/keys",
    scope="admin",
    summary="The API keys",
    description="Oldest first, revoked ones too; never the keys themselves. `last_used_at` may be ten seconds late.",
    answer=shapes.KEYS,
)
async def list_keys(system: System, request: Request) -> Answer:
    """GET /keys."""
    _, warnings = read_query((), request.query)
    reason = _why_not(system)
    found: list[Json] = []
    if reason is None:
        file = _kept(system)
        keys, uses = await system.runtime.compute(lambda: (file.read(), file.read_uses()))
        found = [
            {**key_members(key, uses.get(key.key_id)), "is_own": key.key_id == request.principal}
            for key in keys
            if _may_manage(request.caller, key)
        ]
    return Answer(
        {
            "status": "active" if reason is None else "disabled",
            "reason": reason,
            "keys": found,
            "count": len(found),
            "warnings": warnings,
        }
    )


@operation(
    "POST",
    "/keys",
    scope="admin",
    summary="Make an API key",
    description="The answer is the only place where the key itself is ever told; a repeated one does not tell it again.",
    request=CreateKey,
    body_required=False,
    errors=(409, 422),
    answer=shapes.CREATED,
)
async def create_key(system: System, request: Request) -> Answer:
    """POST /keys."""
    body, warnings = read_body(CreateKey, request.body, system.limits)
    file = _kept(system)
    own = request.caller.prefixes
    prefixes = own if body.prefixes is None else tuple(body.prefixes)
    if own and not (prefixes and all(each.startswith(own) for each in prefixes)):
        allowed = " or ".join(repr(each) for each in own)
        raise Forbidden(f"This key may only make keys for nodes whose ids begin with {allowed}")
    secret, made = await system.runtime.compute(
        file.create, body.name, cast("Scope", body.scope), prefixes, request.principal
    )
    return Answer(
        {"status": "created", "key": secret, **key_members(made, None), "warnings": warnings},
        headers={"Cache-Control": "no-store"},
        told_once=("key",),
    )


@operation(
    "DELETE",
    "/keys/{key_id}",
    scope="admin",
    summary="Revoke an API key",
    description="From the next request on it lets nobody in, and its WebSockets are closed. It stays in the list.",
    errors=(404, 409),
    answer=shapes.REVOKED,
)
async def revoke_key(system: System, request: Request) -> Answer:
    """DELETE /keys/{key_id}."""
    _, warnings = read_query((), request.query)
    file, key_id = _kept(system), request.path["key_id"]
    if key_id == request.principal:
        # So there is always an administrator left whom the server listens to.
        raise KeyConflict(
            "This is the key that asks. Revoke it with another one of scope admin, or with `kato keys revoke`"
        )
    keys = await system.runtime.compute(file.read)
    if not any(key.key_id == key_id and _may_manage(request.caller, key) for key in keys):
        raise KeyNotFound(key_id)
    revoked = await system.runtime.compute(file.revoke, key_id, request.principal)
    if revoked is None:
        raise KeyNotFound(key_id)
    uses = await system.runtime.compute(file.read_uses)
    return Answer({"status": "revoked", **key_members(revoked, uses.get(key_id)), "warnings": warnings})


def _may_manage(caller: Caller, key: Key) -> bool:
    """Whether a key reaches no further than the caller does."""
    own = caller.prefixes
    return not own or bool(key.prefixes and all(each.startswith(own) for each in key.prefixes))


def _why_not(system: System) -> str | None:
    """Why there are no keys to manage; None where there are."""
    if not system.api_keys():
        return _NOT_ASKED_FOR
    return _NOT_KEPT if system.keys is None else None


def _kept(system: System) -> KeyFile:
    """
    Where the keys are.

    Raises:
        KeyConflict: There are none to manage.
    """
    reason = _why_not(system)
    if reason is not None or system.keys is None:
        raise KeyConflict(reason or _NOT_KEPT)
    return system.keys
