"""
What a place to keep things promises.

A storage keeps three things: sessions, the patterns of every node, and per node an append-only log of everything that
changed them. One `commit` takes any number of transactions; each is all or nothing. A transaction holds what one request
did: pattern operations, a session change, or both. The storage folds pattern operations into the patterns itself (with
`kato.engine.pattern`), inside the transaction, so that two writers can never overwrite each other.

The methods are blocking. `kato.storage.writer` lets many callers share one commit; `kato.service` never calls a backend
directly. No posting queries: matching happens in `kato.engine` over what `load`, listeners and the log deliver.

Times are integers: microseconds since 1970, UTC. They come in as arguments; a storage has no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from kato.engine.pattern import Pattern

if TYPE_CHECKING:
    from kato.engine.event import Event, Symbol
    from kato.engine.knowledge import Change, Present


# --- what is written -------------------------------------------------------------------------------------------------


class Learn(NamedTuple):
    """Learn one sequence: a new pattern, or one more learning of a known one. A tuple, as a request may hold thousands."""

    events: tuple[Event, ...]
    emotives: tuple[Mapping[str, float], ...] = ()
    metadata: tuple[Mapping[str, Any], ...] = ()
    persistence: int = 5
    vectors: Mapping[Symbol, tuple[float, ...]] = MappingProxyType({})
    """Components of the vector symbols among the events, as far as known."""
    name: str | None = None
    """The name that follows from the events, and those as compact JSON: both, where somebody has made them already."""
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace parts of a pattern; None leaves a part as it is. Raises PatternNotFound if there is no such pattern."""

    name: str
    frequency: int | None = None
    emotives: tuple[Mapping[str, float], ...] | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget one pattern. Raises PatternNotFound if there is no such pattern."""

    name: str


@dataclass(frozen=True, slots=True)
class ForgetAll:
    """Forget everything the node has learned. The log keeps what happened."""


@dataclass(frozen=True, slots=True)
class Restore:
    """
    Put one pattern back to a state it had. Where it is so already nothing changes, and nothing is logged. Raises
    PatternNotFound where the node has never learned anything.

    The rows of one undoing follow one another in one transaction and count themselves, `part` of `parts`.
    """

    name: str
    events: tuple[Event, ...]
    state: Pattern | None
    """None: it is not there then."""
    to: int
    """The log sequence whose state it is."""
    part: int = 1
    parts: int = 1
    vectors: Mapping[Symbol, tuple[float, ...]] = field(default_factory=dict)
    """Components of the vector symbols among the events, as far as known."""


Operation = Learn | Edit | Forget | ForgetAll | Restore


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A whole session as stored. `profile`, `head` and the steps are opaque to the storage."""

    session_id: str
    node_id: str
    created_at: int
    last_accessed: int
    expires_at: int
    ttl_seconds: int
    profile: bytes
    """What changes rarely: configuration and the caller's metadata."""
    head: bytes
    """What changes with every observation, small."""
    steps: tuple[tuple[int, bytes], ...] = ()
    """What accumulates: (ordinal, content), ascending."""
    version: int = 0
    """0 before the session is stored; raised by one by every SessionChange that does more than touch."""
    owner: str | None = None
    """Whose it is; never changed."""


@dataclass(frozen=True, slots=True)
class Visible:
    """Which sessions somebody may see."""

    owner: str | None = None
    """Only those of this owner; None: of everybody."""
    prefixes: tuple[str, ...] = ()
    """Only those of nodes whose id begins with one of these; none: of all nodes."""

    def node(self, node_id: str) -> bool:
        """Whether a node's id begins as it must."""
        return not self.prefixes or node_id.startswith(self.prefixes)

    def session(self, owner: str | None, node_id: str) -> bool:
        """Whether a session of that owner and node is among them."""
        return self.owner in (None, owner) and self.node(node_id)


EVERYTHING = Visible()


@dataclass(frozen=True, slots=True)
class SessionCreate:
    """Store a session that does not exist yet; SessionChanged is raised if it does. Its version becomes 1."""

    record: SessionRecord


class SessionChange(NamedTuple):
    """
    Change a live session if its version is still `expected_version`; SessionChanged is raised otherwise.

    A tuple, as is what else every observation makes one of: that takes a third of the time of a frozen dataclass.
    """

    session_id: str
    expected_version: int
    last_accessed: int
    expires_at: int
    ttl_seconds: int
    profile: bytes | None = None
    head: bytes | None = None
    append: tuple[tuple[int, bytes], ...] = ()
    keep_from: int | None = None
    """Steps with a smaller ordinal are dropped, before `append`; None keeps all."""


@dataclass(frozen=True, slots=True)
class SessionTouch:
    """Slide a session's expiry; neither versioned nor urgent. A session that is gone is passed over."""

    session_id: str
    last_accessed: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """
    End a session: its content is dropped, `state` remembered until `forget_at`, and so are, at most, the answers whose scope
    is its id. Passed over when already gone.
    """

    session_id: str
    state: Literal["deleted", "expired"]
    at: int
    forget_at: int


SessionOperation = SessionCreate | SessionChange | SessionTouch | SessionEnd


@dataclass(frozen=True, slots=True)
class Reply:
    """The remembered answer of a request that carried an idempotency key, stored with its effect."""

    scope: str
    """Whose keys these are, e.g. a session id; (scope, key) is unique."""
    key: str
    fingerprint: bytes
    """Digest of the request, to recognise another one under the same key."""
    answer: bytes
    expires_at: int
    keep: int
    """How many keys of this scope are kept, newest first."""


class Transaction(NamedTuple):
    """What one request does, all or nothing, in this order: node operations, session operations, reply."""

    at: int
    node_id: str | None = None
    operations: tuple[Operation, ...] = ()
    session_id: str | None = None
    """The session in whose name the operations are logged."""
    actor: str | None = None
    """Who did it, for the log."""
    sessions: tuple[SessionOperation, ...] = ()
    expected_head: int | None = None
    """HeadChanged is raised if the node's log ends elsewhere; None where that does not matter."""
    reply: Callable[[Sequence[Change]], Reply] | Reply | None = None
    """A function gets the changes the operations made, so that the answer can tell them."""


class Committed(NamedTuple):
    """What a transaction did: one Change per operation that changed something, in order, as listeners hear them."""

    changes: tuple[Change, ...] = ()


# --- what is read ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One row of a node's log. `hash` is SHA-256 over the previous row's hash and this row's content."""

    node_id: str
    sequence: int
    """1, 2, 3 … within the node."""
    at: int
    operation: Literal["learn", "edit", "forget", "forget_all", "undo"]
    session_id: str | None
    actor: str | None
    payload: bytes
    """JSON; enough to repeat the operation on an equal memory."""
    hash: bytes


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A node as the storage knows it."""

    node_id: str
    patterns: int
    head: int
    """Sequence of the newest log row; 0 when nothing was ever learned."""
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class SessionCounts:
    """Exact counts at one moment."""

    active: int
    created: int
    deleted: int
    expired: int
    last_modified: int | None
    """Time of the last creation, deletion or expiry."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """All a node has learned, at one moment: consistent with the log up to and including `head`."""

    head: int
    patterns: Iterator[Pattern]
    """
    In the order they were first learned, read while they are asked for; a read transaction ends when they are exhausted or
    dropped. May be `WrittenPatterns`.

    Raises StoredDataCorrupt, naming node and pattern, where one is not what was written or some are missing.
    """
    vectors: Mapping[Symbol, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Since:
    """What has changed in a node since a sequence of its log, at one moment."""

    head: int
    """The log's newest sequence at that moment."""
    patterns: int
    """Patterns of the node then."""
    count: int
    """Pattern names that were touched."""
    present: Iterator[Present]
    """
    What has become of them, in no order, read while they are asked for; ends like `Loaded.patterns`.

    Raises StoredDataCorrupt where a pattern is not what was written, and OtherLog where two have one name.
    """


class Storage(Protocol):
    """
    A place to keep things. Safe to call from any thread; calls may block on a disk.

    Raises (any method): StorageUnavailable when the place does not answer or refuses, StorageFull when there is no room,
    StoredDataCorrupt when what is there is not what was written. After an error from `commit` nothing of the failed
    transaction is there.
    """

    @property
    def name(self) -> str:
        """What it is, in one word: "sqlite", "memory"."""
        ...

    def commit(
        self, transactions: Sequence[Transaction], *, durable: bool, tidy: bool = True
    ) -> list[Committed | Exception]:
        """
        Apply the transactions in order; when this returns they are kept.

        Each transaction succeeds or fails alone: its place in the list holds what it did, or its error: PatternNotFound,
        HeadChanged, SessionChanged, SessionNotFound, or whatever its own values or its reply function raised. A failure of
        the storage itself is raised and means that none of them happened. With `durable` they survive the loss of power,
        without it the death of the process. Without `tidy` the call puts off what the storage does for itself now and then,
        because its caller must not be held up. Listeners have been told of every change before this returns.
        """
        ...

    def listen(self, listener: Callable[[str, Sequence[Change]], None]) -> None:
        """Call `listener(node_id, changes)` for all changes of a node, in log order, from the committing thread.

        A listener must not raise: what it is told of is already kept.
        """
        ...

    # nodes
    def load(self, node_id: str) -> Loaded:
        """Everything the node has learned; empty for an unknown node, which stays unknown."""
        ...

    def since(self, node_id: str, sequence: int, digest: bytes) -> Since:
        """
        What has changed since a sequence of the node's log, whose hash was `digest`.

        Raises:
            OtherLog: The log has no such row, or forgot everything since, or is damaged since.
            StoredDataCorrupt: As `load`, before the first pattern.
        """
        ...

    def node(self, node_id: str) -> NodeInfo | None:
        """Facts about one node, or None."""
        ...

    def nodes(self, *, after: str = "", limit: int = 1000) -> list[NodeInfo]:
        """Nodes by ascending node id (code points), those after `after`."""
        ...

    def log(self, node_id: str, *, after: int = 0, limit: int = 1000) -> list[LogEntry]:
        """Log rows with sequence > after, ascending."""
        ...

    def history(
        self,
        node_id: str,
        *,
        name: str | None = None,
        after: int = 0,
        before: int | None = None,
        newest_first: bool = True,
        limit: int = 1000,
    ) -> list[LogEntry]:
        """
        Log rows with after < sequence < before, by sequence.

        Args:
            name: Only rows about patterns of that bare name, or about all patterns; found without looking at the others. An
                empty one: only rows about all patterns.
        """
        ...

    def prepare_history(self) -> None:
        """
        Do now what the first question about the rows of one pattern would have to wait for, in a large log some seconds.

        Raises:
            StoredDataCorrupt: Such questions cannot be answered, as what finds the rows is damaged.
            StorageUnavailable: It was closed meanwhile.
        """
        ...

    def rows_about(self, node_id: str, names: Sequence[str], *, after: int, before: int, limit: int) -> list[LogEntry]:
        """Log rows with after < sequence < before about patterns of any of these bare names, ascending; not those about all."""
        ...

    def count_history(self, node_id: str, name: str, *, before: int | None = None, most: int) -> int:
        """How many rows `history` has for a name with sequence < before; at most `most` are counted."""
        ...

    def pattern(self, node_id: str, name: str) -> Pattern | None:
        """One pattern by its bare name; of several with one name the first learned."""
        ...

    def keep_derived(self, node_id: str, name: str, sequence: int, content: str) -> None:
        """
        Keep something worked out from what a node had learned up to a sequence; it replaces what had that name.

        It survives the death of the process; it is no part of the log, and can always be worked out again.
        """
        ...

    def derived(self, node_id: str, name: str) -> str | None:
        """What is kept under that name, or None."""
        ...

    def verify_log(self, node_id: str) -> None:
        """Recompute the node's hash chain; raises StoredDataCorrupt naming the first bad sequence."""
        ...

    # sessions
    def session(self, session_id: str) -> SessionRecord | None:
        """A session that has not been ended, expired or not; or None."""
        ...

    def ended_session(self, session_id: str, *, visible: Visible = EVERYTHING) -> Literal["deleted", "expired"] | None:
        """How a session ended, while that is remembered, if it was among the visible."""
        ...

    def sessions(
        self,
        *,
        now: int,
        node_id: str | None = None,
        visible: Visible = EVERYTHING,
        after: tuple[int, str] | None = None,
        limit: int = 100,
    ) -> list[SessionRecord]:
        """Visible sessions alive at `now` without their steps, by (created_at, session_id), those after `after`."""
        ...

    def count_sessions(self, *, now: int, node_id: str | None = None, visible: Visible = EVERYTHING) -> SessionCounts:
        """
        Exact counts; `active` is restricted to the node, the others cover the store.

        Of less than everything, `deleted` and `expired` are the ends still remembered, `created` these and all not ended, and
        `last_modified` is the last creation of one not ended.
        """
        ...

    def due_sessions(self, *, now: int, limit: int = 1000) -> list[tuple[str, str, str | None]]:
        """(session_id, node_id, owner) of sessions whose expiry has passed but which have not been ended, oldest first."""
        ...

    def sweep(self, *, now: int) -> None:
        """Drop remembered ends and replies whose time has passed."""
        ...

    def reply(self, scope: str, key: str, *, now: int) -> Reply | None:
        """A remembered answer that has not run out and is among the newest `keep` of its scope."""
        ...

    # upkeep
    def compact(self) -> None:
        """Make the store small and quick again; changes no answer."""
        ...

    @property
    def snapshots(self) -> Path | None:
        """The directory for files that only spare time: it may be deleted whenever nobody has the storage open. None for none."""
        ...

    def check(self) -> None:
        """Raise if the storage cannot serve; cheap enough for a health check."""
        ...

    def size_bytes(self) -> int:
        """Bytes used where the storage lives."""
        ...

    def close(self) -> None:
        """Finish what is under way and let go. Calls after it raise StorageUnavailable."""
        ...


class SessionChanged(Exception):
    """A session was changed by somebody else since it was read."""


class OtherLog(Exception):
    """
    The log is not the one that somebody remembers; the message says why.

    Args:
        later: It is, and of what is remembered nothing is left.
    """

    def __init__(self, message: str, *, later: bool = False) -> None:
        super().__init__(message)
        self.later = later
