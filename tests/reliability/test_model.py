"""A sample of `python -m harness.model`, and that it notices when a memory differs from the model."""

from __future__ import annotations

import pytest

from harness.model import Embedded, Http, run
from kato.service import session_state
from kato.storage.sqlite_sessions import SessionTables


@pytest.mark.no_cover
@pytest.mark.parametrize(("machine", "examples"), [(Embedded, 30), (Http, 10)], ids=["embedded", "http"])
def test_a_memory_holds_what_the_model_holds(machine, examples):
    run(machine, examples=examples, steps=50, chosen=3)


def loses_steps(monkeypatch):
    """A session is stored without what it observed last."""
    append = SessionTables._append
    monkeypatch.setattr(SessionTables, "_append", lambda self, session_id, steps: append(self, session_id, steps[:-1]))


def loses_the_time(monkeypatch):
    """Observations are not counted across a restart."""
    decode = session_state.decode_state

    def decoded(record):
        found = decode(record)
        return session_state.replace(found, memory=session_state.replace(found.memory, time=0))

    monkeypatch.setattr("kato.service.sessions.decode_state", decoded)


def never_expires(monkeypatch):
    """Sessions outlive their time."""
    for module in ("session", "sessions", "expiries"):
        monkeypatch.setattr(f"kato.service.{module}.SECOND", 10**9)


@pytest.mark.no_cover
@pytest.mark.parametrize("break_it", [loses_steps, loses_the_time, never_expires])
def test_a_broken_memory_is_noticed(monkeypatch, break_it):
    break_it(monkeypatch)
    with pytest.raises(Exception):  # noqa: B017 - however the difference shows
        run(Embedded, examples=150, steps=50, chosen=5, shrink=False)
