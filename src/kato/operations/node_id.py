"""Which node a node-level request is about."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from kato.errors import InvalidInput, LimitExceeded
from kato.operations.registry import Request
from kato.wire.limits import Limits
from kato.wire.reading import Parameter

DEFAULT_NODE = "default_node"
PARAMETERS = (
    Parameter("node_id", "string", default=None, description="The node. Also `kb_id`, or the header `X-Node-ID`."),
    Parameter("kb_id", "string", default=None, description="The same as `node_id`."),
)


def node_of(request: Request, query: Mapping[str, str | None], limits: Limits) -> str:
    """
    The node a request names: query, then X-Test-ID, then X-Node-ID, then the default node.

    Raises:
        InvalidInput: The name is empty or holds control characters.
        LimitExceeded: It is too long.
        Forbidden: The caller may not touch it.
    """
    node_id = _named(request, query, limits)
    request.caller.require_node(node_id)
    return node_id


def _named(request: Request, query: Mapping[str, str | None], limits: Limits) -> str:
    for name in ("node_id", "kb_id"):
        given = query.get(name)
        if given is not None:
            return check_node_id(given, ("query", name), limits)
    test = request.headers.get("x-test-id", "")
    if test:
        return check_node_id(test if test.startswith("test_") else f"test_{test}", ("header", "X-Test-ID"), limits)
    named = request.headers.get("x-node-id", "")
    if named:
        return check_node_id(named, ("header", "X-Node-ID"), limits)
    return DEFAULT_NODE


def check_node_id(node_id: str, loc: tuple[str, ...], limits: Limits) -> str:
    """The node id itself, if it may be one."""
    problem = {"loc": list(loc), "input": node_id[:200]}
    if not node_id:
        raise InvalidInput([{**problem, "type": "node_id", "msg": "must not be empty"}])
    if len(node_id) > limits.max_node_id:
        raise LimitExceeded(
            [
                {
                    **problem,
                    "type": "too_long",
                    "msg": f"may have at most {limits.max_node_id} characters, got {len(node_id)}",
                    "ctx": {"limit": limits.max_node_id, "actual": len(node_id), "setting": "KATO_MAX_NODE_ID"},
                }
            ]
        )
    if any(unicodedata.category(character) == "Cc" for character in node_id):
        raise InvalidInput([{**problem, "type": "node_id", "msg": "must not hold control characters"}])
    return node_id
