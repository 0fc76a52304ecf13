"""How the tests here talk to a storage."""

from __future__ import annotations

from kato.storage import records
from kato.storage.interface import SessionChange, SessionCreate, SessionRecord, Transaction

AB = (("a",), ("b",))
CD = (("c", "d"),)
NOWHERE = "0" * 40
"""A name no pattern has."""


def commit(store, *operations, node="node", at=1, session=None, **more):
    (result,) = store.commit([Transaction(at, node, operations, session_id=session, **more)], durable=False)
    if isinstance(result, Exception):
        raise result
    return result.changes


def patterns(store, node="node"):
    return list(store.load(node).patterns)


def record(session_id="s", node="node", created=1, expires=100, **more):
    return SessionRecord(session_id, node, created, created, expires, 10, b"profile", b"head", **more)


def create(store, *made):
    for each in made:
        (result,) = store.commit([Transaction(1, sessions=(SessionCreate(each),))], durable=False)
        assert not isinstance(result, Exception)


def change(session_id="s", version=1, **more):
    return SessionChange(session_id, version, last_accessed=2, expires_at=200, ttl_seconds=20, **more)


def everything(store, node="node"):
    """All that can be seen of a node."""
    loaded = store.load(node)
    return (
        loaded.head,
        list(loaded.patterns),
        dict(loaded.vectors),
        store.node(node),
        store.log(node, limit=10**6),
    )


def repeat(entries, store):
    """Do again, on another storage, what a log tells."""
    for entry in entries:
        operation = records.replayed(entry, lambda name, node=entry.node_id: store.pattern(node, name).events)
        commit(store, operation, node=entry.node_id, at=entry.at, session=entry.session_id, actor=entry.actor)
