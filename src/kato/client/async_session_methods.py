"""The methods of one session, awaited. What each means is told once, in session_methods.py."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from kato.client import batch, calls, recovery
from kato.client.calls import Call
from kato.client.recovery import Body, Doing, T
from kato.client.session_methods import Observation
from kato.client.session_state import InSession


class AsyncSender(ABC):
    """Something that can make calls and wait for their answers without blocking."""

    @abstractmethod
    async def _send(self, call: Call) -> Body:
        """Make one call and return the answer's JSON object, or raise the KATOError that it stands for."""

    async def _run(self, doing: Doing[T]) -> T:
        """Make the calls that `doing` asks for; they share one deadline where there is one."""
        return await recovery.run_async(doing, self._send)


class AsyncSessionMethods(InSession, AsyncSender):
    """One session: arguments, answers and errors are those of SessionMethods."""

    async def reconnect(self) -> str:
        """Begin a new session with the same node, configuration, lifetime and metadata."""
        return await self._run(recovery.reconnect(self._state))

    async def observe(
        self,
        strings: Sequence[str],
        vectors: Sequence[Sequence[float]] | None = None,
        emotives: Mapping[str, float] | None = None,
        metadata: Mapping[str, Any] | None = None,
        auto_reconnect: bool = True,
        *,
        unique_id: str | None = None,
        include_predictions: bool = False,
    ) -> Body:
        """Send one observation: at most one event."""
        call = calls.observe(
            self._state.required(),
            strings,
            vectors=vectors,
            emotives=emotives,
            metadata=metadata,
            unique_id=unique_id,
            include_predictions=include_predictions,
        )
        return await self._run(recovery.resent(self._state, call, auto_reconnect))

    async def observe_sequence(
        self,
        observations: Sequence[Observation],
        learn_after_each: bool = False,
        learn_at_end: bool = False,
        clear_stm_between: bool = False,
        include_predictions: bool = False,
        auto_reconnect: bool = True,
    ) -> Body:
        """Send many observations in one request: all take effect, in order, or none does."""
        call = calls.observe_sequence(
            self._state.required(),
            observations,
            learn_after_each=learn_after_each,
            learn_at_end=learn_at_end,
            clear_stm_between=clear_stm_between,
            include_predictions=include_predictions,
        )
        return await self._run(recovery.resent(self._state, call, auto_reconnect))

    async def observe_batch(self, observations: Sequence[Observation]) -> list[Body]:
        """Send many observations in one request and return what came of each."""
        items = list(observations)
        call = calls.observe_sequence(self._state.required(), items)
        return await self._run(batch.observed(self._state, call, items))

    async def learn_and_test(self, training_obs: Sequence[Observation], test_obs: Sequence[Observation]) -> Body:
        """Observe and learn, then clear the short-term memory, observe something else and predict."""
        self._state.required()
        return await self._run(batch.learned_and_tested(self._state, list(training_obs), list(test_obs)))

    async def learn(self, auto_reconnect: bool = True) -> Body:
        """Make the short-term memory a pattern of the node, and start a fresh episode."""
        call = calls.learn(self._state.required())
        return await self._run(recovery.learned(self._state, call, auto_reconnect))

    async def get_predictions(
        self,
        auto_reconnect: bool = True,
        *,
        limit: int | None = None,
        recall_threshold: float | None = None,
        rank_sort_algo: str | None = None,
        explain: bool = False,
        unique_id: str | None = None,
    ) -> Body:
        """Say what comes next, best first."""
        call = calls.get_predictions(
            self._state.required(),
            limit=limit,
            recall_threshold=recall_threshold,
            rank_sort_algo=rank_sort_algo,
            explain=explain,
            unique_id=unique_id,
        )
        return await self._run(recovery.resent(self._state, call, auto_reconnect))

    async def get_forecast(
        self,
        auto_reconnect: bool = True,
        *,
        horizon: int | None = None,
        ending: bool = False,
        limit: int | None = None,
        explain: bool = False,
        false_alarms: float | None = None,
        wait: bool = False,
    ) -> Body:
        """Say what comes next, how likely, and on whose word."""
        call = calls.get_forecast(
            self._state.required(),
            horizon=horizon,
            ending=ending,
            limit=limit,
            explain=explain,
            false_alarms=false_alarms,
            wait=wait,
        )
        return await self._run(recovery.resent(self._state, call, auto_reconnect))

    async def clear_stm(self) -> Body:
        """Forget the current episode: short-term memory, emotives, metadata and last observation."""
        return await self._run(recovery.cleared(self._state, calls.clear_stm(self._state.required())))

    async def clear_all(self) -> Body:
        """Forget all that the node has learned, for all its sessions, and the current episode of this one."""
        return await self._run(recovery.cleared(self._state, calls.clear_all(self._state.required())))

    async def finalize_training(self) -> Body:
        """Let the store compact itself after much learning. No prediction changes."""
        return await self._send(calls.finalize_training(self._state.required()))

    async def get_stm(self) -> Body:
        """Return the short-term memory: `stm` (list of events, oldest first) and `length` (events)."""
        return await self._send(calls.get_stm(self._state.required()))

    async def get_percept_data(self) -> Body:
        """Return the last observation as `percept_data`; {} before the first."""
        return await self._send(calls.get_percept_data(self._state.required()))

    async def get_cognition_data(self) -> Body:
        """Return as `cognition_data` the short-term memory and the predictions of the last observation."""
        return await self._send(calls.get_cognition_data(self._state.required()))

    async def get_session_info(self) -> Body:
        """Return the session: node, lifetime, configuration, length of the short-term memory."""
        return await self._send(calls.get_session(self._state.required()))

    async def delete_session(self) -> Body:
        """End the session. What the node has learned stays."""
        return await self._run(recovery.deleted(self._state, calls.delete_session(self._state.required())))

    async def session_exists(self, session_id: str | None = None) -> Body:
        """Return whether a session (None: this one) `exists`, is `expired` or `deleted`; its expiry stays."""
        return await self._send(calls.session_exists(session_id or self._state.required()))

    async def extend_session(self, ttl_seconds: int | None = None) -> Body:
        """Give the session another lifetime, beginning now; None restarts the one it has."""
        call = calls.extend_session(self._state.required(), ttl_seconds)
        return await self._run(recovery.extended(self._state, call, ttl_seconds))

    async def get_config(self) -> Body:
        """Return the configuration: `config` has every key, `config_overrides` those set for this session."""
        return await self._send(calls.get_config(self._state.required()))

    async def update_config(self, config: Mapping[str, Any]) -> Body:
        """Change some keys of the configuration; the others stay. None takes an override back."""
        call = calls.update_config(self._state.required(), config)
        return await self._run(recovery.reconfigured(self._state, call, config))

    async def list_session_patterns(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        search: str | None = None,
        sort: str | None = None,
    ) -> Body:
        """Return one page of the patterns of this session's node, as list_patterns does."""
        call = calls.list_session_patterns(self._state.required(), limit=limit, cursor=cursor, search=search, sort=sort)
        return await self._send(call)
