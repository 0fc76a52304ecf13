"""
Sharing commits: many callers hand in transactions, one thread commits all that wait at once.

One flush to disk then serves everybody who waits for it. What needs no flush and finds nobody before it is committed on the
caller's own thread: that takes less than waking another (docs/decisions/0009). `DirectWriter` is for callers without company:
it commits everything on their own thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Literal, Protocol

from kato.errors import StorageUnavailable
from kato.storage.interface import Committed, Storage, Transaction

Durability = Literal["learn", "full"]
_Given = Transaction | Callable[[], Transaction]
"""A transaction, or what makes it in its turn."""
_GROUP_TRANSACTIONS = 1000
_GROUP_OPERATIONS = 20_000
"""A group is cut where a single commit would keep those behind it waiting for long."""
_AT_ONCE = 64
"""Commits on callers' threads between two of the writer's own; they may not stop to tidy the write-ahead log, it does."""


class TransactionWriter(Protocol):
    """Takes transactions and says when they are kept."""

    def at_once(self, transaction: Transaction) -> Committed | None:
        """
        Commit here and now; None, and nothing has happened, where others come first or a flush must be waited for.

        Raises:
            KATOError, SessionChanged: As the storage does; nothing is kept.
        """
        ...

    def submit(self, transaction: Transaction) -> Future[Committed]:
        """Hand in a transaction; the future is done when it is kept, or holds its error. Order of submission is kept."""
        ...

    def in_turn(self, make: Callable[[], Transaction]) -> Future[Committed]:
        """
        Hand in what makes a transaction out of what is stored: called when all before it is kept, and kept before all else.

        Others wait while it is made. The future holds also what `make` raises; then nothing is kept.
        """
        ...

    def close(self) -> None:
        """Commit what waits, then refuse."""
        ...


def is_durable(transaction: Transaction, durability: str) -> bool:
    """Whether a transaction must survive the loss of power before it is acknowledged."""
    return durability == "full" or bool(transaction.operations)


class DirectWriter:
    """Commits each transaction at once, on the caller's thread."""

    def __init__(self, storage: Storage, durability: str) -> None:
        self._storage = storage
        self._durability = durability

    def at_once(self, transaction: Transaction) -> Committed:
        """Commit."""
        return _told(self._storage.commit([transaction], durable=is_durable(transaction, self._durability))[0])

    def submit(self, transaction: Transaction) -> Future[Committed]:
        """Commit; the future is done when this returns."""
        future: Future[Committed] = Future()
        try:
            future.set_result(self.at_once(transaction))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, unchanged
            future.set_exception(error)
        return future

    def in_turn(self, make: Callable[[], Transaction]) -> Future[Committed]:
        """Make it and commit; the future is done when this returns."""
        future: Future[Committed] = Future()
        try:
            future.set_result(self.at_once(make()))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, unchanged
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing waits."""


class Writer:
    """Commits in groups, on a thread of its own; alone and unflushed, on the caller's."""

    def __init__(self, storage: Storage, durability: str) -> None:
        self._storage = storage
        self._durability = durability
        self._waiting: deque[tuple[_Given, Future[Committed]]] = deque()
        self._guard = threading.Lock()
        self._wake = threading.Condition(self._guard)
        self._committing = False
        self._at_once = 0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="kato-writer", daemon=True)
        self._thread.start()

    def at_once(self, transaction: Transaction) -> Committed | None:
        """Commit on the caller's thread, if nobody is before it and nothing need be flushed."""
        if is_durable(transaction, self._durability):
            return None
        with self._guard:
            if self._committing or self._waiting or self._closing or self._at_once >= _AT_ONCE:
                return None
            self._committing = True
            self._at_once += 1
        try:
            return _told(self._storage.commit([transaction], durable=False, tidy=False)[0])
        finally:
            self._finish()

    def submit(self, transaction: Transaction) -> Future[Committed]:
        """Join the next group."""
        return self._join(transaction)

    def in_turn(self, make: Callable[[], Transaction]) -> Future[Committed]:
        """Be a group alone."""
        return self._join(make)

    def _join(self, given: _Given) -> Future[Committed]:
        future: Future[Committed] = Future()
        with self._guard:
            if self._closing:
                future.set_exception(StorageUnavailable("The server is stopping; nothing was changed"))
                return future
            self._waiting.append((given, future))
            self._wake.notify()
        return future

    def close(self) -> None:
        """Commit what waits, then end the thread."""
        with self._guard:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                while self._committing or not (self._waiting or self._closing):
                    self._wake.wait()
                if not self._waiting:
                    return
                group = self._next_group()
                self._committing = True
                self._at_once = 0
            self._commit(group)
            self._finish()

    def _finish(self) -> None:
        with self._guard:
            self._committing = False
            if self._waiting or self._closing:
                self._wake.notify()

    def _next_group(self) -> list[tuple[_Given, Future[Committed]]]:
        group: list[tuple[_Given, Future[Committed]]] = []
        operations = 0
        while self._waiting and len(group) < _GROUP_TRANSACTIONS and operations < _GROUP_OPERATIONS:
            given = self._waiting[0][0]
            if not isinstance(given, Transaction):
                return group or [self._waiting.popleft()]
            group.append(self._waiting.popleft())
            operations += len(given.operations)
        return group

    def _commit(self, group: list[tuple[_Given, Future[Committed]]]) -> None:
        # From here on a transaction can no longer be taken back; those that were are left out.
        group = [(given, future) for given, future in group if future.set_running_or_notify_cancel()]
        if not group:
            return
        try:
            transactions = [given if isinstance(given, Transaction) else given() for given, _ in group]
            durable = any(is_durable(transaction, self._durability) for transaction in transactions)
            results = self._storage.commit(transactions, durable=durable, tidy=True)
        except Exception as error:  # noqa: BLE001 - handed to all who wait, unchanged
            for _, future in group:
                future.set_exception(error)
            return
        for (_, future), result in zip(group, results, strict=True):
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


def _told(result: Committed | Exception) -> Committed:
    """What was committed, or its error raised."""
    if isinstance(result, Exception):
        raise result
    return result
