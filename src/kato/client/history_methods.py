"""What can be asked of a node's past, and how it is taken back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kato.client import calls
from kato.client.calls import At
from kato.client.recovery import Body
from kato.client.session_methods import Sender


class HistoryMethods(Sender):
    """The past of a node. `node_id` names the node; None means the node of this object, else `default_node`."""

    @property
    @abstractmethod
    def node_id(self) -> str | None:
        """The node meant when a method is given none."""

    def _node_or_default(self, node_id: str | None) -> str:
        return node_id or self.node_id or calls.DEFAULT_NODE

    def get_node(self, node_id: str | None = None, *, at: At = None) -> Body:
        """Return how much a node knows: `patterns`, `symbols`, `frequency`, `vectors`, and `head`, its newest change."""
        return self._send(calls.get_node(self._node_or_default(node_id), at=at))

    def get_history(
        self,
        node_id: str | None = None,
        *,
        pattern: str | None = None,
        operation: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Body:
        """
        Return one page of what happened to the node's memory.

        Args:
            node_id: The node; see the class.
            pattern: Only what is about this pattern, which need not be there any more, or about all patterns.
            operation: Only changes of this kind: `learn`, `edit`, `forget`, `forget_all`, `undo`. A page may then be short
                although there are more.
            sort: `-sequence` (default: the newest first) or `sequence`.
            limit: Most entries in this page, 1 to 1000; the server takes 100 when None.
            cursor: `next_cursor` of the page before.

        Returns:
            `entries` in that order, each with `sequence`, `at`, `operation`, `pattern_name`, `session_id`, `actor` and
            `details`; `head`, the newest sequence; `next_cursor` (None at the end), `has_more`.

        Raises:
            PatternNotFound: The pattern's name is malformed.
        """
        node = self._node_or_default(node_id)
        call = calls.get_history(node, pattern=pattern, operation=operation, sort=sort, limit=limit, cursor=cursor)
        return self._send(call)

    def iterate_history(
        self,
        node_id: str | None = None,
        *,
        pattern: str | None = None,
        operation: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Walk through all of it, fetching a page when it is needed; arguments as for get_history."""
        node = self._node_or_default(node_id)
        cursor: str | None = None
        while True:
            call = calls.get_history(
                node, pattern=pattern, operation=operation, sort=sort, limit=page_size, cursor=cursor, is_walked=True
            )
            page = self._send(call)
            yield from page["entries"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def explain_pattern(
        self,
        pattern: str,
        stm: Sequence[Sequence[str]],
        node_id: str | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        at: At = None,
    ) -> Body:
        """
        Say what becomes of one pattern when a short-term memory asks for predictions, whether it matches or not.

        Args:
            pattern: The pattern, with or without "PTRN|".
            stm: The memory: a list of events, each a list of symbols.
            node_id: The node; see the class.
            config: As for create_session.
            at: As it was after this change (a sequence of the history), or at this time (ISO-8601).

        Returns:
            `outcome`, `sentence` and `checks` say whether it is predicted and why; `alignment` how it lies on the memory;
            `selection` and `prediction` (None where it is not one) where it stands and what its numbers are made of;
            `provenance` how it was learned. The answer has a method `explain`, which prints it.

        Raises:
            PatternNotFound: The node has no such pattern.
        """
        call = calls.explain_pattern(self._node_or_default(node_id), pattern, stm, config=config, at=at)
        return self._send(call)

    def compare(
        self,
        earlier: int | str,
        later: At = None,
        node_id: str | None = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Body:
        """
        Return one page of the patterns that differ between two moments of the node.

        Args:
            earlier: A sequence of the history, or a time (ISO-8601).
            later: The same; None is now.
            node_id: The node; see the class.
            limit: Most patterns in this page, 1 to 1000; the server takes 100 when None.
            cursor: `next_cursor` of the page before.

        Returns:
            `added`, `removed` and `changed` (counts), and `differences` by pattern name.
        """
        call = calls.compare(self._node_or_default(node_id), earlier, later, limit=limit, cursor=cursor)
        return self._send(call)

    def undo(
        self,
        count: int | None = None,
        node_id: str | None = None,
        *,
        to: int | None = None,
        expected_head: int | None = None,
        idempotency_key: str | None = None,
    ) -> Body:
        """
        Take back changes of a node. What happened stays in its history, and the undoing is a change as well.

        Args:
            count: How many, the newest first; None takes back one. The rows of one undoing are one change.
            node_id: The node; see the class.
            to: Instead of a count: take back everything behind this sequence of the history.
            expected_head: Refuse if the newest sequence is another one: something happened that was not seen.
            idempotency_key: A key of your own, under which it takes effect once.

        Returns:
            `count` (changes taken back), `to`, `head` (the newest sequence now), `restored` (the first 100 patterns).

        Raises:
            HeadChanged: The newest sequence is not the expected one; nothing was undone.
        """
        call = calls.undo(
            self._node_or_default(node_id),
            count=count,
            to=to,
            expected_head=expected_head,
            idempotency_key=idempotency_key,
        )
        return self._send(call)
