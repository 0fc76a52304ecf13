"""PredictionHelper: short questions to the predictions that a session answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class PredictionHelper:
    """
    Short questions to predictions, which are dictionaries as get_predictions returns them.

    A member that is absent counts as empty.
    """

    @staticmethod
    def get_top_prediction(predictions: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the highest-ranked prediction of an answer, or None when there is none."""
        ranked = predictions.get("predictions") or []
        top: dict[str, Any] | None = ranked[0] if ranked else None
        return top

    @staticmethod
    def get_future_strings(prediction: Mapping[str, Any]) -> list[str]:
        """Return the symbols of all future events, one after another in the order of the pattern."""
        return [symbol for event in prediction.get("future") or [] for symbol in event]

    @staticmethod
    def get_next_event(prediction: Mapping[str, Any]) -> list[str] | None:
        """Return the first future event, or None when the pattern ends with the present."""
        future = prediction.get("future") or []
        event: list[str] | None = future[0] if future else None
        return event

    @staticmethod
    def has_missing_symbols(prediction: Mapping[str, Any]) -> bool:
        """Say whether the pattern's present has symbols that were not observed."""
        return any(prediction.get("missing") or [])

    @staticmethod
    def get_confidence(prediction: Mapping[str, Any]) -> float:
        """Return the confidence, 0 to 1; 0.0 where the prediction has none."""
        metrics = prediction.get("metrics") or {}
        confidence = metrics.get("confidence", prediction.get("confidence"))
        return 0.0 if confidence is None else float(confidence)
