"""Many sequences or memories in requests of a size that servers take, and how far that has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from kato.client import calls
from kato.client.calls import Call, Need
from kato.client.recovery import Body

T = TypeVar("T")

MOST_CHARACTERS = 4_000_000
"""Of the symbols in one request; well below the 32 MiB that a server takes, however the text is encoded."""


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far a long call has come.

    Attributes:
        done: Sequences or memories that were answered.
        learned: Sequences that were learned.
        new: Sequences among them that had never been learned before.
        too_short: Sequences of fewer than two symbols, which are not learned.
    """

    done: int = 0
    learned: int = 0
    new: int = 0
    too_short: int = 0

    def after_learning(self, results: Sequence[Mapping[str, Any]]) -> Progress:
        """The progress when these results have come, too."""
        learned = sum(result["status"] == "learned" for result in results)
        return Progress(
            done=self.done + len(results),
            learned=self.learned + learned,
            new=self.new + sum(result["is_new"] for result in results),
            too_short=self.too_short + len(results) - learned,
        )

    def after_predicting(self, results: Sequence[Mapping[str, Any]]) -> Progress:
        """The progress when these memories have been answered, too."""
        return Progress(done=self.done + len(results))


OnProgress = Callable[[Progress], Any]


def batches(items: Iterable[T], size: int, weight: Callable[[T], int]) -> Iterator[list[T]]:
    """The items in lists of at most `size`, each cut short where its weights add up to enough for one request."""
    batch: list[T] = []
    held = 0
    for item in items:
        heavy = weight(item)
        if batch and (len(batch) >= size or held + heavy > MOST_CHARACTERS):
            yield batch
            batch, held = [], 0
        batch.append(item)
        held += heavy
    if batch:
        yield batch


def characters(sequence: Any) -> int:
    """About how long a sequence is as text; what is no sequence weighs nothing, since the server refuses it."""
    events = sequence.get("events", ()) if isinstance(sequence, Mapping) else sequence
    try:
        return sum(len(symbol) + 3 for event in events for symbol in event)
    except TypeError:
        return 0


def learning_calls(
    node_id: str,
    sequences: Iterable[Any],
    *,
    batch_size: int,
    persistence: int | None,
    sort_symbols: bool | None,
    idempotency_key: str | None,
) -> Iterator[Call]:
    """One call per batch; under a key of the caller's, each has one of its own that says where it begins."""
    first = 1
    for batch in batches(sequences, batch_size, characters):
        key = f"{idempotency_key}-{first}" if idempotency_key is not None else None
        call = calls.learn_many(node_id, batch, persistence=persistence, sort_symbols=sort_symbols, idempotency_key=key)
        yield replace(call, needs=Need("results", list, len(batch)))
        first += len(batch)


def predicting_calls(
    node_id: str, stms: Iterable[Any], *, batch_size: int, config: Mapping[str, Any] | None
) -> Iterator[Call]:
    """One call per batch."""
    for batch in batches(stms, batch_size, characters):
        need = Need("results", list, len(batch))
        yield replace(calls.predict_many(node_id, batch, config=config), needs=need)


def results_of(answer: Body) -> list[Body]:
    """One result per sequence or memory of a call."""
    found: list[Body] = answer["results"]
    return found
