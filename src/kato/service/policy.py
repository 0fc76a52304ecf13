"""What the use-cases need to know of the settings: lifetimes and ceilings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Policy:
    """Lifetimes and ceilings, in seconds and counts."""

    session_defaults: Mapping[str, Any] = field(default_factory=dict)
    """Configuration keys whose default differs from the engine's own."""
    session_ttl: int = 3600
    session_auto_extend: bool = True
    session_tombstone: int = 3600
    """Seconds for which the end of a session is remembered."""
    max_sessions: int = 0
    """0 = no limit."""
    max_stm_events: int = 1000
    idempotency_seconds: int = 86_400
    """For which the answer to a request with an idempotency key is remembered; 0 = not at all."""
