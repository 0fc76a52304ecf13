"""Predicting: from a session's memory, or from any sequence of events under a given configuration."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kato.engine.event import Event
from kato.engine.explaining import Explained
from kato.engine.knowledge import Counts, View
from kato.engine.prediction import Predictions
from kato.engine.settings import EngineSettings
from kato.service.system import System
from kato.wire.answers import predicted

logger = logging.getLogger("kato.service.predicting")

NOTHING = Predictions((), (), (), 0, 0, 0)
"""The answer where nothing was asked: an empty memory has no predictions."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Predictions and what they were asked for."""

    predictions: Predictions
    settings: EngineSettings
    events: tuple[Event, ...]
    view: View | None
    """What the node had learned at that moment; None when nothing was asked of it."""
    told: Mapping[str, Any]
    """The predictions and both lists of potentials, as answers tell them."""

    @property
    def count(self) -> int:
        """How many predictions are told."""
        return min(self.settings.max_predictions, self.predictions.ensemble_size)


async def predict(system: System, node_id: str, events: Sequence[Event], settings: EngineSettings) -> Asked:
    """Predictions for a sequence of events from what the node has learned by now; none for no events."""
    if not events:
        return Asked(NOTHING, settings, (), None, predicted(NOTHING))
    view = await system.nodes.view(node_id)
    return await predict_from(system, view, events, settings)


async def predict_from(system: System, view: View, events: Sequence[Event], settings: EngineSettings) -> Asked:
    """Predictions from one state of a node's knowledge."""
    events = tuple(events)
    if not events:
        return Asked(NOTHING, settings, (), view, predicted(NOTHING))
    system.events.predictions += 1
    asked = await system.runtime.compute(_ask, view, events, settings)
    system.events.patterns_considered += asked.predictions.considered
    system.events.patterns_evaluated += asked.predictions.examined
    await _log_stages(system, asked)
    return asked


def _ask(view: View, events: tuple[Event, ...], settings: EngineSettings) -> Asked:
    # How they are told is worked out here too, where it delays nobody: an answer may be half a megabyte.
    predictions = view.predict(events, settings)
    return Asked(predictions, settings, events, view, predicted(predictions))


async def count(system: System, asked: Asked) -> Counts:
    """How many patterns matched in all, and per filter; without the filters where the session wants no counts of them."""
    if asked.view is None or not asked.events:
        return Counts(0, ())
    counts = await system.runtime.compute(asked.view.count, asked.events, asked.settings)
    return counts if asked.settings.enable_filter_metrics else replace(counts, filters=())


async def _log_stages(system: System, asked: Asked) -> None:
    """
    What each filter left, and where it was more than the session expects. Counts alone; a result never depends on it.

    Counting looks at every pattern that shares a symbol with the memory, so it is done only where there is something to say.
    """
    settings, considered = asked.settings, asked.predictions.considered
    tells = logger.isEnabledFor(logging.DEBUG) and settings.enable_filter_metrics
    if asked.view is None or not settings.filter_pipeline:
        return
    if not tells and considered <= settings.max_candidates_per_stage:
        return
    counts = await system.runtime.compute(asked.view.count, asked.events, settings)
    stages = counts.filters if settings.enable_filter_metrics else (("filters", counts.matched),)
    if tells:
        logger.debug("Of %d patterns passed %s", considered, _counts(stages))
    most = settings.max_candidates_per_stage
    if any(passed > most for _, passed in stages):
        logger.warning("More than max_candidates_per_stage, %d, are left: %s", most, _counts(stages))


def _counts(stages: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {passed}" for name, passed in stages)


async def explain(system: System, asked: Asked) -> Mapping[tuple[Event, ...], Explained]:
    """How the predictions came about, by a pattern's events."""
    if asked.view is None or not asked.events:
        return {}
    return await system.runtime.compute(asked.view.explain, asked.events, asked.settings)
