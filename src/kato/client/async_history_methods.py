"""What can be asked of a node's past, by a client that does not wait."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from kato.client import calls
from kato.client.async_session_methods import AsyncSender
from kato.client.calls import At
from kato.client.recovery import Body


class AsyncHistoryMethods(AsyncSender):
    """The past of a node: arguments and answers are those of HistoryMethods."""

    @property
    @abstractmethod
    def node_id(self) -> str | None:
        """The node meant when a method is given none."""

    def _node_or_default(self, node_id: str | None) -> str:
        return node_id or self.node_id or calls.DEFAULT_NODE

    async def get_node(self, node_id: str | None = None, *, at: At = None) -> Body:
        """Return how much a node knows: `patterns`, `symbols`, `frequency`, `vectors`, and `head`, its newest change."""
        return await self._send(calls.get_node(self._node_or_default(node_id), at=at))

    async def get_history(
        self,
        node_id: str | None = None,
        *,
        pattern: str | None = None,
        operation: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Body:
        """Return one page of what happened to the node's memory."""
        node = self._node_or_default(node_id)
        call = calls.get_history(node, pattern=pattern, operation=operation, sort=sort, limit=limit, cursor=cursor)
        return await self._send(call)

    async def iterate_history(
        self,
        node_id: str | None = None,
        *,
        pattern: str | None = None,
        operation: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Walk through all of it, fetching a page when it is needed; arguments as for get_history."""
        node = self._node_or_default(node_id)
        cursor: str | None = None
        while True:
            call = calls.get_history(
                node, pattern=pattern, operation=operation, sort=sort, limit=page_size, cursor=cursor, is_walked=True
            )
            page = await self._send(call)
            for entry in page["entries"]:
                yield entry
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    async def explain_pattern(
        self,
        pattern: str,
        stm: Sequence[Sequence[str]],
        node_id: str | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        at: At = None,
    ) -> Body:
        """Say what becomes of one pattern when a short-term memory asks for predictions, whether it matches or not."""
        call = calls.explain_pattern(self._node_or_default(node_id), pattern, stm, config=config, at=at)
        return await self._send(call)

    async def compare(
        self,
        earlier: int | str,
        later: At = None,
        node_id: str | None = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Body:
        """Return one page of the patterns that differ between two moments of the node."""
        call = calls.compare(self._node_or_default(node_id), earlier, later, limit=limit, cursor=cursor)
        return await self._send(call)

    async def undo(
        self,
        count: int | None = None,
        node_id: str | None = None,
        *,
        to: int | None = None,
        expected_head: int | None = None,
        idempotency_key: str | None = None,
    ) -> Body:
        """Take back changes of a node. What happened stays in its history, and the undoing is a change as well."""
        call = calls.undo(
            self._node_or_default(node_id),
            count=count,
            to=to,
            expected_head=expected_head,
            idempotency_key=idempotency_key,
        )
        return await self._send(call)
