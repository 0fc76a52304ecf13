"""
One pattern on one memory: whether it matches, and what depends on these two alone.

This is where sections 3 and 4 of the definition are put together: reading, similarity, gate, blocks, and the metrics that
need neither the node nor the ensemble.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kato.engine.alignment import Block, matching_blocks
from kato.engine.event import Event, Symbol
from kato.engine.exact import total
from kato.engine.filtering import measured
from kato.engine.fuzzy import read_as
from kato.engine.measuring import Match
from kato.engine.metrics.confidence import confidence
from kato.engine.metrics.evidence import evidence
from kato.engine.metrics.fragmentation import fragmentation, phi
from kato.engine.metrics.potential import quality
from kato.engine.metrics.similarity import longest_common_subsequence, similarity
from kato.engine.metrics.snr import snr
from kato.engine.metrics.weighted import (
    weighted_confidence,
    weighted_evidence,
    weighted_similarity,
    weighted_snr,
)
from kato.engine.pattern import Pattern
from kato.engine.settings import EngineSettings


@dataclass(frozen=True, slots=True)
class Known:
    """A pattern with its flat sequence and its distinct symbols."""

    pattern: Pattern
    tokens: tuple[Symbol, ...]
    symbols: frozenset[Symbol]


def compare(
    known: Known,
    memory: tuple[Symbol, ...],
    settings: EngineSettings,
    weigh: Callable[[Symbol], float] | None,
) -> Match | None:
    """
    The pattern as it lies on the memory, or None if it does not pass the gate. What needs most work is looked at last.

    Args:
        memory: Flat, as observed; not empty.
        weigh: A symbol's weight by affinity; None where no emotive weights the metrics.
    """
    tokens = known.tokens
    threshold, fuzzy = settings.recall_threshold, settings.fuzzy_token_threshold
    if threshold > 0 and not fuzzy and known.symbols.isdisjoint(memory):
        return None  # nothing can align
    read, differing = read_as(memory, tokens, fuzzy) if fuzzy else (memory, {})
    compared = _compared(tokens, read, settings)
    alike = similarity(*compared)
    begins_with_it = len(read) == 1 and read[0] == tokens[0]
    if alike < threshold and not begins_with_it:
        return None
    blocks = matching_blocks(tokens, read)
    if threshold > 0 and not blocks:
        return None
    return _measured(known, read, differing, blocks, alike, compared, weigh)


def _compared(tokens: Sequence[Symbol], read: Sequence[Symbol], settings: EngineSettings) -> tuple[int, int, int]:
    """What similarity is made of: common length, pattern, memory; in symbols, or in characters."""
    pattern: Sequence[str] = tokens
    memory: Sequence[str] = read
    if not settings.use_token_matching:
        pattern, memory = " ".join(tokens), " ".join(read)
        if not pattern and not memory:
            return 1, 1, 1  # two empty texts are the same text
    return longest_common_subsequence(pattern, memory), len(pattern), len(memory)


def _measured(
    known: Known,
    read: tuple[Symbol, ...],
    differing: Mapping[int, float],
    blocks: tuple[Block, ...],
    alike: float,
    compared: tuple[int, int, int],
    weigh: Callable[[Symbol], float] | None,
) -> Match:
    tokens = known.tokens
    aligned = sum(block.length for block in blocks)
    starts = _present(known.pattern.events, blocks)
    extras = len(read) - aligned
    numbers = {
        "evidence": evidence(aligned, len(tokens)),
        "confidence": confidence(aligned, starts[1] - starts[0]),
        "snr": snr(aligned, extras),
    }
    weighted: tuple[float, float, float, float] | None = None
    sums = (0.0, 0.0, 0.0, 0.0, 0.0)
    entering = (numbers["evidence"], numbers["confidence"], numbers["snr"])
    if weigh is not None:
        covered = {block.memory_start + step for block in blocks for step in range(block.length)}
        of_matches = total(weigh(read[position]) for position in covered)
        of_extras = total(weigh(token) for position, token in enumerate(read) if position not in covered)
        of_memory = total(map(weigh, read))
        of_pattern = total(map(weigh, tokens))
        of_present = total(map(weigh, tokens[starts[0] : starts[1]]))
        sums = (of_matches, of_extras, of_memory, of_pattern, of_present)
        weighted = (
            weighted_similarity(of_matches, of_memory, of_pattern),
            weighted_evidence(of_matches, of_pattern),
            weighted_confidence(of_matches, of_present),
            weighted_snr(of_matches, of_extras),
        )
        entering = (weighted[1], weighted[2], weighted[3])
    return Match(
        pattern=known.pattern,
        tokens=tokens,
        read=read,
        likeness=differing,
        blocks=blocks,
        similarity=alike,
        compared=compared,
        aligned=aligned,
        **numbers,
        fragmentation=fragmentation(len(blocks)),
        phi=phi(len(blocks)),
        weighted_similarity=weighted[0] if weighted else None,
        weighted_evidence=weighted[1] if weighted else None,
        weighted_confidence=weighted[2] if weighted else None,
        weighted_snr=weighted[3] if weighted else None,
        weight_sums=sums,
        quality=quality(*entering, phi(len(blocks))),
        present_span=starts,
        facts=measured(len(tokens), len(read), known.symbols, frozenset(read)),
    )


def _present(events: Sequence[Event], blocks: Sequence[Block]) -> tuple[int, int]:
    """Where the present begins and ends in the flat pattern; all of it when nothing aligned."""
    ends = []
    end = 0
    for event in events:
        end += len(event)
        ends.append(end)
    if not blocks:
        return 0, end
    first = bisect_right(ends, blocks[0].pattern_start)
    last = bisect_right(ends, blocks[-1].pattern_start + blocks[-1].length - 1)
    return (ends[first - 1] if first else 0), ends[last]
