"""
Every method of both clients against servers that go wrong in every way: a typed error with a trace id, within the deadline.

    python -m harness.faulty --seed 7
    python -m harness.faulty --without deadline      must be BROKEN: calls have no deadline

The methods are found in the classes, so that one that is added is tried without a word here. Each fault is a server of its own
on a real socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from harness.command import asking
from kato import AsyncKATOClient, KATOAPIError, KATOClient, KATOError, KATOSessionError
from kato.errors import DeadlineExceeded, ServerUnreachable, UnexpectedAnswer

STALLING = 0.3, 1.0
"""Seconds of patience with an attempt and with a call, where the server keeps silent."""
ANSWERING = 30.0, 60.0
"""The same where it answers at once: nothing but the machine's other work takes time."""
SLACK = 5.0
"""Seconds a call may end after its deadline, for the machine's other work."""
_SID = "session-" + "a" * 32 + "-1"
_TRACE = "kato-of-the-server"
_SILENT = 15.0
"""Seconds a server stays silent, or drips; more than twice what a call that ends in time may take."""

VALUES: dict[str, Any] = {
    "node_id": "n",
    "strings": ["a"],
    "observations": [{"strings": ["a"]}],
    "training_obs": [{"strings": ["a"]}],
    "test_obs": [{"strings": ["a"]}],
    "sequences": [[["a"], ["b"]]],
    "stms": [[["a"]]],
    "stm": [["a"]],
    "pattern": "PTRN|" + "a" * 40,
    "earlier": 0,
    "config": {"recall_threshold": 0.5},
    "pattern_id": "PTRN|" + "a" * 40,
    "key_id": "k",
    "symbol": "a",
    "metric_name": "kato_requests_total",
    "name": "kato_requests_total",
}
"""Arguments by name; only those without a default are given."""
NO_CALLS = {"close", "node"}
"""Public methods that ask the server nothing."""


_WISHES = (None, "0", "1", "3600", "soon", "Tue, 14 Nov 2023 22:13:30 GMT")
"""What a server may ask for by Retry-After."""


@dataclass(frozen=True)
class Fault:
    """One way of going wrong: what is sent and how, and the errors it may come out as."""

    name: str
    errors: tuple[type[KATOError], ...]
    answer: bytes = b""
    piece: int = 0
    """Bytes sent at once, every fifth of a second; 0 = all together."""
    stays: bool = False
    """Whether the connection stays open, silent."""
    resets: bool = False
    status: int | None = None
    """The status that the error must have."""
    trace: str | None = None
    """The trace id that the error must have; None for any."""
    may_succeed: bool = False
    with_handles: bool = False
    """Whether the methods of nodes and sessions are tried too; they send through the client that made them."""

    @property
    def patience(self) -> tuple[float, float]:
        """(timeout, deadline) of the client that meets it."""
        return STALLING if self.stays or self.piece else ANSWERING


def _http(status: int, content: bytes, kind: str = "application/json", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Any", f"Content-Type: {kind}", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def _refusal(status: int, code: str, *, recoverable: bool) -> bytes:
    error = {
        "code": code,
        "type": "AnyError",
        "message": "no",
        "details": {},
        "recoverable": recoverable,
        "trace_id": _TRACE,
        "timestamp": "2025-01-01T00:00:00.000000Z",
    }
    return json.dumps({"detail": "no", "status": status, "error": error}).encode()


def faults() -> list[Fault]:
    """All of them but the port nobody listens on."""
    gone = (ServerUnreachable, DeadlineExceeded)
    odd = (UnexpectedAnswer, DeadlineExceeded)
    whole = _http(200, b'{"warnings": []}')
    found = [
        Fault("reset", gone, resets=True, with_handles=True),
        Fault("closed", gone),
        Fault("stalled", gone, stays=True),
        Fault("dripping for ever", gone, _http(200, b" " * 10_000), piece=1, stays=True),
        Fault("stalled in the head", gone, whole[:20], stays=True),
        Fault("stalled in the body", gone, whole[:-4], stays=True),
        Fault("closed in the body", gone, whole[:-4]),
        Fault("reset in the body", gone, whole[:-4], resets=True),
        Fault("no HTTP", gone, b"SSH-2.0-OpenSSH\r\n\r\n"),
        Fault("not what it is packed as", gone, _http(200, b"no gzip", Content_Encoding="gzip")),
        Fault("cut JSON", odd, _http(200, b'{"session_id": "sess'), with_handles=True),
        Fault("no object", odd, _http(200, b"[1, 2]")),
        Fault("not UTF-8", odd, _http(200, b'{"a": "\xff"}')),
        Fault("NaN", odd, _http(200, b'{"a": NaN}')),
        Fault("nested deeply", odd, _http(200, b'{"a":' + b"[" * 100_000)),
        Fault("wrong content type", odd, _http(200, b"<html>hello</html>", "text/html")),
        Fault("redirect", odd, _http(301, b"", Location="http://example.invalid/")),
        Fault("an empty object", (UnexpectedAnswer,), _http(200, b"{}"), may_succeed=True),
        Fault(
            "expired session",
            (KATOSessionError, DeadlineExceeded),
            _http(404, _refusal(404, "SESSION_EXPIRED", recoverable=False), X_Trace_ID=_TRACE),
            trace=_TRACE,
            with_handles=True,
        ),
    ]
    codes = {
        408: "X",
        409: "X",
        429: "RATE_LIMITED",
        500: "INTERNAL_ERROR",
        502: "X",
        503: "OVERLOADED",
        504: "TIMEOUT",
    }
    for status, code in codes.items():
        for wish in _WISHES if status in {429, 503} else _WISHES[:2]:
            headers = {} if wish is None else {"Retry_After": wish}
            body = _refusal(status, code, recoverable=status not in {408, 409})
            told = _http(status, body, X_Trace_ID=_TRACE, **headers)
            found.append(Fault(f"{status} {wish}", (KATOAPIError, DeadlineExceeded), told, status=status, trace=_TRACE))
        told = _http(status, b"<html>busy</html>", "text/html")
        found.append(Fault(f"{status} of another", (KATOAPIError, DeadlineExceeded), told, status=status))
    return found


class FaultyServer:
    """Goes wrong in one way, on a port of its own."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._over = threading.Event()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        fault = self._fault
        connection.settimeout(_SILENT)
        with contextlib.suppress(OSError), connection:
            while self._read(connection):
                if not fault.piece:
                    connection.sendall(fault.answer)
                ends = time.monotonic() + _SILENT
                for start in range(0, len(fault.answer) if fault.piece else 0, fault.piece or 1):
                    connection.sendall(fault.answer[start : start + fault.piece])
                    if self._over.wait(0.2) or time.monotonic() > ends:
                        return
                if fault.stays:
                    self._over.wait(_SILENT)
                if fault.resets:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if fault.status is None or fault.stays:
                    return

    @staticmethod
    def _read(connection: socket.socket) -> bool:
        """Read one request; whether there was one."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [
            line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        ]
        length = int(lengths[0]) if lengths else 0
        while len(body) < length:
            more = connection.recv(65536)
            if not more:
                return False
            body += more
        return True

    def close(self) -> None:
        """Let go of everybody who waits."""
        self._over.set()
        self._listening.close()


# --- the methods ---


@dataclass(frozen=True)
class Method:
    """A public method of a client, or of a handle that it makes."""

    owner: str
    name: str


def methods() -> list[Method]:
    """Every public method that asks the server something; those of handles too."""
    found = []
    client = KATOClient("http://localhost")
    for owner, made in _owners(client).items():
        names = [name for name in dir(type(made)) if not name.startswith("_")]
        found += [Method(owner, name) for name in names if callable(getattr(made, name)) and name not in NO_CALLS]
    client.close()
    return found


def _owners(client: Any) -> dict[str, Any]:
    from kato.client.async_methods import AsyncSession
    from kato.client.methods import Session

    session = (Session if isinstance(client, KATOClient) else AsyncSession)(client)
    session.session_id, session.node_id = _SID, "n"
    return {"client": client, "node": client.node("n"), "session": session}


def _arguments(function: Callable[..., Any]) -> dict[str, Any]:
    """A value for every parameter that needs one."""
    given = {}
    for each in inspect.signature(function).parameters.values():
        if each.default is not inspect.Parameter.empty:
            continue
        if each.name not in VALUES:
            raise LookupError(f"{function} needs {each.name}; harness.faulty.VALUES must say what to give")
        given[each.name] = VALUES[each.name]
    return given


def call(kind: str, method: Method, url: str, patience: tuple[float, float | None]) -> tuple[Any, float]:
    """Call a method of a fresh client and wait for all it has to give: (what came of it, seconds that took)."""
    options = {"timeout": patience[0], "max_retries": 2, "deadline_seconds": patience[1]}
    if kind == "async":
        return asyncio.run(_awaited(method, url, options))
    with _made(KATOClient(url, transport=httpx2.HTTPTransport(verify=False), **options)) as client:
        function = getattr(_owners(client)[method.owner], method.name)
        began = time.monotonic()
        try:
            result = function(**_arguments(function))
            return list(result) if isinstance(result, Iterator) else result, time.monotonic() - began
        except Exception as error:  # noqa: BLE001 - whatever comes is judged
            return error, time.monotonic() - began


async def _awaited(method: Method, url: str, options: dict[str, Any]) -> tuple[Any, float]:
    async with _made(AsyncKATOClient(url, transport=httpx2.AsyncHTTPTransport(verify=False), **options)) as client:
        function = getattr(_owners(client)[method.owner], method.name)
        began = time.monotonic()
        try:
            result = function(**_arguments(function))
            found = [item async for item in result] if inspect.isasyncgen(result) else await result
            return found, time.monotonic() - began
        except Exception as error:  # noqa: BLE001 - whatever comes is judged
            return error, time.monotonic() - began


def _made(client: Any) -> Any:
    client.session_id, client.node_id = _SID, "n"
    client._patience = replace(client._patience, first_pause_seconds=0.01)
    return client


# --- trying ---


def judge(fault: Fault, outcome: Any, seconds: float) -> str | None:
    """What is wrong with how a call ended; None if nothing is."""
    if seconds > fault.patience[1] + SLACK:
        return f"took {seconds:.1f} s, its deadline was {fault.patience[1]} s"
    if not isinstance(outcome, BaseException):
        return None if fault.may_succeed else f"returned {outcome!r:.200}"
    if not isinstance(outcome, fault.errors):
        return f"raised {type(outcome).__name__}: {outcome!s:.300}"
    assert isinstance(outcome, KATOError)
    if not outcome.trace_id:
        return f"raised {type(outcome).__name__} without a trace id: {outcome!s:.200}"
    if isinstance(outcome, DeadlineExceeded):
        return None
    if fault.trace is not None and outcome.trace_id != fault.trace:
        return f"has the trace id {outcome.trace_id}, the server said {fault.trace}"
    if fault.status is not None and outcome.status_code != fault.status:
        return f"has the status {outcome.status_code}, the server said {fault.status}"
    return None


def run(seed: int, *, share: float = 1.0, without: str = "", workers: int = 24) -> tuple[Counter[str], list[str]]:
    """
    Try methods × clients × faults.

    Args:
        share: Of all combinations, chosen by the seed.
        without: "deadline" to give calls none.

    Returns:
        How many ended how, by the class of the error; and what was wrong.
    """
    chance = random.Random(seed)
    every = [Fault("refused", (ServerUnreachable, DeadlineExceeded), with_handles=True), *faults()]
    tried = [
        (kind, method, fault)
        for fault in every
        for method in methods()
        for kind in ("sync", "async")
        if (method.owner == "client" or fault.with_handles) and chance.random() < share
    ]
    chance.shuffle(tried)
    with contextlib.ExitStack() as open_ones:
        urls = {}
        for fault in every[1:]:
            server = FaultyServer(fault)
            open_ones.callback(server.close)
            urls[fault.name] = server.url
        with socket.create_server(("127.0.0.1", 0)) as unused:
            urls["refused"] = f"http://127.0.0.1:{unused.getsockname()[1]}"
        counts: Counter[str] = Counter()
        wrong: list[str] = []

        def attempt(kind: str, method: Method, fault: Fault) -> None:
            if without and wrong:
                return  # it is noticed; who waits without a deadline waits long
            timeout, deadline = fault.patience
            patience = timeout, None if without == "deadline" else deadline
            outcome, seconds = call(kind, method, urls[fault.name], patience)
            counts[type(outcome).__name__ if isinstance(outcome, Exception) else "no error"] += 1
            found = judge(fault, outcome, seconds)
            if found is not None:
                wrong.append(f"{kind} {method.owner}.{method.name}, {fault.name}: {found}")

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda each: attempt(*each), tried))
    return counts, sorted(wrong)


def main() -> int:
    """Read the command line."""
    parser = asking("faulty", "Clients against faulty servers.", ("deadline",))
    parser.add_argument("--share", type=float, default=1.0, help="of all combinations")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    counts, wrong = run(given.seed, share=given.share, without=given.without)
    for sentence in wrong[:20]:
        print(f"BROKEN: {sentence}")
    if wrong:
        print(f"BROKEN: {len(wrong)} of {counts.total()} calls")
        return 1
    print(
        f"held: {len(methods())} methods, 2 clients, {len(faults()) + 1} faults, {counts.total()} calls: {dict(counts)}"
    )
    return 0


if __name__ == "__main__":
    import logging

    logging.getLogger("kato.client").setLevel(logging.CRITICAL)  # every attempt would be told
    sys.exit(main())
