"""
One effect per idempotency key: a POST that comes again under its key is answered as it was the first time.

What is to be answered is stored in the transaction of what it tells of, so there is never the one without the other. An
operation makes its answer in time for that with `Request.reply` or `Request.replying`; one that changes nothing need not
know of keys, its answer is stored by itself. Errors are not remembered: what failed had no effect, and may be tried again.

A key belongs to the session it was used in, else to the API key of the request; the same key elsewhere is another one.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from kato.errors import IdempotencyMismatch, InvalidInput, LimitExceeded
from kato.operations.registry import Answer, Operation, Request
from kato.service.system import System
from kato.storage.interface import Reply, Transaction
from kato.wire.encoding import encode_answer
from kato.wire.limits import Limits
from kato.wire.reading import problem

IDEMPOTENCY_KEY = "idempotency-key"
REPLAYED = "Idempotency-Replayed"
KEPT_PER_SESSION = 1000
KEPT_PER_API_KEY = 10_000
_LOC = ("header", "Idempotency-Key")
_KEY = re.compile(r"[\x21-\x7e]+")
_WORTH_COMPRESSING = 1024
"""Bytes; predictions shrink to a tenth, a short answer does not shrink."""


def is_key(key: str, limits: Limits) -> bool:
    """Whether it can be one: 1 to 256 visible ASCII characters."""
    return len(key) <= limits.max_name_characters and _KEY.fullmatch(key) is not None


def check_key(key: str, limits: Limits) -> None:
    """
    Refuse a key that cannot be one.

    Raises:
        LimitExceeded, InvalidInput: It is longer; it holds something else.
    """
    most = limits.max_name_characters
    if len(key) > most:
        message = f"may have at most {most} characters, got {len(key)}"
        raise LimitExceeded([problem(_LOC, "limit", message, key, limit=most, actual=len(key), setting="fixed")])
    if not is_key(key, limits):
        raise InvalidInput([problem(_LOC, "idempotency_key", "must be visible ASCII characters", key)])


def mismatch(message: str) -> IdempotencyMismatch:
    """The error for a key that was used for something else."""
    return IdempotencyMismatch([problem(_LOC, "idempotency_mismatch", message, "")])


def key_scope(principal: str | None) -> str:
    """Where the keys of an API key's requests outside sessions are remembered; None is everybody, without API keys."""
    return json.dumps(["key", principal])


def lines_scope(principal: str | None, key: str) -> str:
    """Where the chunks of an upload of lines are remembered."""
    return json.dumps(["lines", principal, key])


def turn(system: System, scope: str, key: str) -> AbstractAsyncContextManager[None]:
    """The caller's turn under a key; without one nobody is waited for."""
    return system.repeats.turn(f"{scope} {key}" if key else "")


async def perform(system: System, operation: Operation, request: Request, *, warnings: Sequence[str] = ()) -> Answer:
    """
    Do an operation, or tell again how it was answered under the same key.

    Args:
        warnings: What else is to be said in the answer.

    Raises:
        KATOError: As the operation does; nothing is remembered.
        IdempotencyMismatch: The key was used for another request. Nothing happened.
        LimitExceeded, InvalidInput: The key cannot be one. Nothing happened.
    """
    key = request.headers.get(IDEMPOTENCY_KEY, "") if operation.method == "POST" else ""
    if not key:
        return _saying(await operation.handler(system, request), warnings)
    check_key(key, system.limits)
    seconds = system.policy.idempotency_seconds
    if not seconds:
        return _saying(await operation.handler(system, request), warnings)
    session_id = request.path.get("session_id")
    scope = session_id if session_id is not None else key_scope(request.principal)
    async with turn(system, scope, key):
        now = system.runtime.now()
        fingerprint = _fingerprint(operation, request)
        earlier = system.storage.reply(scope, key, now=now)
        if earlier is not None:
            return await _again(system, request, earlier, fingerprint)
        if session_id is None and system.storage.reply(lines_scope(request.principal, key), "1", now=now) is not None:
            raise mismatch("was used for an upload of lines; use another key for another request")
        keep = KEPT_PER_API_KEY if session_id is None else KEPT_PER_SESSION
        remembering = _Remembering(scope, key, fingerprint, now + seconds * 1_000_000, keep, warnings)
        answer = await operation.handler(system, request._replace(remember=remembering))
        if remembering.answer is None:
            await system.commit(Transaction(at=now, reply=remembering(answer)))
        assert remembering.answer is not None
        return remembering.answer


@dataclass(slots=True)
class _Remembering:
    """Makes of an answer what is stored; called again, the later answer takes the place of the earlier."""

    scope: str
    key: str
    fingerprint: bytes
    expires_at: int
    keep: int
    warnings: Sequence[str]
    answer: Answer | None = None
    """The one that is remembered, and told."""

    def __call__(self, answer: Answer) -> Reply:
        self.answer = _saying(answer, self.warnings)
        kept = _packed(_without_secrets(self.answer))
        return Reply(self.scope, self.key, self.fingerprint, kept, self.expires_at, self.keep)


async def _again(system: System, request: Request, earlier: Reply, fingerprint: bytes) -> Answer:
    """
    What was answered, also after the end of the session it was about: it tells of what happened, and asks for nothing.

    Raises:
        KATOSessionError: It is about another request, and the session is gone.
        IdempotencyMismatch: It is about another request.
    """
    session_id = request.path.get("session_id")
    if earlier.fingerprint != fingerprint:
        if session_id is not None:
            async with system.sessions.using(session_id, caller=request.caller):
                pass  # a session that is gone is said first
        raise mismatch("was used for another request; use a key of its own for each")
    told, body = _unpacked(earlier.answer)
    if session_id is not None:
        live = await system.sessions.access(session_id, caller=request.caller)
    else:
        live = told is not None and (await system.sessions.exists(told, caller=request.caller))[0] == "active"
    return Answer(body, told if live else None, {REPLAYED: "true"})


def _fingerprint(operation: Operation, request: Request) -> bytes:
    """What tells a request from another under the same key: whose it is, where it goes, and what it says."""
    place = [request.principal, operation.template, sorted(request.path.items()), request.query]
    return hashlib.sha256(json.dumps(place).encode() + b"\n" + request.body).digest()


def _saying(answer: Answer, warnings: Sequence[str]) -> Answer:
    if not warnings or isinstance(answer.body, bytes):
        return answer
    return answer._replace(body={**answer.body, "warnings": [*answer.body["warnings"], *warnings]})


def _without_secrets(answer: Answer) -> Answer:
    """What may be kept of an answer."""
    if not answer.told_once or isinstance(answer.body, bytes):
        return answer
    names = ", ".join(answer.told_once)
    sentence = f"{names} was told in the answer to the first such request, and is kept nowhere"
    hidden: dict[str, object] = dict.fromkeys(answer.told_once)
    return answer._replace(body={**answer.body, **hidden, "warnings": [*answer.body["warnings"], sentence]})


def _packed(answer: Answer) -> bytes:
    """An answer as it is stored: its session or nothing, a line feed, and the body, compressed where that helps."""
    body = answer.body if isinstance(answer.body, bytes) else encode_answer(answer.body)
    kind = b"z" if len(body) >= _WORTH_COMPRESSING else b"p"
    content = zlib.compress(body, 1) if kind == b"z" else body
    return kind + (answer.session_id or "").encode() + b"\n" + content


def _unpacked(stored: bytes) -> tuple[str | None, bytes]:
    head, _, content = stored.partition(b"\n")
    body = zlib.decompress(content) if head[:1] == b"z" else content
    return head[1:].decode() or None, body
