"""What can be asked of the service as a whole: its sessions, its health, its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from kato.client import calls
from kato.client.recovery import Body
from kato.client.session_methods import Sender


class ServiceMethods(Sender):
    """Questions about the service; docs/http-api.md lists the members of each answer."""

    def list_sessions(self, node_id: str | None = None, *, limit: int | None = None, cursor: str | None = None) -> Body:
        """
        Return one page of the live sessions, oldest first.

        Args:
            node_id: Only sessions of this node; None means all.
            limit: Most sessions in this page, 1 to 1000; the server takes 100 when None.
            cursor: `next_cursor` of the page before.
        """
        return self._send(calls.list_sessions(node_id=node_id, limit=limit, cursor=cursor))

    def list_nodes(self, *, limit: int | None = None, after: str | None = None) -> Body:
        """
        Return one page of the nodes that have learned something, by node id.

        Args:
            limit: Most nodes in this page, 1 to 1000; the server takes 100 when None.
            after: Only nodes after this one: the last of the page before.
        """
        return self._send(calls.list_nodes(limit=limit, after=after))

    def count_sessions(self) -> Body:
        """Return how many sessions are alive: `count`."""
        return self._send(calls.count_sessions())

    def info(self) -> Body:
        """Return who is answering: name, version, uptime."""
        return self._send(calls.service("/"))

    def health(self) -> Body:
        """Return how the service fares: `status`, `issues`, `dependencies`. One attempt, no retries."""
        return self._send(calls.service("/health", is_probe=True))

    def live(self) -> Body:
        """Return `status` "alive" while the process answers. One attempt, no retries."""
        return self._send(calls.service("/health/live", is_probe=True))

    def ready(self) -> Body:
        """
        Return `status` "ready" when calls are served. One attempt, no retries.

        Raises:
            NotReady: The service is starting, stopping, or lacks something it needs.
        """
        return self._send(calls.service("/health/ready", is_probe=True))

    def status(self) -> Body:
        """Return counts of sessions and nodes."""
        return self._send(calls.service("/status"))

    def metrics(self) -> Body:
        """Return the service's numbers at this moment."""
        return self._send(calls.service("/metrics"))

    def metric(self, name: str, minutes: int | None = None) -> Body:
        """
        Return the points of one metric over the last `minutes` (1 to 1440; the server takes 10 when None).

        Raises:
            MetricNotFound: There is no such metric, or no point in that time.
        """
        return self._send(calls.get_metric(name, minutes))

    def stats(self, minutes: int | None = None) -> Body:
        """Return all time series of the last `minutes` (1 to 1440; the server takes 10 when None)."""
        return self._send(calls.service("/stats", minutes=minutes))

    def requests(self, *, limit: int | None = None, errors: bool = False) -> Body:
        """
        Return the latest requests that the server answered, newest first: route, status, duration, trace id.

        Args:
            limit: Most requests, 1 to 500; the server takes 100 when None.
            errors: Only those with a status of 400 or more.
        """
        return self._send(calls.requests(limit=limit, errors=errors))

    def server_log(self, *, limit: int | None = None, level: str | None = None) -> Body:
        """
        Return the latest lines of the server's log, newest first, without what might hold an observation, a key or a path.

        Args:
            limit: Most lines, 1 to 1000; the server takes 100 when None.
            level: Only lines of this level ("debug" … "critical") or a more serious one.
        """
        return self._send(calls.server_log(limit=limit, level=level))

    def list_keys(self) -> Body:
        """Return the API keys without the keys themselves, oldest first; `status` "disabled" and why where there are none."""
        return self._send(calls.service("/keys"))

    def create_key(self, name: str = "", *, scope: str = "write", prefixes: Sequence[str] | None = None) -> Body:
        """
        Make an API key: `key` in the answer, this once.

        Args:
            name: What it is for, or whose it is; at most 100 characters.
            scope: "read", "write" or "admin".
            prefixes: It may touch nodes whose ids begin with one of these; empty: all. None: as the key that asks.

        Raises:
            KeyConflict: The server asks for no keys, or keeps none.
            Forbidden: The key that asks is no administrator's, or may touch less itself.
        """
        return self._send(calls.create_key(name, scope, prefixes))

    def revoke_key(self, key_id: str) -> Body:
        """
        Revoke an API key: from the next request on it lets nobody in.

        Raises:
            KeyNotFound: There is no such usable key among those that the key that asks may manage.
            KeyConflict: It is the key that asks, or the server has no keys.
        """
        return self._send(calls.revoke_key(key_id))

    def concurrency(self) -> Body:
        """Return how many requests are in flight, and how many may be."""
        return self._send(calls.service("/concurrency"))

    def cache_stats(self) -> Body:
        """Return the numbers of the cache."""
        return self._send(calls.service("/cache/stats"))

    def invalidate_cache(self, session_id: str | None = None) -> Body:
        """Drop cached values. No result changes."""
        return self._send(calls.invalidate_cache(session_id))

    def distributed_stm_stats(self) -> Body:
        """Return the numbers of the distributed short-term memory."""
        return self._send(calls.service("/distributed-stm/stats"))

    def connection_pools(self) -> Body:
        """Return the state of the connections to each storage."""
        return self._send(calls.service("/connection-pools"))
