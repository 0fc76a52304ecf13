"""What a storage promises, asked of every one."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from contract.asking import AB, CD, NOWHERE, change, commit, create, everything, patterns, record, repeat
from kato.engine.event import vector_name
from kato.engine.pattern import pattern_name
from kato.errors import PatternNotFound, SessionNotFound, StorageUnavailable
from kato.storage.interface import (
    Edit,
    Forget,
    ForgetAll,
    Learn,
    OtherLog,
    Reply,
    SessionChanged,
    SessionCounts,
    SessionCreate,
    SessionEnd,
    SessionTouch,
    Transaction,
    Visible,
)
from kato.storage.memory import MemoryStorage

HOSTILE = (
    "'; DROP TABLE node; --",
    "nul\0a",
    "nul\0b",
    "🧠",
    "a/b",
    "é",
    "e\u0301",
    "日本",
    "%_",
    '"',
    "\\",
    " ",
    "node",
    "NODE",
)


def test_a_first_learning_makes_a_pattern_and_later_ones_raise_its_frequency(store):
    (first,) = commit(store, Learn(AB, ({"joy": 0.1},), ({"k": 1},)))
    (again,) = commit(store, Learn(AB, ({"joy": 0.2},), ({"k": "x"},)), session="s", at=5)
    assert (first.sequence, first.before, again.sequence, again.before) == (1, None, 2, first.after)
    assert (again.at, again.session_id) == (5, "s")
    (found,) = patterns(store)
    assert found == again.after
    assert found.frequency == 2
    assert found.emotives == ({"joy": 0.1}, {"joy": 0.2})
    assert found.metadata == {"k": ("1", "x")}
    assert found.affinity == {"joy": Fraction(0.1) + Fraction(0.2)}
    assert store.pattern("node", found.name) == found
    assert store.pattern("other", found.name) is None


def test_many_operations_of_one_transaction_see_one_another(store):
    name = commit(store, Learn(AB), Learn(CD), Learn(AB))[0].after.name
    assert [each.frequency for each in patterns(store)] == [2, 1]
    changes = commit(store, Forget(name), Learn(AB), Edit(name, frequency=7))
    assert [change.operation for change in changes] == ["forget", "learn", "edit"]
    assert changes[1].before is None
    assert store.pattern("node", name).frequency == 7
    assert store.node("node").patterns == 2
    assert store.node("node").head == 6


def test_a_failing_transaction_leaves_nothing_and_the_others_go_on(store):
    create(store, record())
    name = commit(store, Learn(AB, ({"joy": 1.0},), vectors={}))[0].after.name
    before = (patterns(store), store.log("node"), store.session("s"), store.count_sessions(now=1))
    failing = (
        Transaction(2, "node", (Learn(CD), Learn(AB), Edit(name, frequency=9), Forget(NOWHERE))),
        Transaction(2, "node", (Forget(name), Forget(name))),
        Transaction(2, "node", (ForgetAll(), Forget(name))),
        Transaction(2, "new", (Learn(CD), Edit(NOWHERE, frequency=2))),
        Transaction(2, "unknown", (Forget(NOWHERE),)),
        Transaction(2, "node", (Learn(CD),), sessions=(change(version=5),)),
        Transaction(2, sessions=(SessionCreate(record("t")), change(head=b"x"), change("gone"))),
        Transaction(2, sessions=(SessionEnd("s", "deleted", 2, 9), change())),
    )
    results = store.commit([*failing, Transaction(3, "node", (Learn(CD),))], durable=True)
    errors = [PatternNotFound] * 5 + [SessionChanged, SessionNotFound, SessionNotFound]
    assert [type(result) for result in results[:-1]] == errors
    commit(store, Forget(results[-1].changes[0].after.name))
    after = (patterns(store), store.log("node", limit=1), store.session("s"), store.count_sessions(now=1))
    assert after == before
    assert store.node("new") is store.node("unknown") is None
    assert store.ended_session("s") is None
    store.verify_log("node")


def test_a_failing_transaction_leaves_vectors_and_order_as_they_were(store):
    vector = vector_name((1.0,))
    learned = commit(store, Learn(AB), Learn(CD), Learn(((vector, "a"),), vectors={vector: (1.0,)}))
    before, other = everything(store), vector_name((2.0,))
    more = Learn(((other,), ("b",)), vectors={other: (2.0,)})
    for operations in ((Learn(AB), more), (Forget(learned[0].after.name), Learn(AB)), (Forget(learned[2].after.name),)):
        with pytest.raises(PatternNotFound):
            commit(store, *operations, Forget(NOWHERE))
        assert everything(store) == before


def test_forgetting_all_forgets_the_node_and_keeps_its_log(store):
    commit(store, Learn(AB), Learn(CD))
    commit(store, Learn(AB), node="other")
    (gone,) = commit(store, ForgetAll())
    assert (gone.operation, gone.before, gone.after, gone.sequence) == ("forget_all", None, None, 3)
    assert (patterns(store), len(patterns(store, "other")), store.node("node").patterns) == ([], 1, 0)
    assert commit(store, ForgetAll()) == ()
    assert commit(store, ForgetAll(), node="unknown") == ()
    assert store.node("unknown") is None
    assert len(store.log("node")) == 3


def test_edits_replace_what_they_name(store):
    name = commit(store, Learn(AB, ({"joy": 1.0},), ({"k": 1},)))[0].after.name
    commit(store, Edit(name, emotives=({"fear": 0.5},)))
    commit(store, Edit(name, metadata={"m": [1]}))
    found = store.pattern("node", name)
    assert (found.frequency, found.emotives, found.metadata) == (1, ({"fear": 0.5},), {"m": ("[1]",)})


def test_vectors_are_kept_as_long_as_a_pattern_holds_their_name(store):
    name = vector_name((1.0, -2.5))
    held = commit(store, Learn(((name, "a"),), vectors={name: (1.0, -2.5)}))[0].after.name
    other = commit(store, Learn(((name, "b"),)))[0].after.name
    commit(store, Learn(((name, "a"),), vectors={name: (1.0, -2.5)}))
    commit(store, Forget(held))
    assert dict(store.load("node").vectors) == {name: (1.0, -2.5)}
    commit(store, Forget(other))
    assert dict(store.load("node").vectors) == {}


def one_name_for_all(monkeypatch):
    """Colliding contents, made cheaply: from here on every content has the same name."""
    for module in ("kato.storage.sqlite_writing", "kato.storage.memory_contents"):
        monkeypatch.setattr(f"{module}.pattern_name", lambda _: "ab" * 20)


def test_two_contents_of_one_name_do_not_merge(store, monkeypatch):
    one_name_for_all(monkeypatch)
    commit(store, Learn(AB), Learn(CD))
    commit(store, Learn(CD))
    assert [(each.events, each.frequency) for each in patterns(store)] == [(AB, 1), (CD, 2)]
    assert store.pattern("node", "ab" * 20).events == AB
    assert store.node("node").patterns == 2


def test_the_log_tells_two_contents_of_one_name_apart(store, monkeypatch):
    one_name_for_all(monkeypatch)
    commit(store, Learn(AB), Learn(CD), Learn(CD), Learn(AB))
    commit(store, Learn(CD), Forget("ab" * 20), Learn(CD), Learn(AB))
    assert [(each.events, each.frequency) for each in patterns(store)] == [(CD, 4), (AB, 1)]
    copy = MemoryStorage()
    repeat(store.log("node"), copy)
    assert everything(copy) == everything(store)


def test_patterns_keep_the_order_in_which_they_were_learned(store):
    name = commit(store, Learn(AB))[0].after.name
    commit(store, Forget(name), Learn(CD), Learn(AB))
    assert [each.events for each in patterns(store)] == [CD, AB]


def test_a_name_that_is_none_names_no_pattern(store):
    name = commit(store, Learn(AB))[0].after.name
    for malformed in ("", "xyz", name.upper(), name + " ", f"PTRN|{name}", "é" * 40):
        assert store.pattern("node", malformed) is None
        for operation in (Forget(malformed), Edit(malformed, frequency=2)):
            with pytest.raises(PatternNotFound):
                commit(store, operation)
    assert store.pattern("node", name).frequency == 1


def test_hostile_nodes_and_symbols_share_nothing(store):
    for node in HOSTILE:
        commit(store, Learn(((node, "\0"), ("x\n",))), node=node)
    for node in HOSTILE:
        assert [each.events for each in patterns(store, node)] == [((node, "\0"), ("x\n",))]
    assert [each.node_id for each in store.nodes()] == sorted(HOSTILE)
    assert [each.node_id for each in store.nodes(after="a/b", limit=2)] == sorted(HOSTILE)[
        sorted(HOSTILE).index("a/b") + 1 :
    ][:2]


def test_the_log_is_chained_and_repeating_it_gives_an_equal_memory(store):
    vector = vector_name((1.0,))
    commit(store, Learn(AB, ({"joy": 0.5},), ({"k": 10**30},), persistence=2), session="s", actor="me")
    name = commit(store, Learn(((vector,), ("b",)), vectors={vector: (1.0,)}))[0].after.name
    commit(store, Learn(AB, ({"joy": 0.25},)), Edit(name, frequency=3, metadata={"x": None}), Learn(CD))
    commit(store, Forget(name))
    commit(store, Learn(CD), ForgetAll(), Learn(AB))
    entries = store.log("node")
    assert [entry.sequence for entry in entries] == list(range(1, 10))
    assert (entries[0].session_id, entries[0].actor, entries[1].session_id) == ("s", "me", None)
    assert store.log("node", after=8) == entries[8:]
    assert store.log("unknown") == []
    store.verify_log("node")
    copy = MemoryStorage()
    repeat(entries, copy)
    assert everything(copy) == everything(store)


def test_sessions_are_kept_changed_touched_and_ended(store):
    create(store, record(steps=((0, b"zero"), (1, b"one"))))
    assert store.session("s") == record(steps=((0, b"zero"), (1, b"one")), version=1)
    commit(store, node=None, sessions=(change(head=b"new", append=((2, b"two"),), keep_from=1),))
    found = store.session("s")
    assert (found.version, found.head, found.profile, found.steps) == (
        2,
        b"new",
        b"profile",
        ((1, b"one"), (2, b"two")),
    )
    assert (found.last_accessed, found.expires_at, found.ttl_seconds) == (2, 200, 20)
    commit(store, node=None, sessions=(SessionTouch("s", 7, 300), SessionTouch("gone", 7, 300)))
    assert (store.session("s").last_accessed, store.session("s").expires_at, store.session("s").version) == (7, 300, 2)
    commit(store, node=None, sessions=(change(version=2, profile=b"other"),))
    assert store.session("s").profile == b"other"
    commit(store, node=None, sessions=(SessionEnd("s", "deleted", 8, 50), SessionEnd("s", "expired", 9, 50)))
    assert (store.session("s"), store.ended_session("s")) == (None, "deleted")
    counts = store.count_sessions(now=9)
    assert (counts.active, counts.created, counts.deleted, counts.expired, counts.last_modified) == (0, 1, 1, 0, 8)
    store.sweep(now=49)
    assert store.ended_session("s") == "deleted"
    store.sweep(now=50)
    assert store.ended_session("s") is None


def test_somebody_sees_the_sessions_of_one_owner_or_of_nodes_by_the_beginning_of_their_ids(store):
    ours, hers = Visible(owner="we"), Visible(owner="she")
    create(
        store,
        record("a", "shop/1", owner="we"),
        record("b", "shop/2", owner="we", created=3),
        record("c", "shop/1", owner="she"),
        record("d", "50%", owner="she"),
        record("e", "Shop/1"),
    )
    assert store.session("a").owner == "we"
    assert store.session("e").owner is None

    def ids(visible, **more):
        return [each.session_id for each in store.sessions(now=5, visible=visible, **more)]

    assert (ids(ours), ids(hers), ids(Visible())) == (["a", "b"], ["c", "d"], ["a", "c", "d", "e", "b"])
    assert (ids(ours, node_id="shop/2"), ids(ours, after=(1, "a")), ids(hers, limit=1)) == (["b"], ["b"], ["c"])
    assert ids(Visible(prefixes=("shop/",))) == ["a", "c", "b"]
    assert ids(Visible("she", ("50", "x"))) == ["d"]
    assert ids(Visible(prefixes=("%", "_hop", "shop/2"))) == ["b"]
    commit(store, node=None, sessions=(change("b", profile=b"other"), SessionEnd("a", "deleted", 8, 50)))
    assert (store.session("b").owner, store.session("b").profile) == ("we", b"other")
    assert [store.ended_session("a", visible=each) for each in (ours, hers, Visible())] == ["deleted", None, "deleted"]
    by_prefix = [store.ended_session("a", visible=Visible(prefixes=(each,))) for each in ("shop/", "shop/2")]
    assert by_prefix == ["deleted", None]
    counts = store.count_sessions(now=9, visible=ours)
    assert (counts.active, counts.created, counts.deleted, counts.expired, counts.last_modified) == (1, 2, 1, 0, 3)
    assert store.count_sessions(now=9, visible=hers, node_id="50%").active == 1
    assert store.count_sessions(now=9, visible=Visible("nobody")) == SessionCounts(0, 0, 0, 0, None)


def test_an_end_that_need_not_be_remembered_is_not(store):
    create(store, record())
    commit(store, node=None, sessions=(SessionEnd("s", "expired", 8, 8),))
    assert store.ended_session("s") is None
    assert store.count_sessions(now=9).expired == 1


def test_sessions_are_listed_by_creation_and_counted_exactly(store):
    create(
        store, record("b", created=1), record("a", created=1), record("c", node="x", created=2), record("d", expires=5)
    )
    assert [each.session_id for each in store.sessions(now=5)] == ["a", "b", "c"]
    assert [each.session_id for each in store.sessions(now=5, after=(1, "a"), limit=1)] == ["b"]
    assert [each.session_id for each in store.sessions(now=5, node_id="x")] == ["c"]
    assert store.sessions(now=5)[0].steps == ()
    assert store.count_sessions(now=5).active == 3
    assert store.count_sessions(now=5, node_id="node").active == 2
    assert store.due_sessions(now=5) == [("d", "node", None)]
    assert len(store.due_sessions(now=1000, limit=3)) == 3


def test_replies_are_kept_with_their_effect_and_only_the_newest(store):
    def reply(key, at=1):
        return Reply("scope", key, b"print", b"answer", expires_at=at + 100, keep=2)

    for key in ("one", "two", "three"):
        commit(store, Learn(AB), reply=lambda changes, key=key: reply(key + str(len(changes))))
    assert store.reply("scope", "one1", now=5) is None
    assert store.reply("scope", "three1", now=5) == reply("three1")
    assert store.reply("scope", "three1", now=101) is None
    assert store.reply("else", "three1", now=5) is None
    failing = Transaction(1, "node", (Forget(NOWHERE),), reply=reply("four"))
    assert isinstance(store.commit([failing], durable=False)[0], PatternNotFound)
    assert store.reply("scope", "four", now=5) is None
    store.sweep(now=101)
    assert store.reply("scope", "three1", now=5) is None


def test_the_newest_replies_are_those_that_are_kept_however_many_came(store):
    for number in range(60):
        commit(store, node=None, reply=Reply("scope", str(number), b"", b"answer", expires_at=9, keep=20))
        kept = [each for each in range(60) if store.reply("scope", str(each), now=1) is not None]
        assert kept == list(range(max(0, number - 19), number + 1))


def test_what_was_answered_in_a_session_is_remembered_as_long_as_its_end(store):
    create(store, record("ends"), record("lives"))
    for scope in ("ends", "lives"):
        commit(store, node=None, reply=Reply(scope, "key", b"", b"answer", expires_at=1000, keep=5))
    commit(store, node=None, sessions=(SessionEnd("ends", "deleted", at=10, forget_at=100),))
    assert store.reply("ends", "key", now=99).answer == b"answer"
    assert store.reply("ends", "key", now=100) is None
    assert store.reply("lives", "key", now=999).answer == b"answer"


def test_what_one_transaction_breaks_is_its_own_failure(store):
    def broken(_):
        raise ZeroDivisionError

    create(store, record())
    failing = (
        (Transaction(1, "node", (Learn(AB),), reply=broken), ZeroDivisionError),
        (Transaction(1, "node", (Learn((("\ud800", "x"),)),)), UnicodeEncodeError),
        (Transaction(1, "node", (Learn(CD),), sessions=(SessionCreate(record(created=5)),)), SessionChanged),
    )
    heard = []
    store.listen(lambda node, changes: heard.append((node, len(changes))))
    group = [each for pair in failing for each in (pair[0], Transaction(2, "other", (Learn(AB),)))]
    results = store.commit(group, durable=True)
    for result, (_, error) in zip(results[::2], failing, strict=True):
        assert isinstance(result, error)
    assert (store.node("node"), store.session("s").created_at) == (None, 1)
    assert [each.frequency for each in patterns(store, "other")] == [3]
    assert heard == [("other", 1)] * 3


def test_a_session_begins_with_version_one_and_cannot_be_made_twice(store):
    create(store, record(steps=((0, b"x"),)))
    with pytest.raises(SessionChanged):
        commit(store, node=None, sessions=(SessionCreate(record(steps=((1, b"y"),))),))
    assert store.session("s") == record(steps=((0, b"x"),), version=1)
    assert store.count_sessions(now=1).created == 1


def test_a_change_that_is_taken_back_leaves_the_session_as_it_was(store):
    create(store, record())
    change_and_fail = Transaction(2, sessions=(change(append=((0, b"x"),)),), reply=lambda changes: 1 / 0)
    for group in ([change_and_fail], [change_and_fail, Transaction(2, "node", (Learn(AB),))]):
        assert isinstance(store.commit(group, durable=False)[0], ZeroDivisionError)
        assert store.session("s") == record(version=1)
    commit(store, node=None, sessions=(change(append=((0, b"y"),)),))
    with pytest.raises(SessionChanged):
        commit(store, node=None, sessions=(change(append=((1, b"z"),)),))
    assert (store.session("s").version, store.session("s").steps) == (2, ((0, b"y"),))


def test_a_storage_that_keeps_no_replies_of_a_scope_has_none(store):
    commit(store, reply=Reply("scope", "key", b"", b"answer", expires_at=9, keep=0), node=None)
    assert store.reply("scope", "key", now=1) is None
    commit(store, reply=Reply("scope", "key", b"", b"one", expires_at=9, keep=5), node=None)
    commit(store, reply=Reply("scope", "key", b"", b"two", expires_at=9, keep=5), node=None)
    assert store.reply("scope", "key", now=1).answer == b"two"


def test_listeners_hear_every_change_in_order_before_the_commit_returns(store):
    heard = []
    store.listen(lambda node, changes: heard.append((node, [change.sequence for change in changes])))
    commit(store, Learn(AB), Learn(CD))
    commit(store, Learn(AB), node="other")
    store.commit([Transaction(1, "node", (Forget(NOWHERE),))], durable=False)
    assert heard == [("node", [1, 2]), ("other", [1])]


def test_a_listener_can_ask_for_what_it_was_told(store):
    heard = []
    store.listen(lambda node, changes: heard.append((store.node(node).head, patterns(store, node))))
    (learned,) = commit(store, Learn(AB))
    assert heard == [(1, [learned.after])]


def test_a_closed_storage_says_so(store):
    create(store, record())
    store.check()
    store.compact()
    assert store.size_bytes() >= 0
    store.close()
    store.close()
    questions = (
        store.check,
        store.compact,
        store.size_bytes,
        store.nodes,
        lambda: commit(store, Learn(AB)),
        lambda: store.load("node"),
        lambda: store.node("node"),
        lambda: store.log("node"),
        lambda: store.verify_log("node"),
        lambda: store.pattern("node", NOWHERE),
        lambda: store.session("s"),
        lambda: store.ended_session("s"),
        lambda: store.sessions(now=1),
        lambda: store.count_sessions(now=1),
        lambda: store.due_sessions(now=1),
        lambda: store.sweep(now=1),
        lambda: store.reply("scope", "key", now=1),
    )
    for question in questions:
        with pytest.raises(StorageUnavailable, match="closed"):
            question()


@pytest.mark.parametrize("symbol", ["a", "", "VCTR|", 'quote " and \\', "\0\n\x7f", "é日\U0001f600", "/</script>"])
def test_a_learning_is_logged_as_json_that_tells_all_of_it_once(store, symbol):
    events = ((symbol, "b"), ("c",))
    felt = Learn(events, emotives=({"joy": 0.1},), metadata=({"k": 2**70},), persistence=3)
    commit(store, Learn(events), Learn(events), felt)
    name = pattern_name(events)
    told = {"name": name, "events": [list(event) for event in events]}
    more = {"name": name, "emotives": [{"joy": 0.1}], "metadata": [{"k": 2**70}], "persistence": 3}
    compact = [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in (told, {"name": name}, more)]
    assert [entry.payload.decode() for entry in store.log("node")] == compact


def test_what_has_changed_since_is_told_with_what_it_is_now(store):
    vector = (1.0, 2.0)
    name = vector_name(vector)
    commit(store, Learn(AB), Learn(CD), Learn(((name,), ("x",)), vectors={name: vector}))
    (start,) = store.log("node", after=1, limit=1)
    nothing = store.since("node", 3, store.log("node", after=2)[0].hash)
    assert (nothing.head, nothing.patterns, nothing.count, list(nothing.present)) == (3, 3, 0, [])
    commit(store, Edit(pattern_name(AB), frequency=9), Forget(pattern_name(CD)), Learn(AB), Learn((("new",), ("y",))))
    since = store.since("node", 2, start.hash)
    found = {each.name: each for each in since.present}
    assert (since.head, since.patterns, since.count) == (7, 3, 4)
    assert {each.name: each.pattern for each in found.values() if each.pattern} == {
        each.name: each for each in patterns(store)
    }
    assert found[pattern_name(CD)].pattern is None
    assert found[pattern_name(((name,), ("x",)))].vectors == {name: vector}
    assert found[pattern_name(AB)].pattern.frequency == 10


def test_another_log_has_no_since(store):
    commit(store, Learn(AB), Learn(CD))
    (first, second) = store.log("node")
    for node, sequence, digest in (
        ("other", 1, first.hash),
        ("node", 0, first.hash),
        ("node", 3, second.hash),
        ("node", 2, first.hash),
    ):
        with pytest.raises(OtherLog):
            store.since(node, sequence, digest)
    commit(store, ForgetAll(), Learn(AB))
    with pytest.raises(OtherLog, match="everything was forgotten"):
        store.since("node", 2, second.hash)
    assert store.since("node", 3, store.log("node")[2].hash).count == 1


def test_what_was_worked_out_is_kept_by_node_and_name_and_replaced(store):
    assert store.derived("n", "x") is None
    store.keep_derived("n", "x", 3, "one")
    store.keep_derived("n", "x", 4, "two")
    store.keep_derived("n", "y", 4, "three")
    assert [store.derived("n", name) for name in ("x", "y", "z")] == ["two", "three", None]
    assert store.derived("m", "x") is None
    assert store.node("n") is None
