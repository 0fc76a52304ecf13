"""A sample of `python -m harness.crowd`, and that it notices lost and doubled work."""

from __future__ import annotations

import pytest

from harness.command import Broken
from harness.crowd import learn_one_pattern, one_session, run
from kato import Kato
from kato.service.sessions import Sessions
from kato.storage import sqlite_writing
from kato.storage.folding import learned


def test_a_crowd_loses_nothing_and_second_processes_are_refused():
    said = []
    run(clients=16, learns=10, rounds=60, seed=3, say=said.append)
    assert said[0] == "held: frequency 160"
    assert len(said) == 6


def embedded(directory):
    """Threads share one embedded memory; closing it is left to the end of the test."""
    memory = Kato(directory)

    class Shared:
        def __enter__(self):
            return memory

        def __exit__(self, *_):
            pass

    return memory, Shared


def test_threads_on_one_embedded_memory_lose_nothing(tmp_path):
    memory, connect = embedded(tmp_path)
    with memory:
        assert learn_one_pattern(connect, 8, 20) == 160
        assert one_session(connect, 80, clearing=True, node="n", seed=1)["observed"] == 80


def test_a_learning_that_does_not_count_is_noticed(tmp_path, monkeypatch):
    def forgetful(operation, before, name):
        return before if before is not None and before.frequency == 30 else learned(operation, before, name)

    monkeypatch.setattr(sqlite_writing, "learned", forgetful)
    memory, connect = embedded(tmp_path)
    with memory, pytest.raises(Broken, match="frequency is 30"):
        learn_one_pattern(connect, 4, 20)


def test_a_state_that_is_not_kept_is_noticed(tmp_path, monkeypatch):
    record = Sessions.record

    async def forgetful(self, session, state, transaction, *, fields):
        before = session.state
        committed = await record(self, session, state, transaction, fields=fields)
        if state.memory.time == 7:
            session.state = before
        return committed

    monkeypatch.setattr(Sessions, "record", forgetful)
    memory, connect = embedded(tmp_path)
    with memory, pytest.raises(Exception):  # noqa: B017 - the storage may notice before the harness does
        one_session(connect, 60, clearing=False, node="n", seed=1)
