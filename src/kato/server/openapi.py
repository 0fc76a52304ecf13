"""The generated description: every operation, its parameters, its body, its answers and its errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kato import errors
from kato.operations import Operation
from kato.operations import node_id as nodes
from kato.wire.failures import error_body
from kato.wire.limits import Limits
from kato.wire.reading import Parameter, problem
from kato.wire.schemas import COMPONENTS, Schema, example
from kato.wire.schemas.parts import A_SESSION, A_TIME

_PLACE = re.compile(r"\{(\w+)\}")
_PLACES = {
    "session_id": "The session's id, as `POST /sessions` gave it.",
    "pattern_id": "The pattern's name, with or without `PTRN|`, in any case.",
    "symbol": "The symbol, percent-encoded.",
    "node_id": "The node, percent-encoded.",
    "name": "The number's name, with or without `kato_`.",
    "key_id": "The key's id, as `GET /keys` tells it.",
}
_ERRORS = {
    400: ("The configuration, a vector or the state does not allow it", errors.EmptyMemory()),
    401: ("The API key is missing or unknown", errors.Unauthorized("The API key is missing")),
    403: ("The host, the origin or the API key does not allow it", errors.Forbidden("The key may only read")),
    404: ("The session is gone, or there is no such thing", errors.SessionNotFound(A_SESSION)),
    409: ("The node has changed since", errors.HeadChanged(12, 14)),
    413: ("The body or a count is beyond its limit", errors.PayloadTooLarge("strings", 10, 11, "KATO_MAX_STRINGS")),
    415: ("The body is not declared as what it must be", errors.UnsupportedMediaType("send application/json")),
    422: (
        "A member or parameter has a wrong type or value",
        errors.InvalidInput([problem(("body", "strings"), "list_type", "must be a list", 5)]),
    ),
    429: ("Too many requests or sessions", errors.TooManySessions(10)),
    500: ("A fault of the server", errors.InternalError()),
    503: (
        "The server is not ready, overloaded, or its storage does not answer",
        errors.NotReady("The server is starting or stopping"),
    ),
    504: ("The request took too long", errors.RequestTimedOut(120.0)),
    507: ("There is no room to store the change", errors.StorageFull("No room is left on the disk")),
}
_ALWAYS = (403, 422, 500, 503, 504)
_WITH_KEYS = (401, 429)
"""Not where nobody needs a key and nobody's requests are counted."""
_TAGS = {
    "sessions": "Conversations with a node: configuration, observing, learning, predicting.",
    "nodes": "Nodes, and many sequences or memories at once.",
    "patterns": "What a node has learned.",
    "symbols": "How often symbols occur, and how they felt.",
    "service": "Who is answering, how it fares, and its numbers.",
    "compatible": "What exists for compatible clients alone.",
}
_TAG_OF = {"pattern": "patterns", "percept-data": "compatible", "cognition-data": "compatible"}
_TRACE = {
    "X-Trace-ID": {
        "description": "The id of the request, in every log line of it.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
    }
}
_SESSION_HEADER = {
    "X-Session-ID": {"description": "The live session that the request named.", "schema": {"type": "string"}}
}
_REPLAYED = {
    "Idempotency-Replayed": {
        "description": "Told where the answer is that of an earlier request under the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
_AUTHENTICATE = {"WWW-Authenticate": {"description": "How to come with a key.", "schema": {"type": "string"}}}
_SCOPES = {
    "read": "Needs an API key of any scope, where keys are asked for.",
    "write": "Needs an API key of scope `write` or `admin`, where keys are asked for.",
    "admin": "Needs an API key of scope `admin`, where keys are asked for.",
}
_SECURITY_SCHEMES = {
    "X-API-Key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key, as `kato keys create` or `KATO_API_KEYS` gave it. Goes before a bearer token.",
    },
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The same key as `Authorization: Bearer <key>`."},
    "WebSocket": {
        "type": "apiKey",
        "in": "query",
        "name": "api_key",
        "description": "The same key (also as `token`), only for the WebSocket `/ws/events`, where browsers cannot set "
        "headers; a key of any scope may watch. It is never logged.",
    },
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}}


def description(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The whole as OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.template, {})[operation.method.lower()] = _operation(operation)
    paths["/sessions"]["post"]["responses"]["200"]["links"] = _links(operations)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "KATO",
            "version": version,
            "description": "A memory that observes events, learns sequences by heart and says what comes next.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": name, "description": about} for name, about in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {name: _plain(schema) for name, schema in COMPONENTS.items()},
            "responses": {str(status): _error(status) for status in _ERRORS},
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _links(operations: Sequence[Operation]) -> dict[str, Any]:
    """What can be asked of a session that was made."""
    return {
        _name(each): {
            "operationId": _name(each),
            "parameters": {"session_id": "$response.body#/session_id"},
            "description": each.summary,
        }
        for each in operations
        if "{session_id}" in each.template
    }


def _name(operation: Operation) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", operation.template.lower()).strip("_")
    return f"{operation.method.lower()}_{words}".rstrip("_")


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": _name(operation),
        "summary": operation.summary,
        "description": _about(operation),
        "security": _security(operation),
        "tags": [_tag(operation.template)],
        "parameters": [
            *(_place(name) for name in _PLACE.findall(operation.template)),
            *(_parameter(parameter) for parameter in operation.parameters),
            *_headers(operation),
        ],
        "responses": _responses(operation),
    }
    if operation.request is not None:
        schema = dict(operation.request.SCHEMA)
        shown = schema.pop("example", None)
        content: dict[str, Any] = {"schema": schema}
        if shown is not None:
            content["example"] = shown
        found["requestBody"] = {
            "required": operation.body_required,
            "content": {"application/json": content},
        }
    return found


def _about(operation: Operation) -> str:
    about = operation.description or f"{operation.summary}."
    return about if operation.scope is None else f"{about}\n\n{_SCOPES[operation.scope]}"


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    """Either way to come with a key, and the scope it must have; or none, which is enough where no keys are asked for."""
    if operation.scope is None:
        return []
    return [{"X-API-Key": [operation.scope]}, {"Bearer": [operation.scope]}, {}]


def _tag(template: str) -> str:
    first = template.split("/")[1]
    tag = _TAG_OF.get(first, first)
    return tag if tag in _TAGS else "service"


def _plain(schema: Any) -> Any:
    """The schema without our own notes."""
    if isinstance(schema, Mapping):
        return {name: _plain(member) for name, member in schema.items() if name != "x-example-key"}
    return [_plain(member) for member in schema] if isinstance(schema, list) else schema


def _responses(operation: Operation) -> dict[str, Any]:
    in_session = "{session_id}" in operation.template
    content: dict[str, Any] = {}
    if operation.answer is not None:
        content["application/json"] = _content(operation.answer)
    content |= {kind: {"schema": {"type": "string"}} for kind in operation.other_answers}
    done = {
        "description": operation.answer["description"] if operation.answer is not None else operation.summary,
        "headers": {
            **_TRACE,
            **(_SESSION_HEADER if in_session else {}),
            **(_REPLAYED if operation.method == "POST" else {}),
        },
        "content": content,
    }
    statuses = {*_ALWAYS, *operation.errors, *(_WITH_KEYS if operation.scope is not None else ())}
    if in_session and not operation.template.endswith("/exists"):
        statuses.add(404)
    if operation.method != "GET":
        statuses |= {413, 415, 507}
    return {"200": done, **{str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)}}


def _content(answer: Schema) -> dict[str, Any]:
    return {"schema": _plain(answer), "example": example(answer, COMPONENTS)}


def _error(status: int) -> dict[str, Any]:
    about, error = _ERRORS[status]
    session_id = A_SESSION if status == 404 else None
    shown = error_body(error, trace_id=f"kato-{'0' * 32}", session_id=session_id, timestamp=A_TIME)
    content = {"schema": {"$ref": "#/components/schemas/Error"}, "example": shown}
    headers = {**_TRACE, **(_RETRY if status in {429, 503} else {}), **(_AUTHENTICATE if status == 401 else {})}
    return {"description": about, "headers": headers, "content": {"application/json": content}}


def _place(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": _PLACES[name],
        "schema": {"type": "string", "minLength": 1},
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.kind}
    if parameter.minimum is not None:
        schema["minimum"] = parameter.minimum
    if parameter.maximum is not None:
        schema["maximum"] = parameter.maximum
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.default not in (None, ()):
        schema["default"] = parameter.default
    if parameter.repeatable:
        schema = {"type": "array", "items": schema}
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.description,
        "schema": schema,
    }


def _headers(operation: Operation) -> Iterable[dict[str, Any]]:
    """The request headers that change what an operation does."""
    if nodes.PARAMETERS[0] in operation.parameters:
        yield _header("X-Node-ID", "The node, where the query names none.", Limits().max_node_id)
        about = "The node with `test_` before it, where the query names none; goes before `X-Node-ID`."
        yield _header("X-Test-ID", about, Limits().max_node_id - len("test_"))
    if operation.method == "POST":
        about = "A name for this very write: repeated under the same key, it takes effect once."
        yield _header("Idempotency-Key", about, Limits().max_name_characters, pattern="^[!-~]+$")


def _header(name: str, about: str, most: int, **more: Any) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": most, **more}
    return {"name": name, "in": "header", "required": False, "description": about, "schema": schema}
