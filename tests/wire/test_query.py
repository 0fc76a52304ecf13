"""Query parameters are read as strictly as bodies."""

from __future__ import annotations

import pytest

from kato.errors import InvalidInput
from kato.wire.reading import Parameter, read_query

PARAMETERS = (
    Parameter("limit", "integer", default=100, minimum=1, maximum=1000),
    Parameter("recall", "number", minimum=0, maximum=1),
    Parameter("explain", "boolean", default=False),
    Parameter("sort", "string", default="name", choices=("name", "-name")),
    Parameter("search", "string"),
    Parameter("symbol", "string", default=(), repeatable=True),
)


def test_absent_parameters_have_their_defaults():
    values, warnings = read_query(PARAMETERS, ())
    assert values == {"limit": 100, "recall": None, "explain": False, "sort": "name", "search": None, "symbol": ()}
    assert warnings == []


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("limit", "1", 1),
        ("limit", "1000", 1000),
        ("recall", "0", 0.0),
        ("recall", "1e-3", 0.001),
        ("recall", "0.5", 0.5),
        ("explain", "true", True),
        ("explain", "false", False),
        ("sort", "-name", "-name"),
        ("search", "", ""),
        ("search", " a+b ", " a+b "),
    ],
)
def test_a_parameter_is_what_its_text_says(name, text, value):
    assert read_query(PARAMETERS, [(name, text)])[0][name] == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("limit", ""),
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "5.0"),
        ("limit", "1_0"),
        ("limit", " 5"),
        ("limit", "٣"),
        ("limit", "9" * 5000),
        ("recall", "nan"),
        ("recall", "inf"),
        ("recall", "1e999"),
        ("recall", "1.01"),
        ("recall", "-0.1"),
        ("recall", ".5"),
        ("recall", "0_1"),
        ("explain", "1"),
        ("explain", "True"),
        ("explain", ""),
        ("sort", "Name"),
        ("search", "\udcff"),
    ],
)
def test_a_wrong_parameter_is_named(name, text):
    with pytest.raises(InvalidInput) as refused:
        read_query(PARAMETERS, [(name, text), ("other", "1")])
    (problem,) = refused.value.problems
    assert problem["loc"] == ["query", name]
    assert len(problem["input"]) <= 200
    assert "\udcff" not in problem["input"]


def test_a_parameter_may_be_given_once_unless_it_is_repeatable():
    assert read_query(PARAMETERS, [("symbol", "b"), ("symbol", "a")])[0]["symbol"] == ("b", "a")
    with pytest.raises(InvalidInput, match=r"query\.limit: may be given once"):
        read_query(PARAMETERS, [("limit", "5"), ("limit", "5")])


def test_unknown_parameters_are_named_once_each():
    warnings = read_query(PARAMETERS, [("a", "1"), ("b\udcff", ""), ("a", "2")])[1]
    assert warnings == ["unknown query parameter 'a' was ignored", "unknown query parameter 'b?' was ignored"]
