"""
The environment, read once and turned into values.

Each variable has our name and perhaps older names; ours wins. A bad value stops the start with one sentence that names the
variable, what it holds and what is allowed.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any

import psutil
from platformdirs import user_data_dir

from kato.engine.settings import KEYS, Key, resolve
from kato.errors import InvalidSettings
from kato.wire.limits import Limits

_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_UNITS = {"": 1, "b": 1, "k": 10**3, "kb": 10**3, "kib": 2**10, "m": 10**6, "mb": 10**6, "mib": 2**20}
_UNITS |= {"g": 10**9, "gb": 10**9, "gib": 2**30, "t": 10**12, "tb": 10**12, "tib": 2**40}
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
IGNORED = (
    "SESSION_COUNT_CACHE_TTL_SECONDS",
    "METRICS_CACHE_TTL_SECONDS",
    "AUTO_LEARN_ENABLED",
    "AUTO_LEARN_THRESHOLD",
)
"""Accepted for compatible deployments; they do nothing, and are named once."""

KEY_VARIABLE = "KATO_API_KEY"
"""The key that commands send to a server; the server itself does not read it."""


def _half_of_memory() -> int:
    return int(psutil.virtual_memory().total // 2)


def refusal(errors: Mapping[str, str]) -> InvalidSettings:
    """
    The error that stops a start.

    Args:
        errors: Variable → a sentence without subject: what is allowed, and what it holds unless that is a secret.

    >>> refusal({"KATO_PORT": "must be an integer from 1 to 65535, got '0'"}).message
    "KATO_PORT must be an integer from 1 to 65535, got '0'"
    """
    error = InvalidSettings(errors)
    error.message = "; ".join(f"{name} {sentence}" for name, sentence in errors.items())
    return error


@dataclass(frozen=True)
class Settings:
    """All that the environment says; docs/settings.md lists the variables."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    limit_concurrency: int = 1000
    limit_max_requests: int | None = None
    backlog: int = 2048
    keep_alive: int = 5
    service_name: str = "kato"
    log_level: str = "INFO"
    log_format: str = "human"
    log_output: str = "stdout"
    session_ttl: int = 3600
    session_auto_extend: bool = True
    session_tombstone: int = 3600
    request_timeout: float = 120.0
    api_keys: tuple[str, ...] = ()
    rate_limit_per_minute: int = 0
    cors_enabled: bool = True
    cors_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    data_dir: str = field(default_factory=lambda: user_data_dir("kato", appauthor=False))
    durability: str = "learn"
    engine: str | None = None
    memory_budget: int = field(default_factory=_half_of_memory)
    idempotency_seconds: int = 86_400
    ws_origins: tuple[str, ...] | None = None
    """None: as `cors_origins`."""
    ws_max_connections: int = 1000
    ws_heartbeat: int = 30
    docs_enabled: bool = True
    insecure: bool = False
    """Whether a public address may be served without keys; said on the command line only."""
    limits: Limits = field(default_factory=Limits)
    session_defaults: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> tuple[Settings, list[str]]:
        """
        The settings an environment describes, and what should be said about it.

        Raises:
            InvalidSettings: A variable holds what it may not; every such variable is named.
        """
        reading = _Reading(os.environ if environ is None else environ)
        values: dict[str, Any] = {}
        for variable in VARIABLES:
            found = reading.value(variable)
            if found is not None:
                values[variable.field] = found[0]
        limits = {}
        for variable in LIMIT_VARIABLES:
            found = reading.value(variable)
            if found is not None:
                limits[variable.field] = found[0]
        session_defaults = reading.session_defaults()
        reading.finish()
        if "host" in values and not values["host"]:
            del values["host"]
        return cls(**values, limits=Limits(**limits), session_defaults=session_defaults), reading.warnings


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its field, its names (ours first), how it is read, and what is allowed in words."""

    field: str
    names: tuple[str, ...]
    read: Callable[[str], Any]
    allowed: str
    secret: bool = False


def _whole(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _integer(low: int, high: int | None = None) -> tuple[Callable[[str], int], str]:
    def read(text: str) -> int:
        value = _whole(text)
        if value < low or (high is not None and value > high):
            raise ValueError(text)
        return value

    return read, f"an integer from {low} to {high}" if high is not None else f"an integer of at least {low}"


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE | _FALSE:
        return lowered in _TRUE
    raise ValueError(text)


def _choice(*choices: str, fold: Callable[[str], str] = str.lower) -> tuple[Callable[[str], str], str]:
    def read(text: str) -> str:
        if fold(text) not in choices:
            raise ValueError(text)
        return fold(text)

    return read, "one of " + ", ".join(choices)


def read_list(text: str) -> tuple[str, ...]:
    """
    One plain value, comma-separated values, or a JSON list.

    >>> read_list("a, b"), read_list('["a"]')
    (('a', 'b'), ('a',))
    """
    if text.startswith("["):
        values = json.loads(text)
        if not all(isinstance(value, str) for value in values):
            raise ValueError(text)
        return tuple(values)
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _origins(text: str) -> tuple[str, ...]:
    origins = read_list(text)
    for origin in origins:
        if origin != "*" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s]+", origin):
            raise ValueError(origin)
    return origins


def _hosts(text: str) -> tuple[str, ...]:
    hosts = read_list(text)
    for host in hosts:
        if "/" in host or any(character.isspace() for character in host):
            raise ValueError(host)
    return hosts


def _keys(text: str) -> tuple[str, ...]:
    keys = read_list(text)
    if any(len(key) < 16 for key in keys):
        raise ValueError("short")
    return keys


def read_bytes(text: str) -> int:
    """
    A number of bytes with a unit.

    >>> read_bytes("2GiB"), read_bytes("500 MB")
    (2147483648, 500000000)
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)", text)
    if found is None or found[2].lower() not in _UNITS:
        raise ValueError(text)
    return int(Fraction(found[1]) * _UNITS[found[2].lower()])


def _seconds(text: str) -> float:
    value = _number(text)
    if not math.isfinite(value) or value < 0:
        raise ValueError(text)
    return value


def _number(text: str) -> float:
    """A number as JSON or people write it; not as Python does, where 1_0 is ten and nan a number."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _max_requests(text: str) -> int | None:
    return None if text.lower() == "unlimited" else _integer(1)[0](text)


def _service_name(text: str) -> str:
    if not 1 <= len(text) <= 100:
        raise ValueError(text)
    return text


def _heartbeat(text: str) -> int:
    value = _integer(0)[0](text)
    if 0 < value < 30:
        raise ValueError(text)
    return value


def _variable(name: str, reading: tuple[Callable[[str], Any], str], *aliases: str, secret: bool = False) -> Variable:
    return Variable(name, (f"KATO_{name.upper()}", *aliases), *reading, secret=secret)


VARIABLES: tuple[Variable, ...] = (
    _variable("host", (str, "a host name or address"), "HOST"),
    _variable("port", _integer(1, 65_535), "PORT"),
    _variable("workers", _integer(1), "WORKERS", "UVICORN_WORKERS"),
    _variable("limit_concurrency", _integer(1), "UVICORN_LIMIT_CONCURRENCY"),
    _variable(
        "limit_max_requests", (_max_requests, "unlimited or an integer of at least 1"), "UVICORN_LIMIT_MAX_REQUESTS"
    ),
    _variable("backlog", _integer(1), "UVICORN_BACKLOG"),
    _variable("keep_alive", _integer(1), "UVICORN_TIMEOUT_KEEP_ALIVE"),
    _variable("service_name", (_service_name, "1 to 100 characters"), "SERVICE_NAME"),
    _variable("log_level", _choice(*LEVELS, fold=str.upper), "LOG_LEVEL"),
    _variable("log_format", _choice("human", "json"), "LOG_FORMAT"),
    _variable("log_output", (str, "stdout, stderr or the path of a file"), "LOG_OUTPUT"),
    _variable("session_ttl", _integer(1, 31_536_000), "SESSION_TTL"),
    _variable("session_auto_extend", (_boolean, "true or false"), "SESSION_AUTO_EXTEND"),
    _variable("session_tombstone", _integer(0)),
    _variable("request_timeout", (_seconds, "seconds, at least 0"), "REQUEST_TIMEOUT"),
    _variable("api_keys", (_keys, "a list of keys of at least 16 characters"), secret=True),
    _variable("rate_limit_per_minute", _integer(0)),
    _variable("cors_enabled", (_boolean, "true or false"), "CORS_ENABLED"),
    _variable("cors_origins", (_origins, "a list of origins such as https://example.org, or *"), "CORS_ORIGINS"),
    _variable("allowed_hosts", (_hosts, "a list of host names")),
    _variable("data_dir", (str, "a path")),
    _variable("durability", _choice("learn", "full")),
    _variable("engine", _choice("native", "plain")),
    _variable("memory_budget", (read_bytes, "bytes with a unit, such as 2GiB")),
    _variable("idempotency_seconds", _integer(0)),
    _variable("ws_origins", (_origins, "a list of origins such as https://example.org, or *")),
    _variable("ws_max_connections", _integer(1)),
    _variable("ws_heartbeat", (_heartbeat, "0, or seconds of at least 30")),
    _variable("docs_enabled", (_boolean, "true or false"), "DOCS_ENABLED"),
)
_LIMIT_ALIASES = {"max_body_bytes": ("MAX_REQUEST_SIZE",)}
_FIXED_LIMITS = {"max_name_characters"}
_MOST_METADATA_DEPTH = 150
"""Bodies are parsed 200 levels deep (`kato.wire.parsing`); an answer and a stored row put some levels around metadata."""
LIMIT_VARIABLES: tuple[Variable, ...] = tuple(
    _variable(
        each.name,
        _integer(
            0 if each.name == "max_sessions" else 1,
            _MOST_METADATA_DEPTH if each.name == "max_metadata_depth" else None,
        ),
        *_LIMIT_ALIASES.get(each.name, ()),
    )
    for each in fields(Limits)
    if each.name not in _FIXED_LIMITS
)


class _Reading:
    """Reads variables out of an environment, gathering what is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._read: set[str] = set()
        self.errors: dict[str, str] = {}
        self.warnings: list[str] = []
        self._given: dict[str, str] = {}
        spelt: dict[str, str] = {}
        for name, value in sorted(
            environ.items()
        ):  # capitals first: of two spellings of a name the same one always wins
            text, known = value.strip(), name.upper()
            if not text:
                continue
            if self._given.setdefault(known, text) != text:
                self.warnings.append(f"{spelt[known]} and {name} differ; {spelt[known]} is used")
            spelt.setdefault(known, name)

    def _text(self, names: tuple[str, ...], *, secret: bool) -> tuple[str, str] | None:
        self._read.update(names)
        found = [(name, self._given[name]) for name in names if name in self._given]
        if not found:
            return None
        if len({text for _, text in found}) > 1:
            told = " and ".join(name if secret else f"{name}={text}" for name, text in found)
            self.warnings.append(f"{told} differ; {found[0][0]} is used")
        return found[0]

    def value(self, variable: Variable) -> tuple[Any] | None:
        """The value of a variable in a tuple; None where it is not set."""
        found = self._text(variable.names, secret=variable.secret)
        if found is None:
            return None
        name, text = found
        try:
            return (variable.read(text),)
        except ValueError:
            shown = "a value that is not" if variable.secret else f"got {text[:100]!r}"
            self.errors[name] = f"must be {variable.allowed}, {shown}"
            return None

    def session_defaults(self) -> dict[str, Any]:
        """Defaults of the session settings, checked as a whole."""
        found: dict[str, Any] = {}
        names: dict[str, str] = {}
        for key in KEYS:
            aliases = ("SORT",) if key.name == "sort_symbols" else ()
            text = self._text((f"KATO_{key.name.upper()}", key.name.upper(), *aliases), secret=False)
            if text is not None:
                names[key.name] = text[0]
                found[key.name] = setting_value(key, text[1])
        if "use_token_matching" in found and "sort_symbols" not in found:
            found["sort_symbols"] = found["use_token_matching"]
            names["sort_symbols"] = names["use_token_matching"]
        try:
            _, effective, said = resolve(found)
        except InvalidSettings as error:
            for key_name, sentence in error.errors.items():
                self.errors[names.get(key_name, f"KATO_{key_name.upper()}")] = sentence
            return found
        self.warnings += said
        return {name: effective[name] for name in found}

    def finish(self) -> None:
        """
        Say what nobody read, and refuse what was wrong.

        Raises:
            InvalidSettings: Some variable holds what it may not.
        """
        ignored = [name for name in IGNORED if name in self._given]
        if ignored:
            self.warnings.append(f"{', '.join(ignored)}: accepted for compatibility, without effect")
        unread = sorted(
            name for name in self._given if name.startswith("KATO_") and name not in {*self._read, KEY_VARIABLE}
        )
        if unread:
            self.warnings.append(f"nothing reads {', '.join(unread)}")
        if self.errors:
            raise refusal(self.errors)


def setting_value(key: Key, text: str) -> Any:
    """
    The text of a session setting as the JSON value it stands for; as text where it stands for none of the key's type.

    >>> from kato.engine.settings import BY_NAME
    >>> setting_value(BY_NAME["affinity_emotive"], "5"), setting_value(BY_NAME["vector_dim"], "5")
    ('5', 5)
    """
    kinds = (key.schema or {})["type"]
    if key.nullable and text.lower() == "null":
        return None
    for kind, read in _READERS:
        if kind in kinds:
            try:
                return read(text)
            except ValueError:
                return text  # refused with all the others, in the words of the key's rule
    return text


_READERS: tuple[tuple[str, Callable[[str], Any]], ...] = (
    ("boolean", _boolean),
    ("array", lambda text: list(read_list(text))),
    ("integer", _whole),
    ("number", lambda text: int(text) if _INTEGER.fullmatch(text) else _number(text)),
)
