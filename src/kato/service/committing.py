"""The way of every transaction to the storage."""

from __future__ import annotations

from collections.abc import Callable

from kato.service.runtime import Runtime
from kato.storage.interface import Committed, Transaction
from kato.storage.writer import TransactionWriter


async def commit(runtime: Runtime, writer: TransactionWriter, transaction: Transaction) -> Committed:
    """
    Store a transaction: by a plain call where nobody is before it and no flush is waited for, else in its turn.

    Raises:
        KATOError, SessionChanged: As the storage does; nothing is kept.
    """
    committed = writer.at_once(transaction)
    return committed if committed is not None else await runtime.wait(writer.submit(transaction))


async def commit_in_turn(runtime: Runtime, writer: TransactionWriter, make: Callable[[], Transaction]) -> Committed:
    """
    Store a transaction that is made of what is stored, with nothing stored between the making and it. Others wait meanwhile.

    Raises:
        KATOError, SessionChanged: As the storage does, or what `make` raises; nothing is kept.
    """
    return await runtime.wait(writer.in_turn(make))
