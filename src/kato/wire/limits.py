"""How large things may be. Each limit names the setting that changes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts and bytes; the setting of `max_strings` is KATO_MAX_STRINGS, and so on."""

    max_body_bytes: int = 32 * 1024 * 1024
    max_strings: int = 10_000
    max_vectors: int = 64
    max_emotives: int = 1_000
    max_sequence: int = 10_000
    max_symbol_bytes: int = 65_536
    max_vector_dim: int = 16_384
    max_metadata_depth: int = 32
    max_node_id: int = 512
    max_stm_events: int = 1_000
    max_sessions: int = 0
    """0 = no limit."""
    max_name_characters: int = 256
    """Characters of a `unique_id`; fixed."""
    max_memories: int = 256
    """Short-term memories in one request to predict from, whose answer is held in memory whole."""
