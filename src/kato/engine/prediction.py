"""Predictions: one pattern's alignment with its numbers, and all of them in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from kato.engine.alignment import Block
from kato.engine.event import Event, Symbol


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A token of the memory that was read as another of the pattern; `similarity` is their likeness, 0–1."""

    observed: Symbol
    expected: Symbol
    similarity: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """The numbers of a prediction; docs/metrics.md defines each. The weighted four are None without an affinity."""

    similarity: float
    evidence: float
    confidence: float
    snr: float
    fragmentation: int
    phi: float
    entropy: float
    normalized_entropy: float
    global_normalized_entropy: float
    itfdf_similarity: float
    tfidf_score: float
    confluence: float
    predictive_information: float
    potential: float
    bayesian_prior: float
    bayesian_likelihood: float
    bayesian_posterior: float
    pattern_probability: float
    weighted_strength: float
    weighted_similarity: float | None
    weighted_evidence: float | None
    weighted_confidence: float | None
    weighted_snr: float | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """One pattern as it lies on the memory, with its numbers."""

    name: str
    events: tuple[Event, ...]
    frequency: int
    length: int
    """Symbols in the pattern."""
    matches: tuple[Symbol, ...]
    past: tuple[Event, ...]
    present: tuple[Event, ...]
    future: tuple[Event, ...]
    missing: tuple[tuple[Symbol, ...], ...]
    extras: tuple[tuple[Symbol, ...], ...]
    anomalies: tuple[Anomaly, ...]
    emotives: Mapping[str, float]
    """Means over the pattern's stored window, by name."""
    metadata: Mapping[str, tuple[str, ...]]
    blocks: tuple[Block, ...]
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class FuturePotential:
    """One future and what speaks for it: ensemble members with that very future."""

    future: tuple[Event, ...]
    aggregate_potential: float
    supporting_patterns: int
    total_weighted_frequency: float
    total_potential: float
    patterns: tuple[str, ...]
    """Up to 100 bare names, in ranking order."""


@dataclass(frozen=True, slots=True)
class SymbolPotential:
    """One symbol of the futures and what speaks for it: ensemble members whose future holds it."""

    symbol: Symbol
    total_potential: float
    prediction_count: int
    patterns: tuple[str, ...]
    """Up to 100 bare names, in ranking order."""


Encode = Callable[[Mapping[str, float], Mapping[str, tuple[str, ...]]], bytes]
"""Emotives and metadata → the two members of a prediction's JSON object that tell them, without its braces."""


class Later(Protocol):
    """What an engine leaves of its answer for whoever asks for it."""

    def ranked(self) -> tuple[Prediction, ...]:
        """`Predictions.ranked`."""
        ...

    def potentials(self) -> tuple[tuple[FuturePotential, ...], tuple[SymbolPotential, ...]]:
        """`Predictions.future_potentials` and `symbol_potentials`."""
        ...

    def written(self, encode: Encode) -> tuple[bytes, bytes, bytes] | None:
        """`Predictions.written`."""
        ...


@dataclass(frozen=True, slots=True)
class Predictions:
    """The answer to one question."""

    ranked: tuple[Prediction, ...]
    """In ranking order, at most `max_predictions`."""
    future_potentials: tuple[FuturePotential, ...]
    """By aggregate potential, then more supporters, both descending, then the future itself."""
    symbol_potentials: tuple[SymbolPotential, ...]
    """By total potential descending, then symbol."""
    considered: int
    """Patterns of the node."""
    ensemble_size: int
    examined: int = field(compare=False, repr=False)
    """Patterns that were compared with the memory: what the answer cost, not what it says."""
    _later: Later | None = field(default=None, compare=False, repr=False)
    """Where an engine leaves the predictions and the potentials for whoever asks for them: what makes them."""

    def written(self, encode: Encode) -> tuple[bytes, bytes, bytes] | None:
        """
        The predictions and both lists of potentials as JSON arrays, where the engine can write them without making them.

        It can unless a symbol is no text (a lone surrogate). `kato.wire.answers` says what is in them.
        """
        return None if self._later is None else self._later.written(encode)

    if not TYPE_CHECKING:  # pragma: no branch - type checkers take the fields as they are declared

        def __getattr__(self, name: str) -> object:
            """What was left for later, made when it is first asked for."""
            later = self._later if name in {"ranked", "future_potentials", "symbol_potentials"} else None
            if later is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            if name == "ranked":
                object.__setattr__(self, "ranked", later.ranked())
            else:
                futures, symbols = later.potentials()
                object.__setattr__(self, "future_potentials", futures)
                object.__setattr__(self, "symbol_potentials", symbols)
            return object.__getattribute__(self, name)
