"""A sample of `python -m harness.cuts` and `harness.repeats`, and that they notice when keys are not honoured."""

from __future__ import annotations

import pytest

from harness import cuts, repeats
from harness.command import Broken
from harness.proxy import STAGES


def silently(_: str) -> None:
    pass


def test_a_call_whose_connection_is_cut_has_one_effect():
    counts = cuts.run(60, seed=5, say=silently)
    assert counts["calls"] == 60
    assert sum(counts[stage] for stage in STAGES) > 0


def test_without_keys_it_has_more():
    with pytest.raises(Broken):
        cuts.run(60, seed=5, without="keys", say=silently)


def test_a_call_that_a_dead_server_did_not_answer_has_one_effect_when_it_is_repeated():
    counts = repeats.run(4, seed=5, say=silently)
    assert (counts["kills"], counts["repeated"] > 0) == (4, True)
    assert counts["had been stored"] > 0


def test_without_memory_of_keys_it_has_more():
    with pytest.raises(Broken):
        repeats.run(10, seed=5, without="memory", say=silently)
