"""
When an attempt is repeated, and when a call gives up: one conversation that both senders drive.

`conversation` is a generator. It yields an `Attempt`, and is sent the `Reply` or the `Silence` that came of
it; it yields a `Pause`, and is resumed when that has passed. It returns the answer or raises, and never waits
itself.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from kato.client.exchange import Reply, Request, is_passing, read, retry_after
from kato.errors import DeadlineExceeded, KATOError, ServerUnreachable

logger = logging.getLogger("kato.client")


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    Send the request now.

    Attributes:
        timeout_seconds: How long to wait for a connection, and for each piece of the answer.
        until: Moment, on the policy's clock, at which the whole answer is wanted at the latest; None for no
            limit.
    """

    timeout_seconds: float
    until: float | None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Silence:
    """No whole answer came; `reason` is the exception that says why."""

    reason: Exception

    def __str__(self) -> str:
        name = type(self.reason).__name__
        return f"{name}: {self.reason}" if str(self.reason) else name


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """
    How patient a client is.

    Pauses grow exponentially with full jitter: the n-th is drawn evenly from 0 to `first_pause_seconds` ·
    2ⁿ⁻¹, at most `longest_pause_seconds`. Full jitter spreads clients that failed together over the whole
    time, and waits half as long on average (Brooker, "Exponential Backoff And Jitter", 2015). What a server
    asks for by Retry-After is added in full; when it asks for more than `longest_pause_seconds`, its error is
    raised at once.

    Attributes:
        max_retries: Attempts after the first, ≥ 0.
        timeout_seconds: Patience within one attempt.
        deadline_seconds: Patience with the whole call, its pauses and retries included; None for no limit.
        first_pause_seconds: Half a second outlasts a lost connection; four attempts outlast the restart of a
            server.
        longest_pause_seconds: Nobody waits for a call longer than this without hearing why.
        clock: Seconds on a clock that never goes back.
        now: Seconds since 1970.
        jitter: Gives a number from 0 to its argument.
    """

    max_retries: int = 3
    timeout_seconds: float = 30.0
    deadline_seconds: float | None = None
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 60.0
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    jitter: Callable[[float], float] = lambda most: random.uniform(0.0, most)

    def until(self) -> float | None:
        """Return the moment at which a call that begins now has taken too long, or None."""
        return None if self.deadline_seconds is None else self.clock() + self.deadline_seconds

    def pause(self, attempt: int) -> float:
        """Return the seconds to wait after the given attempt (the first is 1)."""
        return self.jitter(min(self.longest_pause_seconds, math.ldexp(self.first_pause_seconds, min(attempt - 1, 64))))


def conversation(
    request: Request, policy: RetryPolicy, until: float | None
) -> Generator[Attempt | Pause, Reply | Silence | None, dict[str, Any]]:
    """
    Ask until there is an answer, the answer is final, or patience ends.

    Args:
        request: What is asked, the same in each attempt.
        policy: How patient to be.
        until: Moment on the policy's clock at which the call as a whole has taken too long; None for no
            limit.

    Raises:
        KATOError: As the server's last answer says.
        ServerUnreachable: No whole answer came in any attempt.
        DeadlineExceeded: There is no time left for another attempt.
        UnexpectedAnswer: The answer is not one of a KATO server.
    """
    attempts = 1 if request.call.is_probe else policy.max_retries + 1
    attempt = 0
    failure: KATOError | None = None
    while True:
        attempt += 1
        timeout = policy.timeout_seconds
        if until is not None:
            timeout = min(timeout, until - policy.clock())
            if timeout <= 0:
                raise _too_late(request, policy, attempt - 1, failure) from failure
        outcome = yield Attempt(timeout, until)
        wanted = None
        if isinstance(outcome, Reply):
            answer = read(request, outcome)
            if not isinstance(answer, KATOError):
                return answer
            if not (is_passing(outcome.status) and answer.recoverable):
                raise answer
            failure = answer
            wanted = retry_after(outcome, policy.now())
        else:
            failure = _unreachable(request, outcome, attempt)
        if until is not None and policy.clock() >= until:
            raise _too_late(request, policy, attempt, failure) from failure
        if attempt >= attempts or (wanted or 0.0) > policy.longest_pause_seconds:
            raise failure
        pause = (wanted or 0.0) + policy.pause(attempt)
        if until is not None and policy.clock() + pause >= until:
            raise _too_late(request, policy, attempt, failure) from failure
        logger.warning(
            "Attempt %d of %d of %s failed: %s; the next is in %.2f s (trace %s)",
            attempt,
            attempts,
            request,
            failure,
            pause,
            request.trace_id,
        )
        yield Pause(pause)


def _unreachable(request: Request, outcome: Silence | None, attempts: int) -> ServerUnreachable:
    times = "in one attempt" if attempts == 1 else f"in {attempts} attempts"
    error = ServerUnreachable(f"No answer to {request} {times}: {outcome}", trace_id=request.trace_id)
    error.__cause__ = outcome.reason if outcome is not None else None
    return error


def _too_late(request: Request, policy: RetryPolicy, attempts: int, failure: KATOError | None) -> DeadlineExceeded:
    seconds = "its time" if policy.deadline_seconds is None else f"{policy.deadline_seconds:g} seconds"
    reason = f" ({failure})" if failure is not None else ""
    times = "one attempt" if attempts == 1 else f"{attempts} attempts"
    return DeadlineExceeded(
        f"{request} cannot be answered within {seconds}: {times} failed{reason}", trace_id=request.trace_id
    )
