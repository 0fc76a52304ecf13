"""A sample of `python -m harness.faulty`, and that it notices a client without deadlines or errors without types."""

from __future__ import annotations

import pytest

from harness import faulty
from kato.client import exchange, sync


def test_every_method_meets_every_fault_with_an_error_of_its_own_in_time():
    counts, wrong = faulty.run(5, share=0.02)
    assert not wrong
    assert counts.total() > 50


def test_methods_are_found_in_the_classes(monkeypatch):
    class Client(faulty.KATOClient):
        def added(self):
            """A method of tomorrow."""

    monkeypatch.setattr(faulty, "KATOClient", Client)
    assert faulty.Method("client", "added") in faulty.methods()
    assert {each.owner for each in faulty.methods()} == {"client", "node", "session"}


def dripping(fault):
    return fault.name == "dripping for ever"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_call_without_a_deadline_is_noticed(monkeypatch, kind):
    """As what the harness does --without deadline, for the one fault that never ends."""
    monkeypatch.setattr(faulty, "SLACK", 1.0)
    (fault,) = filter(dripping, faulty.faults())
    server = faulty.FaultyServer(fault)
    try:
        for deadline, expected in ((1.0, None), (3.0, "took")):
            outcome, seconds = faulty.call(kind, faulty.Method("client", "status"), server.url, (0.3, deadline))
            found = faulty.judge(fault, outcome, seconds)
            assert (found or "None").startswith(str(expected)), found
    finally:
        server.close()


def untyped(monkeypatch):
    """A cut answer comes out as what the JSON library says."""
    monkeypatch.setattr(exchange, "_object", lambda reply: exchange.json.loads(reply.content))


def without_trace(monkeypatch):
    """Errors do not say under which id the server has them in its log."""
    read = exchange.read

    def forgetful(request, reply):
        found = read(request, reply)
        if isinstance(found, Exception):
            found.trace_id = None
        return found

    monkeypatch.setattr("kato.client.retrying.read", forgetful)


@pytest.mark.parametrize("break_it", [untyped, without_trace])
def test_a_broken_client_is_noticed(monkeypatch, break_it):
    break_it(monkeypatch)
    _, wrong = faulty.run(5, share=0.02)
    assert wrong


def test_a_head_that_arrives_for_ever_is_given_up_at_the_deadline():
    """No timeout of the HTTP library sees it, since something arrives all the time."""
    server = faulty.FaultyServer(faulty.Fault("", (), b"HTTP/1.1 200 OK\r\n" * 500, piece=1))
    try:
        outcome, _ = faulty.call("sync", faulty.Method("client", "status"), server.url, (0.5, 1.0))
        assert isinstance(outcome, faulty.DeadlineExceeded)
    finally:
        server.close()
    assert sync._within(30, lambda: 7) == 7
