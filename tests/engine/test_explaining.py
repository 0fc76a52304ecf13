"""How predictions came about: token by token, place by place, condition by condition."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from building import ask, events_of, knowing, settings
from kato.engine.alignment import flat, matching_blocks
from kato.engine.fuzzy import read_as
from kato.engine.judging import judge
from kato.engine.knowledge import Change
from kato.engine.pattern import new_pattern
from kato.engine.standing import Neighbour, Standing, selection_standing
from kato.engine.token_alignment import AlignedToken, token_alignment


def aligned(pattern, memory, fuzzy=0.0):
    """What stands for what, as `kind observed→expected` with positions where they are."""
    pattern, memory = events_of(pattern), events_of(memory)
    read, likeness = read_as(flat(memory), flat(pattern), fuzzy) if fuzzy else (flat(memory), {})
    return token_alignment(pattern, memory, matching_blocks(flat(pattern), read), likeness)


def told(tokens):
    return " ".join(f"{each.kind}:{each.observed or ''}/{each.expected or ''}" for each in tokens)


@pytest.mark.parametrize(
    ("pattern", "memory", "due"),
    [
        ("a b c d", "b", "past:/a match:b/b future:/c future:/d"),
        ("a b c d e", "a c e", "match:a/a missing:/b match:c/c missing:/d match:e/e"),
        ("a b c", "a x c y", "match:a/a missing:/b extra:x/ match:c/c extra:y/"),
        ("a b c d", "b a", "extra:b/ match:a/a future:/b future:/c future:/d"),
        ("[a,b] [c,d] [e,f]", "a c", "match:a/a missing:/b match:c/c missing:/d future:/e future:/f"),
        ("[A,x] [A,B] [C]", "[A,B]", "past:/A past:/x match:A/A match:B/B future:/C"),
        ("a b", "x b y", "past:/a extra:x/ match:b/b extra:y/"),
        ("u v", "x y", "missing:/u missing:/v extra:x/ extra:y/"),
        ("a b", "a z", "match:a/a extra:z/ future:/b"),
    ],
)
def test_every_token_stands_in_reading_order(pattern, memory, due):
    assert told(aligned(pattern, memory)) == due


def test_positions_are_flat_and_events_are_counted():
    assert aligned("[a,b] c", "z [b,c]") == (
        AlignedToken("missing", pattern_position=0, pattern_event=0, expected="a"),
        AlignedToken("extra", 0, 0, observed="z"),
        AlignedToken("match", 1, 1, 1, 0, "b", "b", 1.0),
        AlignedToken("match", 2, 1, 2, 1, "c", "c", 1.0),
    )


def test_a_token_read_as_another_tells_both_and_their_likeness():
    tokens = aligned("apple banana cherry", "apple bannana chery", 0.8)
    assert told(tokens) == "match:apple/apple fuzzy:bannana/banana fuzzy:chery/cherry"
    assert [round(each.likeness, 3) for each in tokens] == [1.0, 0.923, 0.909]


def test_every_token_of_both_appears_once_and_agrees_with_the_prediction():
    knowledge = knowing("a b c d", "[a,b] c [d,e]", "r r u r e", "c b a", "b b [a,c] d")
    for memory in ("a c d", "r r r", "d c b a", "[a,b] [b,d]", "b"):
        events = events_of(memory)
        asked = settings(recall_threshold=0.0, max_predictions=3)
        ranked = knowledge.view().predict(events, asked).ranked
        explained = knowledge.view().explain(events, asked)
        assert list(explained) == [each.events for each in ranked]
        for prediction in ranked:
            tokens = explained[prediction.events].alignment
            kinds = Counter(each.kind for each in tokens)
            assert sorted(each.pattern_position for each in tokens if each.expected is not None) == list(
                range(prediction.length)
            )
            assert sorted(each.memory_position for each in tokens if each.observed is not None) == list(
                range(len(flat(events)))
            )
            assert tuple(each.observed for each in tokens if each.kind == "match") == prediction.matches
            assert kinds["missing"] == sum(map(len, prediction.missing))
            assert kinds["extra"] == sum(map(len, prediction.extras))
            assert tuple(each.expected for each in tokens if each.kind == "past") == flat(prediction.past)
            assert tuple(each.expected for each in tokens if each.kind == "future") == flat(prediction.future)


def names(*sequences):
    return [new_pattern(events_of(each)).name for each in sequences]


def test_places_tell_what_beat_what_and_by_which_key():
    """`a b c` and `a b d` are alike in all but the name; `a x` has less in common; all were learned once."""
    knowledge = knowing("a b c", "a b d", "a x")
    explained = knowledge.view().explain(events_of("a b"), settings())
    first, second = sorted(names("a b c", "a b d"))
    (x,) = names("a x")
    by_name = {new_pattern(events).name: found for events, found in explained.items()}
    top = by_name[first].selection
    assert top == Standing(1, 3, "quality", top.value, None, Neighbour(second, top.value, "name"))
    middle = by_name[second].ranking
    assert (middle.place, middle.size, middle.key) == (2, 3, "potential")
    assert middle.above == Neighbour(first, middle.value, "name")
    assert middle.below is not None
    assert (middle.below.name, middle.below.decided_by) == (x, "potential")
    assert middle.below.value < middle.value
    assert by_name[x].ranking.below is None


@pytest.mark.parametrize(
    ("ranking", "key"),
    [
        ("similarity", "similarity"),
        ("frequency", "frequency"),
        ("bayesian_posterior", "similarity_by_frequency"),
        ("fragmentation", "fragmentation"),
        ("confluence", "quality"),
    ],
)
def test_places_follow_the_order_of_predictions_for_every_ranking(ranking, key):
    knowledge = knowing("a b c", "a c d", "b a", times=2)
    knowledge.apply([Change(knowledge.sequence + 1, "learn", None, new_pattern(events_of("a d")))])
    asked = settings(rank_sort_algo=ranking, recall_threshold=0.0)
    ranked = knowledge.view().predict(events_of("a b"), asked).ranked
    explained = knowledge.view().explain(events_of("a b"), asked)
    assert [explained[each.events].ranking.place for each in ranked] == [1, 2, 3, 4]
    for place, prediction in enumerate(ranked):
        found = explained[prediction.events]
        assert found.selection.key == key
        assert found.ranking.key == ranking
        value = prediction.frequency if ranking == "frequency" else getattr(prediction.metrics, ranking)
        assert found.ranking.value == value
        if place:
            assert found.ranking.above is not None
            assert found.ranking.above.name == ranked[place - 1].name


def test_one_member_alone_is_explained_wherever_it_ranks():
    view = knowing("a b c", "a b d", "a x").view()
    asked = settings(max_predictions=1)
    (only,) = view.explain(events_of("a b"), asked, only=events_of("a x")).values()
    assert (only.ranking.place, only.ranking.size) == (3, 3)
    assert list(view.explain(events_of("a b"), asked)) == [view.predict(events_of("a b"), asked).ranked[0].events]
    assert view.explain(events_of("a b"), asked, only=events_of("y z")) == {}
    assert view.explain((), asked, only=events_of("a x")) == {}


def test_members_come_in_order_of_selection_and_their_number_is_the_ensembles():
    view = knowing("a b c", "a b d", "a x").view()
    found = view.members(events_of("a b"), settings(ensemble_size=2, max_predictions=1))
    assert [each.name for each in found] == sorted(names("a b c", "a b d"))
    assert selection_standing(found, 1, "potential").above.decided_by == "name"
    assert list(view.members((), settings())) == []
    felt = knowing(new_pattern(events_of("a b"), [{"joy": 0.5}])).view()
    (member,) = felt.members(events_of("a"), settings(affinity_emotive="joy"))
    assert member.weighted_evidence is not None
    huge = knowing(new_pattern(events_of("a b"), [{"joy": 1e300}])).view()
    asked = settings(affinity_emotive="joy")
    assert [each.name for each in huge.members(events_of("a"), asked)] == names("a b")
    assert list(huge.explain(events_of("a"), asked)) == [events_of("a b")]


def test_members_are_compared_with_the_memory_when_they_are_asked_for():
    view = knowing("a b c", "a b d", "a x").view()
    found = view.members(events_of("a b"), settings())
    assert len(found) == 3
    assert [each.name for each in found[1:]] == [found[1].name, found[-1].name]
    assert found.places[found[2].events] == 2
    with pytest.raises(IndexError):
        found[3]


def test_an_explanation_belongs_to_the_prediction_as_it_is_predicted():
    view = knowing("a b c", "a b d", "a x", times=2).view()
    asked = settings(max_predictions=2)
    found = view.explain(events_of("a b"), asked)
    assert [each.prediction for each in found.values()] == list(view.predict(events_of("a b"), asked).ranked)


def judged(pattern, memory, **overrides):
    return judge(new_pattern(events_of(pattern)), events_of(memory), settings(**overrides))


def failed(verdict):
    return {each.name: each.sentence for each in verdict.checks if not each.passed}


def test_a_pattern_below_the_threshold_says_so():
    verdict = judged("a b c d e f g h", "a x y z", recall_threshold=0.5)
    assert not verdict.matches
    assert failed(verdict) == {"similarity": "similarity 0.166667 is below recall_threshold 0.5"}
    assert verdict.similarity.value == 2 / 12
    assert told(verdict.alignment).startswith("match:a/a extra:x/")
    assert verdict.checks[1].sentence == "1 symbol aligns"


def test_a_pattern_with_nothing_in_common_says_so_unless_the_threshold_is_zero():
    verdict = judged("u v", "x y")
    assert failed(verdict) == {
        "similarity": "similarity 0 is below recall_threshold 0.1",
        "aligned": "no symbol aligns; at least one must",
    }
    at_zero = judged("u v", "x y", recall_threshold=0.0)
    assert at_zero.matches
    assert at_zero.checks[1].sentence == "no symbol aligns; which is enough at recall_threshold 0"


def test_a_pattern_that_begins_with_the_only_symbol_matches_at_any_threshold():
    verdict = judged("a b c", "a", recall_threshold=0.9)
    assert verdict.matches
    assert "but it begins with the only symbol" in verdict.checks[0].sentence
    assert not judged("b a c", "a", recall_threshold=0.9).matches


def test_similarity_is_told_in_characters_where_it_is_counted_in_them():
    verdict = judged("ab cd", "ab ce", use_token_matching=False)
    assert "characters" in str(verdict.similarity)
    assert "symbols" in str(judged("ab cd", "ab ce").similarity)


@pytest.mark.parametrize(
    ("name", "overrides", "due"),
    [
        ("length", {"length_max_ratio": 1.5}, "the pattern has 4 symbols; from 1 to 3 may pass"),
        (
            "jaccard",
            {"jaccard_threshold": 0.9},
            "2 of 4 distinct symbols are in both, 0.5; at least 2 and 0.9 must be",
        ),
        ("minhash", {"minhash_threshold": 0.6}, "2 of 4 distinct symbols are in both, 0.5; at least 0.6 must be"),
    ],
)
def test_a_pattern_that_a_filter_drops_names_the_filter_and_the_numbers(name, overrides, due):
    asked = {"filter_pipeline": [name], **overrides}
    assert failed(judged("a b c d", "a b", **asked)) == {name: due}
    assert ask(knowing("a b c d"), "a b", **asked).ranked == ()
    assert judged("a b", "a b", **asked).matches


def test_filters_that_ask_what_the_gate_asked_tell_it():
    verdict = judged("a b", "x y", recall_threshold=0.0, filter_pipeline=["bloom", "rapidfuzz"])
    assert failed(verdict) == {"bloom": "0 distinct symbols are in both; at least 1 must be"}
    assert verdict.checks[-1].sentence == "it asks what similarity asked already"


def test_a_verdict_is_the_engines():
    """What is judged to match is what is predicted, over all of them and many settings."""
    patterns = ("a b c d", "[a,b] c", "r r u r e", "c b a", "x y", "apple b", "b")
    knowledge = knowing(*patterns)
    for memory in ("a c d", "b", "x", "aple b", "q"):
        for overrides in (
            {},
            {"recall_threshold": 0.0},
            {"recall_threshold": 0.6, "fuzzy_token_threshold": 0.8},
            {"use_token_matching": False},
            {"filter_pipeline": ["length", "jaccard", "bloom"], "jaccard_min_overlap": 1},
        ):
            predicted = {each.events for each in ask(knowledge, memory, **overrides).ranked}
            due = {events_of(each) for each in patterns if judged(each, memory, **overrides).matches}
            assert predicted == due, (memory, overrides)


def test_judging_does_not_depend_on_the_ensemble():
    asked = settings(ensemble_size=1, max_predictions=1)
    assert judge(new_pattern(events_of("a x")), events_of("a b"), asked) == judge(
        new_pattern(events_of("a x")), events_of("a b"), replace(asked, ensemble_size=0)
    )
