"""What can be asked of one session, by a client, the embedded memory and a session handle alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from kato.client import batch, calls, recovery
from kato.client.calls import Call
from kato.client.recovery import Body, Doing, T
from kato.client.session_state import InSession

Observation = Mapping[str, Any]


class Sender(ABC):
    """Something that can make calls and wait for their answers."""

    @abstractmethod
    def _send(self, call: Call) -> Body:
        """Make one call and return the answer's JSON object, or raise the KATOError that it stands for."""

    def _run(self, doing: Doing[T]) -> T:
        """Make the calls that `doing` asks for; they share one deadline where there is one."""
        return recovery.run(doing, self._send)


class SessionMethods(InSession, Sender):
    """
    One session: observe, learn, predict, and everything about the session itself.

    Every method raises NoActiveSession when there is no session, SessionNotFound or SessionExpired when it is
    gone, and otherwise what the answer says (kato.errors). Methods with `auto_reconnect` begin a new session
    by themselves when the old one is gone: with the same node, configuration, lifetime and metadata, and an
    empty short-term memory.

    Every answer is a dictionary with the members that docs/http-api.md lists, among them `warnings`.
    """

    def reconnect(self) -> str:
        """
        Begin a new session with the same node, configuration, lifetime and metadata.

        The new short-term memory is empty: a warning is logged and `stm_lost` becomes True.

        Returns:
            The id of the new session.

        Raises:
            KATOSessionError: There has been no session yet.
        """
        return self._run(recovery.reconnect(self._state))

    def observe(
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
        """
        Send one observation: at most one event.

        When the session is gone, the observation is sent again in a new one, and the answer's `warnings` say
        that what had been observed before is gone.

        Args:
            strings: The symbols observed together, in any order.
            vectors: Vectors observed with them, each of any dimension ≥ 1; lists or arrays.
            emotives: Name → finite number.
            metadata: Any JSON object.
            auto_reconnect: Whether to begin a new session when this one is gone.
            unique_id: The caller's name for this observation; it can be asked for in get_predictions.
            include_predictions: Whether the answer holds `predictions` for the memory with this event.

        Returns:
            Among others `stm_length` (events in the short-term memory), `symbols` (the event as stored) and
            `auto_learned_pattern` (a name or None).
        """
        call = calls.observe(
            self._state.required(),
            strings,
            vectors=vectors,
            emotives=emotives,
            metadata=metadata,
            unique_id=unique_id,
            include_predictions=include_predictions,
        )
        return self._run(recovery.resent(self._state, call, auto_reconnect))

    def observe_sequence(
        self,
        observations: Sequence[Observation],
        learn_after_each: bool = False,
        learn_at_end: bool = False,
        clear_stm_between: bool = False,
        include_predictions: bool = False,
        auto_reconnect: bool = True,
    ) -> Body:
        """
        Send many observations in one request: all take effect, in order, or none does.

        Args:
            observations: Mappings with `strings`, `vectors`, `emotives`, `metadata`, `unique_id`,
                `include_predictions`; each may be absent or None.
            learn_after_each: Whether to learn after every observation.
            learn_at_end: Whether to learn after the last.
            clear_stm_between: Whether to empty the short-term memory before every observation, the first
                included.
            include_predictions: Whether the answer holds `final_predictions`.
            auto_reconnect: Whether to begin a new session when this one is gone.

        Returns:
            Among others `results` (one per observation, in order), `final_stm_length`,
            `auto_learned_patterns`.
        """
        call = calls.observe_sequence(
            self._state.required(),
            observations,
            learn_after_each=learn_after_each,
            learn_at_end=learn_at_end,
            clear_stm_between=clear_stm_between,
            include_predictions=include_predictions,
        )
        return self._run(recovery.resent(self._state, call, auto_reconnect))

    def observe_batch(self, observations: Sequence[Observation]) -> list[Body]:
        """
        Send many observations in one request and return what came of each.

        Args:
            observations: As for observe_sequence.

        Returns:
            One dictionary per observation, in order, with `stm_length`, `time`, `unique_id`, `symbols`,
            `sorted`, `auto_learned_pattern`, and the observation's `strings`, `emotives` and `metadata`.
            Warnings about the request as a whole are logged.
        """
        items = list(observations)
        call = calls.observe_sequence(self._state.required(), items)
        return self._run(batch.observed(self._state, call, items))

    def learn_and_test(self, training_obs: Sequence[Observation], test_obs: Sequence[Observation]) -> Body:
        """
        Observe and learn, then clear the short-term memory, observe something else and predict.

        What is in the short-term memory beforehand is learned too.

        Returns:
            `pattern`: what learn() answers; `predictions`: what get_predictions() answers.
        """
        self._state.required()
        return self._run(batch.learned_and_tested(self._state, list(training_obs), list(test_obs)))

    def learn(self, auto_reconnect: bool = True) -> Body:
        """
        Make the short-term memory a pattern of the node, and start a fresh episode.

        Args:
            auto_reconnect: Whether to begin a new session when this one is gone. There is then nothing to
                learn, so KATOSessionError is raised all the same; the next observation finds the new session.

        Returns:
            Among others `pattern_name` ("" when a single symbol was all there was), `frequency` and `is_new`.

        Raises:
            EmptyMemory: The short-term memory is empty.
            KATOSessionError: The session is gone, and with it what had been observed.
        """
        call = calls.learn(self._state.required())
        return self._run(recovery.learned(self._state, call, auto_reconnect))

    def get_predictions(
        self,
        auto_reconnect: bool = True,
        *,
        limit: int | None = None,
        recall_threshold: float | None = None,
        rank_sort_algo: str | None = None,
        explain: bool = False,
        unique_id: str | None = None,
    ) -> Body:
        """
        Say what comes next, best first.

        In a session that had to be begun again there is nothing to predict from: `predictions` is empty, and
        `warnings` say why.

        Args:
            auto_reconnect: Whether to begin a new session when this one is gone.
            limit: Most predictions to return; None takes `max_predictions` of the session.
            recall_threshold: Least similarity, 0 to 1, for this call.
            rank_sort_algo: The metric to rank by, for this call.
            explain: Whether each prediction says how its numbers came about.
            unique_id: Predict from the memory as it stood after this observation.

        Returns:
            `predictions` in the order of their rank, `count`, `future_potentials`, `symbol_potentials`, … A prediction is
            a dictionary with a method `explain`, which prints how it came about.
        """
        call = calls.get_predictions(
            self._state.required(),
            limit=limit,
            recall_threshold=recall_threshold,
            rank_sort_algo=rank_sort_algo,
            explain=explain,
            unique_id=unique_id,
        )
        return self._run(recovery.resent(self._state, call, auto_reconnect))

    def get_forecast(
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
        """
        Say what comes next, how likely, and on whose word.

        Args:
            auto_reconnect: Whether to begin a new session when this one is gone.
            horizon: Events ahead, 1 to 100: right is what any of them holds; 0: the last event; the next when None.
            ending: Whether the sequence is known to end with those events.
            limit: Most symbols; 10 when None.
            explain: Whether each symbol says which patterns, positions and matched events are behind it.
            false_alarms: How many of the node's own patterns may count as novel, 0 to 1; 0.05 when None.
            wait: Whether to wait for the node's self-test where one is due.

        Returns:
            `forecast`: entries with `symbol`, `probability` and `share`, the largest share first; `unknown`, the probability
            that none of what the node knows comes; `entropy`, `novelty`, and the `profile` the node chose, with its hit rate.
        """
        call = calls.get_forecast(
            self._state.required(),
            horizon=horizon,
            ending=ending,
            limit=limit,
            explain=explain,
            false_alarms=false_alarms,
            wait=wait,
        )
        return self._run(recovery.resent(self._state, call, auto_reconnect))

    def clear_stm(self) -> Body:
        """Forget the current episode: short-term memory, emotives, metadata and last observation."""
        return self._run(recovery.cleared(self._state, calls.clear_stm(self._state.required())))

    def clear_all(self) -> Body:
        """Forget all that the node has learned, for all its sessions, and the current episode of this one."""
        return self._run(recovery.cleared(self._state, calls.clear_all(self._state.required())))

    def finalize_training(self) -> Body:
        """Let the store compact itself after much learning. No prediction changes."""
        return self._send(calls.finalize_training(self._state.required()))

    def get_stm(self) -> Body:
        """Return the short-term memory: `stm` (list of events, oldest first) and `length` (events)."""
        return self._send(calls.get_stm(self._state.required()))

    def get_percept_data(self) -> Body:
        """Return the last observation as `percept_data`; {} before the first."""
        return self._send(calls.get_percept_data(self._state.required()))

    def get_cognition_data(self) -> Body:
        """Return as `cognition_data` the short-term memory and the predictions of the last observation."""
        return self._send(calls.get_cognition_data(self._state.required()))

    def get_session_info(self) -> Body:
        """Return the session: node, lifetime, configuration, length of the short-term memory."""
        return self._send(calls.get_session(self._state.required()))

    def delete_session(self) -> Body:
        """
        End the session. What the node has learned stays.

        When the answer to the first attempt is lost on the way, the next attempt finds no session any more
        and raises SessionNotFound.
        """
        return self._run(recovery.deleted(self._state, calls.delete_session(self._state.required())))

    def session_exists(self, session_id: str | None = None) -> Body:
        """Return whether a session (None: this one) `exists`, is `expired` or `deleted`; its expiry stays."""
        return self._send(calls.session_exists(session_id or self._state.required()))

    def extend_session(self, ttl_seconds: int | None = None) -> Body:
        """Give the session another lifetime, beginning now; None restarts the one it has."""
        call = calls.extend_session(self._state.required(), ttl_seconds)
        return self._run(recovery.extended(self._state, call, ttl_seconds))

    def get_config(self) -> Body:
        """Return the configuration: `config` has every key, `config_overrides` those set for this session."""
        return self._send(calls.get_config(self._state.required()))

    def update_config(self, config: Mapping[str, Any]) -> Body:
        """
        Change some keys of the configuration; the others stay. None takes an override back.

        Raises:
            InvalidSettings: The configuration that would result may not be; nothing has changed.
        """
        call = calls.update_config(self._state.required(), config)
        return self._run(recovery.reconfigured(self._state, call, config))

    def list_session_patterns(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        search: str | None = None,
        sort: str | None = None,
    ) -> Body:
        """Return one page of the patterns of this session's node, as list_patterns does."""
        call = calls.list_session_patterns(self._state.required(), limit=limit, cursor=cursor, search=search, sort=sort)
        return self._send(call)
