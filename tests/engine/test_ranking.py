"""Section 6: which matches make the ensemble, the order they are shown in, and how ties fall."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from engine.building import Node, learning, node, observed, settings, shown
from kato.engine.event import Event
from kato.engine.ranking import selection_key_name, selection_order
from kato.engine.settings import RANKINGS

lines = st.lists(st.sampled_from(["a", "b", "c", "d", "a,b", "c,d"]), min_size=2, max_size=5).map(" ".join)


@dataclass(frozen=True)
class Candidate:
    """What selection looks at."""

    name: str
    frequency: int = 1
    similarity: float = 0.5
    quality: float = 1.0
    evidence: float = 0.5
    confidence: float = 0.5
    snr: float = 0.5
    fragmentation: int = 0
    weighted_similarity: float = 0.5
    weighted_evidence: float = 0.5
    weighted_confidence: float = 0.5
    weighted_snr: float = 0.5
    events: tuple[Event, ...] = ()


def selected(algorithm: str, *candidates: Candidate) -> list[str]:
    return [each.name for each in sorted(candidates, key=lambda match: selection_order(match, algorithm))]


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("potential", "quality"),
        ("similarity", "similarity"),
        ("bayesian_likelihood", "similarity"),
        ("frequency", "frequency"),
        ("bayesian_prior", "frequency"),
        ("bayesian_posterior", "similarity_by_frequency"),
        ("evidence", "evidence"),
        ("confidence", "confidence"),
        ("snr", "snr"),
        ("fragmentation", "fragmentation"),
        ("normalized_entropy", "quality"),
        ("global_normalized_entropy", "quality"),
        ("itfdf_similarity", "quality"),
        ("confluence", "quality"),
        ("predictive_information", "quality"),
        ("tfidf_score", "quality"),
        ("weighted_similarity", "weighted_similarity"),
        ("weighted_evidence", "weighted_evidence"),
        ("weighted_confidence", "weighted_confidence"),
        ("weighted_snr", "weighted_snr"),
    ],
)
def test_rule_6_2_the_ensemble_is_chosen_by_what_the_ranking_asks_for(algorithm: str, key: str) -> None:
    assert selection_key_name(algorithm) == key
    if key == "similarity_by_frequency":
        better = Candidate("z", similarity=0.5, frequency=3, quality=0.0)
        assert selected(algorithm, Candidate("a", similarity=0.9, quality=9.0), better) == ["z", "a"]
    elif key != "fragmentation":
        better = Candidate("z", **{"quality": 0.0, key: 7})  # type: ignore[arg-type]
        assert selected(algorithm, Candidate("a"), better) == ["z", "a"]


def test_every_ranking_has_a_selection_key_of_the_table() -> None:
    keys = {selection_key_name(algorithm) for algorithm in RANKINGS}
    assert keys <= {*Candidate.__dataclass_fields__, "similarity_by_frequency"}


def test_rule_6_2_few_fragments_are_selected_first_and_nothing_aligned_last() -> None:
    candidates = [Candidate(str(breaks), fragmentation=breaks) for breaks in (-1, 3, 0, 1)]
    assert selected("fragmentation", *candidates) == ["0", "1", "3", "-1"]


def test_rule_6_2_ties_of_selection_fall_by_quality_then_similarity_then_frequency_then_name() -> None:
    best = Candidate("z4", quality=2.0, similarity=0.1, frequency=1)
    then = Candidate("z3", similarity=0.6, frequency=1)
    third = Candidate("z2", frequency=2)
    assert selected("snr", Candidate("b"), Candidate("a"), third, then, best) == ["z4", "z3", "z2", "a", "b"]


def test_rule_6_3_equal_predictions_are_shown_by_name() -> None:
    found = node("a b c", "a b d", "a b e", "a b f").predict("a b").ranked
    assert [each.name for each in found] == sorted(each.name for each in found)
    assert len({each.metrics for each in found}) == 1


def test_rule_6_3_ties_of_ranking_fall_by_potential_then_similarity_then_frequency() -> None:
    """
    Ranked by confidence, all of these have 1 after `a b`: their presents are complete.

    `a b c` and `a b d` have potential 2/3 + 1 + itfdf 1 + φ 1 and similarity .8, the former learned twice;
    `a b c d` has evidence 1/2 and so the least potential.
    """
    made = Node()
    made.learn(learning("a b c d"), times=9)
    made.learn(learning("a b d"))
    made.learn(learning("a b c"), times=2)
    found = made.predict("a b", rank_sort_algo="confidence").ranked
    assert [each.metrics.confidence for each in found] == [1, 1, 1]
    assert [shown(each.events) for each in found] == ["a b c", "a b d", "a b c d"]


def test_fragmentation_ranks_whole_runs_first_and_nothing_aligned_last() -> None:
    found = node("x y", "a x b x c", "a b c", "a b x c").predict(
        "a b c", rank_sort_algo="fragmentation", recall_threshold=0.0
    )
    assert [each.metrics.fragmentation for each in found.ranked] == [0, 1, 2, -1]


def test_a_pattern_outside_the_ensemble_is_in_no_sum() -> None:
    """Of three matches the ensemble of one keeps the best, so its prior and posterior are 1."""
    made = node("a b", "a c d e", "a f g h")
    assert made.knowledge.view().count(observed("a b").events, settings()).matched == 3
    found = made.predict("a b", ensemble_size=1, max_predictions=1)
    assert found.ensemble_size == 1
    (only,) = found.ranked
    assert (only.metrics.bayesian_prior, only.metrics.bayesian_posterior) == (1, 1)


def test_the_ensemble_is_chosen_by_its_key_though_another_number_orders_it() -> None:
    """
    Ranked by tfidf_score, the ensemble is the best two by quality: `a b` and `a b c`.

    The present of `z a` is `a` alone, so its tfidf_score, 1 · (log2(3/3) + 1) = 1, is above ½(1 + 1.585)/2 of the
    others; but its quality is below theirs, and it never comes in.
    """
    made = node("a b", "a b c", "z a")
    everything = [shown(each.events) for each in made.predict("a b", rank_sort_algo="tfidf_score").ranked]
    chosen = made.predict("a b", rank_sort_algo="tfidf_score", ensemble_size=2, max_predictions=2)
    assert everything[0] == "z a"
    assert sorted(shown(each.events) for each in chosen.ranked) == ["a b", "a b c"]


@budget(max_examples=60, deadline=None)
@given(
    st.lists(lines, min_size=1, max_size=6, unique=True),
    lines,
    st.sampled_from(RANKINGS),
    st.sampled_from([0, 1, 3, 300]),
    st.integers(1, 4),
)
def test_a_shorter_answer_is_the_beginning_of_a_longer_one(
    learned: list[str], memory: str, algorithm: str, size: int, shown_count: int
) -> None:
    made = Node()
    for position, line in enumerate(learned):
        made.learn(learning(line, emotives=[{"joy": position - 1.5}]), times=1 + position % 3)
    given_settings = {"rank_sort_algo": algorithm, "affinity_emotive": "joy", "recall_threshold": 0.0}
    long = made.predict(memory, ensemble_size=size, max_predictions=max(size, 4), **given_settings)
    if size == 0 or size >= 4:
        short = made.predict(memory, ensemble_size=size, max_predictions=shown_count, **given_settings)
        assert short.ranked == long.ranked[:shown_count]
        assert short.future_potentials == long.future_potentials
    values = [each.frequency if algorithm == "frequency" else getattr(each.metrics, algorithm) for each in long.ranked]
    if algorithm == "fragmentation":
        values = [value if value >= 0 else math.inf for value in values]
        assert values == sorted(values)
    else:
        assert values == sorted(values, reverse=True)
