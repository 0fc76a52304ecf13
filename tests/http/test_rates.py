"""How often somebody may ask, counted second by second."""

from __future__ import annotations

import random

import pytest

from kato.server.rates import Rates, network_of


def test_as_many_as_the_limit_are_let_in_and_the_next_when_it_was_told():
    rates = Rates(3)
    assert [rates.admit("a", now) for now in (100.2, 100.9, 130.0)] == [0, 0, 0]
    wait = rates.admit("a", 140.5)
    assert wait == 21, "until the second of the first is wholly past: 161"
    assert rates.admit("b", 140.5) == 0
    assert rates.admit("a", 140.5 + wait - 1) > 0
    assert rates.admit("a", 140.5 + wait) == 0
    assert rates.admit("a", 140.5 + wait) == 0, "both of second 100 are past"
    assert rates.admit("a", 140.5 + wait) > 0


@pytest.mark.parametrize("seed", range(5))
def test_in_no_sixty_seconds_more_than_the_limit_are_let_in_and_waiting_as_told_always_helps(seed):
    chance, rates, now, let_in = random.Random(seed), Rates(20), 1000.0, []
    for _ in range(3000):
        now += chance.expovariate(0.7)
        wait = rates.admit("a", now)
        if wait == 0:
            let_in.append(now)
        elif chance.random() < 0.1:
            assert 1 <= wait <= 61
            now += wait
            assert rates.admit("a", now) == 0
            let_in.append(now)
    assert len(let_in) > 500
    for first, last in zip(let_in, let_in[20:], strict=False):
        assert last - first > 60


def test_what_is_remembered_is_bounded_and_the_one_silent_longest_is_forgotten():
    rates = Rates(1, most=100)
    for number in range(10_000):
        assert rates.admit(str(number), 1.0) == 0
        if number >= 50:
            assert rates.admit("steady", 1.0) == (0 if number == 50 else 61)
    assert len(rates) == 100
    busy = Rates(10**9)
    for number in range(10_000):
        busy.admit("a", number / 10)
    assert len(busy._callers["a"].seconds) <= 61


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("unknown", "unknown", True),
    ],
)
def test_a_machine_counts_once_however_many_addresses_it_takes(one, other, same):
    assert (network_of(one) == network_of(other)) == same
