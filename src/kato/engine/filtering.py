"""
Filters: further conditions a match must pass. Each is exact and inclusive; their order never changes what remains.
"""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kato.engine.event import Symbol
from kato.engine.settings import EngineSettings


@dataclass(frozen=True, slots=True)
class Measured:
    """What the filters look at: lengths in symbols, and distinct symbols of the pattern and of the memory as read."""

    pattern_length: int
    memory_length: int
    common: int
    """Distinct symbols of both."""
    union: int
    """Distinct symbols of either; at least 1."""


def measured(
    pattern_length: int, memory_length: int, pattern: AbstractSet[Symbol], memory: AbstractSet[Symbol]
) -> Measured:
    """What the filters look at."""
    common = len(pattern & memory)
    return Measured(pattern_length, memory_length, common, len(pattern) + len(memory) - common)


def passes(name: str, facts: Measured, settings: EngineSettings) -> bool:
    """Whether a match passes the filter of that name (`settings.FILTERS`)."""
    if name == "length":
        least = max(1, math.floor(facts.memory_length * settings.length_min_ratio))
        # A length is whole: at most ⌊x⌋ is at most x, which may be beyond the range of doubles.
        return least <= facts.pattern_length <= facts.memory_length * settings.length_max_ratio
    if name == "jaccard":
        enough = facts.common >= settings.jaccard_min_overlap
        return enough and facts.common / facts.union >= settings.jaccard_threshold
    if name == "minhash":
        return facts.common / facts.union >= settings.minhash_threshold
    if name == "bloom":
        return facts.common > 0
    return True  # `rapidfuzz` is the gate itself, which every match has passed
