"""
Forecasts: which choice a node has made for a kind of question, and what comes next by it.

A node finds out about itself in a thread of its own. Until that is done, what is asked is answered by the choice that stands,
or by the untested mix, and says so: nobody waits unless they ask to.

A choice is made from what the node had learned at one of certain log sequences (`point`), not at the moment of asking: whoever
has the same log comes to the same choice, whenever they ask first. The log is repeated for it, so that patterns stand in the
order in which it first tells of them. Choices are kept with the node, so that a restart need not make them again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue

from kato.engine.event import Event, Symbol
from kato.engine.forecasting.choosing import Choice, Effort, choose, from_text, to_text
from kato.engine.forecasting.explaining import Voices, explain
from kato.engine.forecasting.forecast import Forecast, forecast
from kato.engine.forecasting.question import Kind, ask
from kato.engine.knowledge import Knowledge, View
from kato.service.moments import repeated
from kato.service.runtime import Runtime
from kato.storage.interface import Storage

LITTLE = Effort(voting=100, calibrating=200, work=2**16)
"""What the plain engine can afford: it looks at a hundred thousand symbols in some ten seconds."""

LAST_POINT = 2**18
"""No choice is made from more log rows than these, so that bringing back what was known then takes seconds and not gigabytes."""


def point(sequence: int) -> int:
    """
    The log sequence that a node's choice is made at: the last of 1, 2, 3, 4, 6, 8, 12, 16, 24 … up to LAST_POINT that is not
    after the one given; 0 for an empty log.
    """
    if sequence < 2:
        return sequence
    power = 1 << (min(sequence, LAST_POINT).bit_length() - 1)
    half_more = power + power // 2
    return half_more if half_more <= min(sequence, LAST_POINT) else power


@dataclass(frozen=True, slots=True)
class _Due:
    """A self-test that somebody is to make, from what the node had learned at a log sequence."""

    node_id: str
    kind: Kind
    sequence: int
    done: Future[None]


class Forecasts:
    """The nodes' choices, and the thread that makes them. It begins with the first one."""

    def __init__(self, storage: Storage, runtime: Runtime, effort: Effort, knowledge: Callable[[], Knowledge]) -> None:
        self._storage = storage
        self._runtime = runtime
        self._effort = effort
        self._knowledge = knowledge
        self._guard = threading.Lock()
        self._choices: dict[tuple[str, Kind], Choice] = {}
        self._queue: SimpleQueue[_Due | None] = SimpleQueue()
        self._waiting: dict[tuple[str, Kind], Future[None]] = {}
        self._thread: threading.Thread | None = None
        self._closed = False

    async def choice(self, node_id: str, kind: Kind, view: View, *, wait: bool) -> Choice:
        """
        The choice that stands for a kind of question; a newer one is set about when it is due.

        Args:
            wait: Whether to wait for one that is due.
        """
        standing = await self._runtime.compute(self._standing, node_id, kind)
        due = point(view.sequence)
        if standing is not None and standing.sequence == due:
            return standing
        done = self._set_about(_Due(node_id, kind, due, Future()))
        if wait and done is not None:
            await self._runtime.wait(done)
            return self._choices.get((node_id, kind), Choice(kind, due))
        return standing or Choice(kind, due)

    def _standing(self, node_id: str, kind: Kind) -> Choice | None:
        with self._guard:
            known = self._choices.get((node_id, kind))
        if known is not None:
            return known
        kept = self._storage.derived(node_id, _name(kind))
        found = from_text(kept) if kept is not None else None
        with self._guard:
            return self._choices.setdefault((node_id, kind), found) if found is not None else None

    def _set_about(self, due: _Due) -> Future[None] | None:
        with self._guard:
            if self._closed:
                return None
            waiting = self._waiting.get((due.node_id, due.kind))
            if waiting is not None:
                return waiting
            self._waiting[(due.node_id, due.kind)] = due.done
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="kato-self-test", daemon=True)
                self._thread.start()
        self._queue.put(due)
        return due.done

    def _run(self) -> None:
        while (due := self._queue.get()) is not None:
            try:
                self._find_out(due)
            except Exception as error:  # noqa: BLE001  # whoever waits gets it; the thread goes on
                due.done.set_exception(error)
            else:
                due.done.set_result(None)
            finally:
                with self._guard:
                    self._waiting.pop((due.node_id, due.kind), None)

    def _find_out(self, due: _Due) -> None:
        state = repeated(self._storage, self._knowledge, due.node_id, due.sequence)
        found = choose(state.view().forecasting(), due.kind, due.sequence, self._effort, stopped=lambda: self._closed)
        if found is None:
            return
        with self._guard:
            self._choices[(due.node_id, due.kind)] = found
        if found.tested:
            self._storage.keep_derived(due.node_id, _name(due.kind), found.sequence, to_text(found))

    def close(self) -> None:
        """Give up what is under way and end the thread."""
        with self._guard:
            self._closed = True
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join()


def _name(kind: Kind) -> str:
    return f"forecast {kind.horizon} {'ending' if kind.ending else 'going on'} {kind.window}"


@dataclass(frozen=True, slots=True)
class Told:
    """A forecast, and who says so where that was asked."""

    forecast: Forecast
    voices: dict[Symbol, Voices] | None


async def foretell(
    runtime: Runtime,
    view: View,
    events: Sequence[Event],
    choice: Choice,
    limit: int,
    *,
    explained: bool = False,
    left_out: tuple[Event, ...] | None = None,
) -> Told:
    """What comes after some events, by one state of a node."""

    def answer() -> Told:
        source, question = view.forecasting(), ask(events, choice.kind, left_out)
        found = forecast(source, question, choice, limit)
        symbols = [entry.symbol for entry in found.entries]
        return Told(found, explain(source, question, choice, symbols) if explained else None)

    return await runtime.compute(answer)
