"""Strict reading of bodies: every rule of what JSON may be, what a member may be, and how much of it there may be."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kato.errors import InvalidInput, LimitExceeded, MalformedJSON, PayloadTooLarge
from kato.wire.bulk_requests import BulkSequence, LearnMany, PredictMany
from kato.wire.limits import Limits
from kato.wire.reading import Reader, read_body
from kato.wire.requests import (
    ConfigUpdate,
    CreateSession,
    EditPattern,
    Extend,
    NoBody,
    Observe,
    ObserveSequence,
)

LIMITS = Limits()
SMALL = Limits(
    max_strings=2,
    max_vectors=1,
    max_emotives=1,
    max_sequence=2,
    max_symbol_bytes=4,
    max_vector_dim=2,
    max_node_id=3,
    max_memories=2,
)


def read(shape, body, limits=LIMITS):
    return read_body(shape, body if isinstance(body, bytes) else json.dumps(body).encode(), limits)


def refused(shape, body, limits=LIMITS):
    with pytest.raises(InvalidInput) as found:
        read(shape, body, limits)
    return found.value


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{} x",
        b"{}{}",
        b"\x0b",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b'{"strings":["\xed\xa0\x80"]}',
        b'{"strings":["\\ud800"]}',
        b'{"\\udfff":1}',
        b'{"strings":["a\nb"]}',
        b"{'strings':[]}",
        b'{"strings":[],}',
        b'{"emotives":{"a":NaN}}',
        b'{"emotives":{"a":-Infinity}}',
        b'{"emotives":{"a":01}}',
        b'{"metadata":{"NaN":"Infinity","a":NaN}}',
    ],
)
def test_what_is_not_json_in_utf8_is_malformed(body):
    assert type(refused(Observe, body)) is MalformedJSON


@pytest.mark.parametrize("text", [b"\\ud800", b"\\ud800x", b"\\ud800\\u0041", b"\\udc00", b"\\udbff\\n"])
def test_a_lone_surrogate_is_called_one(text):
    message = refused(Observe, b'{"strings":["' + text + b'"]}').problems[0]["msg"]
    assert message.endswith("is a lone surrogate, which is not text")


@pytest.mark.parametrize("text", ["NaN", "Infinity", '\\"NaN\\\\', "\\\\\\\\", "a\\\\"])
def test_the_words_of_constants_are_text_inside_strings(text):
    body = f'{{"strings":["{text}","NaN"]}}'.encode()
    assert read(Observe, body)[0].strings == json.loads(body)["strings"]


def test_a_long_string_with_such_a_word_is_read_at_once():
    """A body of one string whose every character were a place to come back to would take gigabytes."""
    body = b'{"metadata":{"a":"' + b"x" * 4_000_000 + b'\\\\NaN"}}'
    assert len(read(Observe, body)[0].metadata["a"]) == 4_000_004


@pytest.mark.parametrize("opening", [b'{"a":', b"["])
@pytest.mark.parametrize("depth", [201, 100_000])
def test_nesting_is_bounded_before_anything_recurses(opening, depth):
    error = refused(Observe, b'{"metadata":' + opening * depth + b"1")
    assert type(error) is LimitExceeded
    assert error.problems[0]["ctx"] == {"limit": 32, "actual": None, "setting": "KATO_MAX_METADATA_DEPTH"}


def test_of_a_name_given_twice_the_last_counts():
    assert read(Observe, b'{"strings":5,"strings":["a"],"metadata":{"k":1,"k":2}}')[0].metadata == {"k": 2}


def test_integers_of_metadata_keep_every_digit():
    assert read(Observe, {"metadata": {"a": 10**400}})[0].metadata == {"a": 10**400}


def test_a_literal_beyond_a_double_is_infinite_in_a_vector_and_wrong_elsewhere():
    body = b'{"vectors":[[1e999,-1e999,' + b"9" * 400 + b"]]}"
    assert read(Observe, body)[0].vectors == [[math.inf, -math.inf, math.inf]]
    for member in ("emotives", "metadata"):
        error = refused(Observe, f'{{"{member}":{{"a":1e999}}}}'.encode())
        assert error.problems[0]["loc"] == ["body", member, "a"]
        assert error.problems[0]["input"] == "inf"


def test_an_integer_of_thousands_of_digits_is_refused_for_what_it_is():
    assert "thousands of digits" in refused(Observe, b'{"metadata":{"a":' + b"9" * 5000 + b"}}").message


WRONG = [
    (Observe, [], ["body"]),
    (Observe, None, ["body"]),
    (Observe, {"strings": None}, ["body", "strings"]),
    (Observe, {"strings": "a"}, ["body", "strings"]),
    (Observe, {"strings": ["a", 5]}, ["body", "strings", 1]),
    (Observe, {"strings": [None]}, ["body", "strings", 0]),
    (Observe, {"vectors": [1]}, ["body", "vectors", 0]),
    (Observe, {"vectors": [[1, 2, "3"]]}, ["body", "vectors", 0, 2]),
    (Observe, {"vectors": [[True]]}, ["body", "vectors", 0, 0]),
    (Observe, {"vectors": [[None]]}, ["body", "vectors", 0, 0]),
    (Observe, {"emotives": []}, ["body", "emotives"]),
    (Observe, {"emotives": {"a": True}}, ["body", "emotives", "a"]),
    (Observe, {"emotives": {"a": "1"}}, ["body", "emotives", "a"]),
    (Observe, {"emotives": {"a": 10**400}}, ["body", "emotives", "a"]),
    (Observe, {"metadata": None}, ["body", "metadata"]),
    (Observe, {"metadata": []}, ["body", "metadata"]),
    (Observe, {"unique_id": 5}, ["body", "unique_id"]),
    (Observe, {"include_predictions": 1}, ["body", "include_predictions"]),
    (Observe, {"include_predictions": None}, ["body", "include_predictions"]),
    (ObserveSequence, {}, ["body", "observations"]),
    (ObserveSequence, {"observations": None}, ["body", "observations"]),
    (ObserveSequence, {"observations": [{}, []]}, ["body", "observations", 1]),
    (ObserveSequence, {"observations": [{"strings": [1]}]}, ["body", "observations", 0, "strings", 0]),
    (ObserveSequence, {"observations": [], "learn_at_end": 0}, ["body", "learn_at_end"]),
    (CreateSession, {}, ["body", "node_id"]),
    (CreateSession, {"node_id": None}, ["body", "node_id"]),
    (CreateSession, {"node_id": ""}, ["body", "node_id"]),
    (CreateSession, {"node_id": "a\u0085"}, ["body", "node_id"]),
    (CreateSession, {"node_id": "a", "config": []}, ["body", "config"]),
    (CreateSession, {"node_id": "a", "metadata": 5}, ["body", "metadata"]),
    (ConfigUpdate, {"config": None}, ["body", "config"]),
    (ConfigUpdate, [], ["body"]),
    (EditPattern, {}, ["body"]),
    (EditPattern, {"name": "x", "frequency": 1}, ["body", "name"]),
    (EditPattern, {"frequency": 0}, ["body", "frequency"]),
    (EditPattern, {"frequency": 1.0}, ["body", "frequency"]),
    (EditPattern, {"frequency": True}, ["body", "frequency"]),
    (EditPattern, {"emotives": [{}] * 101}, ["body", "emotives"]),
    (EditPattern, {"emotives": [{"a": None}]}, ["body", "emotives", 0, "a"]),
    (LearnMany, {"sequences": [["a"]]}, ["body", "sequences", 0, 0]),
    (LearnMany, {"sequences": [[[1]]]}, ["body", "sequences", 0, 0, 0]),
    (LearnMany, {"sequences": [[], [["a"], ["b", None]]]}, ["body", "sequences", 1, 1, 1]),
    (LearnMany, {"sequences": [[["a"], "b"]]}, ["body", "sequences", 0, 1]),
    (LearnMany, {"sequences": [[["a"]], None]}, ["body", "sequences", 1]),
    (LearnMany, {"sequences": [5]}, ["body", "sequences", 0]),
    (LearnMany, {"sequences": [{}]}, ["body", "sequences", 0, "events"]),
    (
        LearnMany,
        {"sequences": [{"events": [], "emotives": [{"joy": "high"}]}]},
        ["body", "sequences", 0, "emotives", 0, "joy"],
    ),
    (LearnMany, {"sequences": [{"events": [], "metadata": {}}]}, ["body", "sequences", 0, "metadata"]),
    (LearnMany, {"sequences": [{"events": [], "persistence": 101}]}, ["body", "sequences", 0, "persistence"]),
    (PredictMany, {}, ["body", "stms"]),
    (PredictMany, {"stms": [[["a"], "b"]]}, ["body", "stms", 0, 1]),
    (PredictMany, {"stms": [], "config": 5}, ["body", "config"]),
    (NoBody, 5, ["body"]),
]


@pytest.mark.parametrize(("shape", "body", "loc"), WRONG)
def test_a_wrong_member_is_named_where_it_stands(shape, body, loc):
    error = refused(shape, body)
    assert type(error) is InvalidInput
    assert [problem["loc"] for problem in error.problems] == [loc]
    assert error.details["validation_errors"][0]["field"] == ".".join(map(str, loc))


def test_what_may_be_null_is_absent_when_it_is():
    assert read(Observe, {"unique_id": None})[0] == read(Observe, {"unique_id": ""})[0] == Observe()
    made = read(CreateSession, {"node_id": "n", "ttl": None, "ttl_seconds": None, "config": None, "metadata": None})
    assert made == (CreateSession("n"), [])
    assert read(Extend, {"ttl": None})[0] == Extend()


def test_an_integer_is_a_number():
    found = read(Observe, {"vectors": [[1, 2.5]], "emotives": {"a": 3}})[0]
    assert (found.vectors, found.emotives) == ([[1.0, 2.5]], {"a": 3})


def test_duplicates_empty_strings_and_any_text_are_kept():
    strings = ["a", "a", "", "\u0000", "é", "e\u0301", "😀", " b "]
    assert read(Observe, {"strings": strings})[0].strings == strings


COUNTS = [
    (Observe, {"strings": [5] * 3}, "strings", 2, 3, "KATO_MAX_STRINGS"),
    (Observe, {"vectors": [5] * 2}, "vectors", 1, 2, "KATO_MAX_VECTORS"),
    (Observe, {"emotives": {"a": "x", "b": 1}}, "emotives", 1, 2, "KATO_MAX_EMOTIVES"),
    (ObserveSequence, {"observations": [5] * 3}, "observations", 2, 3, "KATO_MAX_SEQUENCE"),
    (
        ObserveSequence,
        {"observations": [{"strings": [5]}, {"strings": ["a"] * 3}]},
        "observations[1].strings",
        2,
        3,
        "KATO_MAX_STRINGS",
    ),
    (LearnMany, {"sequences": [5] * 3}, "sequences", 2, 3, "KATO_MAX_SEQUENCE"),
    (LearnMany, {"sequences": [[5], [["a"] * 3]]}, "sequences[1][0]", 2, 3, "KATO_MAX_STRINGS"),
    (LearnMany, {"sequences": [{"events": [["a"] * 3]}]}, "sequences[0].events[0]", 2, 3, "KATO_MAX_STRINGS"),
    (
        LearnMany,
        {"sequences": [{"events": [], "emotives": [{"a": 1, "b": 1}]}]},
        "sequences[0].emotives[0]",
        1,
        2,
        "KATO_MAX_EMOTIVES",
    ),
    (PredictMany, {"stms": [[]] * 3}, "stms", 2, 3, "KATO_MAX_MEMORIES"),
    (PredictMany, {"stms": [[["a"] * 3]]}, "stms[0][0]", 2, 3, "KATO_MAX_STRINGS"),
    (PredictMany, {"stms": [[[]] * 3]}, "stms[0]", 2, 3, "KATO_MAX_SEQUENCE"),
]


@pytest.mark.parametrize(("shape", "body", "field", "limit", "actual", "setting"), COUNTS)
def test_a_count_beyond_its_limit_goes_before_every_wrong_member(shape, body, field, limit, actual, setting):
    with pytest.raises(PayloadTooLarge) as found:
        read(shape, body, SMALL)
    facts = found.value.details
    assert (facts["field"], facts["limit"], facts["actual"], facts["setting"]) == (field, limit, actual, setting)


def test_a_count_in_a_late_item_goes_before_a_hundred_wrong_members():
    items = [{"strings": [0] * 200}, {"vectors": [[]] * 65}]
    with pytest.raises(PayloadTooLarge):
        read(ObserveSequence, {"observations": items})


VALUES = [
    (Observe, {"strings": ["ok", "ééé"]}, ["strings", 1], 4, 6, "KATO_MAX_SYMBOL_BYTES"),
    (Observe, {"emotives": {"abcde": 1}}, ["emotives", "abcde"], 4, 5, "KATO_MAX_SYMBOL_BYTES"),
    (Observe, {"vectors": [[1, 2, 3]]}, ["vectors", 0], 2, 3, "KATO_MAX_VECTOR_DIM"),
    (Observe, {"unique_id": "u" * 257}, ["unique_id"], 256, 257, "fixed"),
    (LearnMany, {"sequences": [[["ok"], ["a", "ééé"]]]}, ["sequences", 0, 1, 1], 4, 6, "KATO_MAX_SYMBOL_BYTES"),
    (CreateSession, {"node_id": "abcd"}, ["node_id"], 3, 4, "KATO_MAX_NODE_ID"),
]


@pytest.mark.parametrize(("shape", "body", "loc", "limit", "actual", "setting"), VALUES)
def test_a_value_beyond_its_limit_says_limit_actual_and_setting(shape, body, loc, limit, actual, setting):
    error = refused(shape, body, SMALL)
    assert type(error) is LimitExceeded
    assert error.problems[0]["loc"] == ["body", *loc]
    assert error.problems[0]["ctx"] == {"limit": limit, "actual": actual, "setting": setting}


def test_events_are_read_as_they_are_and_a_surrogate_among_them_is_refused():
    reader = Reader(SMALL)
    for events in ([], [[]], [["é", "日"], ["", "a"]]):
        assert reader.events(("body",), events) == events
    reader.finish()
    reader.events(("body",), [["a"], ["é", "\ud800"]])
    with pytest.raises(InvalidInput) as found:
        reader.finish()
    assert [problem["loc"] for problem in found.value.problems] == [["body", 1, 1]]


@pytest.mark.parametrize("member", [{"a": 1}, {"a": []}, [1]])
def test_metadata_is_as_deep_as_its_containers(member):
    """The object itself is level 1, so with a limit of 2 it may hold one level of containers more."""
    limits = Limits(max_metadata_depth=2)
    assert read(Observe, {"metadata": {"k": 1}}, Limits(max_metadata_depth=1))
    assert read(Observe, {"metadata": {"k": [1]}}, limits)
    error = refused(Observe, {"metadata": {"k": {"l": member}}}, limits)
    assert type(error) is LimitExceeded
    assert error.problems[0]["ctx"]["actual"] == (4 if member == {"a": []} else 3)


def test_a_wrong_member_besides_a_limit_is_a_validation_error_with_both():
    error = refused(Observe, {"strings": ["abcde", 5]}, SMALL)
    assert type(error) is InvalidInput
    assert len(error.problems) == 2


def test_what_was_refused_is_shown_cut_to_200_characters():
    for value in ("x" * 5000, [["y" * 100] * 100] * 100, {"k" * 5000: 1}, 10**4000, [10**4000]):
        shown = refused(Observe, {"unique_id": value}).problems[0]["input"]
        assert len(str(shown)) == 200


def test_a_refusal_stays_small_however_much_is_wrong():
    error = refused(ObserveSequence, {"observations": [{"strings": [0] * 50}] * 50})
    assert len(error.problems) == 100


def test_unknown_members_are_named_where_they_stand():
    body = {"observations": [{}, {"foo": 1}], "bar": None, "learn_at_end": False}
    assert read(ObserveSequence, body)[1] == [
        "unknown key 'bar' was ignored",
        "unknown key 'observations[1].foo' was ignored",
    ]
    assert read(ConfigUpdate, {"config": {}, "extra": 1})[1] == ["unknown key 'extra' was ignored"]
    assert read(NoBody, {"a": 1})[1] == ["unknown key 'a' was ignored"]


def test_of_very_many_unknown_members_the_rest_is_counted():
    warnings = read(Observe, {f"k{number}": 0 for number in range(1_234)})[1]
    assert len(warnings) == 1001
    assert warnings[-1] == "234 more unknown keys were ignored"


@pytest.mark.parametrize("shape", [Extend, NoBody])
@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
def test_a_body_that_may_be_absent_is_an_empty_object(shape, body):
    assert read(shape, body) == (shape(), [])


@pytest.mark.parametrize("shape", [Observe, ObserveSequence, CreateSession, ConfigUpdate, EditPattern, LearnMany])
def test_a_required_body_that_is_absent_is_refused(shape):
    error = refused(shape, b" ")
    assert error.problems[0]["loc"] == ["body"]
    assert error.problems[0]["type"] == "missing"


def test_operations_and_shapes_agree_on_whether_a_body_may_be_absent():
    from kato.operations import OPERATIONS

    for operation in OPERATIONS:
        if operation.request is not None:
            assert operation.body_required is not operation.request.MAY_BE_ABSENT, operation.template


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
MEMBERS = st.sampled_from(
    [
        "strings",
        "vectors",
        "emotives",
        "metadata",
        "observations",
        "node_id",
        "config",
        "ttl",
        "sequences",
        "events",
        "?",
    ]
)


@given(st.dictionaries(MEMBERS, JSON, max_size=4) | JSON)
def test_any_json_is_read_or_refused_and_what_is_read_is_what_was_sent(value):
    body = json.dumps(value).encode()
    for shape in (
        CreateSession,
        ConfigUpdate,
        Extend,
        Observe,
        ObserveSequence,
        EditPattern,
        LearnMany,
        PredictMany,
        BulkSequence,
    ):
        try:
            found, _ = read_body(shape, body, LIMITS)
        except (InvalidInput, PayloadTooLarge):
            continue
        if isinstance(found, Observe):
            assert found.strings == value.get("strings", [])
            assert found.metadata == value.get("metadata", {})
            assert found.emotives == value.get("emotives", {})


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body):
    try:
        found, _ = read_body(Observe, body, LIMITS)
    except InvalidInput:
        return
    assert isinstance(found, Observe)
