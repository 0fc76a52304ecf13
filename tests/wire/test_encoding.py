"""Values to JSON: what a client cannot say in JSON is refused by the reader, what a server cannot say is null."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kato.errors import MalformedJSON
from kato.wire.encoding import Written, encode_answer, encode_body, plain
from kato.wire.limits import Limits
from kato.wire.reading import read_body
from kato.wire.requests import Observe


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("member", ["emotives", "metadata"])
def test_a_number_that_is_none_does_not_turn_into_null_on_the_way(member, value):
    with pytest.raises(MalformedJSON):
        read_body(Observe, encode_body({member: {"a": value}}), Limits())


def test_a_lone_surrogate_reaches_the_reader_and_is_refused_there():
    with pytest.raises(MalformedJSON):
        read_body(Observe, encode_body({"strings": ["\ud800"]}), Limits())


def test_integers_of_any_size_travel_both_ways():
    value = {"metadata": {"a": [2**64, -(2**70), 10**300, None, 1.5]}}
    assert json.loads(encode_body(value)) == value
    assert plain(value) == value


@pytest.mark.parametrize("companion", [1, 2**80])
def test_an_answer_writes_null_for_what_has_no_number(companion):
    answer = {"a": [math.nan, (math.inf, {"b": -math.inf})], "c": companion}
    assert json.loads(encode_answer(answer)) == {"a": [None, [None, {"b": None}]], "c": companion}


def test_an_answer_is_utf8_whatever_it_quotes():
    assert json.loads(encode_answer({"a": "x\ud800y"})) == {"a": "x?y"}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_as_the_same_double(number):
    assert math.copysign(1, json.loads(encode_answer({"a": number}))["a"]) == math.copysign(1, number)
    assert json.loads(encode_answer({"a": number}))["a"] == number
    assert json.loads(encode_answer({"a": number, "b": 2**80}))["a"] == number


@pytest.mark.parametrize("companion", [1, 2**80, "x\ud800y"])
def test_what_is_written_already_stands_in_an_answer_as_its_value(companion):
    answer = {"a": Written(b'[1.5,{"b":"\xc3\xa9"}]'), "c": [Written(b"2")], "d": companion}
    expected = {"a": [1.5, {"b": "é"}], "c": [2], "d": companion}
    assert encode_answer(answer) == encode_answer(expected)


def test_an_answer_holds_nothing_that_is_no_json():
    with pytest.raises(TypeError):
        encode_answer({"a": object()})
