"""Many at once: nothing is lost, and whoever reads sees one moment."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from contract.asking import AB, CD, NOWHERE, change, commit, create, patterns, record
from kato.errors import PatternNotFound, SessionNotFound, StorageUnavailable
from kato.storage.interface import Forget, Learn, SessionTouch, Transaction
from kato.storage.writer import DirectWriter, Writer


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", [Writer, DirectWriter])
def test_sixty_four_threads_learning_one_pattern_lose_nothing(store, kind):
    writer = kind(store, "learn")
    heard = []
    store.listen(lambda _, changes: heard.extend(change.sequence for change in changes))

    def work():
        for _ in range(100):
            writer.submit(Transaction(1, "node", (Learn(AB),))).result()

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    (found,) = patterns(store)
    assert found.frequency == 6400
    assert heard == list(range(1, 6401))
    store.verify_log("node")


def test_every_read_sees_one_moment(store):
    """In a history of learnings alone, the frequencies sum up to the head of the log, and so they must in every read."""
    learning = threading.Event()
    learning.set()

    def learn():
        for n in range(150):
            group = [Transaction(n, "node", (Learn(((str(n), "x"),)), Learn(AB))) for _ in range(3)]
            store.commit(group, durable=False)
        learning.clear()

    def read():
        moments = 0
        while learning.is_set() or not moments:
            loaded = store.load("node")
            found = list(loaded.patterns)
            assert sum(pattern.frequency for pattern in found) == loaded.head
            info = store.node("node")
            assert info is None or (info.head % 2, info.patterns) == (0, -(-info.head // 6) + 1)
            store.verify_log("node")
            store.nodes()
            store.sessions(now=1)
            moments += 1
        return moments

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        pool.submit(learn).result()
        assert all(reader.result() for reader in readers)


def test_a_load_that_began_before_a_learning_does_not_see_it(store):
    commit(store, Learn(AB))
    loaded = store.load("node")
    commit(store, Learn(AB), Learn(CD))
    assert [(each.events, each.frequency) for each in loaded.patterns] == [(AB, 1)]
    assert loaded.head == 1


def test_a_load_that_is_dropped_holds_nothing_up(store):
    for n in range(3000):
        commit(store, Learn(((str(n), "x"),)))
    untouched, begun = store.load("node"), store.load("node")
    next(begun.patterns)
    del untouched, begun
    commit(store, Learn(AB))
    store.compact()
    assert len(patterns(store)) == 3001


def test_closing_lets_reads_finish_and_refuses_those_that_come_later(store):
    for n in range(50):
        commit(store, Learn(((str(n), "x"),)))
    entered = threading.Barrier(5)

    def read():
        entered.wait(10)
        answers = 0
        while True:
            try:
                assert len(store.log("node")) == 50
                assert store.node("node").patterns == 50
                answers += 1
            except StorageUnavailable:
                return answers

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        entered.wait(10)
        store.close()
        assert all(reader.result() >= 0 for reader in readers)


def test_threads_that_ended_leave_nothing_open(store):
    commit(store, Learn(AB))
    found = []
    for _ in range(50):
        thread = threading.Thread(target=lambda: found.append(store.node("node").head))
        thread.start()
        thread.join()
    assert found == [1] * 50
    assert len(getattr(store, "_readers", ())) <= 2


@pytest.mark.parametrize("kind", [Writer, DirectWriter])
def test_a_writer_hands_on_results_and_errors(store, kind):
    writer = kind(store, "full")
    assert writer.submit(Transaction(1, "node", (Learn(AB),))).result().changes
    assert isinstance(writer.submit(Transaction(1, "node", (Forget(NOWHERE),))).exception(), PatternNotFound)
    store.close()
    assert isinstance(writer.submit(Transaction(1, "node", (Learn(AB),))).exception(), StorageUnavailable)
    writer.close()


def test_a_closed_writer_refuses_and_a_cancelled_transaction_never_happens(store):
    entered, go = threading.Event(), threading.Event()
    store.listen(lambda *_: (entered.set(), go.wait(10)))
    writer = Writer(store, "learn")
    first = writer.submit(Transaction(1, "node", (Learn(AB),)))
    assert entered.wait(10)
    second = writer.submit(Transaction(1, "node", (Learn(AB),)))
    assert second.cancel()
    go.set()
    first.result()
    with pytest.raises(CancelledError):
        second.result()
    writer.close()
    assert patterns(store)[0].frequency == 1
    assert isinstance(writer.submit(Transaction(1)).exception(), StorageUnavailable)


@pytest.mark.parametrize(("durability", "expected"), [("learn", [False, True, True]), ("full", [True, True, True])])
def test_a_group_is_durable_when_one_of_it_must_be(store, durability, expected, monkeypatch):
    """Three groups: a touch; a learning; a touch and a learning that met while the second was committed."""
    create(store, record())
    groups, entered, go = [], threading.Event(), threading.Event()
    commit_group = store.commit

    def watched(transactions, *, durable, tidy):
        groups.append((len(transactions), durable))
        if len(groups) == 2:
            entered.set()
            go.wait(10)
        return commit_group(transactions, durable=durable, tidy=tidy)

    monkeypatch.setattr(store, "commit", watched)
    writer = Writer(store, durability)
    touch = Transaction(1, sessions=(SessionTouch("s", 5, 500),))
    learn = Transaction(1, "node", (Learn(AB),))
    writer.submit(touch).result()
    writer.submit(learn)
    assert entered.wait(10)
    last = [writer.submit(touch), writer.submit(learn)]
    go.set()
    assert all(each.result() for each in last)
    writer.close()
    assert groups == list(zip([1, 1, 2], expected, strict=True))
    assert store.session("s").expires_at == 500


def test_what_is_made_in_its_turn_sees_all_before_it_and_nobody_comes_between(store, monkeypatch):
    entered, go, order, commit_group = threading.Event(), threading.Event(), [], store.commit

    def watched(transactions, *, durable, tidy):
        if transactions[0].at == 1:
            entered.set()
            go.wait(10)
        order.append([transaction.at for transaction in transactions])
        return commit_group(transactions, durable=durable, tidy=tidy)

    def made():
        assert writer.at_once(Transaction(8)) is None
        return Transaction(4, "node", (Learn(AB),), expected_head=store.node("node").head)

    monkeypatch.setattr(store, "commit", watched)
    writer = Writer(store, "learn")
    learned = [writer.submit(Transaction(1, "node", (Learn(AB),)))]
    assert entered.wait(10)
    learned += [writer.submit(Transaction(at, "node", (Learn(AB),))) for at in (2, 3)]
    learned.append(writer.in_turn(made))
    refused = writer.in_turn(lambda: {}["nothing"])
    learned.append(writer.submit(Transaction(5, "node", (Learn(AB),))))
    go.set()
    assert all(each.result().changes for each in learned)
    assert isinstance(refused.exception(), KeyError)
    writer.close()
    assert order == [[1], [2, 3], [4], [5]]
    assert isinstance(writer.in_turn(made).exception(), StorageUnavailable)


def test_a_writer_without_company_makes_at_once_and_hands_on_errors(store):
    writer = DirectWriter(store, "learn")
    assert writer.in_turn(lambda: Transaction(1, "node", (Learn(AB),))).result().changes
    assert isinstance(writer.in_turn(lambda: {}["nothing"]).exception(), KeyError)


def test_what_needs_no_flush_and_meets_nobody_is_committed_by_its_caller(store, monkeypatch):
    """All but one in 65, which the writer's own thread commits, so that the write-ahead log is tidied now and then."""
    create(store, record())
    commits, commit_group = [], store.commit

    def watched(transactions, *, durable, tidy):
        commits.append((threading.current_thread() is threading.main_thread(), tidy))
        return commit_group(transactions, durable=durable, tidy=tidy)

    monkeypatch.setattr(store, "commit", watched)
    writer = Writer(store, "learn")
    for moment in range(1, 131):
        touch = Transaction(moment, sessions=(SessionTouch("s", moment, 500 + moment),))
        if writer.at_once(touch) is None:
            writer.submit(touch).result()
    learn = Transaction(200, "node", (Learn(AB),))
    assert writer.at_once(learn) is None, "it needs a flush"
    writer.submit(learn).result()
    with pytest.raises(SessionNotFound):
        writer.at_once(Transaction(201, sessions=(change("gone", 1),)))
    commits.pop()
    writer.close()
    assert writer.at_once(Transaction(202)) is None, "it is closed"
    assert commits == [*[(True, False)] * 64, (False, True), *[(True, False)] * 64, (False, True), (False, True)]
    assert store.session("s").expires_at == 630


def test_nobody_overtakes_a_group_that_is_being_committed(store, monkeypatch):
    create(store, record())
    entered, go, order, commit_group = threading.Event(), threading.Event(), [], store.commit

    def watched(transactions, *, durable, tidy):
        if durable:
            entered.set()
            go.wait(10)
        order.append(transactions[0].at)
        return commit_group(transactions, durable=durable, tidy=tidy)

    monkeypatch.setattr(store, "commit", watched)
    writer = Writer(store, "learn")
    learned = writer.submit(Transaction(1, "node", (Learn(AB),)))
    assert entered.wait(10)
    touch = Transaction(2, sessions=(SessionTouch("s", 5, 500),))
    assert writer.at_once(touch) is None
    touched = writer.submit(touch)
    assert not touched.done()
    go.set()
    assert touched.result()
    assert learned.result()
    writer.close()
    assert order == [1, 2]
