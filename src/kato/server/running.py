"""Running the server in this process."""

from __future__ import annotations

import uvicorn

from kato.errors import InvalidSettings
from kato.server.app import create_app
from kato.server.logs import logger, set_up
from kato.server.origins import is_loopback
from kato.settings import Settings


def serve(settings: Settings) -> None:
    """
    Serve until stopped by a signal.

    Raises:
        InvalidSettings: The settings may not be: more than one worker, a public address without keys, or a protection that
            this version does not have.
        StorageInUse, StorageUnavailable, StoredDataCorrupt: The data directory cannot be used.
    """
    if settings.workers > 1:
        raise InvalidSettings(
            {
                "KATO_WORKERS": "must be 1, because one process holds a data directory and answers for it; "
                f"predictions run in threads without waiting for one another, got {settings.workers}"
            }
        )
    if settings.api_keys:
        raise InvalidSettings(
            {"KATO_API_KEYS": "must not be set: this version does not check API keys, and will not pretend to"}
        )
    if settings.rate_limit_per_minute:
        raise InvalidSettings({"KATO_RATE_LIMIT_PER_MINUTE": "must be 0: this version does not limit rates"})
    if not is_loopback(settings.host) and not settings.insecure:
        raise InvalidSettings(
            {
                "KATO_HOST": "must be a loopback address, because without API keys everyone who can reach the server may "
                f"do everything; --insecure allows it all the same, got {settings.host}"
            }
        )
    set_up(settings.log_level, settings.log_format, settings.log_output)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        backlog=settings.backlog,
        timeout_keep_alive=settings.keep_alive,
        limit_max_requests=settings.limit_max_requests,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        http="httptools",
        h11_max_incomplete_event_size=65_536,
        timeout_graceful_shutdown=10,
        ws_max_size=65_536,
    )
    logger().info("serving", url=f"http://{settings.host}:{settings.port}", data=settings.data_dir)
    uvicorn.Server(config).run()
