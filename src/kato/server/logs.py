"""
The server's log: one line per request, as JSON or for people. Never what was observed.

A traceback shows where and what kind, without the values of variables: those are observations, keys and session ids.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, TextIO

import orjson
import structlog
from structlog.tracebacks import ExceptionDictTransformer

from kato.service.log_tail import LogTail
from kato.wire.answers import time_text

TAIL = LogTail()
"""The latest lines that were written, whatever the log looks like and wherever it goes."""
_PLACE = re.compile(r"%[-+ #0]*[\d*]*(?:\.[\d*]+)?[a-zA-Z]")
"""Where a message of an inner part or of the HTTP library has a value."""
_bound: list[Any] = []
"""The logger as it was last set up, put together once: every request writes a line."""


def logger() -> Any:
    """The server's logger."""
    return _bound[0] if _bound else structlog.get_logger("kato")


def log_requests(requests: Iterable[Mapping[str, Any]]) -> None:
    """
    The lines of requests. Every request writes one, so where lines are JSON they are put together without the logger's chain,
    and leave together.

    Args:
        requests: What is known of each; values that JSON knows.
    """
    if not _requests:
        for fields in requests:
            logger().info("request", **fields)
        return
    stream = _requests[0]
    if stream is not None:
        timestamp = time_text(time.time_ns() // 1000)
        for fields in requests:
            line = {**fields, "event": "request", "level": "info", "timestamp": timestamp}
            TAIL.add("request", line)
            stream.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        stream.buffer.flush()


def set_up(level: str, form: str, output: str) -> None:
    """
    Where log lines go and how they look; those of the HTTP library too.

    Args:
        level: DEBUG … CRITICAL.
        form: "human" or "json".
        output: "stdout", "stderr", or the path of a file that is appended to.

    Raises:
        OSError: The file cannot be written.
    """
    stream = _stream(output)
    least = logging.getLevelNamesMapping()[level]
    before: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _keep,
    ]
    last: list[Any] = [
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, sort_keys=False
        )
    ]
    if form == "json":
        errors = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        last = [errors, structlog.processors.JSONRenderer(_line)]
    structlog.configure(
        processors=[*before, *last],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _bound[:] = [structlog.get_logger("kato").bind()]
    _requests[:] = [stream if least <= logging.INFO else None] if form == "json" else []
    _set_up_library(before, last, stream, least)


def _keep(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A step of writing a line: keep it among the latest."""
    record = line.get("_record")
    told = {name: value for name, value in line.items() if not name.startswith("_")}
    # Of a message put together elsewhere only the sentence is kept: its values might be anything.
    event = _PLACE.sub("…", str(record.msg)) if record is not None else str(line["event"])
    TAIL.add(event, told)
    return line


def _line(event: Mapping[str, Any], **ways: Any) -> str:
    """A line of JSON, with what JSON does not know written as `ways` says."""
    return orjson.dumps(event, default=ways.get("default")).decode()


_requests: list[TextIO | None] = []
"""Where the lines of requests go as JSON, None where they are not wanted; empty where the logger writes them."""
_files: list[TextIO] = []
"""The file that is written to, where it is a file."""


def _stream(output: str) -> TextIO:
    found = {"stdout": sys.stdout, "stderr": sys.stderr}.get(output)
    opened = [] if found else [open(output, "a", encoding="utf-8", buffering=1)]  # noqa: SIM115 - open until the next
    for file in _files:
        file.close()
    _files[:] = opened
    return found or opened[0]


def _set_up_library(before: list[Any], last: list[Any], stream: TextIO, least: int) -> None:
    """Lines of the HTTP library and of inner parts go where ours go; of its ordinary life the library says nothing."""
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=[remove, *last]))
    for name, level in (("uvicorn", max(least, logging.WARNING)), ("kato.service", least)):
        library = logging.getLogger(name)
        library.handlers[:] = [handler]
        library.propagate = False
        library.setLevel(level)
