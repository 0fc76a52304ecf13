"""What the kernel writes is, byte for byte, what the encoder makes of the plain engine's predictions."""

from __future__ import annotations

import json
import struct

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kato.engine.event import Event
from kato.engine.matching._kernel import written_number
from kato.engine.matching.index import NativeKnowledge
from kato.engine.matching.plain import PlainKnowledge
from kato.engine.pattern import Pattern, new_pattern
from kato.engine.settings import EngineSettings
from kato.wire.answers import potentials, predicted, predictions
from kato.wire.encoding import Written, encode_answer

EVERYTHING = EngineSettings(recall_threshold=0.0, ensemble_size=0, max_predictions=1000)
SYMBOLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
EVENTS = st.lists(
    st.lists(SYMBOLS, min_size=1, max_size=3).map(lambda event: tuple(sorted(event))), min_size=2, max_size=5
)


def both(known: list[Pattern], events: tuple[Event, ...], settings: EngineSettings = EVERYTHING) -> tuple[bytes, bytes]:
    """(the encoder's text, the kernel's) of one answer."""
    plain, native = PlainKnowledge(), NativeKnowledge()
    plain.load(known, {}, 1)
    native.load(known, {}, 1)
    expected = plain.view().predict(events, settings)
    told = predicted(native.view().predict(events, settings))
    assert all(isinstance(each, Written) for each in told.values())
    return encode_answer({"predictions": predictions(expected), **potentials(expected)}), encode_answer(told)


@given(st.lists(EVENTS.map(tuple), min_size=1, max_size=4, unique=True), st.data())
def test_any_text_is_written_alike(contents, data):
    """Control characters, quotes, characters of any width; futures that differ in nothing but where events begin."""
    events = data.draw(st.sampled_from(contents))
    expected, written = both([new_pattern(content) for content in contents], (*events[:2], ("stranger",)))
    assert expected == written


def test_futures_and_symbols_stand_in_the_order_of_code_points():
    """Each future has one supporter of the same weight; UTF-16 would order the last two the other way round."""
    ends = ["b", "ab", "é", "\uffff", "\U0001f600", "a", "a b", ""]
    contents = [(("s",), ("t",), (end, end) if end == "a b" else (end,)) for end in ends]
    contents += [
        (("s",), ("t",), ("a",), ("a",)),
        (("s",), ("t",), ("a", "a")),
        (("s",), ("t",), ("a",), ("a",), ("a",)),
    ]
    expected, written = both([new_pattern(content) for content in contents], (("s",), ("t",)))
    assert expected == written
    assert len(json.loads(written)["future_potentials"]) == len(contents)


def test_what_belongs_to_a_pattern_is_written_with_it():
    known = [
        new_pattern((("a",), ("b",)), [{"joy": 0.1, "é": -2.0}], [{"from": 'here"'}], 5),
        new_pattern((("a",), ("c",))),
    ]
    expected, written = both(known, (("a",), ("b",)))
    assert expected == written
    assert json.loads(written)["predictions"][0]["emotives"] == {"joy": 0.1, "é": -2.0}


def test_tokens_read_as_others_are_written():
    asked = EngineSettings(fuzzy_token_threshold=0.6, recall_threshold=0.0)
    expected, written = both([new_pattern((("apple",), ("pie",), ("now",)))], (("aplle",), ("pie",)), asked)
    assert expected == written
    assert json.loads(written)["predictions"][0]["anomalies"][0]["expected"] == "apple"


def test_a_symbol_that_is_no_text_is_left_to_the_encoder():
    native = NativeKnowledge()
    native.load([new_pattern((("a",), ("\ud800",)))], {}, 1)
    found = native.view().predict((("a",),), EVERYTHING)
    told = predicted(found)
    assert not any(isinstance(each, Written) for each in told.values())
    assert json.loads(encode_answer(told))["predictions"][0]["future"] == [["?"]]


@given(st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]))
def test_any_number_is_written_alike(number):
    assert written_number(number) == orjson.dumps(number)


@given(st.floats(1e-12, 1e24))
def test_numbers_near_the_change_to_an_exponent_are_written_alike(number):
    assert written_number(number) == orjson.dumps(number)
    assert written_number(-number) == orjson.dumps(-number)


@pytest.mark.parametrize("digits", ["1", "12.5", "1.234567890123456", "9.999999999999999"])
def test_numbers_at_each_power_of_ten_are_written_alike(digits):
    for power in range(-330, 309):
        number = float(f"{digits}e{power}")
        assert written_number(number) == orjson.dumps(number)
