"""
Flipped bits and cut files: what is damaged is named, and nothing wrong is ever answered.

    python -m harness.damage --places 2000 --seed 7

A memory is closed, or killed so that all of it stands in the write-ahead log. Then one place of one of its files is damaged, it
is opened, asked for everything it knows, taught what it knows already, and asked again. Each answer is the right one or an
error of the storage; what `kato verify` finds wrong and what the memory refuses is counted. Opening a second time gives the
same: no loop of crashes. The same is done to backups and exports, and to the snapshots of nodes where there is a kernel: a
damaged one is named by `verify`, thrown away with one line in the log, and the answers are those of the rows.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.breaking import take_out
from harness.command import Broken, asking, judged, say
from harness.damaged_snapshots import Damaged, try_snapshot
from kato.engine.event import Event, Vector, vector_name
from kato.engine.matching import native_knowledge
from kato.engine.pattern import pattern_name
from kato.errors import StorageError
from kato.storage.backing_up import MANIFEST, make_backup, read_backup
from kato.storage.checking import check_file
from kato.storage.interface import (
    Edit,
    Forget,
    Learn,
    Operation,
    Reply,
    Restore,
    SessionCreate,
    SessionEnd,
    SessionRecord,
    Transaction,
    Visible,
)
from kato.storage.recollecting import differences, recollect_name
from kato.storage.repairing import NotRepairable, repair
from kato.storage.sqlite import SqliteStorage
from kato.storage.transferring import export, import_lines

NODES = ("one", "two")
_KNOWN = tuple(((f"symbol {n}", "x"), ("y",)) for n in range(40))
_NEW = (("not known", "x"), ("z",))
_VECTORS = tuple((n / 4, 1.0) for n in range(3))
_SESSION = "s"


def fill(store: SqliteStorage, chance: random.Random) -> None:
    """Something in every table, over many commits."""

    def commit(node: str | None, *operations: Operation, **more: Any) -> None:
        (done,) = store.commit([Transaction(1, node, operations, session_id=_SESSION, **more)], durable=False)
        assert not isinstance(done, Exception), done

    for node in NODES:
        for events in _KNOWN:
            emotives = ({"joy": chance.random()},) if chance.random() < 0.5 else ()
            commit(node, Learn(events, emotives, ({"k": "v"},)))
        for vector in _VECTORS:
            commit(node, Learn(_with(vector), vectors={vector_name(vector): vector}))
        before = store.pattern(node, _name(_KNOWN[1]))
        commit(node, Edit(_name(_KNOWN[1]), frequency=5))
        commit(node, Restore(_name(_KNOWN[1]), _KNOWN[1], before, to=len(_KNOWN)))
        commit(node, Forget(_name(_KNOWN[2])))
    for number, name in enumerate((_SESSION, "other", "ended")):
        steps = tuple((n, b"step %d" % n) for n in range(20))
        record = SessionRecord(name, "one", 1 + number, 2, 10**15, 10**9, b"profile", b"head", steps, owner="key")
        reply = Reply(name, "key", b"print", b"answer " * 5, 10**15, keep=1000)
        commit(None, sessions=(SessionCreate(record),), reply=reply)
    commit(None, sessions=(SessionEnd("ended", "expired", 2, 10**15),))
    store.keep_derived("one", "choice", 40, "worked out")


def _name(events: tuple[Event, ...]) -> str:
    return pattern_name(events)


def _with(vector: Vector) -> tuple[Event, ...]:
    """A pattern that holds a vector."""
    return ((vector_name(vector),), ("seen",))


def told(store: SqliteStorage, learn: bool) -> dict[str, Any]:
    """What a memory answers, question by question; an error's class where it refuses."""
    answers: dict[str, Any] = {}

    def ask(name: str, question: Callable[[], Any]) -> None:
        try:
            answers[name] = question()
        except StorageError as error:
            answers[name] = type(error)

    for node in NODES:
        if learn:
            ask(f"learn {node}", lambda node=node: _learn(store, node))
        ask(f"patterns {node}", lambda node=node: _loaded(store, node))
        ask(f"log {node}", lambda node=node: (store.verify_log(node), store.log(node, limit=10**6))[1])
        ask(f"facts {node}", lambda node=node: store.node(node))
        for number in (0, 1, 2, 7, 8, 9, 17, 26, 38, 40):
            name = _name((*_KNOWN, _NEW)[number])
            ask(f"pattern {number} {node}", lambda node=node, name=name: store.pattern(node, name))
            ask(f"history {number} {node}", lambda node=node, name=name: store.history(node, name=name))
            ask(f"as it was {number} {node}", lambda node=node, name=name: _as_it_was(store, node, name))
        ask(f"between {node}", lambda node=node: differences(store, node, 10, len(_KNOWN) + 3))
    ask("nodes", lambda: [info.node_id for info in store.nodes()])
    for session in (_SESSION, "other", "ended", "never"):
        ask(f"the session: {session}", lambda session=session: store.session(session))
        ask(f"the end of: {session}", lambda session=session: store.ended_session(session))
        ask(f"the answer in: {session}", lambda session=session: store.reply(session, "key", now=3))
    ask("sessions", lambda: [each.session_id for each in store.sessions(now=3)])
    ask("sessions of a node", lambda: [each.session_id for each in store.sessions(now=3, node_id="one")])
    ask("sessions of an owner", lambda: [each.session_id for each in store.sessions(now=3, visible=Visible("key"))])
    ask("sessions that are due", lambda: store.due_sessions(now=3))
    ask("the count of sessions", lambda: store.count_sessions(now=3))
    # What was worked out may be gone, and is then worked out again.
    ask("derived", lambda: store.derived("one", "choice") or "worked out")
    return answers


def _loaded(store: SqliteStorage, node: str) -> tuple[Any, ...]:
    loaded = store.load(node)
    return loaded.head, tuple(loaded.patterns), dict(loaded.vectors)


def _as_it_was(store: SqliteStorage, node: str, name: str) -> Any:
    found = recollect_name(store, node, name, len(_KNOWN) + 4)
    return found.patterns, found.vectors


def _learn(store: SqliteStorage, node: str) -> list[Any]:
    """What is known is learned once more and corrected, what is not known is learned; what it was before, and is."""
    operations = (
        Learn(_KNOWN[7]),
        Learn(_NEW),
        Learn(_KNOWN[2]),
        Learn(_with(_VECTORS[0]), vectors={vector_name(_VECTORS[0]): _VECTORS[0]}),
        Edit(_name(_KNOWN[8]), frequency=9),
        Forget(_name(_KNOWN[9])),
        Forget(_name(_with(_VECTORS[1]))),
    )
    (done,) = store.commit([Transaction(2, node, operations)], durable=False)
    if isinstance(done, Exception):
        if isinstance(done, StorageError):
            raise done
        return [repr(done)]
    return [(change.operation, change.before, change.after) for change in done.changes]


def answers_of(database: Path) -> list[dict[str, Any]]:
    """What is answered by a memory that is opened twice, and taught in between; one error where it cannot be opened."""
    found = []
    for learn in (False, True):
        try:
            store = SqliteStorage(database)
        except StorageError as error:
            found.append({"opening": type(error)})
            continue
        try:
            found.append(told(store, learn))
        finally:
            store.close()
    return found


class Subject:
    """Files to damage, and what is right."""

    def __init__(self, place: Path, seed: int, *, killed: bool) -> None:
        live, self.place = place / "live", place / "damaged"
        live.mkdir(parents=True)
        self.place.mkdir()
        store = SqliteStorage(live / "kato.db")
        fill(store, random.Random(seed))
        if killed:
            self.files = {name: (live / name).read_bytes() for name in ("kato.db", "kato.db-wal", "kato.db-shm")}
        store.close()
        if not killed:
            self.files = {"kato.db": (live / "kato.db").read_bytes()}
        self.restored()
        self.expected = answers_of(self.place / "kato.db")
        assert not any(isinstance(answer, type) for told_once in self.expected for answer in told_once.values())

    def restored(self) -> None:
        """The files as they were."""
        for file in self.place.iterdir():
            file.unlink()
        for name, content in self.files.items():
            (self.place / name).write_bytes(content)

    def damage(self, chance: random.Random) -> str:
        """Damage one place; what was done."""
        name = chance.choice([name for name in self.files if name != "kato.db-shm"])
        content = bytearray(self.files[name])
        if chance.random() < 0.15:
            size = chance.randrange(len(content))
            (self.place / name).write_bytes(content[:size])
            return f"{name} cut to {size}"
        for _ in range(chance.choice((1, 1, 1, 8))):
            place = chance.randrange(len(content))
            content[place] ^= chance.choice((1 << chance.randrange(8), chance.randrange(1, 256)))
        (self.place / name).write_bytes(content)
        return f"{name} flipped at {place}"


def try_place(subject: Subject, chance: random.Random, counts: Counter[str]) -> None:
    """Damage one place, and judge what comes of it."""
    subject.restored()
    what = subject.damage(chance)
    counts["places"] += 1
    try:
        findings = check_file(subject.place / "kato.db").findings
        counts["named by verify"] += bool(findings)
    except StorageError:
        findings = None
        counts["named by verify"] += 1
    found = answers_of(subject.place / "kato.db")
    refused = any(isinstance(answer, type) for told_once in found for answer in told_once.values())
    counts["refused by the memory"] += refused
    wrong = _wrong(found, subject.expected)
    if wrong:
        raise Broken(f"{what}: wrong answers to {', '.join(wrong)}; verify: {findings and findings[0].sentence}")
    counts["no answer changed"] += not refused


def _wrong(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[str]:
    """
    The questions whose answer is neither right nor an error.

    What a refused learning leaves is as before it.
    """
    wrong = []
    for told_once, due in zip(found, expected, strict=True):
        for name, answer in told_once.items():
            node = name.rpartition(" ")[2]
            taught = not isinstance(told_once.get(f"learn {node}"), type)
            right = (due if taught else expected[0]).get(name)
            if not isinstance(answer, type) and answer != right:
                wrong.append(name)
    return wrong


def try_repair(subject: Subject, chance: random.Random, counts: Counter[str]) -> None:
    """Damage one place and repair: the result is sound, and holds what there was or says what is gone."""
    subject.restored()
    what = subject.damage(chance)
    database = subject.place / "kato.db"
    try:
        done = repair(database, salvage=chance.random() < 0.5)
    except NotRepairable:
        counts["repairs refused"] += 1
        return
    except StorageError:
        counts["beyond repair"] += 1
        return
    if check_file(database).findings:
        raise Broken(f"{what}: repaired and not sound")
    counts["repaired"] += done.kept_at is not None
    if not done.lost and (wrong := _wrong(answers_of(database), subject.expected)):
        raise Broken(f"{what}: repaired without loss, and yet {', '.join(wrong)} are not as before")


def try_backup(place: Path, chance: random.Random, counts: Counter[str], rounds: int) -> None:
    """Damage backups and exports: refused, every one."""
    store = SqliteStorage(place / "source" / "kato.db")
    fill(store, chance)
    make_backup(place / "source" / "kato.db", place / "backup")
    store.close()
    lines: list[bytes] = []
    export(place / "source" / "kato.db", lines.append)
    text = b"".join(lines)
    for number in range(rounds):
        name = chance.choice(("kato.db", MANIFEST))
        file = place / "backup" / name
        content = file.read_bytes()
        damaged = bytearray(content)
        at = chance.randrange(len(damaged))
        damaged[at] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        try:
            read_backup(place / "backup")
        except StorageError:
            counts["backups refused"] += 1
        else:
            if name == "kato.db":
                raise Broken(f"a backup was accepted although its {name} is damaged at {at}")
            counts["backups whose manifest says the same"] += 1
        file.write_bytes(content)
        flipped = bytearray(text)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        target = place / f"import {number}" / "kato.db"
        try:
            import_lines(target, bytes(flipped).splitlines(keepends=True))
        except StorageError:
            counts["exports refused"] += 1
        else:
            raise Broken("an export was accepted although it is damaged")


def try_snapshots(place: Path, seed: int, chance: random.Random, counts: Counter[str], rounds: int) -> None:
    """Damage snapshots: no answer changes."""
    if native_knowledge() is None:
        counts["no kernel, so no snapshots"] += 1
        return
    subject = Damaged(place, seed)
    for _ in range(rounds):
        broken = try_snapshot(subject, chance, counts)
        if broken is not None:
            raise Broken(broken)


def run(places: int, seed: int, say: Callable[[str], None] = print) -> Counter[str]:
    """Places in closed and in killed memories, repairs, backups, exports; raises `Broken`."""
    chance, counts = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        subjects = [Subject(Path(name) / str(killed), seed, killed=killed) for killed in (False, True)]
        for number in range(places):
            try_place(subjects[number % 2], chance, counts)
            if number % 10 == 0:
                try_repair(subjects[number // 10 % 2], chance, counts)
            if number % 500 == 499:
                say(f"{number + 1} places: {dict(counts)}")
        try_backup(Path(name) / "backups", chance, counts, max(1, places // 20))
        try_snapshots(Path(name) / "snapshots", seed, chance, counts, max(1, places // 10))
    return counts


def main() -> int:
    """Read the command line."""
    parser = asking("damage", "Flipped bits and cut files.", ("second_look",))
    parser.add_argument("--places", type=int, default=2000)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    take_out(given.without)
    return judged(lambda: run(given.places, given.seed, say))


if __name__ == "__main__":
    sys.exit(main())
