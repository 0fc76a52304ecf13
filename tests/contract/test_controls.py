"""The suite can fail: storages that break one promise each, and a test of `test_storage.py` that notices."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from contract import test_storage
from kato.errors import KATOError
from kato.storage.interface import Committed, Forget, Learn, LogEntry
from kato.storage.memory import MemoryStorage

SUITE = {
    name: test
    for name, test in vars(test_storage).items()
    if name.startswith("test_") and list(inspect.signature(test).parameters) == ["store"]
}


class LeavesHalf(MemoryStorage):
    """A failing transaction leaves what it did before it failed."""

    def commit(self, transactions, *, durable, tidy=True):
        results = []
        for transaction in transactions:
            parts = [transaction._replace(operations=(each,), sessions=()) for each in transaction.operations]
            done = super().commit([*parts, transaction._replace(operations=())], durable=durable)
            failed = [each for each in done if isinstance(each, Exception)]
            made = tuple(change for each in done if isinstance(each, Committed) for change in each.changes)
            results.append(failed[0] if failed else Committed(made))
        return results


class StopsAtAFailure(MemoryStorage):
    """What comes after a failing transaction in its group does not happen."""

    def commit(self, transactions, *, durable, tidy=True):
        results = super().commit(transactions[:1], durable=durable)
        if isinstance(results[0], KATOError):
            return [results[0]] * len(transactions)
        return results + (self.commit(transactions[1:], durable=durable) if transactions[1:] else [])


class ForgetsLearnings(MemoryStorage):
    """A second learning of a sequence does not count."""

    def commit(self, transactions, *, durable, tidy=True):
        def is_known(node_id, operation):
            loaded = self.load(node_id)
            return isinstance(operation, Learn) and any(each.events == operation.events for each in loaded.patterns)

        kept = [
            each._replace(operations=tuple(one for one in each.operations if not is_known(each.node_id, one)))
            for each in transactions
        ]
        return super().commit(kept, durable=durable)


class MixesNodes(MemoryStorage):
    """Node ids that differ in case are one node."""

    def commit(self, transactions, *, durable, tidy=True):
        lower = [each._replace(node_id=each.node_id and each.node_id.lower()) for each in transactions]
        return super().commit(lower, durable=durable)

    def load(self, node_id):
        return super().load(node_id.lower())


class CutsNodesAtNul(MemoryStorage):
    """A node id ends where C would end it."""

    def commit(self, transactions, *, durable, tidy=True):
        cut = [each._replace(node_id=each.node_id and each.node_id.split("\0")[0]) for each in transactions]
        return super().commit(cut, durable=durable)

    def load(self, node_id):
        return super().load(node_id.split("\0")[0])


class LogsTooLittle(MemoryStorage):
    """The log does not tell what was felt."""

    def log(self, node_id, *, after=0, limit=1000):
        rows = super().log(node_id, after=after, limit=limit)
        return [
            replace(row, payload=row.payload.replace(b'"emotives"', b'"e"')) if isinstance(row, LogEntry) else row
            for row in rows
        ]


class TellsNobody(MemoryStorage):
    """Listeners hear nothing."""

    def listen(self, listener):
        pass


class KeepsVectors(MemoryStorage):
    """Vectors outlive their patterns."""

    def __init__(self):
        super().__init__()
        self._seen = {}

    def load(self, node_id):
        loaded = super().load(node_id)
        self._seen |= loaded.vectors
        return replace(loaded, vectors=dict(self._seen))


class IgnoresVersions(MemoryStorage):
    """Whoever changes a session last wins."""

    def commit(self, transactions, *, durable, tidy=True):
        def current(operation):
            held = self.session(getattr(operation, "session_id", ""))
            has_version = held is not None and hasattr(operation, "expected_version")
            return operation._replace(expected_version=held.version) if has_version else operation

        free = [each._replace(sessions=tuple(map(current, each.sessions))) for each in transactions]
        return super().commit(free, durable=durable)


class ForgetsEnds(MemoryStorage):
    """How a session ended is not remembered."""

    def ended_session(self, session_id, **more):
        return None


class ShowsEverybodysSessions(MemoryStorage):
    """Whose sessions they are does not matter."""

    def sessions(self, *, visible=None, **more):
        return super().sessions(**more)


class TellsOfEverybodysEnds(MemoryStorage):
    """Nor does it of those that have ended."""

    def ended_session(self, session_id, **more):
        return super().ended_session(session_id)


class CountsTheExpired(MemoryStorage):
    """A session whose time has come still counts as alive."""

    def count_sessions(self, *, now, **more):
        return super().count_sessions(now=now - 1, **more)


class KeepsRepliesOfFailures(MemoryStorage):
    """A reply is remembered although its transaction failed."""

    def commit(self, transactions, *, durable, tidy=True):
        results = super().commit(transactions, durable=durable)
        for transaction, result in zip(transactions, results, strict=True):
            if isinstance(result, Exception) and transaction.reply is not None and not callable(transaction.reply):
                super().commit([transaction._replace(operations=(), sessions=())], durable=durable)
        return results


class AnswersWhenClosed(MemoryStorage):
    """Closing means nothing."""

    def close(self):
        pass


class ForgetsUnknown(MemoryStorage):
    """Forgetting what was never learned passes silently."""

    def commit(self, transactions, *, durable, tidy=True):
        def known(node_id, operation):
            return not isinstance(operation, Forget) or self.pattern(node_id, operation.name) is not None

        kept = [
            each._replace(operations=tuple(one for one in each.operations if known(each.node_id, one)))
            for each in transactions
        ]
        return super().commit(kept, durable=durable)


BROKEN = [each for each in vars().values() if inspect.isclass(each) and MemoryStorage in each.__bases__]


def failures(kind):
    """Names of the tests that a storage fails."""
    failed = []
    for name, test in SUITE.items():
        store = kind()
        try:
            test(store)
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - however it fails
            failed.append(name)
        store.close()
    return failed


def test_the_whole_suite_passes_on_a_sound_storage():
    assert len(SUITE) >= 20
    assert failures(MemoryStorage) == []


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_promise_is_noticed(kind):
    assert failures(kind)
