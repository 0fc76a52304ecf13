"""When a memory becomes a pattern: on request, or when it is full (`ShortTermMemory.observe`)."""

from kato.engine.memory import Learning, learn

__all__ = ["Learning", "learn"]
