"""Running the server in this process."""

from __future__ import annotations

import contextlib
import errno
import gc
import socket

import uvicorn

from kato.server.app import Application, create_app, open_admission
from kato.server.connections import Connection, Conversation
from kato.server.logs import logger, set_up
from kato.server.origins import is_loopback
from kato.settings import Settings, refusal

_MADE_BETWEEN_LOOKS = 50_000
"""Containers made and not freed; some megabytes. An answer of a hundred predictions has a tenth of them."""


def serve(settings: Settings) -> None:
    """
    Serve until stopped by a signal.

    Raises:
        InvalidSettings: The settings may not be: more than one worker, a public address without keys, or an address that cannot
            be listened on.
        StorageInUse, StorageUnavailable, StoredDataCorrupt: The data directory cannot be used.
        OSError: The log file cannot be written.
    """
    check(settings)
    set_up(settings.log_level, settings.log_format, settings.log_output)
    _allow_connections()
    application = create_app(settings)
    collect_seldom()
    with listening(settings.host, settings.port, settings.backlog) as door:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        logger().info("serving", url=f"http://{host}:{settings.port}", data=settings.data_dir)
        try:
            uvicorn.Server(configured(application, settings)).run(sockets=[door])
        except SystemExit:
            if application.failure is None:
                raise
            raise application.failure from None
        finally:
            gc.unfreeze()  # what serving has left goes at the end of the process, as it would by itself


def configured(application: Application, settings: Settings) -> uvicorn.Config:
    """How the HTTP library serves the application."""
    return uvicorn.Config(
        application,
        backlog=settings.backlog,
        timeout_keep_alive=settings.keep_alive,
        limit_max_requests=settings.limit_max_requests,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        http=Connection,
        ws=Conversation,
        # Whoever connects could say they are somebody else, and be counted as them.
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        ws_max_size=65_536,
    )


def collect_seldom() -> None:
    """
    Let Python look for cycles of dead objects less often, in this whole process.

    Answers are thousands of dictionaries that live for one request and form no cycles. At Python's own thresholds, looking
    for some among them takes as long as making them.
    """
    gc.freeze()
    gc.set_threshold(_MADE_BETWEEN_LOOKS, 20, 20)


def _allow_connections() -> None:
    """As many files at once as this process may have; the limit that shells set is less than a crowd of idle sockets."""
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS names a limit that it does not allow
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def check(settings: Settings) -> None:
    """
    Refuse what this version cannot do, or may not do by itself.

    Raises:
        InvalidSettings: With the variable, the reason, and what it holds.
        StorageUnavailable, StoredDataCorrupt: The keys cannot be read.
    """
    if settings.workers > 1:
        raise refusal(
            {
                "KATO_WORKERS": "must be 1, because one process holds a data directory and answers for it; "
                f"predictions run in threads without waiting for one another, got {settings.workers}"
            }
        )
    if not is_loopback(settings.host) and not settings.insecure and not open_admission(settings).has_usable_key:
        raise refusal(
            {
                "KATO_HOST": "must be a loopback address, because without API keys everyone who can reach the server may "
                "do everything; make a key with `kato keys create`, or allow it all the same with --insecure, "
                f"got {settings.host}"
            }
        )


def listening(host: str, port: int, backlog: int) -> socket.socket:
    """
    A socket that listens.

    Raises:
        InvalidSettings: There is no such address here, or somebody else listens on that port.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise refusal({"KATO_HOST": f"must be an address of this machine, got {host} ({error.strerror})"}) from error
    try:
        door = socket.create_server(address[:2], family=family, backlog=backlog)
    except OSError as error:
        name = "KATO_PORT" if is_taken(error) else "KATO_HOST"
        rule = "a port that is free and allowed" if name == "KATO_PORT" else "an address of this machine"
        raise refusal({name: f"must be {rule}, got {host}:{port} ({error.strerror})"}) from error
    # Python leaves open which protocol it is. asyncio then lets nothing be sent at once, and the second part of an answer waits
    # until the client confirms the first: 40 ms on Linux. uvloop does not ask, but Windows has none.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=door.detach())


def is_taken(error: OSError) -> bool:
    """Whether it is the port that cannot be had, as opposed to the address."""
    return error.errno in {errno.EADDRINUSE, errno.EACCES}
