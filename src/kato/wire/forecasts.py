"""Forecasts as the JSON objects that travel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kato.wire.answers import Json, pattern_id

if TYPE_CHECKING:
    from kato.engine.forecasting.explaining import Voice, Voices
    from kato.engine.forecasting.forecast import Entry, Forecast


def forecast(value: Forecast, voices: dict[str, Voices] | None, false_alarms: float) -> Json:
    """One forecast; with who says so where that is given."""
    return {
        "forecast": [_entry(entry, None if voices is None else voices[entry.symbol]) for entry in value.entries],
        "count": len(value.entries),
        "symbols": value.symbols,
        "voters": value.voters,
        "unknown": value.unknown,
        "entropy": value.entropy,
        "novelty": _novelty(value, false_alarms),
        "profile": _profile(value),
    }


def _entry(value: Entry, voices: Voices | None) -> Json:
    found: Json = {"symbol": value.symbol, "probability": value.probability, "share": value.share}
    if voices is not None:
        found["voices"] = [_voice(voice) for voice in voices.best]
        found["other_voices"] = voices.others
        found["other_share"] = voices.others_share
    return found


def _voice(value: Voice) -> Json:
    return {
        "pattern_name": pattern_id(value.name),
        "sequence": value.events,
        "position": value.position,
        "matched": [{"position": place, "back": back, "event": event} for place, back, event in value.matched],
        "share": value.share,
    }


def _novelty(value: Forecast, false_alarms: float) -> Json:
    novelty, threshold = value.novelty, value.novel_above(false_alarms)
    nearest = novelty.found.nearest
    return {
        "score": novelty.score,
        "threshold": threshold,
        "is_novel": None if threshold is None else novelty.score > threshold,
        "symbols": novelty.symbols,
        "transitions": novelty.transitions,
        "together": novelty.together,
        "unlike": novelty.unlike,
        "unseen_symbols": novelty.found.unseen,
        "unseen_transitions": novelty.found.unseen_transitions,
        "nearest": None
        if nearest is None
        else {"pattern_name": pattern_id(nearest.name), "similarity": nearest.similarity},
    }


def _profile(value: Forecast) -> Json:
    choice = value.choice
    return {
        "mix": [{"name": name, "count": times} for name, times in choice.names],
        "repeat": choice.repeat,
        "tested": choice.tested,
        "hit_rate": choice.hit_rate if choice.tested else None,
        "left_out": _asked_so(choice.tested - choice.foretold, choice.left_out_hit_rate),
        "foretold": _asked_so(choice.foretold, choice.foretold_hit_rate),
        "sequence": choice.sequence if choice.tested else None,
    }


def _asked_so(tested: int, hit_rate: float) -> Json:
    return {"tested": tested, "hit_rate": hit_rate if tested else None}
