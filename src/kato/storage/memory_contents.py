"""What a storage in dictionaries holds, and what transactions make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from kato.engine.event import Event, Symbol, Vector
from kato.engine.knowledge import Change, Present
from kato.engine.pattern import Pattern, pattern_name
from kato.errors import HeadChanged, PatternNotFound, SessionNotFound
from kato.storage import records
from kato.storage.folding import changed, learned, vector_symbols
from kato.storage.interface import (
    Committed,
    Edit,
    ForgetAll,
    Learn,
    LogEntry,
    Operation,
    OtherLog,
    Reply,
    Restore,
    SessionChange,
    SessionChanged,
    SessionCreate,
    SessionEnd,
    SessionOperation,
    SessionRecord,
    SessionTouch,
    Since,
    Transaction,
)


@dataclass(slots=True)
class Node:
    """What a node has learned, and its log."""

    created_at: int
    changed_at: int
    head: int = 0
    hash: bytes = records.GENESIS
    patterns: dict[tuple[Event, ...], Pattern] = field(default_factory=dict)
    by_name: dict[str, list[tuple[Event, ...]]] = field(default_factory=dict)
    vectors: dict[Symbol, Vector] = field(default_factory=dict)
    log: list[LogEntry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ended:
    """What is remembered of a session that has ended."""

    state: Literal["deleted", "expired"]
    forget_at: int
    owner: str | None
    node_id: str


@dataclass(slots=True)
class Contents:
    """Everything there is."""

    nodes: dict[str, Node] = field(default_factory=dict)
    derived: dict[tuple[str, str], str] = field(default_factory=dict)
    sessions: dict[str, SessionRecord] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)
    replies: dict[str, dict[str, Reply]] = field(default_factory=dict)
    """Scope → key → reply, oldest first."""
    created: int = 0
    deleted: int = 0
    expired: int = 0
    last_modified: int | None = None


def named(node: Node, name: str) -> Pattern | None:
    """The first learned of the patterns of a name."""
    held = node.by_name.get(name)
    return node.patterns[held[0]] if held else None


def attempt(contents: Contents, transaction: Transaction) -> Committed | Exception:
    """Every step of a transaction says how to take it back; a failure takes all of them back, the last one first."""
    undo: list[Callable[[], object]] = []
    try:
        changes = _apply_operations(contents, transaction, undo)
        for operation in transaction.sessions:
            _apply_session(contents, operation, undo)
        if transaction.reply is not None:
            _remember(contents, transaction.reply(changes) if callable(transaction.reply) else transaction.reply)
    except BaseException as error:
        for step in reversed(undo):
            step()
        if isinstance(error, Exception):
            return error
        raise
    return Committed(changes)


def _apply_operations(
    contents: Contents, transaction: Transaction, undo: list[Callable[[], object]]
) -> tuple[Change, ...]:
    node_id = transaction.node_id
    if node_id is None or not transaction.operations:
        return ()
    node = contents.nodes.get(node_id)
    head = node.head if node is not None else 0
    if transaction.expected_head is not None and transaction.expected_head != head:
        raise HeadChanged(transaction.expected_head, head)
    if node is None:
        first = next((each for each in transaction.operations if not isinstance(each, ForgetAll)), None)
        if first is None:
            return ()
        if not isinstance(first, Learn):
            raise PatternNotFound(first.name, node_id)
        node = contents.nodes[node_id] = Node(transaction.at, transaction.at)
        undo.append(lambda: contents.nodes.pop(node_id))
    found = (_apply_operation(node, node_id, operation, transaction, undo) for operation in transaction.operations)
    return tuple(change for change in found if change is not None)


def _apply_operation(
    node: Node,
    node_id: str,
    operation: Operation,
    transaction: Transaction,
    undo: list[Callable[[], object]],
) -> Change | None:
    before: Pattern | None = None
    after: Pattern | None = None
    vectors = operation.vectors if isinstance(operation, (Learn, Restore)) else {}
    if isinstance(operation, Restore) and operation.state is None:
        vectors = {}
    name: str | None = None
    if isinstance(operation, ForgetAll):
        if not node.patterns:
            return None
    elif isinstance(operation, Learn):
        name = pattern_name(operation.events)
        before = node.patterns.get(operation.events)
        after = learned(operation, before, name)
    elif isinstance(operation, Restore):
        name = operation.name
        before, after = node.patterns.get(operation.events), operation.state
        if before == after:
            return None
    else:
        name = operation.name
        before = named(node, name)
        if before is None:
            raise PatternNotFound(name, node_id)
        after = changed(operation, before) if isinstance(operation, Edit) else None
    was_first = before is not None and named(node, before.name) is before
    undo.append(_restoring(node, before, after))
    if after is not None:
        node.patterns[after.events] = after
        node.by_name.setdefault(after.name, []).extend([after.events] if before is None else [])
        if vectors:
            held = vector_symbols(after.events)
            node.vectors = node.vectors | {key: vector for key, vector in vectors.items() if key in held}
    elif before is not None:
        node.patterns = {events: each for events, each in node.patterns.items() if each is not before}
        others = [events for events in node.by_name[before.name] if events != before.events]
        node.by_name = node.by_name | {before.name: others}
    else:
        node.patterns, node.by_name = {}, {}
    if after is None and node.vectors:
        known = {symbol for events in node.patterns for symbol in vector_symbols(events)}
        node.vectors = {key: vector for key, vector in node.vectors.items() if key in known}
    node.head += 1
    node.changed_at = transaction.at
    pattern = after or before
    with_events = isinstance(operation, (Learn, Restore)) and (before is None or not was_first)
    text = records.events_text(pattern.events) if with_events and pattern is not None else None
    payload = records.payload_of(operation, name, events=text)
    kind = records.kind_of(operation)
    at, session_id, actor = transaction.at, transaction.session_id, transaction.actor
    node.hash = records.chained(node.hash, node_id, node.head, at, kind, session_id, actor, payload)
    node.log.append(LogEntry(node_id, node.head, at, kind, session_id, actor, payload, node.hash))
    return Change(node.head, kind, before, after, vectors, at, session_id)


def _restoring(node: Node, before: Pattern | None, after: Pattern | None) -> Callable[[], None]:
    """
    What puts the node back to how it is now, after an operation that is about to happen.

    Learning and editing write into the dictionaries at hand; forgetting, and whatever changes the vectors, leaves them as they
    are and puts others in their place. So the old ones, with what was written taken back, are the old state in the old order.
    """
    head, chain, changed_at, length = node.head, node.hash, node.changed_at, len(node.log)
    patterns, by_name, vectors = node.patterns, node.by_name, node.vectors

    def restore() -> None:
        node.head, node.hash, node.changed_at = head, chain, changed_at
        del node.log[length:]
        node.patterns, node.by_name, node.vectors = patterns, by_name, vectors
        if after is not None and before is None:
            del patterns[after.events]
            by_name[after.name].remove(after.events)
        elif after is not None and before is not None:
            patterns[before.events] = before

    return restore


def _apply_session(contents: Contents, operation: SessionOperation, undo: list[Callable[[], object]]) -> None:
    counts = (contents.created, contents.deleted, contents.expired, contents.last_modified)
    session_id = operation.record.session_id if isinstance(operation, SessionCreate) else operation.session_id
    held = contents.sessions.get(session_id)
    ended = contents.ended.get(session_id)
    replies = contents.replies.get(session_id)

    def restore() -> None:
        contents.created, contents.deleted, contents.expired, contents.last_modified = counts
        if ended is None:
            contents.ended.pop(session_id, None)
        else:
            contents.ended[session_id] = ended
        if held is None:
            contents.sessions.pop(session_id, None)
        else:
            contents.sessions[session_id] = held
        if replies is not None:
            contents.replies[session_id] = replies

    if isinstance(operation, SessionCreate):
        if held is not None:
            raise SessionChanged(session_id)
        undo.append(restore)
        contents.sessions[session_id] = replace(operation.record, version=1)
        contents.created += 1
        contents.last_modified = max(contents.last_modified or 0, operation.record.created_at)
    elif isinstance(operation, SessionChange):
        if held is None:
            raise SessionNotFound(session_id)
        if held.version != operation.expected_version:
            raise SessionChanged(session_id)
        undo.append(restore)
        contents.sessions[session_id] = _changed_session(held, operation)
    elif held is not None:
        undo.append(restore)
        if isinstance(operation, SessionTouch):
            accessed = max(held.last_accessed, operation.last_accessed)
            contents.sessions[session_id] = replace(held, last_accessed=accessed, expires_at=operation.expires_at)
        else:
            _end(contents, operation)


def _changed_session(held: SessionRecord, operation: SessionChange) -> SessionRecord:
    steps = held.steps
    if operation.keep_from is not None:
        steps = tuple(step for step in steps if step[0] >= operation.keep_from)
    return replace(
        held,
        version=held.version + 1,
        last_accessed=operation.last_accessed,
        expires_at=operation.expires_at,
        ttl_seconds=operation.ttl_seconds,
        profile=held.profile if operation.profile is None else operation.profile,
        head=held.head if operation.head is None else operation.head,
        steps=(*steps, *operation.append),
    )


def _end(contents: Contents, end: SessionEnd) -> None:
    held = contents.sessions.pop(end.session_id)
    if end.forget_at > end.at:
        contents.ended[end.session_id] = Ended(end.state, end.forget_at, held.owner, held.node_id)
    replies = contents.replies.get(end.session_id, {})
    if replies:
        shortened = {
            key: replace(each, expires_at=min(each.expires_at, end.forget_at)) for key, each in replies.items()
        }
        contents.replies[end.session_id] = shortened
    contents.deleted += end.state == "deleted"
    contents.expired += end.state == "expired"
    contents.last_modified = max(contents.last_modified or 0, end.at)


def _remember(contents: Contents, reply: Reply) -> None:
    replies = contents.replies.setdefault(reply.scope, {})
    replies.pop(reply.key, None)
    replies[reply.key] = reply
    while len(replies) > reply.keep:
        del replies[next(iter(replies))]


def changed_since(node: Node, sequence: int, digest: bytes) -> Since:
    """What `Storage.since` promises."""
    if not 0 < sequence <= node.head or node.log[sequence - 1].hash != digest:
        raise OtherLog(f"the log has no row of that hash at sequence {sequence}")
    later = node.log[sequence:]
    if any(entry.operation == "forget_all" for entry in later):
        raise OtherLog("everything was forgotten after it", later=True)
    present = []
    for name in {records.load(entry.payload)["name"]: None for entry in later}:
        several = node.by_name.get(name, [])
        if len(several) > 1:
            raise OtherLog("two patterns have one name")
        vectors = {
            symbol: node.vectors[symbol]
            for events in several
            for symbol in vector_symbols(events)
            if symbol in node.vectors
        }
        present.append(Present(name, node.patterns[several[0]] if several else None, vectors))
    return Since(node.head, len(node.patterns), len(present), iter(present))
