"""Values at the edge of doubles: they are legal, so every number stays a number and every order an order."""

from __future__ import annotations

import math
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.building import Node, learning, node, settings
from kato.engine.event import vector_name
from kato.engine.filtering import Measured, passes
from kato.engine.memory import Observation, ShortTermMemory
from kato.engine.metrics.weighted import weighted_similarity, weighted_snr
from kato.engine.settings import resolve
from kato.engine.vectors import VectorSet, nearest_of
from kato.errors import InvalidSettings


def test_a_ratio_beyond_the_range_lets_every_length_pass() -> None:
    found = node("a b c").predict("a b", filter_pipeline=("length",), length_max_ratio=1.7e308)
    assert len(found.ranked) == 1


@given(
    st.integers(1, 50),
    st.integers(1, 50),
    st.floats(0, 1),
    st.floats(1, 1e308),
)
def test_the_length_filter_is_its_formula(pattern: int, memory: int, least: float, most: float) -> None:
    facts = Measured(pattern, memory, 1, 1)
    chosen = settings(length_min_ratio=least, length_max_ratio=most)
    expected = max(1, math.floor(memory * least)) <= pattern and (
        math.isinf(memory * most) or pattern <= math.floor(memory * most)
    )
    assert passes("length", facts, chosen) == expected


@pytest.mark.parametrize("name", ["recall_threshold", "length_max_ratio", "vector_max_distance"])
def test_an_integer_beyond_the_range_of_doubles_is_refused(name: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        resolve({name: 10**400})
    assert list(refused.value.errors) == [name]


def test_the_strongest_feelings_still_give_finite_numbers() -> None:
    made = Node()
    for line in ("a b c", "a b d"):
        made.learn(learning(line, emotives=[{"joy": 1.7e308}]))
    for prediction in made.predict("a b x", affinity_emotive="joy", rank_sort_algo="weighted_similarity").ranked:
        assert all(math.isfinite(value) for value in astuple(prediction.metrics))
        assert 0 < prediction.metrics.weighted_similarity <= 1  # type: ignore[operator]


@given(st.lists(st.floats(0.01, 1e300), min_size=3, max_size=3))
def test_weighted_ratios_are_their_formulas_where_these_stay_in_range(weights: list[float]) -> None:
    matches, extras, pattern = weights
    assert weighted_similarity(matches, extras, pattern) == 2 * matches / (extras + pattern)
    assert weighted_snr(matches, extras) == matches / (matches + extras)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("scale", [1e-310, 1e-170, 1e-160, 1.0, 1e160, 1e200, 1e300])
def test_neighbours_are_exact_whatever_the_scale(metric: str, scale: float) -> None:
    plain = [(1 + step / 7, step * 0.3 - 4) for step in range(60)]
    vectors = {}
    for x, y in plain:
        vectors[vector_name((x * scale, y * scale))] = (x * scale, y * scale)
        vectors[vector_name((x, y))] = (x, y)
    for query in ((1.0, 0.0), (2.0 * scale, scale), (0.0, 0.0), (-1.0, 3.0)):
        chosen = settings(vector_metric=metric)
        assert VectorSet(vectors).nearest(query, chosen) == nearest_of(vectors, query, chosen)


def test_components_leave_the_memory_with_their_events() -> None:
    memory = ShortTermMemory()
    for step in range(10):
        memory = memory.observe(Observation(vectors=((float(step),),)), settings=settings(), window=3).memory
    assert set(memory.vectors) == {symbol for event in memory.events for symbol in event}
    assert sorted(memory.vectors.values()) == [(7.0,), (8.0,), (9.0,)]
