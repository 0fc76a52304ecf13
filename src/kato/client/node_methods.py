"""What can be asked of a node: the patterns and symbols it has learned."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kato.client import bulk, calls, knowledge
from kato.client.bulk import OnProgress, Progress
from kato.client.calls import At
from kato.client.history_methods import HistoryMethods
from kato.client.recovery import Body

SequenceGiven = Sequence[Sequence[str]] | Mapping[str, Any]
"""A list of events, or a mapping that says more about it."""


class NodeMethods(HistoryMethods):
    """
    Patterns and symbols of a node.

    `node_id` names the node; None means the node of this object: of a client's session, or of a node handle.
    A client that has had no session leaves the choice to the server, which takes `default_node`.
    """

    @property
    @abstractmethod
    def node_id(self) -> str | None:
        """The node meant when a method is given none."""

    def learn_many(
        self,
        sequences: Sequence[SequenceGiven],
        node_id: str | None = None,
        *,
        persistence: int | None = None,
        sort_symbols: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Body:
        """
        Learn many sequences in one request, without a session: all of them, or none.

        Args:
            sequences: Each a list of events, each event a list of symbols; or a mapping with `events` and optionally
                `emotives` and `metadata` (lists of mappings) and `persistence`.
            node_id: The node; see the class.
            persistence: Emotive dictionaries a pattern keeps; None takes the server's default.
            sort_symbols: Whether the symbols of an event are sorted; None takes the server's default.
            idempotency_key: A key of your own, under which it takes effect once.

        Returns:
            `results`, one per sequence in order, with `pattern_name` ("" for fewer than two symbols).
        """
        call = calls.learn_many(
            self._bulk_node(node_id),
            sequences,
            persistence=persistence,
            sort_symbols=sort_symbols,
            idempotency_key=idempotency_key,
        )
        return self._send(call)

    def learn_all(
        self,
        sequences: Iterable[SequenceGiven],
        node_id: str | None = None,
        *,
        persistence: int | None = None,
        sort_symbols: bool | None = None,
        batch_size: int = 1000,
        progress: OnProgress | None = None,
        idempotency_key: str | None = None,
    ) -> Progress:
        """
        Learn any number of sequences, request after request; no more of them is held than one request takes.

        Args:
            sequences: As for learn_many, from any iterable. What one request holds is learned whole or not at all.
            node_id: The node; see the class.
            persistence: As for learn_many.
            sort_symbols: As for learn_many.
            batch_size: Most sequences in one request.
            progress: Called with the progress so far after every request.
            idempotency_key: A key of your own for all of them, up to 240 characters: when the call broke off, it may be
                repeated with the same sequences, batch size and key.

        Returns:
            The progress at the end.
        """
        done = Progress()
        for call in bulk.learning_calls(
            self._bulk_node(node_id),
            sequences,
            batch_size=batch_size,
            persistence=persistence,
            sort_symbols=sort_symbols,
            idempotency_key=idempotency_key,
        ):
            done = done.after_learning(bulk.results_of(self._send(call)))
            if progress is not None:
                progress(done)
        return done

    def predict_many(
        self,
        stms: Sequence[Sequence[Sequence[str]]],
        node_id: str | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        at: At = None,
    ) -> Body:
        """
        Ask what comes next for many short-term memories in one request, without a session.

        Args:
            stms: Each a list of events, each event a list of symbols; a server takes 256 unless set otherwise.
            node_id: The node; see the class.
            config: As for create_session.
            at: As for list_patterns.

        Returns:
            `results`, one per memory in order, with `predictions`, `future_potentials`, `symbol_potentials` and `count`:
            what a session of that configuration would answer, holding these events.
        """
        return self._send(calls.predict_many(self._bulk_node(node_id), stms, config=config, at=at))

    def predict_all(
        self,
        stms: Iterable[Sequence[Sequence[str]]],
        node_id: str | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        batch_size: int = 100,
        progress: OnProgress | None = None,
    ) -> Iterator[dict[str, Any]]:
        """
        Ask what comes next for any number of short-term memories; a request is made when its first answer is needed.

        Args:
            stms: As for predict_many, from any iterable.
            node_id: The node; see the class.
            config: As for create_session.
            batch_size: Most memories in one request.
            progress: Called with the progress so far after every request.

        Returns:
            One result per memory, in order, as predict_many has them.
        """
        done = Progress()
        for call in bulk.predicting_calls(self._bulk_node(node_id), stms, batch_size=batch_size, config=config):
            results = bulk.results_of(self._send(call))
            done = done.after_predicting(results)
            if progress is not None:
                progress(done)
            yield from results

    def forecast_many(
        self,
        stms: Sequence[Sequence[Sequence[str]]],
        node_id: str | None = None,
        *,
        as_if_left_out: Sequence[str | None] | None = None,
        horizon: int | None = None,
        ending: bool = False,
        limit: int | None = None,
        explain: bool = False,
        false_alarms: float | None = None,
        wait: bool = False,
    ) -> Body:
        """
        Ask what comes next, and how likely, for many short-term memories in one request, without a session.

        Args:
            stms: As for predict_many.
            node_id: The node; see the class.
            as_if_left_out: Per memory, the name of a pattern of which one learning counts as not learned, or None.
            horizon: Events ahead, 1 to 100: right is what any of them holds; 0: the last event; the next when None.
            ending: Whether the sequence is known to end with those events.
            limit: Most symbols; 10 when None.
            explain: Whether each symbol says which patterns, positions and matched events are behind it.
            false_alarms: How many of the node's own patterns may count as novel, 0 to 1; 0.05 when None.
            wait: Whether to wait for the node's self-test where one is due.

        Returns:
            `results`, one per memory in order, as get_forecast has them.
        """
        call = calls.forecast_many(
            self._bulk_node(node_id),
            stms,
            as_if_left_out=as_if_left_out,
            horizon=horizon,
            ending=ending,
            limit=limit,
            explain=explain,
            false_alarms=false_alarms,
            wait=wait,
        )
        return self._send(call)

    def _bulk_node(self, node_id: str | None) -> str:
        return node_id or self.node_id or calls.DEFAULT_NODE

    def list_patterns(
        self,
        node_id: str | None = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        search: str | None = None,
        sort: str | None = None,
        at: At = None,
    ) -> Body:
        """
        Return one page of the node's patterns.

        Args:
            node_id: The node; see the class.
            limit: Most patterns in this page, 1 to 1000; the server takes 100 when None.
            cursor: `next_cursor` of the page before.
            search: Only patterns with a symbol that contains this text, or whose bare name begins with it.
            sort: `name` (default), `frequency` or `length`, with a leading "-" for descending; ties by name.
            at: As it was after this change (a sequence of the history), or at this time (ISO-8601).

        Returns:
            `patterns` in that order, `count` in this page, `total`, `next_cursor` (None at the end),
            `has_more`.
        """
        call = calls.list_patterns(node_id or self.node_id, limit=limit, cursor=cursor, search=search, sort=sort, at=at)
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
            page = self._send(
                calls.list_patterns(node, limit=page_size, cursor=cursor, search=search, sort=sort, is_walked=True)
            )
            yield from page["patterns"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def get_pattern(self, pattern_id: str, node_id: str | None = None, *, at: At = None) -> Body:
        """
        Return one pattern as `pattern`. Its id may be given with or without "PTRN|"; `at` as for list_patterns.

        Raises:
            PatternNotFound: The node has no such pattern.
        """
        return self._send(calls.get_pattern(pattern_id, node_id or self.node_id, at=at))

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
        search: str | None = None,
        sort: str | None = None,
        vectors: bool = False,
        at: At = None,
    ) -> Body:
        """
        Return how often symbols occur: `symbols` maps each to its `frequency` and `pattern_member_frequency`.

        Args:
            node_id: The node; see the class.
            symbols: Only these; empty means all.
            limit: Most symbols in this page, 1 to 100,000; None means all.
            cursor: `next_cursor` of the page before.
            search: Only symbols that contain this text.
            sort: `name` (default) or `frequency`, with a leading "-" for descending; ties by name.
            vectors: Tell also the components of symbols that stand for vectors: `vector`, null for others.
        """
        call = calls.get_symbol_stats(
            node_id or self.node_id,
            symbols=symbols,
            limit=limit,
            cursor=cursor,
            search=search,
            sort=sort,
            vectors=vectors,
            at=at,
        )
        return self._send(call)

    def get_affinities(
        self,
        node_id: str | None = None,
        *,
        symbols: Sequence[str] = (),
        limit: int | None = None,
        cursor: str | None = None,
        at: At = None,
    ) -> Body:
        """Return as `affinities` symbol → emotive → sum; arguments as for get_symbol_stats."""
        call = calls.get_affinities(node_id or self.node_id, symbols=symbols, limit=limit, cursor=cursor, at=at)
        return self._send(call)

    def get_affinity(self, symbol: str, node_id: str | None = None) -> Body:
        """Return the `affinity` of one symbol: emotive → sum, {} for a symbol without any."""
        return self._run(knowledge.affinity(symbol, node_id or self.node_id))
