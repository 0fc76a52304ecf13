"""Exact sums, settings, explanations: what the rules stand on."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kato.engine.exact import mean, to_float, total
from kato.engine.explanation import Explanation
from kato.engine.matching import choose, native_knowledge
from kato.engine.matching.plain import PlainKnowledge
from kato.engine.prediction import Encode, FuturePotential, Prediction, Predictions, SymbolPotential
from kato.engine.settings import DEFAULTS, KEYS, merge_overrides, resolve, shown, split_unknown
from kato.errors import InvalidSettings

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, max_size=8))
def test_rule_6_5_sums_are_rounded_once(values):
    assert total(values) == to_float(sum(map(Fraction, values), Fraction(0)))
    assert total(values) == total(reversed(values))


@given(st.lists(finite, min_size=1, max_size=8))
def test_means_stay_in_range(values):
    found = mean(values)
    assert math.isfinite(found)
    assert min(values) - abs(min(values)) * 1e-15 <= found <= max(values) + abs(max(values)) * 1e-15 or found == 0


@given(st.lists(st.sampled_from([1.1e308, -1.3e308, 1.7e308, -1.6e308, 3.3]), min_size=1, max_size=7), st.randoms())
def test_rule_6_5_means_have_no_order_even_where_a_partial_sum_leaves_the_range(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    assert mean(shuffled) == mean(values)


def test_sums_beyond_the_range_are_the_largest_double():
    assert total([1.7e308, 1.7e308]) == 1.7976931348623157e308
    assert total([-1.7e308, -1.7e308]) == -1.7976931348623157e308
    assert math.copysign(1, total([-0.0])) == 1
    assert total([1e308, 1e308, -1e308]) == 1e308
    assert mean([1.7e308, 1.7e308]) == 1.7e308
    assert mean([]) == 0
    assert mean([1e308, 1e308, -1e308]) == mean([1e308, -1e308, 1e308]) == 1e308 / 3


def test_the_defaults_are_valid_and_complete():
    settings, effective, warnings = resolve({})
    assert list(effective) == [key.name for key in KEYS] == list(DEFAULTS)
    assert resolve(effective)[0] == settings
    assert warnings == []


def test_unknown_modes_are_read_as_clear_with_a_warning():
    settings, effective, warnings = resolve({"stm_mode": "rolling"})
    assert settings.stm_mode == effective["stm_mode"] == "CLEAR"
    assert "'rolling'" in warnings[0]


def test_the_number_of_hashes_follows_the_layout():
    assert resolve({"minhash_bands": 10})[0].minhash_num_hashes == 50
    assert resolve({"minhash_bands": 10, "minhash_num_hashes": 50})[0].minhash_num_hashes == 50
    with pytest.raises(InvalidSettings) as refused:
        resolve({"minhash_num_hashes": 9})
    assert list(refused.value.errors) == ["minhash_num_hashes"]
    least = resolve({"minhash_bands": 1, "minhash_rows": 1})[1]
    assert least["minhash_num_hashes"] == 1
    assert resolve(least)[1] == least
    with pytest.raises(InvalidSettings) as refused:
        resolve({"minhash_bands": 10, "minhash_num_hashes": 100})
    assert list(refused.value.errors) == ["minhash_num_hashes"]


def test_every_bad_key_is_named():
    with pytest.raises(InvalidSettings) as refused:
        resolve(
            {"recall_threshold": 2, "vector_dim": 0, "minhash_rows": 0, "rank_sort_algo": "x", "affinity_emotive": 1}
        )
    assert sorted(refused.value.errors) == sorted(
        ["recall_threshold", "vector_dim", "minhash_rows", "rank_sort_algo", "affinity_emotive"]
    )


def test_rule_6_4_weighted_rankings_need_an_affinity():
    with pytest.raises(InvalidSettings):
        resolve({"rank_sort_algo": "weighted_snr"})
    assert resolve({"rank_sort_algo": "weighted_snr", "affinity_emotive": "joy"})[0].affinity_emotive == "joy"


def test_overrides_merge_and_null_takes_them_back():
    assert merge_overrides({"persistence": 3}, {"persistence": None, "max_predictions": 2}) == {"max_predictions": 2}
    assert split_unknown({"persistence": 1, "odd": 2}) == ({"persistence": 1}, ["odd"])


def test_refused_values_are_shown_short():
    assert shown(None) == "null"
    assert shown(True) == "true"
    assert len(shown("x" * 500)) == 80


def test_an_explanation_prints_as_a_tree():
    tree = Explanation(0.5, "half", (Explanation(1, "one"), Explanation(2, "two")))
    assert str(tree).splitlines() == ["0.5  half", "  1  one", "  2  two"]


def test_the_engine_is_chosen_by_name():
    assert choose("plain") is PlainKnowledge
    if native_knowledge() is not None:
        assert choose("native") is choose(None) is native_knowledge()
    with pytest.raises(InvalidSettings):
        choose("quantum")


def test_without_a_kernel_the_plain_engine_serves_and_the_native_one_is_refused(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert choose(None) is PlainKnowledge
    with pytest.raises(InvalidSettings):
        choose("native")


class Leaving:
    """Makes what was left for later, and counts how often."""

    FUTURES = (FuturePotential((("b",),), 1.0, 1, 0.5, 2.0, ("n",)),)
    SYMBOLS = (SymbolPotential("b", 2.0, 1, ("n",)),)

    def __init__(self) -> None:
        self.made: list[str] = []

    def ranked(self) -> tuple[Prediction, ...]:
        self.made.append("ranked")
        return ()

    def potentials(self) -> tuple[tuple[FuturePotential, ...], tuple[SymbolPotential, ...]]:
        self.made.append("potentials")
        return self.FUTURES, self.SYMBOLS

    def written(self, encode: Encode) -> tuple[bytes, bytes, bytes] | None:
        return encode({}, {}), b"2", b"3"


def test_what_is_left_for_later_is_made_once_when_asked_for():
    leaving = Leaving()
    later = object.__new__(Predictions)
    for name, value in {"considered": 3, "ensemble_size": 1, "examined": 2, "_later": leaving}.items():
        object.__setattr__(later, name, value)
    assert leaving.made == []
    assert later.symbol_potentials == Leaving.SYMBOLS
    assert later.future_potentials == Leaving.FUTURES
    assert leaving.made == ["potentials"]
    assert later == Predictions((), Leaving.FUTURES, Leaving.SYMBOLS, 3, 1, 7)
    assert repr(later) == repr(Predictions((), Leaving.FUTURES, Leaving.SYMBOLS, 3, 1, 2))
    assert later.ranked == ()
    assert leaving.made == ["potentials", "ranked"]
    assert later.written(lambda _, __: b"1") == (b"1", b"2", b"3")
    assert Predictions((), (), (), 0, 0, 0).written(lambda _, __: b"1") is None
    with pytest.raises(AttributeError, match="no attribute 'potential'"):
        later.potential  # noqa: B018
