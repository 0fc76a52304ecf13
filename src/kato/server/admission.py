"""
Who is let in: API keys and rates.

Keys are asked for as soon as one was ever made for the data directory, revoked or not, or KATO_API_KEYS names one; then until
the server stops, even if the file with the keys goes away. A changed file is seen by the next request.
"""

from __future__ import annotations

import contextlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence

from kato.errors import KATOError, RateLimited, StorageError, StorageUnavailable, Unauthorized
from kato.server.logs import logger
from kato.server.rates import Rates, network_of
from kato.service.callers import ANYONE, STRANGER, Caller
from kato.storage.keys import KeyFile, fingerprint

_BUCKET = 8
_RETRY_SECONDS = 1
"""Unless an error knows better."""
_UNREADABLE = "The API keys cannot be read, so nobody is let in until they can"


class Admission:
    """
    Lets callers in.

    Args:
        file: Where the keys are kept; None for a memory that is kept nowhere.
        given: Keys from the settings; each may do everything.
        per_minute: Requests of one key, or of one address, in any sixty seconds; 0 for no limit.
        clock: Microseconds since 1970, for when a key was used.

    Raises:
        StorageUnavailable, StoredDataCorrupt: The file cannot be read.
    """

    def __init__(
        self, file: KeyFile | None, given: Sequence[str], per_minute: int, *, clock: Callable[[], int] | None = None
    ) -> None:
        self.file = file
        """Where the keys are kept; None for a memory that is kept nowhere."""
        # By their place in the list: a name made of the key itself would tell something about it.
        self._given = {fingerprint(key): Caller(f"environment-{number}") for number, key in enumerate(given, start=1)}
        self._callers: dict[str, dict[str, Caller]] = {}
        """By the beginning of a key's hash, then by the whole."""
        self._asks = bool(given)
        self._stamp: object = None
        self._by_key = Rates(per_minute) if per_minute else None
        self._by_address = Rates(per_minute) if per_minute else None
        self._clock = clock or (lambda: time.time_ns() // 1000)
        self._uses: dict[str, int] = file.read_uses() if file is not None else {}
        self._uses_written = dict(self._uses)
        self._read()

    def asks_for_keys(self) -> bool:
        """Whether a key is needed."""
        with contextlib.suppress(StorageUnavailable):
            self.follow()
        return self._asks

    @property
    def has_usable_key(self) -> bool:
        """Whether there is a key that anybody could come with."""
        return bool(self._callers)

    def _read(self) -> None:
        stamp = self.file.stamp() if self.file is not None else None
        keys = self.file.read() if self.file is not None and stamp is not None else ()
        usable = {key.sha256: Caller(key.key_id, key.scope, key.prefixes) for key in keys if key.revoked_at is None}
        callers: dict[str, dict[str, Caller]] = {}
        for digest, caller in {**usable, **self._given}.items():
            callers.setdefault(digest[:_BUCKET], {})[digest] = caller
        self._callers = callers  # in one step: the health check reads the keys on a thread of its own
        self._asks = self._asks or bool(keys)
        self._stamp = stamp

    def follow(self) -> None:
        """
        Read the keys again if they have changed.

        Raises:
            StorageUnavailable: They cannot be read; nobody is let in by what they were before.
        """
        if self.file is None:
            return
        try:
            if self.file.stamp() != self._stamp:
                self._read()
        except StorageError as error:
            logger().error("keys cannot be read", reason=error.message)
            raise StorageUnavailable(_UNREADABLE) from error

    def identify(self, headers: Mapping[str, str], address: str, query: Sequence[tuple[str, str]] = ()) -> Caller:
        """
        Who comes with a key, or without.

        Args:
            query: As `key_in` says.

        Raises:
            RateLimited: They have asked too often; so has, with a key that is none, their address.
            Unauthorized: A key is needed, and there is none or it is not one of ours.
            StorageUnavailable: Nobody can tell.
        """
        self.follow()
        if not self._asks:
            if self._by_address is not None:
                self._count(self._by_address, network_of(address))
            return ANYONE
        key = key_in(headers, query)
        caller = self._caller(key) if key is not None else None
        if caller is None:
            self._count(self._by_address, network_of(address))
            raise Unauthorized(
                "An API key is needed: send it as X-API-Key or Authorization: Bearer"
                if key is None
                else "The API key is not one of this server's, or was revoked"
            )
        assert caller.key_id is not None
        self._count(self._by_key, caller.key_id)
        self._uses[caller.key_id] = self._clock()
        return caller

    def recognise(self, headers: Mapping[str, str]) -> Caller:
        """Who comes where no key is needed: without one of ours a stranger, to whom no session belongs."""
        try:
            self.follow()
        except StorageUnavailable:
            return STRANGER
        if not self._asks:
            return ANYONE
        key = key_in(headers)
        return (self._caller(key) if key is not None else None) or STRANGER

    def _caller(self, key: str) -> Caller | None:
        """Whose key it is; how long that takes tells nothing about the keys there are."""
        # What a lookup by a hash's beginning takes tells nothing: nobody can steer the hash of a guess towards a stored one.
        digest, found = fingerprint(key), None
        for stored, caller in self._callers.get(digest[:_BUCKET], {}).items():
            if hmac.compare_digest(stored, digest):
                found = caller
        return found

    @staticmethod
    def _count(rates: Rates | None, caller: str) -> None:
        seconds = rates.admit(caller, time.monotonic()) if rates is not None else 0
        if rates is not None and seconds:
            raise RateLimited(rates.limit, seconds)

    def is_welcome(self, caller: Caller) -> bool:
        """Whether somebody let in earlier would still be; for connections that last."""
        if not self._asks:
            return True
        return any(caller in bucket.values() for bucket in self._callers.values())

    def write_uses(self) -> None:
        """Write down when keys were used last, if that has changed. May block on the disk."""
        uses = dict(self._uses)
        if self.file is not None and uses != self._uses_written:
            self.file.write_uses(uses)
            self._uses_written = uses


def key_in(headers: Mapping[str, str], query: Sequence[tuple[str, str]] = ()) -> str | None:
    """
    The key a request came with: `X-API-Key`, else `Authorization: Bearer`, else a value in the query.

    Args:
        query: Parameters that may hold one; only a WebSocket's, where browsers cannot set headers.
    """
    named = headers.get("x-api-key", "").strip()
    if named:
        return named
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return rest.strip()
    return next((value for name, value in query if name in {"api_key", "token"} and value), None)


def refusal_headers(error: KATOError) -> list[tuple[bytes, bytes]]:
    """What an answer of that error says in its headers: how to come with a key, or when to come again."""
    if error.status_code == 401:
        return [(b"www-authenticate", b"Bearer")]
    if error.status_code in {429, 503}:
        return [(b"retry-after", str(error.details.get("retry_after_seconds", _RETRY_SECONDS)).encode())]
    return []
