"""What can be asked of a node: the patterns and symbols it has learned."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kato.client import calls, knowledge
from kato.client.recovery import Body
from kato.client.session_methods import Sender


class NodeMethods(Sender):
    """
    Patterns and symbols of a node.

    `node_id` names the node; None means the node of this object: of a client's session, or of a node handle.
    A client that has had no session leaves the choice to the server, which takes `default_node`.
    """

    @property
    @abstractmethod
    def node_id(self) -> str | None:
        """The node meant when a method is given none."""

    def learn_many(self, sequences: Sequence[Sequence[Sequence[str]]], node_id: str | None = None) -> Body:
        """
        Learn many sequences in one request, without a session: all of them, or none.

        Args:
            sequences: Each a list of events, each event a list of symbols.
            node_id: The node; see the class.

        Returns:
            `results`, one per sequence in order, with `pattern_name` ("" for fewer than two symbols).
        """
        return self._send(calls.learn_many(node_id or self.node_id or calls.DEFAULT_NODE, sequences))

    def list_patterns(
        self,
        node_id: str | None = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        search: str | None = None,
        sort: str | None = None,
    ) -> Body:
        """
        Return one page of the node's patterns.

        Args:
            node_id: The node; see the class.
            limit: Most patterns in this page, 1 to 1000; the server takes 100 when None.
            cursor: `next_cursor` of the page before.
            search: Only patterns with a symbol that contains this text, or whose bare name begins with it.
            sort: `name` (default), `frequency` or `length`, with a leading "-" for descending; ties by name.

        Returns:
            `patterns` in that order, `count` in this page, `total`, `next_cursor` (None at the end),
            `has_more`.
        """
        call = calls.list_patterns(node_id or self.node_id, limit=limit, cursor=cursor, search=search, sort=sort)
        return self._send(call)

    def iterate_patterns(
        self,
        node_id: str | None = None,
        *,
        page_size: int | None = None,
        search: str | None = None,
        sort: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """
        Walk through all patterns of the node, fetching a page when it is needed; arguments as for
        list_patterns.

        Ordered by name, a pattern that is there during the whole walk comes exactly once.
        """
        node = node_id or self.node_id
        cursor: str | None = None
        while True:
            page = self._send(calls.list_patterns(node, limit=page_size, cursor=cursor, search=search, sort=sort))
            yield from page["patterns"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def get_pattern(self, pattern_id: str, node_id: str | None = None) -> Body:
        """
        Return one pattern as `pattern`. Its id may be given with or without "PTRN|".

        Raises:
            PatternNotFound: The node has no such pattern.
        """
        return self._send(calls.get_pattern(pattern_id, node_id or self.node_id))

    def edit_pattern(
        self,
        pattern_id: str,
        node_id: str | None = None,
        *,
        frequency: int | None = None,
        emotives: Sequence[Mapping[str, float]] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Body:
        """
        Replace members of one pattern; those not given stay.

        Args:
            pattern_id: The pattern, with or without "PTRN|".
            node_id: The node; see the class.
            frequency: How often it shall count as learned, ≥ 1.
            emotives: The dictionaries it shall hold, oldest first.
            metadata: The metadata it shall hold.

        Returns:
            The pattern as get_pattern does, and `updated`: the names replaced.

        Raises:
            PatternNotFound: The node has no such pattern.
            InvalidInput: Nothing was given, or something is not as it must be; nothing has changed.
        """
        call = calls.edit_pattern(
            pattern_id, node_id or self.node_id, frequency=frequency, emotives=emotives, metadata=metadata
        )
        return self._send(call)

    def forget_pattern(self, pattern_id: str, node_id: str | None = None) -> Body:
        """
        Forget one pattern: predictions are from now on as if it had never been learned.

        Raises:
            PatternNotFound: The node has no such pattern, which is also so when the answer to a first attempt
                was lost.
        """
        return self._send(calls.forget_pattern(pattern_id, node_id or self.node_id))

    def get_symbol_stats(
        self,
        node_id: str | None = None,
        *,
        symbols: Sequence[str] = (),
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Body:
        """
        Return how often symbols occur: `symbols` maps each to its `frequency` and `pattern_member_frequency`.

        Args:
            node_id: The node; see the class.
            symbols: Only these; empty means all.
            limit: Most symbols in this page, 1 to 100,000; None means all.
            cursor: `next_cursor` of the page before.
        """
        call = calls.get_symbol_stats(node_id or self.node_id, symbols=symbols, limit=limit, cursor=cursor)
        return self._send(call)

    def get_affinities(
        self,
        node_id: str | None = None,
        *,
        symbols: Sequence[str] = (),
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Body:
        """Return as `affinities` symbol → emotive → sum; arguments as for get_symbol_stats."""
        call = calls.get_affinities(node_id or self.node_id, symbols=symbols, limit=limit, cursor=cursor)
        return self._send(call)

    def get_affinity(self, symbol: str, node_id: str | None = None) -> Body:
        """Return the `affinity` of one symbol: emotive → sum, {} for a symbol without any."""
        return self._run(knowledge.affinity(symbol, node_id or self.node_id))
