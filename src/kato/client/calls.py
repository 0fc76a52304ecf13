"""
Every exchange with KATO as data: one function per operation, each returning a `Call`.

Nothing is sent here. A `Call` names an operation as docs/http-api.md does, by method and path template, so
the same value can travel over HTTP or be answered in this process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Pairs = tuple[tuple[str, str], ...]
At = int | str | None
"""A moment of a node: a sequence of its history, or a time as ISO-8601; None is now."""
DEFAULT_NODE = "default_node"  # the node the server takes when a request names none


@dataclass(frozen=True, slots=True)
class Need:
    """A member that an answer must have: a text that is not empty, or a list, of so many where the number is known."""

    name: str
    kind: type[str] | type[list[Any]]
    count: int | None = None

    def is_met(self, answer: Mapping[str, Any]) -> bool:
        """Whether the answer has it."""
        value = answer.get(self.name)
        if not isinstance(value, self.kind):
            return False
        return value != "" and self.count in (None, len(value))


@dataclass(frozen=True, slots=True)
class Call:
    """
    One operation to be asked for.

    Attributes:
        method: HTTP method in capitals.
        template: Path with {names}, e.g. "/sessions/{session_id}/observe".
        path: Value of each name in the template, not yet percent-encoded.
        query: Name and value pairs in the order they are sent, not yet percent-encoded.
        body: JSON object to send, or None for no body.
        idempotency_key: Key under which a POST takes effect once; None lets the sender make one for this
            call.
        is_probe: True for a question about this very moment, whose refusal is its answer: it is not repeated.
        needs: What the client itself takes from the answer; None where that is only handed on.
    """

    method: str
    template: str
    path: Mapping[str, str]
    query: Pairs = ()
    body: Mapping[str, Any] | None = None
    idempotency_key: str | None = None
    is_probe: bool = False
    needs: Need | None = None

    def for_session(self, session_id: str) -> Call:
        """Return the same call for another session."""
        return replace(self, path={**self.path, "session_id": session_id})


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _query(**parameters: Any) -> Pairs:
    return tuple((name, _text(value)) for name, value in parameters.items() if value is not None)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _in_session(method: str, session_id: str, suffix: str, **rest: Any) -> Call:
    return Call(method, "/sessions/{session_id}" + suffix, {"session_id": session_id}, **rest)


# Sessions


def create_session(
    node_id: str,
    *,
    config: Mapping[str, Any] | None = None,
    ttl: int | None = None,
    metadata: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
) -> Call:
    """Begin a session with a node."""
    body = _given(node_id=node_id, config=config, ttl=ttl, metadata=metadata)
    return Call("POST", "/sessions", {}, body=body, idempotency_key=idempotency_key, needs=Need("session_id", str))


def list_sessions(*, node_id: str | None = None, limit: int | None = None, cursor: str | None = None) -> Call:
    """One page of the live sessions."""
    return Call("GET", "/sessions", {}, _query(node_id=node_id, limit=limit, cursor=cursor))


def count_sessions() -> Call:
    """How many sessions are alive."""
    return Call("GET", "/sessions/count", {})


def get_session(session_id: str) -> Call:
    """Read one session."""
    return _in_session("GET", session_id, "")


def delete_session(session_id: str) -> Call:
    """End one session."""
    return _in_session("DELETE", session_id, "")


def session_exists(session_id: str) -> Call:
    """Ask whether a session is alive, expired, deleted or unknown."""
    return _in_session("GET", session_id, "/exists")


def extend_session(session_id: str, ttl_seconds: int | None = None) -> Call:
    """Give a session a new lifetime in seconds; None restarts the one it has."""
    return _in_session("POST", session_id, "/extend", body=_given(ttl_seconds=ttl_seconds))


def get_config(session_id: str) -> Call:
    """Read a session's configuration."""
    return _in_session("GET", session_id, "/config")


def update_config(session_id: str, config: Mapping[str, Any]) -> Call:
    """Merge keys into a session's configuration."""
    return _in_session("PUT", session_id, "/config", body={"config": config})


# Observing and learning


def observe(
    session_id: str,
    strings: Sequence[str],
    *,
    vectors: Sequence[Sequence[float]] | None = None,
    emotives: Mapping[str, float] | None = None,
    metadata: Mapping[str, Any] | None = None,
    unique_id: str | None = None,
    include_predictions: bool = False,
) -> Call:
    """Send one observation."""
    body = {
        "strings": strings,
        "vectors": _numbers(vectors),
        "emotives": {} if emotives is None else emotives,
        "metadata": {} if metadata is None else metadata,
        **_given(unique_id=unique_id, include_predictions=include_predictions or None),
    }
    return _in_session("POST", session_id, "/observe", body=body)


def observe_sequence(
    session_id: str,
    observations: Iterable[Mapping[str, Any]],
    *,
    learn_after_each: bool = False,
    learn_at_end: bool = False,
    clear_stm_between: bool = False,
    include_predictions: bool = False,
) -> Call:
    """Send many observations that take effect together; their members that are None count as absent."""
    switches = {
        "learn_after_each": learn_after_each,
        "learn_at_end": learn_at_end,
        "clear_stm_between": clear_stm_between,
        "include_predictions": include_predictions,
    }
    items = [_item(observation) for observation in observations]
    body = {"observations": items, **{name: value for name, value in switches.items() if value is not False}}
    return _in_session("POST", session_id, "/observe-sequence", body=body)


def _item(observation: Any) -> Any:
    if not isinstance(observation, Mapping):
        return observation  # the server says what is wrong with it
    item = {name: value for name, value in observation.items() if value is not None}
    if "vectors" in item:
        item["vectors"] = _numbers(item["vectors"])
    return item


def _numbers(vectors: Any) -> Any:
    """Return vectors as JSON can hold them: arrays, whole or one per vector, become lists."""
    if vectors is None:
        return []
    if hasattr(vectors, "tolist"):
        return vectors.tolist()
    if isinstance(vectors, list | tuple):
        return [vector.tolist() if hasattr(vector, "tolist") else vector for vector in vectors]
    return vectors


def learn(session_id: str) -> Call:
    """Make the short-term memory a pattern."""
    return _in_session("POST", session_id, "/learn")


def get_stm(session_id: str) -> Call:
    """Read the short-term memory."""
    return _in_session("GET", session_id, "/stm")


def clear_stm(session_id: str) -> Call:
    """Forget the current episode."""
    return _in_session("POST", session_id, "/clear-stm")


def clear_all(session_id: str) -> Call:
    """Forget all that the session's node has learned."""
    return _in_session("POST", session_id, "/clear-all")


def finalize_training(session_id: str) -> Call:
    """Let the store compact itself after much learning."""
    return _in_session("POST", session_id, "/finalize-training")


def get_percept_data(session_id: str) -> Call:
    """Read the last observation."""
    return _in_session("GET", session_id, "/percept-data")


def get_cognition_data(session_id: str) -> Call:
    """Read what the last observation brought to mind."""
    return _in_session("GET", session_id, "/cognition-data")


def get_predictions(
    session_id: str,
    *,
    limit: int | None = None,
    recall_threshold: float | None = None,
    rank_sort_algo: str | None = None,
    explain: bool = False,
    unique_id: str | None = None,
) -> Call:
    """Ask what comes next."""
    query = _query(
        limit=limit,
        recall_threshold=recall_threshold,
        rank_sort_algo=rank_sort_algo,
        explain=explain or None,
        unique_id=unique_id,
    )
    return _in_session("GET", session_id, "/predictions", query=query)


def _forecast_query(
    horizon: int | None,
    ending: bool,
    limit: int | None,
    explain: bool,
    false_alarms: float | None,
    wait: bool,
) -> Pairs:
    return _query(
        horizon=horizon,
        ending=ending or None,
        limit=limit,
        explain=explain or None,
        false_alarms=false_alarms,
        wait=wait or None,
    )


def get_forecast(
    session_id: str,
    *,
    horizon: int | None = None,
    ending: bool = False,
    limit: int | None = None,
    explain: bool = False,
    false_alarms: float | None = None,
    wait: bool = False,
) -> Call:
    """Ask what comes next, and how likely."""
    query = _forecast_query(horizon, ending, limit, explain, false_alarms, wait)
    return _in_session("GET", session_id, "/forecast", query=query)


# What a node has learned


def list_patterns(
    node_id: str | None,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    search: str | None = None,
    sort: str | None = None,
    at: At = None,
    is_walked: bool = False,
) -> Call:
    """One page of the patterns of a node; `is_walked`: whether the client goes through it itself."""
    query = _query(node_id=node_id, limit=limit, cursor=cursor, search=search, sort=sort, at=at)
    return Call("GET", "/patterns", {}, query, needs=Need("patterns", list) if is_walked else None)


def list_session_patterns(
    session_id: str,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    search: str | None = None,
    sort: str | None = None,
) -> Call:
    """One page of the patterns of a session's node."""
    return _in_session(
        "GET", session_id, "/patterns", query=_query(limit=limit, cursor=cursor, search=search, sort=sort)
    )


def get_pattern(pattern_id: str, node_id: str | None, *, at: At = None) -> Call:
    """Read one pattern."""
    return Call("GET", "/pattern/{pattern_id}", {"pattern_id": pattern_id}, _query(node_id=node_id, at=at))


def edit_pattern(
    pattern_id: str,
    node_id: str | None,
    *,
    frequency: int | None = None,
    emotives: Sequence[Mapping[str, float]] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call:
    """Replace members of one pattern."""
    body = _given(frequency=frequency, emotives=emotives, metadata=metadata)
    return Call("PATCH", "/pattern/{pattern_id}", {"pattern_id": pattern_id}, _query(node_id=node_id), body)


def forget_pattern(pattern_id: str, node_id: str | None) -> Call:
    """Take one pattern back as if it had never been learned."""
    return Call("DELETE", "/pattern/{pattern_id}", {"pattern_id": pattern_id}, _query(node_id=node_id))


def get_symbol_stats(
    node_id: str | None,
    *,
    symbols: Iterable[str] = (),
    limit: int | None = None,
    cursor: str | None = None,
    search: str | None = None,
    sort: str | None = None,
    vectors: bool = False,
    at: At = None,
) -> Call:
    """One page of symbol statistics."""
    query = (
        *_symbol_query(node_id, symbols, limit, cursor),
        *_query(search=search, sort=sort, vectors=vectors or None, at=at),
    )
    return Call("GET", "/symbols/stats", {}, query)


def get_affinities(
    node_id: str | None,
    *,
    symbols: Iterable[str] = (),
    limit: int | None = None,
    cursor: str | None = None,
    at: At = None,
) -> Call:
    """One page of symbol affinities."""
    query = (*_symbol_query(node_id, symbols, limit, cursor), *_query(at=at))
    return Call("GET", "/symbols/affinity", {}, query)


def _symbol_query(node_id: str | None, symbols: Iterable[str], limit: int | None, cursor: str | None) -> Pairs:
    names = (symbols,) if isinstance(symbols, str) else symbols
    chosen = tuple(("symbol", name) for name in names)
    return (*_query(node_id=node_id), *chosen, *_query(limit=limit, cursor=cursor))


def get_affinity(symbol: str, node_id: str | None) -> Call:
    """The affinity of one symbol."""
    return Call("GET", "/symbols/{symbol}/affinity", {"symbol": symbol}, _query(node_id=node_id))


def learn_many(
    node_id: str,
    sequences: Sequence[Any],
    *,
    persistence: int | None = None,
    sort_symbols: bool | None = None,
    idempotency_key: str | None = None,
) -> Call:
    """Learn many sequences of events together."""
    return Call(
        "POST",
        "/nodes/{node_id}/learn",
        {"node_id": node_id},
        _query(persistence=persistence, sort_symbols=sort_symbols),
        {"sequences": sequences},
        idempotency_key,
    )


def predict_many(node_id: str, stms: Sequence[Any], *, config: Mapping[str, Any] | None = None, at: At = None) -> Call:
    """Ask what comes next for many short-term memories."""
    body = {"stms": stms, **_given(config=config)}
    return Call("POST", "/nodes/{node_id}/predict", {"node_id": node_id}, _query(at=at), body)


# Its past


def get_node(node_id: str, *, at: At = None) -> Call:
    """How much a node knows."""
    return Call("GET", "/nodes/{node_id}", {"node_id": node_id}, _query(at=at))


def compare(
    node_id: str, earlier: At, later: At = None, *, limit: int | None = None, cursor: str | None = None
) -> Call:
    """One page of what differs between two moments of a node."""
    query = (*_query(**{"from": earlier}), *_query(to=later, limit=limit, cursor=cursor))
    return Call("GET", "/nodes/{node_id}/compare", {"node_id": node_id}, query)


def get_history(
    node_id: str,
    *,
    pattern: str | None = None,
    operation: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
    is_walked: bool = False,
) -> Call:
    """One page of what happened to a node; `is_walked` where the client itself goes on from it."""
    query = _query(pattern=pattern, operation=operation, sort=sort, limit=limit, cursor=cursor)
    need = Need("entries", list) if is_walked else None
    return Call("GET", "/nodes/{node_id}/history", {"node_id": node_id}, query, needs=need)


def explain_pattern(
    node_id: str,
    pattern: str,
    stm: Sequence[Sequence[str]],
    *,
    config: Mapping[str, Any] | None = None,
    at: At = None,
) -> Call:
    """Why a pattern is predicted for a memory, or why it is not."""
    body = {"stm": stm, "pattern": pattern, **_given(config=config)}
    return Call("POST", "/nodes/{node_id}/explain", {"node_id": node_id}, _query(at=at), body)


def undo(
    node_id: str,
    *,
    count: int | None = None,
    to: int | None = None,
    expected_head: int | None = None,
    idempotency_key: str | None = None,
) -> Call:
    """Take back changes of a node."""
    body = _given(count=count, to=to, expected_head=expected_head)
    return Call("POST", "/nodes/{node_id}/undo", {"node_id": node_id}, (), body, idempotency_key)


def forecast_many(
    node_id: str,
    stms: Sequence[Any],
    *,
    as_if_left_out: Sequence[str | None] | None = None,
    horizon: int | None = None,
    ending: bool = False,
    limit: int | None = None,
    explain: bool = False,
    false_alarms: float | None = None,
    wait: bool = False,
) -> Call:
    """Ask what comes next, and how likely, for many short-term memories."""
    query = _forecast_query(horizon, ending, limit, explain, false_alarms, wait)
    body = {"stms": stms, **_given(as_if_left_out=as_if_left_out)}
    return Call("POST", "/nodes/{node_id}/forecast", {"node_id": node_id}, query, body)


# The service


def list_nodes(*, limit: int | None = None, after: str | None = None) -> Call:
    """One page of the nodes that have learned something."""
    return Call("GET", "/nodes", {}, _query(limit=limit, after=after))


def service(path: str, *, is_probe: bool = False, minutes: int | None = None) -> Call:
    """Read one of the pages about the service itself; `path` has no {names}."""
    return Call("GET", path, {}, _query(minutes=minutes), is_probe=is_probe)


def get_metric(name: str, minutes: int | None = None) -> Call:
    """The points of one metric."""
    return Call("GET", "/metrics/{name}", {"name": name}, _query(minutes=minutes))


def requests(*, limit: int | None = None, errors: bool = False) -> Call:
    """The latest requests."""
    return Call("GET", "/requests", {}, _query(limit=limit, errors=errors or None))


def server_log(*, limit: int | None = None, level: str | None = None) -> Call:
    """The latest lines of the server's log."""
    return Call("GET", "/server-log", {}, _query(limit=limit, level=level))


def create_key(name: str, scope: str, prefixes: Sequence[str] | None) -> Call:
    """Make an API key."""
    body = {"name": name, "scope": scope, "prefixes": None if prefixes is None else list(prefixes)}
    return Call("POST", "/keys", {}, body={key: value for key, value in body.items() if value is not None})


def revoke_key(key_id: str) -> Call:
    """Revoke an API key."""
    return Call("DELETE", "/keys/{key_id}", {"key_id": key_id})


def invalidate_cache(session_id: str | None = None) -> Call:
    """Drop cached values, which never changes a result."""
    return Call("POST", "/cache/invalidate", {}, _query(session_id=session_id))
