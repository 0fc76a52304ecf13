"""The generated description: complete, valid in itself, and changed only on purpose (`make openapi` renews the snapshot)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from kato.operations import OPERATIONS
from kato.server.openapi import description

SNAPSHOT = Path(__file__).with_name("openapi.json")
VERSION = "0.0.0"
"""Of the snapshot, which does not change with a release."""
DESCRIPTION = description(OPERATIONS, VERSION)
DESCRIBED = [
    pytest.param(path, method, operation, id=f"{method.upper()} {path}")
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
]


def written(document):
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def test_the_description_is_the_one_that_was_reviewed():
    assert written(DESCRIPTION) == SNAPSHOT.read_text(encoding="utf-8"), "review the change, then: make openapi"


def test_it_is_what_the_server_gives(http):
    served = http.get("/openapi.json").json()
    assert served == {**DESCRIPTION, "info": {**DESCRIPTION["info"], "version": served["info"]["version"]}}


def validator(schema):
    return Draft202012Validator({**schema, "components": DESCRIPTION["components"]})


@pytest.mark.parametrize(("path", "method", "operation"), DESCRIBED)
def test_every_operation_is_described_whole(path, method, operation):
    assert operation["summary"]
    assert operation["description"]
    for parameter in operation["parameters"]:
        assert parameter["description"], parameter["name"]
    done = operation["responses"]["200"]
    assert done["description"]
    assert done["content"]
    assert {"403", "422", "500", "503", "504"} <= operation["responses"].keys()
    if "{session_id}" in path and not path.endswith("/exists"):
        assert "404" in operation["responses"]


@pytest.mark.parametrize("each", [pytest.param(each, id=f"{each.method} {each.template}") for each in OPERATIONS])
def test_every_operation_says_which_key_it_needs(each):
    operation = DESCRIPTION["paths"][each.template][each.method.lower()]
    if each.scope is None:
        assert operation["security"] == []
        assert not {"401", "429"} & operation["responses"].keys()
        return
    assert operation["security"] == [{"X-API-Key": [each.scope]}, {"Bearer": [each.scope]}, {}]
    assert {"401", "429"} <= operation["responses"].keys()
    assert "Needs an API key of" in operation["description"]
    schemes = DESCRIPTION["components"]["securitySchemes"]
    assert {name for way in operation["security"] for name in way} <= schemes.keys()


def test_the_websockets_key_is_described_too():
    scheme = DESCRIPTION["components"]["securitySchemes"]["WebSocket"]
    assert (scheme["in"], scheme["name"]) == ("query", "api_key")


@pytest.mark.parametrize(("path", "method", "operation"), DESCRIBED)
def test_examples_are_what_their_schemas_say(path, method, operation):
    shown = [operation.get("requestBody", {}), operation["responses"]["200"]]
    for content in [content for part in shown for kind, content in part.get("content", {}).items() if "json" in kind]:
        if content["schema"] == {"type": "string"}:
            continue
        Draft202012Validator.check_schema(content["schema"])
        validator(content["schema"]).validate(content["example"])


def test_every_error_has_an_example_of_its_status():
    for status, response in DESCRIPTION["components"]["responses"].items():
        content = response["content"]["application/json"]
        validator(content["schema"]).validate(content["example"])
        assert content["example"]["status"] == int(status)


def members(schema, place):
    """Every member of a schema with its place."""
    for name, member in schema.get("properties", {}).items():
        yield f"{place}.{name}", member
        yield from members(member, f"{place}.{name}")
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            yield from members(schema[inner], f"{place}[]")
    for other in schema.get("anyOf", ()):
        yield from members(other, place)


def test_every_member_says_what_it_means():
    schemas = {**DESCRIPTION["components"]["schemas"]}
    for param in DESCRIBED:
        path, method, operation = param.values
        for name, part in (("request", operation.get("requestBody", {})), ("answer", operation["responses"]["200"])):
            for kind, content in part.get("content", {}).items():
                schemas[f"{method} {path} {name} {kind}"] = content["schema"]
    silent = [
        place
        for name, schema in schemas.items()
        for place, member in members(schema, name)
        if "$ref" not in member and "description" not in member and "anyOf" not in member
    ]
    assert silent == []


if __name__ == "__main__":
    SNAPSHOT.write_text(written(DESCRIPTION), encoding="utf-8")
