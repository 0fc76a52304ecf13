"""The server's log: one line per request, as JSON or for people. Never what was observed."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog


def logger() -> Any:
    """The server's logger."""
    return structlog.get_logger("kato")


def set_up(level: str, form: str, output: str) -> None:
    """
    Where log lines go and how they look.

    Args:
        level: DEBUG … CRITICAL.
        form: "human" or "json".
        output: "stdout", "stderr", or the path of a file that is appended to.
    """
    stream: TextIO = sys.stdout
    if output == "stderr":
        stream = sys.stderr
    elif output != "stdout":
        stream = open(output, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 - open as long as the server
    renderer: Any = structlog.processors.JSONRenderer()
    if form == "human":
        renderer = structlog.dev.ConsoleRenderer(colors=stream.isatty())
    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if form == "json":
        processors.append(structlog.processors.dict_tracebacks)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
