"""
Doing to a real memory what the model does, and looking at what became of it.

An operation is a name of a method of `dictionaries.Model` and its arguments, so that it can be written to a pipe and done
twice: to the model and to a memory, embedded or behind HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.dictionaries import Model, Sequence_
from kato.client.methods import ClientMethods, Session
from kato.engine.pattern import pattern_name

Operation = tuple[str, dict[str, Any]]


def session_of(memory: ClientMethods, session_id: str) -> Session:
    """A handle on a session that exists."""
    handle = Session(memory)
    handle.session_id = session_id
    return handle


def name_of(events: Any) -> str:
    """The name of the pattern of some events."""
    return "PTRN|" + pattern_name([tuple(event) for event in events])


def do(memory: ClientMethods, operation: Operation, session_id: Callable[[str], str] = str) -> Any:
    """
    Do an operation to a memory; the answer.

    Args:
        session_id: The real id of a session that the model knows by another name.
    """
    kind, given = operation
    if kind == "learn_many":
        return memory.learn_many(given["sequences"], node_id=given["node"])  # type: ignore[attr-defined]
    if kind == "edit":
        return memory.node(given["node"]).edit_pattern(name_of(given["events"]), frequency=given["frequency"])
    if kind == "forget":
        return memory.node(given["node"]).forget_pattern(name_of(given["events"]))
    session = session_of(memory, session_id(given["session"]))
    if kind == "observe":
        return session.observe(
            given["strings"],
            emotives=given.get("emotives"),
            metadata=given.get("metadata"),
            auto_reconnect=False,
        )
    if kind == "observe_sequence":
        return session.observe_sequence(
            [{"strings": list(strings)} for strings in given["events"]],
            learn_at_end=given["learn_at_end"],
            auto_reconnect=False,
        )
    if kind == "learn":
        return session.learn(auto_reconnect=False)
    if kind == "configure":
        return session.update_config(given["config"])
    if kind == "clear_stm":
        return session.clear_stm()
    if kind == "clear_all":
        return session.clear_all()
    if kind == "delete":
        return session.delete_session()
    raise ValueError(kind)


def apply(model: Model, operation: Operation) -> None:
    """Do an operation to the model."""
    kind, given = operation
    getattr(model, kind)(**given)


def learned(memory: ClientMethods, node: str, search: str = "") -> dict[Sequence_, dict[str, Any]]:
    """Everything a node has learned, as `Model.learned` tells it; where a pattern appears twice, both are told."""
    found: dict[Sequence_, dict[str, Any]] = {}
    for pattern in memory.node(node).iterate_patterns(search=search):
        events = tuple(map(tuple, pattern["pattern_data"]))
        told = {name: pattern[name] for name in ("frequency", "emotives", "metadata")}
        found[events] = told if events not in found else {"twice": [found[events], told]}
    return found


def state(memory: ClientMethods, session_id: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """The state of a session as `Session.told` tells it, with the configuration of some keys."""
    session = session_of(memory, session_id)
    stm = session.get_stm()
    overrides = session.get_session_info()["config_overrides"]
    return {"stm": stm["stm"], "time": stm["time"], "config": {key: overrides[key] for key in keys if key in overrides}}
