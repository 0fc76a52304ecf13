"""
Novelty: how unlike everything learned a memory is, for people who watch logs.

The score is the mean of four parts, each 0 (all known) to 1: symbols no pattern holds, transitions no pattern has, how far the
memory's symbols are from having been together in one pattern, and what the most similar pattern lacks to being the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kato.engine.forecasting.source import Familiarity


@dataclass(frozen=True, slots=True)
class Novelty:
    """The score and its parts, 0 to 1."""

    score: float
    symbols: float
    """Share of the memory's different symbols that were never seen."""
    transitions: float
    """Share of its different transitions that were never seen; 0 where it has none."""
    together: float
    """Share of its different symbols missing in the pattern that holds most of them."""
    unlike: float
    """One minus the similarity of the most similar pattern; 1 where none shares a symbol."""
    found: Familiarity


def novelty(found: Familiarity) -> Novelty:
    """The score of a memory; 0 for an empty one."""
    symbols = len(found.unseen) / found.symbols if found.symbols else 0.0
    transitions = len(found.unseen_transitions) / found.transitions if found.transitions else 0.0
    together = 1.0 - found.together / found.symbols if found.symbols else 0.0
    unlike = 1.0 - (found.nearest.similarity if found.nearest else 0.0) if found.symbols else 0.0
    return Novelty((symbols + transitions + together + unlike) / 4, symbols, transitions, together, unlike, found)


def threshold(scores: Sequence[float], alarms: float) -> float | None:
    """
    The score above which a memory counts as novel, so that of the node's own patterns, left out, no more than that share would.

    Args:
        scores: Of the self-test, ascending.
        alarms: False-alarm rate asked for, 0 to 1.

    Returns:
        One of the scores; None without any.
    """
    if not scores:
        return None
    allowed = math.floor(len(scores) * alarms)
    return scores[max(0, len(scores) - 1 - allowed)]
