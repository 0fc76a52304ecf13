"""Why a pattern is predicted, or why it is not; and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kato.engine.event import Event
from kato.engine.explaining import Explained
from kato.engine.judging import Verdict, judge
from kato.engine.knowledge import View
from kato.engine.pattern import Pattern
from kato.engine.prediction import Prediction
from kato.engine.settings import EngineSettings
from kato.engine.standing import Standing, selection_standing
from kato.service.system import System
from kato.storage.interface import LogEntry, Storage

SHOWN = 10
"""Rows of a pattern's history that an explanation tells."""
COUNTED = 10_000
"""Rows that are counted at most: counting more would cost more than all else."""
_PLACED = 3000
"""Matches that are ordered to find the place of one beyond the ensemble."""

Outcome = Literal["predicted", "beyond_limit", "beyond_ensemble", "filtered", "below_threshold"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made a pattern what it is."""

    entries: list[LogEntry]
    """The newest first, at most SHOWN."""
    has_more: bool
    total: int
    """How many there are, counted up to COUNTED."""


async def provenance(system: System, node_id: str, names: Iterable[str], sequence: int) -> dict[str, Provenance]:
    """What happened, up to a sequence, to the patterns of some bare names."""
    return await system.runtime.compute(_provenance, system.storage, node_id, list(names), sequence)


def _provenance(storage: Storage, node_id: str, names: Sequence[str], sequence: int) -> dict[str, Provenance]:
    found = {}
    for name in names:
        rows = storage.history(node_id, name=name, before=sequence + 1, limit=SHOWN + 1)
        more = len(rows) > SHOWN
        total = storage.count_history(node_id, name, before=sequence + 1, most=COUNTED) if more else len(rows)
        found[name] = Provenance(rows[:SHOWN], more, total)
    return found


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one pattern when a memory asked for predictions."""

    outcome: Outcome
    verdict: Verdict
    sentence: str
    prediction: Prediction | None
    """Where it is a member of the ensemble."""
    rank: int
    """Of the prediction, from 1; 0 without one."""
    explained: Explained | None
    selection: Standing | None
    """None where it does not match, or stands behind very many others."""


async def explain_pattern(
    system: System, view: View, pattern: Pattern, events: Sequence[Event], settings: EngineSettings
) -> Answered:
    """
    What becomes of a pattern when a memory asks for predictions.

    Args:
        pattern: One that the view knows.
        events: The memory as observed; not empty.
    """
    return await system.runtime.compute(_explain, view, pattern, events, settings)


def _explain(view: View, pattern: Pattern, events: Sequence[Event], settings: EngineSettings) -> Answered:
    verdict = judge(pattern, events, settings)
    if not verdict.matches:
        failed = [check for check in verdict.checks if not check.passed]
        gate = any(check.name in {"similarity", "aligned"} for check in failed)
        sentence = "It is not predicted: " + "; ".join(check.sentence for check in failed)
        return Answered("below_threshold" if gate else "filtered", verdict, sentence, None, 0, None, None)
    explained = view.explain(events, settings, only=pattern.events).get(pattern.events)
    if explained is None:
        return _beyond(view, pattern, events, settings, verdict)
    size = explained.ranking.size
    rank = explained.ranking.place
    if rank > settings.max_predictions:
        sentence = f"It is number {rank} of {size}; max_predictions is {settings.max_predictions}"
        outcome: Outcome = "beyond_limit"
    else:
        sentence, outcome = f"It is prediction {rank} of {size}", "predicted"
    return Answered(outcome, verdict, sentence, explained.prediction, rank, explained, explained.selection)


def _beyond(
    view: View, pattern: Pattern, events: Sequence[Event], settings: EngineSettings, verdict: Verdict
) -> Answered:
    size = max(settings.ensemble_size, settings.max_predictions)
    members = view.members(events, replace(settings, ensemble_size=max(_PLACED, size)))
    place = members.places.get(pattern.events)
    standing, where = None, f"beyond place {len(members)}"
    if place is not None:
        standing = selection_standing(members, place, settings.rank_sort_algo)
        where = f"at place {place + 1}"
    sentence = f"It matches, {where} by the key of the selection; the best {size} make the ensemble"
    return Answered("beyond_ensemble", verdict, sentence, None, 0, None, standing)
