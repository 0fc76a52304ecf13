"""The way of every transaction to the storage."""

from __future__ import annotations

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
