"""
What an operation is, and the list of all of them.

An operation knows its method and path template, what it reads and what it may answer; it knows nothing of transport.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from kato.service.callers import ANYONE, Caller
from kato.service.system import System
from kato.storage.interface import Reply, Visible
from kato.storage.keys import Scope
from kato.wire.reading import Parameter, Shape
from kato.wire.schemas import Schema

T = TypeVar("T")


class Answer(NamedTuple):
    """What goes back: a JSON object, or bytes whose content type is among the headers (JSON when it is not)."""

    body: dict[str, Any] | bytes
    session_id: str | None = None
    """The live session the request named."""
    headers: Mapping[str, str] = MappingProxyType({})
    told_once: tuple[str, ...] = ()
    """Members of the body that are told this once: they are not kept for repeated requests, which get null."""


class Request(NamedTuple):
    """What arrives, freed of transport."""

    path: Mapping[str, str]
    """Values of the template's places, decoded."""
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})
    """Names in lower case."""
    trace_id: str = ""
    caller: Caller = ANYONE
    """Whose request it is."""
    remember: Callable[[Answer], Reply] | None = None
    """Makes of the answer what is stored with the effect; None where the request came without an idempotency key."""

    @property
    def principal(self) -> str | None:
        """The id of the key it came with; None where no keys are asked for."""
        return self.caller.key_id

    @property
    def visible(self) -> Visible:
        """The sessions there are for whoever asks."""
        return self.caller.visible

    def reply(self, answer: Answer) -> Reply | None:
        """What to store with the effect, for an answer that is known before it."""
        return self.remember(answer) if self.remember is not None else None

    def replying(self, answer: Callable[[T], Answer]) -> Callable[[T], Reply] | None:
        """The same, for an answer that follows from what the effect turns out to be."""
        remember = self.remember
        return None if remember is None else lambda effect: remember(answer(effect))


Handler = Callable[[System, Request], Coroutine[Any, Any, Answer]]
Pieces = AsyncGenerator[bytes | None, None]
"""A body as it arrives; None where the next piece lets itself be waited for."""
LinesHandler = Callable[[System, Request, Pieces], AsyncGenerator[bytes, None]]
"""Answers a body of lines by lines; what it raises before the first of them is the whole answer."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    method: str
    template: str
    handler: Handler
    scope: Scope | None
    """What a key must be allowed for it; None where nobody needs one."""
    summary: str
    description: str = ""
    request: type[Shape] | None = None
    body_required: bool = True
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    """Statuses particular to it, besides those any request can get."""
    answer: Schema | None = None
    """What a success looks like as JSON; None where it never is JSON."""
    other_answers: tuple[str, ...] = ()
    """Content types a success may have instead of JSON."""
    lines: LinesHandler | None = None
    """What answers a body of lines, where one is taken."""


class DescribedHandler(Protocol):
    """A handler that knows the query parameters it was registered with."""

    parameters: tuple[Parameter, ...]

    async def __call__(self, system: System, request: Request) -> Answer:
        """Answer a request."""
        ...


OPERATIONS: list[Operation] = []


def operation(
    method: str,
    template: str,
    *,
    scope: Scope | None,
    summary: str,
    description: str = "",
    request: type[Shape] | None = None,
    body_required: bool = True,
    parameters: tuple[Parameter, ...] = (),
    errors: tuple[int, ...] = (),
    answer: Schema | None = None,
    other_answers: tuple[str, ...] = (),
    lines: LinesHandler | None = None,
) -> Callable[[Handler], DescribedHandler]:
    """
    Register a handler; it gets `parameters` as an attribute.

    Args:
        scope: "read" for what changes nothing, predictions included; "write" for sessions, observing and learning; "admin" for
            changing or forgetting what was learned, and for everything about the service; None where no key is needed.
    """

    def register(handler: Handler) -> DescribedHandler:
        described = cast("DescribedHandler", handler)
        described.parameters = parameters
        OPERATIONS.append(
            Operation(
                method,
                template,
                handler,
                scope,
                summary,
                description,
                request,
                body_required,
                parameters,
                errors,
                answer,
                other_answers,
                lines,
            )
        )
        return described

    return register
