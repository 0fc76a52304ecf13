"""A sample of `python -m harness.golden`: the digests that are checked in, under two hash seeds."""

from __future__ import annotations

from copy import deepcopy

from harness.golden import digest, gather, golden, judge


def test_every_door_engine_and_hash_seed_gives_the_bytes_that_are_checked_in():
    found = gather(("7", "99"))
    assert len(found) >= 12
    assert judge(found, golden()) == []


def test_a_digest_tells_the_last_bit_of_a_number_and_the_order_of_members():
    """The control: what differs by nature alone makes no difference, and everything else does."""
    answer = {"predictions": [{"name": "x", "potential": 0.1}], "session_id": "s"}
    expected = digest([answer])
    assert digest([{**answer, "session_id": "t"}]) == expected
    changed = deepcopy(answer)
    changed["predictions"][0]["potential"] = 0.1 + 2**-56
    assert digest([changed]) != expected
    assert digest([{"predictions": [{"potential": 0.1, "name": "x"}]}]) != expected
    assert judge({"server, history": "0", "server, questions": "1"}, {"history": "0", "questions": "0"}) == [
        "server, questions: 1, not 0"
    ]
