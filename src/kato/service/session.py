"""A live session, and what of it is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from kato.engine.settings import EngineSettings
from kato.service.session_state import SessionState, encode_head, encode_step
from kato.storage.interface import SessionChange

SECOND = 1_000_000
"""In microseconds, the unit of all times."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A session's settings: what was asked for, and what follows from it."""

    overrides: Mapping[str, Any]
    effective: Mapping[str, Any]
    settings: EngineSettings
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Session:
    """A live session. Changed only by whoever holds its turn."""

    session_id: str
    node_id: str
    created_at: int
    last_accessed: int
    expires_at: int
    ttl_seconds: int
    version: int
    metadata: Mapping[str, Any]
    owner: str | None
    """The id of the key that made it."""
    configuration: Configuration
    state: SessionState
    turn: AbstractAsyncContextManager[Any]
    using: int = 0
    """Operations that run or wait."""
    stored_expiry: int = 0
    ended: bool = False
    actor: str | None = None
    """The id of the key that has the turn."""

    @property
    def settings(self) -> EngineSettings:
        """The settings in force."""
        return self.configuration.settings

    def remaining_seconds(self, now: int) -> int:
        """Seconds left, rounded up; 0 when expired."""
        return max(0, -(-(self.expires_at - now) // SECOND))


def encode_profile(session: Session, configuration: Configuration | None = None) -> bytes:
    """What of a session changes seldom, as it is stored; with another configuration, if one is given."""
    document = {
        "overrides": (configuration or session.configuration).overrides,
        "metadata": session.metadata,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def state_change(session: Session, state: SessionState, *, last_accessed: int, expires_at: int) -> SessionChange:
    """What of the new state the storage does not have yet."""
    stored = session.state.next_ordinal
    oldest = state.steps[0].ordinal if state.steps else state.next_ordinal
    had = session.state.steps[0].ordinal if session.state.steps else session.state.next_ordinal
    # Ordinals have no gaps, so none that is not stored is before these.
    newest = state.steps[stored - state.next_ordinal :]
    return SessionChange(
        session_id=session.session_id,
        expected_version=session.version,
        last_accessed=last_accessed,
        expires_at=expires_at,
        ttl_seconds=session.ttl_seconds,
        head=encode_head(state),
        append=tuple((step.ordinal, encode_step(step)) for step in newest if step.ordinal >= stored),
        keep_from=oldest if oldest > had else None,
    )
