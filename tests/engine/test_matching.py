"""The numbered rules of the definition, sections 3 to 6."""

from __future__ import annotations

import math
from dataclasses import fields
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from building import ask, events_of, knowing, only, settings
from kato.engine.alignment import Block, align, flat, matching_blocks
from kato.engine.event import vector_name
from kato.engine.fuzzy import likeness, read_as
from kato.engine.knowledge import Counts
from kato.engine.metrics import bayesian, confluence, entropy, itfdf, potential, tfidf, weighted
from kato.engine.metrics.similarity import longest_common_subsequence
from kato.engine.metrics.snr import snr
from kato.engine.pattern import learned_again, new_pattern
from kato.engine.settings import RANKINGS
from kato.engine.vectors import VectorSet, distance, nearest_of

tokens = st.lists(st.sampled_from("abc"), max_size=9)
pattern_text = st.lists(st.sampled_from(["a", "b", "c", "d", "[a,b]", "[c,d]"]), min_size=2, max_size=5).map(" ".join)


def table(a, b):
    """The textbook: a row per element of `a`, a column per element of `b`."""
    rows = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            rows[i + 1][j + 1] = rows[i][j] + 1 if x == y else max(rows[i][j + 1], rows[i + 1][j])
    return rows[-1][-1]


def obershelp(a, b, at=0, bt=0):
    """Rule 3.3 word by word: the longest common run, smallest start first, then left and right of it."""
    runs = [
        (-n, i, j)
        for i in range(len(a))
        for j in range(len(b))
        for n in range(1, min(len(a) - i, len(b) - j) + 1)
        if a[i : i + n] == b[j : j + n]
    ]
    if not runs:
        return []
    n, i, j = min(runs)
    n = -n
    left = obershelp(a[:i], b[:j], at, bt)
    right = obershelp(a[i + n :], b[j + n :], at + i + n, bt + j + n)
    found = []
    for start, other, size in [*left, (at + i, bt + j, n), *right]:
        if found and found[-1][0] + found[-1][2] == start and found[-1][1] + found[-1][2] == other:
            found[-1] = (*found[-1][:2], found[-1][2] + size)
        else:
            found.append((start, other, size))
    return found


@given(tokens, tokens)
def test_rule_3_1_the_common_subsequence_is_the_tables(a, b):
    assert longest_common_subsequence(a, b) == table(a, b)


def test_rule_3_1_character_mode_compares_the_joined_text():
    prediction = only(ask(knowing("ab cd"), "ab ce", use_token_matching=False))
    assert prediction.metrics.similarity == 2 * 4 / 10
    assert prediction.matches == ("ab",)
    assert only(ask(knowing(new_pattern((("", ""),))), [("",)], use_token_matching=False)).metrics.similarity == 0
    empty = only(ask(knowing(new_pattern((("",),))), [("",)], use_token_matching=False))
    assert empty.metrics.similarity == 1


def test_rule_3_2_the_gate_asks_for_similarity_and_an_aligned_token():
    knowledge = knowing("a b c d e f g h i j")
    assert only(ask(knowledge, "a x", recall_threshold=2 / 12)).metrics.similarity == 2 / 12
    assert ask(knowledge, "a x", recall_threshold=math.nextafter(2 / 12, 1)).ranked == ()
    assert ask(knowing("ab cd"), "abx cdx", use_token_matching=False).ranked == ()
    assert ask(knowing("ab cd"), "abx cdx", use_token_matching=False, fuzzy_token_threshold=0.99).ranked == ()


def test_rule_3_2_no_events_give_no_predictions_at_any_threshold():
    knowledge = knowing("a b", "c d")
    for threshold in (0.0, 0.1):
        found = ask(knowledge, (), recall_threshold=threshold, filter_pipeline=["length"])
        assert (found.ranked, found.future_potentials, found.symbol_potentials) == ((), (), ())
        assert (found.considered, found.ensemble_size) == (2, 0)
        assert knowledge.view().count((), settings(filter_pipeline=["length"])) == Counts(0, (("length", 0),))
    assert knowledge.view().explain((), settings(recall_threshold=0.0)) == {}


def test_rule_3_2_a_single_symbol_finds_the_patterns_that_begin_with_it():
    knowledge = knowing("a b c d e f g h i j k l m n o p q r s t", "b a x x x x x x x x x x x x x x x x x x")
    assert only(ask(knowledge, "a", recall_threshold=0.9)).events[0] == ("a",)
    assert ask(knowledge, "x", recall_threshold=0.9).ranked == ()
    assert only(
        ask(knowing("apple b c d e f g h"), "aple", recall_threshold=0.9, fuzzy_token_threshold=0.8)
    ).matches == ("aple",)
    assert ask(knowing("zebra b"), "aple", recall_threshold=0.5, fuzzy_token_threshold=0.8).ranked == ()


@given(tokens, tokens)
def test_rule_3_3_blocks_are_ratcliff_obershelps(a, b):
    found = [(block.pattern_start, block.memory_start, block.length) for block in matching_blocks(a, b)]
    assert found == obershelp(a, b)


@pytest.mark.parametrize(
    ("overrides", "kept"),
    [
        ({"filter_pipeline": ["length"], "length_max_ratio": 1.0}, ["a b"]),
        ({"filter_pipeline": ["length"], "length_min_ratio": 0.0}, ["a b", "a b c d", "a x y"]),
        ({"filter_pipeline": ["jaccard"], "jaccard_min_overlap": 2, "jaccard_threshold": 0.5}, ["a b", "a b c d"]),
        ({"filter_pipeline": ["jaccard"], "jaccard_min_overlap": 3, "jaccard_threshold": 0.0}, []),
        ({"filter_pipeline": ["minhash"], "minhash_threshold": 0.51}, ["a b"]),
        ({"filter_pipeline": ["bloom", "rapidfuzz"]}, ["a b", "a b c d", "a x y"]),
    ],
)
def test_rule_3_4_filters_are_exact_and_inclusive(overrides, kept):
    known = knowing("a b", "a b c d", "a x y")
    found = ask(known, "a b", **overrides)
    assert sorted(each.events for each in found.ranked) == sorted(map(events_of, kept))
    counts = known.view().count(events_of("a b"), settings(**overrides))
    assert [name for name, _ in counts.filters] == overrides["filter_pipeline"]
    assert counts.filters[-1][1] == counts.matched == len(kept)


def test_rule_3_5_a_token_is_read_as_the_first_of_the_most_alike():
    assert read_as(("abx",), ("aby", "abz"), 0.5) == (("aby",), {0: likeness("abx", "aby")})
    assert read_as(("abx", "abx", "q"), ("abx", "zz"), 0.5) == (("abx", "abx", "q"), {})
    assert read_as(("abcd",), ("abc", "abcde"), 0.5)[0] == ("abcde",)
    assert read_as(("",), ("abc",), 0.1) == (("",), {})
    assert read_as(("aq", "aq"), ("ab",), 0.5)[0] == ("ab", "ab")


def test_rule_3_5_everything_compares_the_memory_as_read():
    found = only(ask(knowing("apple pie"), "aple x", fuzzy_token_threshold=0.8, filter_pipeline=["bloom"]))
    assert found.extras == ((), ("x",))
    assert [each.similarity for each in found.anomalies] == [8 / 9]
    assert only(ask(knowing("apple pie"), "apple aple", fuzzy_token_threshold=0.8)).anomalies == ()


def test_rule_4_1_nothing_aligned_is_all_present():
    alignment = align(events_of("a [b,c]"), events_of("x"), ())
    assert (alignment.past, alignment.present, alignment.future) == ((), events_of("a [b,c]"), ())
    assert alignment.extra_count == 1
    assert flat(alignment.present) == ("a", "b", "c")


@given(pattern_text, pattern_text)
def test_rule_4_2_every_token_is_matched_missing_or_outside(pattern, memory):
    for found in ask(knowing(pattern), memory, recall_threshold=0.0).ranked:
        assert found.past + found.present + found.future == events_of(pattern)
        assert len(found.missing) == len(found.present)
        assert len(found.extras) == len(events_of(memory))
        present = sum(map(len, found.present))
        assert len(found.matches) + sum(map(len, found.missing)) == present
        assert len(found.matches) + sum(map(len, found.extras)) == len(flat(events_of(memory)))


@pytest.mark.parametrize("memory", ["b", "a b", "[a,b] x"])
@pytest.mark.parametrize("threshold", [0.0, 0.1])
def test_rule_4_3_shapes_never_vary(memory, threshold):
    """Lists of events whatever the memory, also for one of a single symbol and for a pattern that does not align."""
    for found in ask(knowing("a b c", "x y"), memory, recall_threshold=threshold).ranked:
        for part in (found.past, found.present, found.future, found.missing, found.extras):
            assert isinstance(part, tuple)
            assert all(isinstance(each, tuple) and all(isinstance(token, str) for token in each) for each in part)
        assert len(found.missing) == len(found.present) > 0
        assert len(found.extras) == len(events_of(memory))


def test_rule_6_5_a_zero_is_never_negative():
    """Nothing aligned makes snr −1 and evidence and confidence 0; their product must not show as −0."""
    found = ask(knowing("u v w"), "x y", recall_threshold=0.0)
    numbers = [getattr(only(found).metrics, each.name) for each in fields(only(found).metrics)]
    assert [value for value in numbers if value == 0 and math.copysign(1, value) < 0] == []


def test_rule_5_numbers_over_an_ensemble():
    knowledge = knowing(learned_again(new_pattern(events_of("a b c"))), "a b d")
    one, two = ask(knowledge, "a b").ranked
    assert (one.events, two.events) == (events_of("a b c"), events_of("a b d"))
    assert (one.metrics.bayesian_prior, two.metrics.bayesian_prior) == (2 / 3, 1 / 3)
    assert one.metrics.bayesian_posterior == pytest.approx(2 / 3)
    assert one.metrics.weighted_strength == 0.8 * (2 / 3)
    assert one.metrics.pattern_probability == one.metrics.bayesian_prior
    assert one.metrics.bayesian_likelihood == one.metrics.similarity
    assert one.metrics.confluence == 0.0
    assert one.metrics.predictive_information == (0.8 * 2 / 3) / (1.6 / 2.4000000000000004)


def test_rule_5_itfdf_counts_what_was_observed_outside_the_present():
    """
    `a b` and `c d` learned, `a c` observed: every p is 1/2, F = 2.

    For `a b` the present is `a`: x = (1/2, 1/2) over a and c, y = (1/2, 0), cos = 1/sqrt 2; itfdf = 1 − (1 − cos)/2.
    A symbol that nobody knows has p = 0 and changes nothing; `b`, known but not aligned, counts as `c` does.
    """
    turned = 1 - (1 - math.sqrt(0.5)) / 2
    knowledge = knowing("a b", "c d")
    assert [each.metrics.itfdf_similarity for each in ask(knowledge, "a c").ranked] == pytest.approx([turned, turned])
    assert only(ask(knowledge, "a unknown")).metrics.itfdf_similarity == 1
    assert only(ask(knowing("a b"), "b a")).metrics.itfdf_similarity == pytest.approx(math.sqrt(0.5))
    assert itfdf.cosine({"a": 1, "c": 1}, {"a": 1}, {"a": 1.0, "c": 1.0}) == pytest.approx(math.sqrt(0.5))


def test_rule_5_future_and_symbol_potentials():
    found = ask(knowing("a b c", "x a b c", "a b d", "a b"), "a b")
    assert [(each.future, each.supporting_patterns) for each in found.future_potentials] == [
        ((("c",),), 2),
        ((("d",),), 1),
    ]
    assert sum(each.aggregate_potential for each in found.future_potentials) == pytest.approx(1)
    best = found.future_potentials[0]
    supporters = [each for each in found.ranked if each.future == (("c",),)]
    assert best.patterns == tuple(each.name for each in supporters)
    assert best.total_potential == pytest.approx(sum(each.metrics.potential for each in supporters))
    assert [each.symbol for each in found.symbol_potentials] == ["c", "d"]
    assert found.symbol_potentials[0].prediction_count == 2


def test_rule_5_affinity_weighs_the_symbols():
    liked = new_pattern(events_of("a b c"), [{"joy": 1.0}])
    knowledge = knowing(liked, "a d e")
    found = {each.events: each for each in ask(knowledge, "a b x", affinity_emotive="joy").ranked}
    metrics = found[events_of("a b c")].metrics
    w = {"a": 0.51, "b": 1.01, "c": 1.01, "x": 0.01}
    matched = w["a"] + w["b"]
    assert metrics.weighted_similarity == pytest.approx(2 * matched / (matched + w["x"] + matched + w["c"]))
    assert metrics.weighted_evidence == pytest.approx(matched / (matched + w["c"]))
    assert metrics.weighted_confidence == 1
    assert metrics.weighted_snr == pytest.approx(matched / (matched + w["x"]))
    terms = (metrics.weighted_evidence, metrics.weighted_confidence, metrics.weighted_snr)
    assert metrics.potential == potential.potential(*terms, metrics.itfdf_similarity, metrics.phi)
    plain = only(ask(knowing(liked), "a b")).metrics
    assert plain.weighted_similarity is plain.weighted_snr is None


def test_rule_5_edges_of_the_formulas():
    assert entropy.normalized_entropy({"a": 1}, 1) == entropy.global_normalized_entropy({"a": 1.0}, 1) == 0
    assert entropy.global_normalized_entropy({"a": 0.0, "b": 0.5}, 2) == 0.5
    assert itfdf.cosine({"x": 1}, {"a": 1}, {"a": 0.5}) == 0
    assert itfdf.cosine({"a": 1}, {"a": 1}, {}) == 0
    assert weighted.weight(-2.0, 4) == 0.51
    assert bayesian.posterior(0.5, 0.5, 0.0) == 0
    assert confluence.chance([0.5, 0.5]) == 0.25
    assert snr(0, 0) == 0
    assert tfidf.tfidf_score({"a": 2}, {"a": 1}, 2) == 2
    assert potential.quality(0.5, 0.5, 1.0, 1.0) == 2
    zero = ask(knowing("a b"), "x y", recall_threshold=0.0)
    assert only(zero).metrics.bayesian_posterior == only(zero).metrics.predictive_information == 0


def test_rule_6_1_the_ensemble_is_no_smaller_than_what_is_shown():
    knowledge = knowing(*(f"a b {word}" for word in "cdefgh"))
    assert ask(knowledge, "a b", ensemble_size=2, max_predictions=1).ensemble_size == 2
    assert ask(knowledge, "a b", ensemble_size=2, max_predictions=4).ensemble_size == 4
    assert ask(knowledge, "a b", ensemble_size=0, max_predictions=1).ensemble_size == 6
    few = ask(knowledge, "a b", max_predictions=1).ranked
    assert few == ask(knowledge, "a b", max_predictions=3).ranked[:1]


@pytest.mark.parametrize("ranking", RANKINGS)
def test_rule_6_3_every_ranking_orders_by_its_metric(ranking):
    knowledge = knowing("a b c", "a x b", "b a", learned_again(new_pattern(events_of("c a b"))), "[a,b,c] d", "z z")
    found = ask(knowledge, "a b c", rank_sort_algo=ranking, affinity_emotive="joy", recall_threshold=0.0).ranked
    assert len(found) == 6
    values = [each.frequency if ranking == "frequency" else getattr(each.metrics, ranking) for each in found]
    if ranking == "fragmentation":
        values = [-value if value >= 0 else -math.inf for value in values]
    assert values == sorted(values, reverse=True)


@hypothesis_settings(max_examples=40)
@given(
    st.lists(pattern_text, min_size=2, max_size=4, unique=True),
    pattern_text,
    st.sampled_from(["potential", "snr", "frequency"]),
)
def test_rule_6_3_the_order_of_learning_does_not_matter(patterns, memory, ranking):
    answers = {repr(ask(knowing(*order), memory, rank_sort_algo=ranking)) for order in permutations(patterns)}
    assert len(answers) == 1


def test_rule_1_7_neighbours_are_the_nearest_others_with_ties_by_name():
    vectors = {vector_name((float(x), float(y))): (float(x), float(y)) for x in range(12) for y in range(12)}
    found = VectorSet(vectors)
    for query in ((3.0, 3.0), (0.5, 0.5), (100.0, 0.0)):
        for metric in ("euclidean", "cosine"):
            for limit in (None, 1.0):
                chosen = settings(vector_metric=metric, vector_neighbors=5, vector_max_distance=limit)
                assert found.nearest(query, chosen) == nearest_of(vectors, query, chosen)
    near = found.nearest((3.0, 3.0), settings(vector_neighbors=4))
    assert sorted(vector for _, vector in near) == [(2.0, 3.0), (3.0, 2.0), (3.0, 4.0), (4.0, 3.0)]
    assert found.nearest((1.0,), settings()) == ()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_rule_1_7_tiny_and_huge_components_are_told_apart(metric):
    vectors = {
        vector_name((scale, step * 1e-200)): (scale, step * 1e-200) for step in range(40) for scale in (1.0, 1e300)
    }
    chosen = settings(vector_metric=metric)
    for query in ((1.0, 0.0), (1e-150, 1e-150), (1e300, 0.0), (0.0, 0.0)):
        assert VectorSet(vectors).nearest(query, chosen) == nearest_of(vectors, query, chosen)


def test_distances():
    assert distance([0.0], [3.0], "euclidean") == 3
    assert distance([0.0, 0.0], [1.0, 0.0], "cosine") == 1
    assert distance([1e300, 0.0], [1e-300, 0.0], "cosine") == 0


def test_rule_3_3_blocks_are_told():
    assert only(ask(knowing("a b c"), "b c")).blocks == (Block(1, 0, 2),)


@pytest.mark.parametrize(
    "overrides", [{}, {"affinity_emotive": "joy"}, {"use_token_matching": False}, {"recall_threshold": 0.0}]
)
def test_every_number_is_the_value_of_its_explanation(overrides):
    liked = new_pattern(events_of("[a,b] c d"), [{"joy": 0.7}])
    knowledge = knowing(liked, "a c e", "d d a", "x y")
    found = ask(knowledge, "a c z", **overrides)
    trees = knowledge.view().explain(events_of("a c z"), settings(**overrides))
    assert found.ranked
    for prediction in found.ranked:
        explained = trees[prediction.events]
        values = {field.name: getattr(prediction.metrics, field.name) for field in fields(prediction.metrics)}
        assert {name: tree.value for name, tree in explained.metrics.items()} == {
            name: value for name, value in values.items() if value is not None
        }
        for tree in explained.metrics.values():
            for leaf in leaves(tree):
                assert leaf.reason
                assert leaf.reason.startswith(SUMS) or leaf.value == int(leaf.value), leaf


SUMS = ("ΣW over all futures", "what was felt about")
"""The only numbers an explanation does not take apart further: other predictions explain them, or the learnings."""


def leaves(tree):
    if not tree.parts:
        return [tree]
    return [leaf for part in tree.parts for leaf in leaves(part)]


def test_an_explanation_of_weights_adds_up():
    """Learned once with joy .7: `a`, twice in it, weighs .7/2 + .01; `b` .7/1 + .01; the unknown `z` .01."""
    knowledge = knowing(new_pattern(events_of("a a b"), [{"joy": 0.7}]))
    ((_, explained),) = knowledge.view().explain(events_of("a a z"), settings(affinity_emotive="joy")).items()
    trees = explained.metrics
    matches, memory, pattern = trees["weighted_similarity"].parts
    for amount in (matches, memory, pattern, *trees["weighted_confidence"].parts, *trees["weighted_snr"].parts):
        assert amount.value == pytest.approx(sum(each.value * each.parts[1].value for each in amount.parts))
    assert [each.parts[1].value for each in memory.parts] == [2, 1]
    felt = memory.parts[0].parts[0]
    assert [leaf.value for leaf in felt.parts] == [0.7, 2]
    assert felt.value == 0.7 / 2 + 0.01
