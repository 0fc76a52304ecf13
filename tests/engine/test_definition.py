"""
The definition once more, written from its text alone, against the engine on generated nodes and memories.

Nothing of the engine's arithmetic is used here: lengths come from tables, ratios are fractions, sums are exact, and
only thresholds, logarithms and square roots are floats. Shapes and members must be equal; numbers may differ in the last places.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from engine.building import Node, learning, settings
from kato.engine.prediction import Prediction
from kato.engine.settings import RANKINGS

Events = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Learned:
    """A pattern as the definition speaks of it, with the mean of its one emotive at each learning."""

    events: Events
    name: str
    f: int
    felt: Fraction

    @property
    def flat(self) -> list[str]:
        return [symbol for event in self.events for symbol in event]


def lcs(a: Sequence[str], b: Sequence[str]) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        above = row
        row = [0]
        for j, y in enumerate(b):
            row.append(above[j] + 1 if x == y else max(above[j + 1], row[j]))
    return row[-1]


def pairs(p: Sequence[str], s: Sequence[str], lo: int, hi: int, left: int, right: int) -> list[tuple[int, int]]:
    """3.3: the aligned positions, the longest common run first, then the same on both sides of it."""
    best = (0, 0, 0)
    for i in range(lo, hi):
        for j in range(left, right):
            n = 0
            while i + n < hi and j + n < right and p[i + n] == s[j + n]:
                n += 1
            if n > best[0]:
                best = (n, i, j)
    n, i, j = best
    if not n:
        return []
    run = [(i + k, j + k) for k in range(n)]
    return pairs(p, s, lo, i, left, j) + run + pairs(p, s, i + n, hi, j + n, right)


def ratio(a: Fraction | int, b: Fraction | int) -> Fraction:
    return Fraction(a) / b if b else Fraction(0)


@dataclass
class Match:
    """One pattern on one memory: rules 3 and 4, and those metrics of 5 that need no ensemble."""

    pattern: Learned
    numbers: dict[str, Any]
    shape: dict[str, Any]
    q: Fraction
    future: Events


def look(pattern: Learned, known: list[Learned], memory: Events, chosen: Any) -> Match | None:
    p, observed = pattern.flat, [symbol for event in memory for symbol in event]
    s, likeness = list(observed), {}
    if chosen.fuzzy_token_threshold:
        for position, token in enumerate(observed):
            if token not in p:
                like, at = max(
                    (Fraction(2 * lcs(token, other), len(token) + len(other)), -k) for k, other in enumerate(p)
                )
                if float(like) >= chosen.fuzzy_token_threshold:
                    s[position] = p[-at]
                    likeness[position] = like
    a, b = (p, s) if chosen.use_token_matching else (" ".join(p), " ".join(s))
    similarity = Fraction(2 * lcs(a, b), len(a) + len(b))
    aligned = pairs(p, s, 0, len(p), 0, len(s))
    passes = float(similarity) >= chosen.recall_threshold or (len(s) == 1 and p[0] == s[0])
    if chosen.recall_threshold and not (passes and aligned):
        return None
    t, distinct = set(p), set(s)
    for name in chosen.filter_pipeline:
        both, either = len(t & distinct), len(t | distinct)
        low = max(1, math.floor(len(s) * chosen.length_min_ratio))
        if not {
            "length": low <= len(p) <= math.floor(len(s) * chosen.length_max_ratio),
            "jaccard": both >= chosen.jaccard_min_overlap and both / either >= chosen.jaccard_threshold,
            "minhash": both / either >= chosen.minhash_threshold,
            "bloom": both > 0,
            "rapidfuzz": True,
        }[name]:
            return None
    owners = [k for k, event in enumerate(pattern.events) for _ in event]
    first, last = (owners[aligned[0][0]], owners[aligned[-1][0]]) if aligned else (0, len(pattern.events) - 1)
    in_p, in_s = {i for i, _ in aligned}, {j for _, j in aligned}
    places = iter(range(len(p)))
    missing = [[p[i] for i in [next(places) for _ in event] if i not in in_p] for event in pattern.events]
    places = iter(range(len(s)))
    extras = [[observed[j] for j in [next(places) for _ in event] if j not in in_s] for event in memory]
    present = [symbol for event in pattern.events[first : last + 1] for symbol in event]
    m, e = len(aligned), len(s) - len(aligned)
    breaks = sum(1 for (i, j), (k, n) in pairwise(aligned) if (k, n) != (i + 1, j + 1))
    blocks = breaks + 1 if aligned else 0
    numbers: dict[str, Any] = {
        "similarity": similarity,
        "bayesian_likelihood": similarity,
        "evidence": Fraction(m, len(p)),
        "confidence": ratio(m, len(present)),
        "snr": ratio(2 * m - e, 2 * m + e),
        "fragmentation": blocks - 1,
        "phi": ratio(1, blocks),
    }
    entering = [numbers["evidence"], numbers["confidence"], numbers["snr"]]
    if chosen.affinity_emotive:
        frequency = {x: sum(each.f * each.flat.count(x) for each in known) for x in {*p, *s}}
        felt = {x: sum((each.felt for each in known if x in each.flat), Fraction(0)) for x in {*p, *s}}
        w = {x: ratio(abs(felt[x]), frequency[x]) + Fraction(0.01) for x in {*p, *s}}
        of_matches = sum(w[s[j]] for j in in_s)
        numbers["weighted_similarity"] = 2 * of_matches / (sum(w[x] for x in s) + sum(w[x] for x in p))
        entering = [
            of_matches / sum(w[x] for x in p),
            of_matches / sum(w[x] for x in present),
            ratio(of_matches, sum(w[x] for x in s)),
        ]
        for name, value in zip(("evidence", "confidence", "snr"), entering, strict=True):
            numbers["weighted_" + name] = value
    node_symbols, u = {x for each in known for x in each.flat}, len(known)
    pmf = {x: sum(x in each.flat for each in known) for x in {*p, *s}}
    counts, in_memory = Counter(present), Counter(s)
    dot = sum(Fraction(pmf[x], u) ** 2 * counts[x] * in_memory[x] for x in pmf)
    xx = sum((Fraction(pmf[x], u) * in_memory[x]) ** 2 for x in pmf)
    yy = sum((Fraction(pmf[x], u) * counts[x]) ** 2 for x in pmf)
    cos = math.sqrt(dot * dot / (xx * yy)) if xx and yy else 0.0
    shares = [n / len(present) for n in counts.values()]
    v = len(node_symbols)
    numbers |= {
        "entropy": -math.fsum(x * math.log2(x) for x in shares),
        "normalized_entropy": -math.fsum(x * math.log(x, v) for x in shares) if v > 1 else 0,
        "global_normalized_entropy": -math.fsum(pmf[x] / u * math.log(pmf[x] / u, v) for x in counts) if v > 1 else 0,
        "tfidf_score": math.fsum(n / len(present) * (math.log2(u / pmf[x]) + 1) for x, n in counts.items())
        / len(counts),
        "confluence": Fraction(pattern.f, sum(each.f for each in known))
        * (1 - math.prod(Fraction(pmf[x], u) for x in present)),
        "cos": cos,
        "entering": (entering[0] + entering[1]) * entering[2] + numbers["phi"],
    }
    return Match(
        pattern,
        numbers,
        {
            "matches": [observed[j] for j in sorted(in_s)],
            "past": pattern.events[:first],
            "present": pattern.events[first : last + 1],
            "future": pattern.events[last + 1 :],
            "missing": missing[first : last + 1],
            "extras": extras,
            "anomalies": [(observed[j], s[j], float(likeness[j])) for j in sorted(in_s) if j in likeness],
        },
        numbers["entering"],
        pattern.events[last + 1 :],
    )


def with_ensemble(matches: list[Match]) -> dict[Events, dict[str, Any]]:
    """Rule 5 for every member, all matches being in the ensemble."""
    whole = sum(match.pattern.f for match in matches)
    weight: dict[Events, Fraction] = {}
    for match in matches:
        if match.future:
            gained = match.pattern.f * match.numbers["similarity"]
            weight[match.future] = weight.get(match.future, Fraction(0)) + gained
    posterior = sum(match.numbers["similarity"] * match.pattern.f for match in matches)
    found = {}
    for match in matches:
        numbers = dict(match.numbers)
        f, similarity = match.pattern.f, numbers["similarity"]
        aggregate = ratio(weight[match.future], sum(weight.values())) if match.future else Fraction(0)
        itfdf = 1 - (1 - numbers.pop("cos")) * f / whole
        numbers |= {
            "bayesian_prior": Fraction(f, whole),
            "pattern_probability": Fraction(f, whole),
            "weighted_strength": similarity * Fraction(f, whole),
            "bayesian_posterior": ratio(similarity * f, posterior),
            "predictive_information": ratio(similarity * Fraction(f, whole), aggregate),
            "itfdf_similarity": itfdf,
            "potential": float(numbers.pop("entering")) + itfdf,
        }
        found[match.pattern.events] = numbers
    return found


WORDS = ["a", "b", "c", "ab", "abc", "abd", "", "x y"]
event = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(lambda words: tuple(sorted(words)))
memories = st.lists(event, min_size=1, max_size=4).map(tuple)
sequences = st.lists(event, min_size=1, max_size=5).map(tuple).filter(lambda events: sum(map(len, events)) > 1)
ratios = st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 2 / 3, 0.8, 1.0])
overrides = st.fixed_dictionaries(
    {
        "recall_threshold": ratios,
        "use_token_matching": st.booleans(),
        "fuzzy_token_threshold": st.sampled_from([0.0, 0.0, 0.5, 0.8]),
        "affinity_emotive": st.sampled_from([None, "joy"]),
        "filter_pipeline": st.lists(
            st.sampled_from(["length", "jaccard", "minhash", "bloom", "rapidfuzz"]), unique=True, max_size=2
        ).map(tuple),
        "length_min_ratio": ratios,
        "length_max_ratio": st.sampled_from([1.0, 1.5, 2.0]),
        "jaccard_threshold": ratios,
        "jaccard_min_overlap": st.integers(1, 3),
        "minhash_threshold": ratios,
    }
)


def agrees(prediction: Prediction, match: Match, numbers: dict[str, Any]) -> None:
    """The prediction has the shape and the numbers of the definition."""
    for part, expected in match.shape.items():
        found = getattr(prediction, part)
        if part == "anomalies":
            assert [(each.observed, each.expected, each.similarity) for each in found] == expected
        elif part == "matches":
            assert list(found) == expected
        else:
            assert list(map(list, found)) == list(map(list, expected)), part
    for name, value in numbers.items():
        assert getattr(prediction.metrics, name) == pytest.approx(float(value), rel=1e-9, abs=1e-12), name
        assert math.copysign(1, getattr(prediction.metrics, name)) == 1 or value < 0, name


@budget(max_examples=400, deadline=None)
@given(st.lists(st.tuples(sequences, st.integers(1, 4)), min_size=1, max_size=5), memories, overrides)
def test_predictions_are_those_of_the_definition(
    learned: list[tuple[Events, int]], memory: Events, given_settings: dict[str, Any]
) -> None:
    made = Node()
    for position, (events, times) in enumerate(learned):
        made.learn(learning(events, emotives=[{"joy": 0.5 * position - 0.75}]), times=times)
    known = [Learned(each.events, each.name, each.frequency, each.affinity["joy"]) for each in made.patterns.values()]
    chosen = settings(**given_settings)
    matches = [match for each in known if (match := look(each, known, memory, chosen)) is not None]
    numbers = with_ensemble(matches)
    found = made.knowledge.view().predict(memory, chosen)
    assert made.knowledge.view().count(memory, chosen).matched == len(matches)
    assert {each.events for each in found.ranked} == set(numbers)
    by_events = {match.pattern.events: match for match in matches}
    for prediction in found.ranked:
        agrees(prediction, by_events[prediction.events], numbers[prediction.events])


@budget(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(sequences, st.integers(1, 3)), min_size=2, max_size=6),
    memories,
    st.sampled_from(RANKINGS),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_the_ensemble_and_the_order_are_those_of_the_definition(
    learned: list[tuple[Events, int]], memory: Events, algorithm: str, size: int, shown: int
) -> None:
    """Rules 6.1–6.3 on the numbers of the engine: equal numbers, so that a last place cannot make another order."""
    made = Node()
    for position, (events, times) in enumerate(learned):
        made.learn(learning(events, emotives=[{"joy": 0.5 * position - 0.75}]), times=times)
    chosen = {"rank_sort_algo": algorithm, "affinity_emotive": "joy", "recall_threshold": 0.0}
    everything = made.knowledge.view().predict(memory, settings(ensemble_size=0, max_predictions=10, **chosen)).ranked

    def upwards(value: float) -> float:
        return math.inf if value < 0 else value

    def quality(each: Prediction) -> float:
        m = each.metrics
        return (m.weighted_evidence + m.weighted_confidence) * m.weighted_snr + m.phi  # type: ignore[operator]

    def key(each: Prediction) -> float:
        m = each.metrics
        if algorithm in {"similarity", "bayesian_likelihood"}:
            return -m.similarity
        if algorithm in {"frequency", "bayesian_prior"}:
            return -each.frequency
        if algorithm == "bayesian_posterior":
            return -m.similarity * each.frequency
        if algorithm in {"evidence", "confidence", "snr"} or algorithm.startswith("weighted_"):
            return -getattr(m, algorithm)
        return upwards(m.fragmentation) if algorithm == "fragmentation" else -quality(each)

    def selected(each: Prediction) -> tuple[Any, ...]:
        return (key(each), -quality(each), -each.metrics.similarity, -each.frequency, each.name)

    def ranked(each: Prediction) -> tuple[Any, ...]:
        m = each.metrics
        by = -each.frequency if algorithm == "frequency" else -getattr(m, algorithm)
        if algorithm == "fragmentation":
            by = upwards(m.fragmentation)
        return (by, -m.potential, -m.similarity, -each.frequency, each.name)

    found = made.knowledge.view().predict(memory, settings(ensemble_size=size, max_predictions=shown, **chosen))
    members = {each.events for each in sorted(everything, key=selected)[: max(size, shown)]}
    assert found.ensemble_size == len(members)
    assert {each.events for each in found.ranked} <= members
    assert len(found.ranked) == min(shown, len(members))
    whole = sum(each.frequency for each in everything if each.events in members)
    assert all(each.metrics.bayesian_prior == each.frequency / whole for each in found.ranked)
    assert [each.events for each in found.ranked] == [each.events for each in sorted(found.ranked, key=ranked)]
    longer = made.knowledge.view().predict(
        memory, settings(ensemble_size=max(size, shown), max_predictions=10, **chosen)
    )
    if len(everything) <= max(size, shown):
        assert found.ranked == longer.ranked[:shown]
