"""Everything an async client can be asked, and its handles. The sync twins tell what each method means."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from kato.client import bulk, calls, knowledge, recovery
from kato.client.async_history_methods import AsyncHistoryMethods
from kato.client.async_session_methods import AsyncSender, AsyncSessionMethods
from kato.client.bulk import OnProgress, Progress
from kato.client.calls import At, Call
from kato.client.node_methods import SequenceGiven
from kato.client.recovery import Body, Doing, T, logger
from kato.errors import KATOError, KATOSessionError


class AsyncNodeMethods(AsyncHistoryMethods):
    """Patterns and symbols of a node: arguments, answers and errors are those of NodeMethods."""

    @property
    @abstractmethod
    def node_id(self) -> str | None:
        """The node meant when a method is given none."""

    async def learn_many(
        self,
        sequences: Sequence[SequenceGiven],
        node_id: str | None = None,
        *,
        persistence: int | None = None,
        sort_symbols: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Body:
        """Learn many sequences in one request, without a session: all of them, or none."""
        call = calls.learn_many(
            self._bulk_node(node_id),
            sequences,
            persistence=persistence,
            sort_symbols=sort_symbols,
            idempotency_key=idempotency_key,
        )
        return await self._send(call)

    async def learn_all(
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
        """Learn any number of sequences, request after request; no more of them is held than one request takes."""
        done = Progress()
        for call in bulk.learning_calls(
            self._bulk_node(node_id),
            sequences,
            batch_size=batch_size,
            persistence=persistence,
            sort_symbols=sort_symbols,
            idempotency_key=idempotency_key,
        ):
            done = done.after_learning(bulk.results_of(await self._send(call)))
            if progress is not None:
                progress(done)
        return done

    async def predict_many(
        self,
        stms: Sequence[Sequence[Sequence[str]]],
        node_id: str | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        at: At = None,
    ) -> Body:
        """Ask what comes next for many short-term memories in one request, without a session."""
        return await self._send(calls.predict_many(self._bulk_node(node_id), stms, config=config, at=at))

    async def predict_all(
        self,
        stms: Iterable[Sequence[Sequence[str]]],
        node_id: str | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        batch_size: int = 100,
        progress: OnProgress | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Ask what comes next for any number of short-term memories; a request is made when its first answer is needed."""
        done = Progress()
        for call in bulk.predicting_calls(self._bulk_node(node_id), stms, batch_size=batch_size, config=config):
            results = bulk.results_of(await self._send(call))
            done = done.after_predicting(results)
            if progress is not None:
                progress(done)
            for result in results:
                yield result

    async def forecast_many(
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
        """Ask what comes next, and how likely, for many short-term memories in one request, without a session."""
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
        return await self._send(call)

    def _bulk_node(self, node_id: str | None) -> str:
        return node_id or self.node_id or calls.DEFAULT_NODE

    async def list_patterns(
        self,
        node_id: str | None = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        search: str | None = None,
        sort: str | None = None,
        at: At = None,
    ) -> Body:
        """Return one page of the node's patterns."""
        call = calls.list_patterns(node_id or self.node_id, limit=limit, cursor=cursor, search=search, sort=sort, at=at)
        return await self._send(call)

    async def iterate_patterns(
        self,
        node_id: str | None = None,
        *,
        page_size: int | None = None,
        search: str | None = None,
        sort: str | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Walk through all patterns of the node, fetching a page when it is needed."""
        node = node_id or self.node_id
        cursor: str | None = None
        while True:
            page = await self._send(
                calls.list_patterns(node, limit=page_size, cursor=cursor, search=search, sort=sort, is_walked=True)
            )
            for pattern in page["patterns"]:
                yield pattern
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    async def get_pattern(self, pattern_id: str, node_id: str | None = None, *, at: At = None) -> Body:
        """Return one pattern as `pattern`. Its id may be given with or without "PTRN|"; `at` as for list_patterns."""
        return await self._send(calls.get_pattern(pattern_id, node_id or self.node_id, at=at))

    async def edit_pattern(
        self,
        pattern_id: str,
        node_id: str | None = None,
        *,
        frequency: int | None = None,
        emotives: Sequence[Mapping[str, float]] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Body:
        """Replace members of one pattern; those not given stay."""
        call = calls.edit_pattern(
            pattern_id, node_id or self.node_id, frequency=frequency, emotives=emotives, metadata=metadata
        )
        return await self._send(call)

    async def forget_pattern(self, pattern_id: str, node_id: str | None = None) -> Body:
        """Forget one pattern: predictions are from now on as if it had never been learned."""
        return await self._send(calls.forget_pattern(pattern_id, node_id or self.node_id))

    async def get_symbol_stats(
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
        """Return how often symbols occur."""
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
        return await self._send(call)

    async def get_affinities(
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
        return await self._send(call)

    async def get_affinity(self, symbol: str, node_id: str | None = None) -> Body:
        """Return the `affinity` of one symbol: emotive → sum, {} for a symbol without any."""
        return await self._run(knowledge.affinity(symbol, node_id or self.node_id))


class AsyncServiceMethods(AsyncSender):
    """Questions about the service: arguments and answers are those of ServiceMethods."""

    async def list_sessions(
        self, node_id: str | None = None, *, limit: int | None = None, cursor: str | None = None
    ) -> Body:
        """Return one page of the live sessions, oldest first."""
        return await self._send(calls.list_sessions(node_id=node_id, limit=limit, cursor=cursor))

    async def list_nodes(self, *, limit: int | None = None, after: str | None = None) -> Body:
        """Return one page of the nodes that have learned something, by node id."""
        return await self._send(calls.list_nodes(limit=limit, after=after))

    async def count_sessions(self) -> Body:
        """Return how many sessions are alive: `count`."""
        return await self._send(calls.count_sessions())

    async def info(self) -> Body:
        """Return who is answering: name, version, uptime."""
        return await self._send(calls.service("/"))

    async def health(self) -> Body:
        """Return how the service fares: `status`, `issues`, `dependencies`. One attempt, no retries."""
        return await self._send(calls.service("/health", is_probe=True))

    async def live(self) -> Body:
        """Return `status` "alive" while the process answers. One attempt, no retries."""
        return await self._send(calls.service("/health/live", is_probe=True))

    async def ready(self) -> Body:
        """Return `status` "ready" when calls are served. One attempt, no retries."""
        return await self._send(calls.service("/health/ready", is_probe=True))

    async def status(self) -> Body:
        """Return counts of sessions and nodes."""
        return await self._send(calls.service("/status"))

    async def metrics(self) -> Body:
        """Return the service's numbers at this moment."""
        return await self._send(calls.service("/metrics"))

    async def metric(self, name: str, minutes: int | None = None) -> Body:
        """Return the points of one metric over the last `minutes`."""
        return await self._send(calls.get_metric(name, minutes))

    async def stats(self, minutes: int | None = None) -> Body:
        """Return all time series of the last `minutes` (1 to 1440; the server takes 10 when None)."""
        return await self._send(calls.service("/stats", minutes=minutes))

    async def requests(self, *, limit: int | None = None, errors: bool = False) -> Body:
        """Return the latest requests that the server answered, newest first: route, status, duration, trace id."""
        return await self._send(calls.requests(limit=limit, errors=errors))

    async def server_log(self, *, limit: int | None = None, level: str | None = None) -> Body:
        """Return the latest lines of the server's log, newest first."""
        return await self._send(calls.server_log(limit=limit, level=level))

    async def list_keys(self) -> Body:
        """Return the API keys without the keys themselves, oldest first."""
        return await self._send(calls.service("/keys"))

    async def create_key(self, name: str = "", *, scope: str = "write", prefixes: Sequence[str] | None = None) -> Body:
        """Make an API key: `key` in the answer, this once."""
        return await self._send(calls.create_key(name, scope, prefixes))

    async def revoke_key(self, key_id: str) -> Body:
        """Revoke an API key: from the next request on it lets nobody in."""
        return await self._send(calls.revoke_key(key_id))

    async def concurrency(self) -> Body:
        """Return how many requests are in flight, and how many may be."""
        return await self._send(calls.service("/concurrency"))

    async def cache_stats(self) -> Body:
        """Return the numbers of the cache."""
        return await self._send(calls.service("/cache/stats"))

    async def invalidate_cache(self, session_id: str | None = None) -> Body:
        """Drop cached values. No result changes."""
        return await self._send(calls.invalidate_cache(session_id))

    async def distributed_stm_stats(self) -> Body:
        """Return the numbers of the distributed short-term memory."""
        return await self._send(calls.service("/distributed-stm/stats"))

    async def connection_pools(self) -> Body:
        """Return the state of the connections to each storage."""
        return await self._send(calls.service("/connection-pools"))


class AsyncClientMethods(AsyncSessionMethods, AsyncNodeMethods, AsyncServiceMethods):
    """The methods of a client, which remembers one session: the one it created last. See ClientMethods."""

    async def create_session(
        self,
        node_id: str,
        config: Mapping[str, Any] | None = None,
        ttl: int | None = None,
        auto_reconnect: bool = True,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Begin a session with a node and make it the one that calls go to."""
        return await self._run(recovery.create(self._state, node_id, config, ttl, metadata, auto_reconnect))

    def node(self, node_id: str) -> AsyncNode:
        """Return a handle to a node, for work with several nodes or sessions at once. Nothing is sent."""
        return AsyncNode(self, node_id)

    @abstractmethod
    async def close(self) -> None:
        """Release what the client holds. Sessions stay until they are deleted or expire."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _AsyncHandle(AsyncSender):
    """Something that sends through its client."""

    _client: AsyncClientMethods

    async def _send(self, call: Call) -> Body:
        return await self._client._send(call)

    async def _run(self, doing: Doing[T]) -> T:
        return await self._client._run(doing)


class AsyncNode(_AsyncHandle, AsyncNodeMethods):
    """One node, reached through a client."""

    def __init__(self, client: AsyncClientMethods, node_id: str) -> None:
        self._client = client
        self._node_id = node_id

    @property
    def node_id(self) -> str:
        """The node."""
        return self._node_id

    async def session(
        self,
        config: Mapping[str, Any] | None = None,
        ttl: int | None = None,
        auto_reconnect: bool = True,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> AsyncSession:
        """Begin a session with this node. The client's own session stays as it is."""
        session = AsyncSession(self._client)
        await self._run(recovery.create(session._state, self.node_id, config, ttl, metadata, auto_reconnect))
        return session


class AsyncSession(_AsyncHandle, AsyncSessionMethods):
    """One session, reached through a client; as an async context manager it ends with the block."""

    def __init__(self, client: AsyncClientMethods) -> None:
        super().__init__()
        self._client = client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.session_id is None:
            return
        try:
            await self.delete_session()
        except KATOSessionError:
            self.session_id = None  # it had ended by itself
        except KATOError as failure:
            if error is None:
                raise
            logger.warning("The session could not be ended: %s", failure)  # the error inside the block is the news
