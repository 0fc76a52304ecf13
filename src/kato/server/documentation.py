"""The pages that describe the API to people. They are FastAPI's; it is imported when somebody asks for the first of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from kato.operations import OPERATIONS
from kato.operations.health import VERSION
from kato.server.openapi import description
from kato.server.transport import Receive, Scope, Send

Pages = Callable[[Scope, Receive, Send], Awaitable[None]]
PATHS = frozenset({"/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"})


class Documentation:
    """
    An ASGI application for `PATHS`.

    Importing what makes them takes time and memory at a start, which most servers never need.
    """

    def __init__(self) -> None:
        self._pages: Pages | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._pages is None:
            self._pages = await asyncio.to_thread(_pages)
        await self._pages(scope, receive, send)


def _pages() -> Pages:
    from fastapi import FastAPI

    pages = FastAPI(title="KATO", version=VERSION)
    pages.openapi = lambda: description(OPERATIONS, VERSION)  # type: ignore[method-assign]
    return pages
