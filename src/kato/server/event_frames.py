"""Events as the frames that are sent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from kato.service.events import DependencyEvent, PatternsCorrected, PatternsLearned, SessionEvent
from kato.service.runtime import random_id
from kato.wire.answers import pattern_id, time_text
from kato.wire.encoding import encode_answer

_NAMED = 100
"""Patterns named in one event."""


def frame(kind: str, data: Mapping[str, Any]) -> str:
    """The text of one event."""
    event = {
        "event_type": kind,
        "event_id": f"evt-{random_id()}",
        "timestamp": time_text(time.time_ns() // 1000),
        "data": data,
    }
    return encode_answer(event).decode()


def session_data(event: SessionEvent) -> dict[str, Any]:
    """What is told of a session."""
    data: dict[str, Any] = {"session_id": event.session_id, "node_id": event.node_id}
    at = time_text(event.at)
    if event.kind == "session.created":
        data |= {"created_at": at, "expires_at": time_text(event.expires_at or event.at)}
    elif event.kind == "session.updated":
        data |= {
            "updated_at": at,
            "updated_fields": list(event.fields),
            "stm_size": event.stm_length,
            "stm_length": event.stm_length,
        }
    elif event.kind == "session.expired":
        data |= {"expired_at": at, "reason": "expired"}
    else:
        data |= {"destroyed_at": at, "reason": event.reason}
    return data


def learned_data(event: PatternsLearned) -> dict[str, Any]:
    """What is told of patterns that were learned."""
    return {
        "session_id": event.session_id,
        "node_id": event.node_id,
        **_named(event.names),
        "count": len(event.names),
        "frequency": event.frequency,
        "is_new": event.is_new,
        "trigger": event.trigger,
        "learned_at": time_text(event.at),
    }


def corrected_data(event: PatternsCorrected) -> dict[str, Any]:
    """What is told of patterns that were edited, forgotten or restored."""
    return {
        "session_id": event.session_id,
        "node_id": event.node_id,
        **_named(event.names),
        "count": event.count,
        "frequency": event.frequency,
        "trigger": event.trigger,
        "changed_at" if event.kind == "pattern.changed" else "forgotten_at": time_text(event.at),
    }


def dependency_data(event: DependencyEvent) -> dict[str, Any]:
    """What is told of something that the service needs."""
    return {
        "error_type": event.error_type,
        "severity": event.severity,
        "message": event.message,
        "affected_component": event.component,
    }


def _named(names: tuple[str, ...]) -> dict[str, Any]:
    """The last of them, and the first of them all."""
    return {
        "pattern_name": pattern_id(names[-1]) if names else None,
        "pattern_names": [pattern_id(name) for name in names[:_NAMED]],
    }
