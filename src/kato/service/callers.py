"""
Who calls, and what they may touch.

Where no keys are asked for, everybody is ANYONE, who may everything; so is a program that embeds a memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from kato.errors import Forbidden
from kato.storage.interface import Visible
from kato.storage.keys import SCOPES, Scope

_MAY = {
    "read": "read and predict",
    "write": "read, predict, observe and learn",
    "admin": "do everything",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The key that a request came with, as far as it matters to what it may do."""

    key_id: str | None = None
    scope: Scope = "admin"
    prefixes: tuple[str, ...] = ()
    """Node ids it may touch begin with one of these; none: all nodes."""

    @property
    def visible(self) -> Visible:
        """The sessions there are for them: their own, and for an administrator everybody's, on nodes they may touch."""
        return Visible(None if self.scope == "admin" else self.key_id, self.prefixes)

    def require_scope(self, scope: Scope) -> None:
        """
        Raises:
            Forbidden: The key may less.
        """
        if self.scope != "admin" and SCOPES.index(self.scope) < SCOPES.index(scope):
            raise Forbidden(f"This needs a key of scope {scope}; the key may {_MAY[self.scope]}")

    def require_node(self, node_id: str) -> None:
        """
        Raises:
            Forbidden: The key may not touch the node.
        """
        if not self.visible.node(node_id):
            allowed = " or ".join(repr(prefix) for prefix in self.prefixes)
            raise Forbidden(f"The key may only touch nodes whose ids begin with {allowed}")


ANYONE = Caller()
STRANGER = Caller("", "read")
"""Somebody without a key where keys are asked for; no session is theirs."""
