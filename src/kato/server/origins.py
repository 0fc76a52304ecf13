"""
Who may call from where: Host, Origin, and cross-origin answers.

A web page on another site must not reach a server on this machine, neither directly (Origin) nor by pointing a name of its
own at it (Host).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from kato.errors import OriginRefused

WEBSOCKET = "WEBSOCKET"
"""In the place of a method: opening one is no request like others."""
_SAFE = {"GET", "HEAD", "OPTIONS"}
_EXPOSED = "X-Trace-ID, X-Session-ID, Retry-After, Idempotency-Replayed"
_METHODS = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
_MOST_KNOWN, _LONGEST_KNOWN = 1000, 300
Headers = list[tuple[bytes, bytes]]


def host_name(host: str) -> str:
    """
    A Host header without its port, in lower case.

    >>> host_name("LocalHost:8000"), host_name("[::1]:80")
    ('localhost', '::1')
    """
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host


def is_loopback(name: str) -> bool:
    """Whether a host name can only mean this machine."""
    return name == "localhost" or name.endswith(".localhost") or _address_is(name, "is_loopback")


def _address_is(name: str, what: str) -> bool:
    """Whether a host name is an IP address with that attribute; a name that is no address has none."""
    try:
        return bool(getattr(ipaddress.ip_address(name), what))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Origins:
    """The rules of one server."""

    bound_host: str
    allowed_hosts: Sequence[str] = ()
    cors_origins: Sequence[str] = ()
    """Origins that may read answers; "*" for all. Empty: no cross-origin answer at all."""
    setting: str = "KATO_CORS_ORIGINS"
    """What names them; for the advice in a refusal."""
    _known: set[str] = field(default_factory=set, repr=False, compare=False)
    """Host headers that were found to be ours: nearly every request has the same one."""

    def check_host(self, host: str) -> None:
        """
        Refuse a host name that is not ours.

        A server bound to every address of the machine answers to any address, as opposed to any name: whoever points a
        name of their own at it still sends that name.

        Raises:
            OriginRefused: It is no loopback name, not the bound address, and not allowed.
        """
        if host in self._known:
            return
        self._check_name(host)
        if len(self._known) < _MOST_KNOWN and len(host) <= _LONGEST_KNOWN:
            self._known.add(host)

    def _check_name(self, host: str) -> None:
        name = host_name(host)
        allowed = {host_name(each) for each in self.allowed_hosts}
        if is_loopback(name) or name == self.bound_host.lower() or name in allowed or "*" in self.allowed_hosts:
            return
        if _address_is(self.bound_host, "is_unspecified") and _address_is(name, "version"):
            return
        raise OriginRefused(f"The host name {name[:100]!r} is not one of this server's; add it to KATO_ALLOWED_HOSTS")

    def is_own(self, origin: str, host: str) -> bool:
        """Whether an Origin is the very server that was asked."""
        scheme, separator, rest = origin.partition("://")
        return bool(separator) and scheme in {"http", "https"} and rest.lower() == host.strip().lower()

    def is_allowed(self, origin: str) -> bool:
        """Whether an Origin may read answers and write."""
        return "*" in self.cors_origins or origin in self.cors_origins

    def check_origin(self, method: str, origin: str | None, host: str) -> None:
        """
        Refuse a write from a page of another site, and a WebSocket, which browsers let any page open.

        Raises:
            OriginRefused: The Origin is neither the server's own nor an allowed one.
        """
        if origin is None or method in _SAFE or self.is_own(origin, host) or self.is_allowed(origin):
            return
        may_not = "watch" if method == WEBSOCKET else "write"
        raise OriginRefused(f"The origin {origin[:100]!r} may not {may_not} here; add it to {self.setting}")

    def answer_headers(self, origin: str | None) -> Headers:
        """What lets a page of an allowed origin read an answer; and that caches must keep answers apart by origin."""
        if not self.cors_origins:
            return []
        listed = bool(self.cors_origins) and "*" not in self.cors_origins
        if origin is None or not self.is_allowed(origin):
            return [(b"vary", b"Origin")] if listed else []
        shown = [(b"access-control-expose-headers", _EXPOSED.encode())]
        if "*" in self.cors_origins:
            return [(b"access-control-allow-origin", b"*"), *shown]
        return [
            (b"access-control-allow-origin", origin.encode("latin-1", "replace")),
            (b"access-control-allow-credentials", b"true"),
            (b"vary", b"Origin"),
            *shown,
        ]

    def preflight_headers(self, origin: str | None, asked: str) -> Headers:
        """The answer to a preflight; without permission where the origin is not allowed."""
        found = self.answer_headers(origin)
        if origin is not None and self.is_allowed(origin):
            found += [
                (b"access-control-allow-methods", _METHODS.encode()),
                (b"access-control-allow-headers", asked.encode("latin-1", "replace") or b"*"),
                (b"access-control-max-age", b"600"),
            ]
        return found
