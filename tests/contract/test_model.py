"""Every storage against the one that is easiest to read, on generated histories; closing and opening changes nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.asking import everything, repeat
from kato.engine.event import vector_name
from kato.engine.pattern import Pattern, pattern_name
from kato.storage.interface import (
    Edit,
    Forget,
    ForgetAll,
    Learn,
    Restore,
    SessionChange,
    SessionCreate,
    SessionEnd,
    SessionRecord,
    SessionTouch,
    Transaction,
)
from kato.storage.memory import MemoryStorage
from kato.storage.opening import open_storage

VECTORS = {vector_name(components): components for components in ((1.0,), (0.5, -2.0))}
CONTENTS = (
    (("a",), ("b",)),
    (("b", "c"),),
    *(((name,), ("a",)) for name in VECTORS),
    ((*VECTORS, "a"),),
)
NODES = ("node", "Node", "nul\0")
SESSIONS = ("s", "t")

times = st.integers(1, 100)
emotives = st.lists(st.dictionaries(st.sampled_from(["joy", "fear"]), st.floats(-1, 1), min_size=1), max_size=3)
metadata = st.lists(
    st.dictionaries(st.sampled_from(["k", "l"]), st.none() | st.integers() | st.text(max_size=3), min_size=1),
    max_size=2,
)


@st.composite
def learnings(draw):
    events = draw(st.sampled_from(CONTENTS))
    known = [symbol for event in events for symbol in event if symbol in VECTORS and draw(st.booleans())]
    return Learn(
        events,
        tuple(draw(emotives)),
        tuple(draw(metadata)),
        persistence=draw(st.integers(1, 5)),
        vectors={name: VECTORS[name] for name in known},
    )


names = st.sampled_from([*map(pattern_name, CONTENTS), "0" * 40])
edits = st.builds(
    Edit,
    names,
    frequency=st.none() | st.integers(1, 2**53),
    emotives=st.none() | emotives.map(tuple),
    metadata=st.none() | st.dictionaries(st.sampled_from(["k", "m"]), st.integers()),
)


@st.composite
def restorings(draw):
    """A state that a pattern may never have had; the storage puts it there all the same."""
    events = draw(st.sampled_from(CONTENTS))
    name = pattern_name(events)
    felt = draw(st.dictionaries(st.just("joy"), st.fractions(), max_size=1))
    state = Pattern(name, events, draw(st.integers(1, 9)), tuple(draw(emotives)), {"k": ("v",)}, felt)
    known = {symbol: VECTORS[symbol] for event in events for symbol in event if symbol in VECTORS}
    return Restore(name, events, draw(st.none() | st.just(state)), draw(times), vectors=known)


operations = learnings() | learnings() | edits | st.builds(Forget, names) | st.just(ForgetAll()) | restorings()
steps = st.lists(st.binary(max_size=3), max_size=3)


@st.composite
def session_operations(draw):
    session_id, at = draw(st.sampled_from(SESSIONS)), draw(times)
    kind = draw(st.sampled_from([SessionCreate, SessionChange, SessionTouch, SessionEnd]))
    if kind is SessionCreate:
        content = tuple(enumerate(draw(steps)))
        node = draw(st.sampled_from(NODES))
        return SessionCreate(SessionRecord(session_id, node, at, at, at + draw(times), 1, b"profile", b"", content))
    if kind is SessionChange:
        # Ordinals ascend: whoever appends small ones has dropped what was there.
        begins_anew = draw(st.booleans())
        return SessionChange(
            session_id,
            draw(st.integers(1, 2)),
            at,
            at + draw(times),
            2,
            profile=draw(st.none() | st.binary(max_size=3)),
            head=draw(st.none() | st.binary(max_size=3)),
            append=tuple(enumerate(draw(steps))) if begins_anew else (),
            keep_from=10 if begins_anew else draw(st.none() | st.integers(0, 3)),
        )
    if kind is SessionTouch:
        return SessionTouch(session_id, at, at + draw(times))
    return SessionEnd(session_id, draw(st.sampled_from(["deleted", "expired"])), at, at + draw(st.integers(0, 50)))


transactions = st.builds(
    Transaction,
    times,
    st.sampled_from(NODES),
    st.lists(operations, max_size=5).map(tuple),
    session_id=st.sampled_from([None, *SESSIONS]),
    sessions=st.lists(session_operations(), max_size=2).map(tuple),
)


def told(store):
    """Everything that can be asked."""
    return (
        store.nodes(),
        [everything(store, node) for node in NODES],
        [(store.session(each), store.ended_session(each)) for each in SESSIONS],
        [(store.count_sessions(now=now), store.sessions(now=now), store.due_sessions(now=now)) for now in (1, 50, 150)],
        [store.count_sessions(now=50, node_id=node) for node in NODES],
    )


@pytest.mark.no_cover
@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(transactions, min_size=1, max_size=4), max_size=6), st.integers(0, 6))
def test_a_file_tells_what_dictionaries_tell_and_tells_it_again_after_opening(groups, reopen):
    model = MemoryStorage()
    with tempfile.TemporaryDirectory() as directory:
        store = open_storage(Path(directory))
        for position, group in enumerate(groups):
            expected, found = model.commit(group, durable=False), store.commit(group, durable=False)
            assert list(map(type, found)) == list(map(type, expected))
            assert [getattr(each, "changes", ()) for each in found] == [
                getattr(each, "changes", ()) for each in expected
            ]
            assert told(store) == told(model)
            if position == reopen:
                store.close()
                store = open_storage(Path(directory))
                assert told(store) == told(model)
        for node in NODES:
            store.verify_log(node)
            copy = MemoryStorage()
            repeat(store.log(node, limit=10**6), copy)
            assert everything(copy, node)[1:3] == everything(store, node)[1:3]
        store.close()
