"""What both HTTP clients are told when they are made, and what they tell their HTTP library."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kato import __version__
from kato.client.exchange import Request
from kato.client.retrying import Attempt, RetryPolicy

if TYPE_CHECKING:
    import ssl

    import httpx2

# A server closes idle connections after five seconds (KATO_KEEP_ALIVE); we let go of them before, so that no
# request is sent into a connection that is just being closed.
IDLE_SECONDS = 4.0
MOST_CONNECTIONS = 100


@cache
def trusted() -> ssl.SSLContext:
    """The certificates that servers are judged by: read once a process, for reading them takes longer than most calls."""
    import httpx2

    return httpx2.create_ssl_context()


class Connection:
    """
    Where a client sends and how patient it is.

    `timeout`, `max_retries` and `deadline_seconds` may be changed at any time; calls made afterwards obey.
    """

    def __init__(
        self,
        base_url: str,
        timeout: float,
        max_retries: int,
        api_key: str | None,
        deadline_seconds: float | None,
    ) -> None:
        self.base_url = _checked_address(base_url)
        if not timeout > 0:
            raise ValueError(f"timeout must be a number of seconds above 0, got {timeout!r}")
        if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
            raise ValueError(f"max_retries must be an integer, 0 or more, got {max_retries!r}")
        if deadline_seconds is not None and not deadline_seconds > 0:
            raise ValueError(f"deadline_seconds must be a number of seconds above 0 or None, got {deadline_seconds!r}")
        if api_key is not None and not (api_key and api_key.isascii() and api_key.isprintable() and " " not in api_key):
            raise ValueError("api_key must be visible ASCII characters")
        self.timeout = timeout
        self.max_retries = max_retries
        self.deadline_seconds = deadline_seconds
        self._api_key = api_key
        self._patience = RetryPolicy()

    def _policy(self) -> RetryPolicy:
        return replace(
            self._patience,
            max_retries=self.max_retries,
            timeout_seconds=self.timeout,
            deadline_seconds=self.deadline_seconds,
        )

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": f"kato-python/{__version__}"}
        return headers if self._api_key is None else {**headers, "X-API-Key": self._api_key}

    def _limits(self) -> httpx2.Limits:
        import httpx2

        return httpx2.Limits(
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=MOST_CONNECTIONS,
            keepalive_expiry=IDLE_SECONDS,
        )

    def _outgoing(self, http: httpx2.Client | httpx2.AsyncClient, request: Request, attempt: Attempt) -> httpx2.Request:
        import httpx2

        # Waiting for a free connection of our own is no fault of the server: only the deadline limits it.
        pool = None if attempt.until is None else attempt.timeout_seconds
        return http.build_request(
            request.call.method,
            self.base_url + request.target,
            content=request.content,
            headers=dict(request.headers),
            timeout=httpx2.Timeout(attempt.timeout_seconds, pool=pool),
        )


def _checked_address(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"base_url must look like http://localhost:8000, got {base_url!r}")
    return base_url.rstrip("/")
