"""The generated description: every operation, its parameters, its body and its answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kato.operations import Operation
from kato.wire.reading import Parameter

_PLACE = re.compile(r"\{(\w+)\}")
_REASONS = {
    400: "The configuration, a vector or the state does not allow it",
    404: "The session is gone, or there is no such thing",
    405: "The path does not know this method",
    413: "The body or a count is beyond its limit",
    415: "The body is not declared as JSON",
    422: "A member or parameter has a wrong type or value",
    429: "Too many requests or sessions",
    500: "A fault of the server",
    503: "The server is not ready, overloaded, or its storage does not answer",
    504: "The request took too long",
    507: "There is no room to store the change",
}
_ALWAYS = (403, 422, 500, 503, 504)
_ERROR = {
    "type": "object",
    "required": ["detail", "status", "error"],
    "properties": {
        "detail": {"description": "A sentence, an object or a list", "type": ["string", "object", "array"]},
        "status": {"type": "integer"},
        "error": {
            "type": "object",
            "required": ["code", "type", "message", "details", "recoverable", "trace_id", "timestamp"],
            "properties": {
                "code": {"type": "string"},
                "type": {"type": "string"},
                "message": {"type": "string"},
                "details": {"type": "object"},
                "recoverable": {"type": "boolean"},
                "session_id": {"type": "string"},
                "trace_id": {"type": "string"},
                "timestamp": {"type": "string"},
            },
        },
    },
}


def description(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.template, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "KATO",
            "version": version,
            "description": "A memory that observes events, learns sequences by heart and says what comes next.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR}},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    words = re.sub(r"[^a-z0-9]+", "_", operation.template.lower()).strip("_")
    found: dict[str, Any] = {
        "operationId": f"{operation.method.lower()}_{words}".rstrip("_"),
        "summary": operation.summary,
        "description": operation.description or operation.summary,
        "tags": [operation.template.split("/")[1] or "service"],
        "parameters": [
            *(_place(name) for name in _PLACE.findall(operation.template)),
            *(_parameter(parameter) for parameter in operation.parameters),
        ],
        "responses": _responses(operation),
    }
    if operation.request is not None:
        schema = dict(operation.request.SCHEMA)
        example = schema.pop("example", None)
        content: dict[str, Any] = {"schema": schema}
        if example is not None:
            content["example"] = example
        found["requestBody"] = {
            "required": operation.body_required,
            "content": {"application/json": content},
        }
    return found


def _responses(operation: Operation) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": "Done",
        "headers": {"X-Trace-ID": {"schema": {"type": "string"}}},
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"warnings": {"type": "array", "items": {"type": "string"}}},
                }
            }
        },
    }
    if "metrics" in operation.template:
        answer["content"]["text/plain"] = {"schema": {"type": "string"}}
    statuses = {*_ALWAYS, *operation.errors}
    if operation.method not in {"GET", "DELETE"}:
        statuses |= {413, 415, 507}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    shown = {
        str(status): {"description": _REASONS.get(status, "Not allowed"), "content": error}
        for status in sorted(statuses)
    }
    return {"200": answer, **shown}


def _place(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


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
