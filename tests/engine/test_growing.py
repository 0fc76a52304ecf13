"""A sequence that grows at its end: what it shows never changes, whatever was made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kato.engine.growing import Growing, grown


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 100), st.booleans()), max_size=400))
def test_each_is_what_a_tuple_would_be(steps):
    """Every one made on the way keeps what it showed, also where two grow from one."""
    made = [(Growing(), ())]
    for item, most, from_an_earlier_one in steps:
        before, judged = made[len(made) // 2] if from_an_earlier_one else made[-1]
        made.append((before.grown(item, most=most), (*judged, item)[-most:]))
    for sequence, judged in made:
        assert tuple(sequence) == judged
        assert len(sequence) == len(judged)
        assert sequence == judged
        assert judged == sequence
        assert hash(sequence) == hash(judged)
        assert repr(sequence) == repr(judged)
        assert [sequence[place] for place in range(-len(judged), len(judged))] == [*judged, *judged]
        for part in (slice(1, -1, 2), slice(-1, None), slice(None, -1), slice(5, 2), slice(None, None, -2), slice(3)):
            assert sequence[part] == judged[part]
        assert list(reversed(sequence)) == list(reversed(judged))


@pytest.mark.parametrize("place", [2, -3])
def test_there_is_nothing_beyond_its_ends(place):
    sequence = Growing("abc").grown("d", most=2)
    with pytest.raises(IndexError):
        sequence[place]


def test_it_is_no_number():
    assert Growing() != 0


def test_what_is_shown_no_more_is_let_go_of():
    sequence = Growing()
    for item in range(10_000):
        sequence = sequence.grown(item, most=10)
    assert len(sequence._items) < 100
    assert list(sequence) == list(range(9990, 10_000))


def test_any_sequence_can_grow():
    once = grown(("a", "b"), "c", most=2)
    assert once == ("b", "c")
    assert grown(once, "d", most=9) == ("b", "c", "d")
