"""Whether a pattern matches a memory, condition by condition: so that a pattern that does not can say why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kato.engine.alignment import flat
from kato.engine.event import Event
from kato.engine.explanation import Explanation
from kato.engine.filtering import Measured, passes
from kato.engine.matching.comparing import Known, compare
from kato.engine.measuring import Match
from kato.engine.metrics.similarity import explain_similarity
from kato.engine.pattern import Pattern
from kato.engine.settings import EngineSettings
from kato.engine.token_alignment import AlignedToken, token_alignment


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a match."""

    name: str
    """`similarity`, `aligned`, or a filter of the pipeline."""
    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a pattern matches, and why."""

    checks: tuple[Check, ...]
    """Those of the gate, then the filters in the order given."""
    similarity: Explanation
    alignment: tuple[AlignedToken, ...]

    @property
    def matches(self) -> bool:
        """Whether all of them passed."""
        return all(check.passed for check in self.checks)


def judge(pattern: Pattern, events: Sequence[Event], settings: EngineSettings) -> Verdict:
    """
    The conditions of a match, each looked at, also after one that failed.

    Args:
        events: The memory as observed; not empty.
    """
    tokens = flat(pattern.events)
    known = Known(pattern, tokens, frozenset(tokens))
    match = compare(known, flat(events), replace(settings, recall_threshold=0.0), None)
    assert match is not None  # at threshold 0 every pattern matches
    unit = "symbols" if settings.use_token_matching else "characters"
    return Verdict(
        (*_gate(match, settings), *_filters(match.facts, settings)),
        explain_similarity(*match.compared, unit),
        token_alignment(pattern.events, events, match.blocks, match.likeness),
    )


def _gate(match: Match, settings: EngineSettings) -> Iterator[Check]:
    threshold, alike = settings.recall_threshold, match.similarity
    begins = len(match.read) == 1 and match.read[0] == match.tokens[0]
    if alike >= threshold:
        sentence = f"similarity {alike:.6g} is at least recall_threshold {threshold:g}"
    elif begins:
        sentence = f"similarity {alike:.6g} is below recall_threshold {threshold:g}, but it begins with the only symbol"
    else:
        sentence = f"similarity {alike:.6g} is below recall_threshold {threshold:g}"
    yield Check("similarity", alike >= threshold or begins, sentence)
    count = match.aligned
    if count:
        yield Check("aligned", True, "1 symbol aligns" if count == 1 else f"{count} symbols align")
    else:
        need = "which is enough at recall_threshold 0" if threshold == 0 else "at least one must"
        yield Check("aligned", threshold == 0, f"no symbol aligns; {need}")


def _filters(facts: Measured, settings: EngineSettings) -> Iterator[Check]:
    for name in settings.filter_pipeline:
        yield Check(name, passes(name, facts, settings), _sentence(name, facts, settings))


def _sentence(name: str, facts: Measured, settings: EngineSettings) -> str:
    share = f"{facts.common} of {facts.union} distinct symbols are in both, {facts.common / facts.union:.6g}"
    if name == "length":
        least = max(1, math.floor(facts.memory_length * settings.length_min_ratio))
        most = facts.memory_length * settings.length_max_ratio
        return f"the pattern has {facts.pattern_length} symbols; from {least} to {most:.6g} may pass"
    if name == "jaccard":
        return f"{share}; at least {settings.jaccard_min_overlap} and {settings.jaccard_threshold:g} must be"
    if name == "minhash":
        return f"{share}; at least {settings.minhash_threshold:g} must be"
    if name == "bloom":
        return f"{facts.common} distinct symbols are in both; at least 1 must be"
    return "it asks what similarity asked already"
