"""Everything a client can be asked, however it sends; and handles for several nodes and sessions at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from kato.client import recovery
from kato.client.calls import Call
from kato.client.node_methods import NodeMethods
from kato.client.recovery import Body, Doing, T, logger
from kato.client.service_methods import ServiceMethods
from kato.client.session_methods import Sender, SessionMethods
from kato.errors import KATOError, KATOSessionError


class ClientMethods(SessionMethods, NodeMethods, ServiceMethods):
    """
    The methods of a client, which remembers one session: the one it created last.

    A subclass says how a call is sent (`_send`) and what `close` releases. Nothing here knows of HTTP.
    """

    def __init__(self) -> None:
        super().__init__()

    def create_session(
        self,
        node_id: str,
        config: Mapping[str, Any] | None = None,
        ttl: int | None = None,
        auto_reconnect: bool = True,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """
        Begin a session with a node and make it the one that calls go to.

        Args:
            node_id: The owner of what is learned, 1 to 512 characters; it is made when first used.
            config: Configuration of this session; keys not given have the server's defaults.
            ttl: Lifetime in seconds, which every access renews; None takes the server's default.
            auto_reconnect: Whether calls may begin a new session by themselves when this one is gone.
            metadata: The caller's own description of the session.

        Returns:
            The id of the session.

        Raises:
            InvalidSettings: The configuration may not be; no session was made.
            InvalidInput: Another argument is not as it must be.
        """
        return self._run(recovery.create(self._state, node_id, config, ttl, metadata, auto_reconnect))

    def node(self, node_id: str) -> Node:
        """Return a handle to a node, for work with several nodes or sessions at once. Nothing is sent."""
        return Node(self, node_id)

    @abstractmethod
    def close(self) -> None:
        """Release what the client holds. Sessions stay until they are deleted or expire."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Handle(Sender):
    """Something that sends through its client."""

    _client: ClientMethods

    def _send(self, call: Call) -> Body:
        return self._client._send(call)

    def _run(self, doing: Doing[T]) -> T:
        return self._client._run(doing)


class Node(_Handle, NodeMethods):
    """One node, reached through a client."""

    def __init__(self, client: ClientMethods, node_id: str) -> None:
        self._client = client
        self._node_id = node_id

    @property
    def node_id(self) -> str:
        """The node."""
        return self._node_id

    def session(
        self,
        config: Mapping[str, Any] | None = None,
        ttl: int | None = None,
        auto_reconnect: bool = True,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> Session:
        """Begin a session with this node, as create_session does. The client's own session stays as it is."""
        session = Session(self._client)
        self._run(recovery.create(session._state, self.node_id, config, ttl, metadata, auto_reconnect))
        return session


class Session(_Handle, SessionMethods):
    """
    One session, reached through a client; as a context manager it ends with the block.

    Methods, arguments and errors are those of the client.
    """

    def __init__(self, client: ClientMethods) -> None:
        super().__init__()
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.session_id is None:
            return
        try:
            self.delete_session()
        except KATOSessionError:
            self.session_id = None  # it had ended by itself
        except KATOError as failure:
            if error is None:
                raise
            logger.warning("The session could not be ended: %s", failure)  # the error inside the block is the news
