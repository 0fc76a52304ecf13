"""Fuzzy tokens: a misspelt memory is compared as the pattern reads it, and shown as it was observed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from engine.building import Node, learning, node
from kato.engine.fuzzy import likeness, read_as

WORDS = {"apple": "aplle", "banana": "bannana", "cherry": "chery", "damson": "damsonn"}
words = st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=6)


@budget(max_examples=60, deadline=None)
@given(words, st.data())
def test_a_misspelt_memory_has_the_numbers_of_the_one_that_was_meant(meant: list[str], data: st.DataObject) -> None:
    misspelt = [data.draw(st.sampled_from([word, WORDS[word]])) for word in meant]
    made = Node()
    made.learn(learning("apple banana cherry damson", emotives=[{"joy": 0.5}]))
    given_settings = {
        "fuzzy_token_threshold": 0.8,
        "affinity_emotive": "joy",
        "filter_pipeline": ("length", "jaccard", "minhash", "bloom"),
        "jaccard_min_overlap": 1,
        "jaccard_threshold": 0.2,
        "length_min_ratio": 0.0,
        "length_max_ratio": 4.0,
        "minhash_threshold": 0.2,
    }
    right = made.one([[word] for word in meant], **given_settings)
    read = made.one([[word] for word in misspelt], **given_settings)
    assert read.metrics == right.metrics
    assert (read.past, read.present, read.future, read.missing) == (
        right.past,
        right.present,
        right.future,
        right.missing,
    )
    aligned = [block.memory_start + step for block in read.blocks for step in range(block.length)]
    assert list(read.matches) == [misspelt[position] for position in aligned]
    assert [(each.observed, each.expected) for each in read.anomalies] == [
        (misspelt[position], meant[position]) for position in aligned if misspelt[position] != meant[position]
    ]


def test_the_first_symbol_of_a_pattern_may_be_misspelt() -> None:
    long = " ".join(["apple", *"bcdefghijklmnopq"])
    assert len(node(long).predict("aplle", recall_threshold=0.9, fuzzy_token_threshold=0.8).ranked) == 1
    assert node(long).predict("aplle", recall_threshold=0.9).ranked == ()


def test_likeness_at_the_threshold_is_enough_and_ties_go_to_the_first() -> None:
    alike = likeness("cart", "card")
    assert alike == 0.75
    assert read_as(["cart"], ["card", "care"], alike) == (("card",), {0: alike})
    assert read_as(["cart"], ["card", "care"], 0.7500001) == (("cart",), {})


def test_a_token_of_the_pattern_is_never_read_as_another() -> None:
    assert read_as(["care"], ["card", "care"], 0.1) == (("care",), {})
