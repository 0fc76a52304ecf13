"""
Kill a memory at random moments under load, and compare what was acknowledged with what is there.

    python -m harness.crash --kills 1000 --seed 7
    python -m harness.crash --door embedded --kills 1000 --seed 7

Several writers work on shared nodes and on nodes of their own, each in sessions of its own: observing, learning, learning by
itself, configuring, learning in bulk, editing, forgetting, clearing. A process is killed (SIGKILL) while they do. What was
acknowledged must then be there exactly once; what was in flight must be there whole or not at all, in all that it changes
at once: a session and its node. Every so often the whole file is verified (hash chains, and all that follows from them).
Snapshots of nodes are written all the time, so that kills hit their writing too; what is compared is what a start makes of them.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.command import Broken, asking, judged, say
from harness.dictionaries import Model, Sequence_
from harness.doing import Operation, apply, do, learned, state
from harness.processes import Server, context, snapshot_often
from kato import Kato, KATOClient, KATOError
from kato.client.methods import ClientMethods
from kato.storage.checking_snapshots import check_all

KEYS = ("max_pattern_length", "stm_mode", "recall_threshold")
_COMMON: Sequence_ = (("common",), ("to all",))
"""What every writer learns into the shared nodes now and then."""
_VERIFY_EVERY = 50


@dataclass
class Writer:
    """One writer: its sessions, and what a memory must hold of its work."""

    number: int
    shared: str
    own: str
    ids: dict[str, str] = field(default_factory=dict)
    model: Model = field(default_factory=Model)

    @property
    def common(self) -> int:
        """How often it has learned what is common to all."""
        pattern = self.model.nodes.get(self.shared, {}).get(_COMMON)
        return pattern.frequency if pattern else 0

    def choose(self, chance: random.Random) -> Operation:
        """The next thing to do."""
        mark = f"w{self.number} "
        session = chance.choice(("shared", "own"))
        strings = [mark + chance.choice("abcd") for _ in range(chance.randint(1, 2))]
        known = list(self.model.nodes.get(self.own, {}))
        kind = chance.choices(
            ("observe", "learn", "configure", "sequence", "many", "common", "edit", "forget", "clear_stm", "clear_all"),
            (40, 10, 6, 8, 6, 8, 4, 4, 2, 1),
        )[0]
        if kind == "learn" and self.model.sessions[session].events:
            return "learn", {"session": session}
        if kind == "configure":
            config = {
                "max_pattern_length": chance.choice((0, 0, 2, 3)),
                "stm_mode": chance.choice(("CLEAR", "ROLLING")),
                "recall_threshold": chance.randint(0, 100) / 100,
            }
            return "configure", {"session": session, "config": config}
        if kind == "sequence":
            events = [[mark + chance.choice("abcd")] for _ in range(chance.randint(1, 4))]
            return "observe_sequence", {"session": session, "events": events, "learn_at_end": chance.random() < 0.5}
        if kind == "many":
            sequences = [[[mark + chance.choice("abcd")] for _ in range(chance.randint(2, 3))] for _ in range(30)]
            return "learn_many", {"node": chance.choice((self.own, self.shared)), "sequences": sequences}
        if kind == "common":
            return "learn_many", {"node": self.shared, "sequences": [_COMMON] * chance.randint(1, 3)}
        if kind == "edit" and known:
            return "edit", {"node": self.own, "events": chance.choice(known), "frequency": chance.randint(1, 99)}
        if kind == "forget" and known:
            return "forget", {"node": self.own, "events": chance.choice(known)}
        if kind == "clear_stm":
            return "clear_stm", {"session": session}
        if kind == "clear_all":
            return "clear_all", {"session": "own"}
        return "observe", {
            "session": session,
            "strings": strings,
            "emotives": {"joy": chance.randint(-4, 4) / 4} if chance.random() < 0.5 else None,
            "metadata": {"k": chance.choice("xyz")} if chance.random() < 0.3 else None,
        }

    def expected(self) -> dict[str, Any]:
        """What can be seen of its work alone."""
        shared = {events: pattern for events, pattern in self.model.learned(self.shared).items() if events != _COMMON}
        return {
            "shared session": self.model.sessions["shared"].told(),
            "own session": self.model.sessions["own"].told(),
            "shared node": shared,
            "own node": self.model.learned(self.own),
        }

    def seen(self, memory: ClientMethods) -> dict[str, Any]:
        """The same, as the memory tells it."""
        return {
            "shared session": state(memory, self.ids["shared"], KEYS),
            "own session": state(memory, self.ids["own"], KEYS),
            "shared node": learned(memory, self.shared, search=f"w{self.number} "),
            "own node": learned(memory, self.own),
        }


@dataclass
class Journal:
    """Per writer: the operations acknowledged, and the one in flight."""

    done: dict[int, list[Operation]] = field(default_factory=dict)
    begun: dict[int, Operation] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    """What a writer was told that cannot be."""

    def begin(self, number: int, operation: Operation) -> None:
        """An operation is about to be asked for."""
        self.begun[number] = operation

    def end(self, number: int) -> None:
        """It has been acknowledged."""
        self.done.setdefault(number, []).append(self.begun.pop(number))

    def complain(self, sentence: str) -> None:
        """A writer was told what cannot be."""
        self.wrong.append(sentence)


def work(memory: ClientMethods, writer: Writer, seed: str, journal: Any) -> None:
    """Operate until there is no answer any more."""
    chance = random.Random(seed)
    try:
        for node in (writer.shared, writer.own):
            learned(memory, node)  # so that it is in memory, and its snapshot is written again and again
    except KATOError:
        return
    while True:
        operation = writer.choose(chance)
        journal.begin(writer.number, operation)
        try:
            do(memory, operation, writer.ids.__getitem__)
        except KATOError as error:
            if error.status_code in {400, 404, 409, 422}:
                journal.complain(f"writer {writer.number} was refused what it may do, {operation}: {error}")
            return  # killed while it answered
        journal.end(writer.number)
        apply(writer.model, operation)


def _is_common(operation: Operation) -> bool:
    kind, given = operation
    return kind == "learn_many" and tuple(map(tuple, given["sequences"][0])) == _COMMON


# --- comparing ---


def compare(memory: ClientMethods, writers: list[Writer], journal: Journal, seed: str) -> Counter[str]:
    """
    Compare what is there with what was acknowledged, and take over what was in flight and is there.

    Returns:
        How many operations were acknowledged, in flight and kept, in flight and lost.

    Raises:
        Broken: Something acknowledged is missing, or there twice; or something in flight is there by half.
    """
    if journal.wrong:
        raise Broken(f"seed {seed}: {journal.wrong[0]}")
    counts: Counter[str] = Counter(acknowledged=sum(map(len, journal.done.values())))
    undecided: list[tuple[Writer, Operation]] = []
    for writer in writers:
        in_flight = journal.begun.get(writer.number)
        seen = writer.seen(memory)
        if in_flight is not None and _is_common(in_flight):
            undecided.append((writer, in_flight))
            in_flight = None
        if seen == writer.expected():
            counts["lost in flight"] += in_flight is not None
            continue
        if in_flight is not None:
            later = deepcopy(writer)
            apply(later.model, in_flight)
            if seen == later.expected():
                writer.model = later.model
                counts["kept in flight"] += 1
                continue
        parts = [name for name, part in writer.expected().items() if seen[name] != part]
        told = "\n".join(
            f"  {name}: expected {writer.expected()[name]}\n  {name}: found    {seen[name]}" for name in parts
        )
        raise Broken(f"seed {seed}, writer {writer.number}, in flight {in_flight}:\n{told}")
    _compare_common(memory, writers, undecided, counts, seed)
    return counts


def _compare_common(
    memory: ClientMethods,
    writers: list[Writer],
    undecided: list[tuple[Writer, Operation]],
    counts: Counter[str],
    seed: str,
) -> None:
    """What all learn into one pattern adds up: acknowledged once each, in flight whole or not at all."""
    for node in sorted({writer.shared for writer in writers}):
        pattern = learned(memory, node, search="common").get(_COMMON)
        found = pattern["frequency"] if pattern else 0
        acknowledged = sum(writer.common for writer in writers if writer.shared == node)
        open_ones = [(writer, operation) for writer, operation in undecided if writer.shared == node]
        sizes = [len(operation[1]["sequences"]) for _, operation in open_ones]
        for chosen in range(1 << len(sizes)):
            kept = [position for position in range(len(sizes)) if chosen >> position & 1]
            if acknowledged + sum(sizes[position] for position in kept) == found:
                break
        else:
            raise Broken(
                f"seed {seed}: {node} learned what is common {found} times, acknowledged {acknowledged}, in flight {sizes}"
            )
        for position in kept:
            apply(open_ones[position][0].model, open_ones[position][1])
        counts["kept in flight"] += len(kept)
        counts["lost in flight"] += len(sizes) - len(kept)


def begin(memory: ClientMethods, count: int) -> list[Writer]:
    """Writers with their sessions."""
    writers = []
    for number in range(count):
        writer = Writer(number, shared=f"shared {number % 2}", own=f"own {number}")
        for name, node in (("shared", writer.shared), ("own", writer.own)):
            session_id = memory.node(node).session(ttl=30 * 24 * 3600).session_id
            assert session_id is not None
            writer.ids[name] = session_id
            writer.model.create(name, node, {})
        writers.append(writer)
    return writers


# --- the two doors ---


def kill_servers(
    directory: Path, kills: int, seed: int, writers_count: int, say: Callable[[str], None], without: str = ""
) -> Counter[str]:
    """Kill a real server again and again, on one data directory; `without`: what is taken out of it."""
    chance, counts, journal = random.Random(seed), Counter[str](), Journal()
    writers: list[Writer] = []
    for number in range(kills + 1):
        with Server(directory, without=without) as server, KATOClient(server.url, max_retries=0, timeout=30) as memory:
            if not writers:
                writers = begin(memory, writers_count)
            elif number:
                counts += compare(memory, writers, journal, f"{seed}, kill {number}")
            if number == kills:
                break
            journal = Journal()
            threads = [
                threading.Thread(target=work, args=(memory, writer, f"{seed} {number} {writer.number}", journal))
                for writer in writers
            ]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.0, 0.6))
            server.kill()
            for thread in threads:
                thread.join()
        _count_snapshots(directory, counts)
        counts["kills"] += 1
        _verify(directory, number, kills, counts, say)
    return counts


def _count_snapshots(directory: Path, counts: Counter[str]) -> None:
    """What a kill left of them."""
    files = [file.name for file in directory.glob("kato.db.snapshots/*")]
    counts["snapshots found"] += sum(name.endswith(".snapshot") for name in files)
    counts["snapshots half written"] += sum(name.endswith(".making") for name in files)


def _verify(directory: Path, number: int, kills: int, counts: Counter[str], say: Callable[[str], None]) -> None:
    if number % _VERIFY_EVERY and number != kills - 1:
        return
    checked = check_all(directory / "kato.db")
    if checked.findings:
        raise Broken(f"after kill {number + 1}: {checked.findings[0].sentence}")
    say(f"{number + 1} kills: {dict(counts)}; verified {checked.log_rows} log rows")


class _PipeJournal:
    """Writes down in the child what the parent must know after its death; a line is there whole or not at all."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def begin(self, number: int, operation: Operation) -> None:
        os.write(self._descriptor, json.dumps([number, operation]).encode() + b"\n")

    def end(self, number: int) -> None:
        os.write(self._descriptor, json.dumps([number]).encode() + b"\n")

    def complain(self, sentence: str) -> None:
        os.write(self._descriptor, json.dumps(sentence).encode() + b"\n")


def _embedded_child(directory: str, writers: list[Writer], seed: str, pipe: Any) -> None:
    snapshot_often()
    journal = _PipeJournal(pipe.fileno())
    with Kato(directory) as memory:
        threads = [
            threading.Thread(target=work, args=(memory, writer, f"{seed} {writer.number}", journal))
            for writer in writers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def kill_embedded(
    directory: Path, kills: int, seed: int, writers_count: int, say: Callable[[str], None]
) -> Counter[str]:
    """Kill a process that has the memory embedded, again and again; the parent opens it in between."""
    chance, counts = random.Random(seed), Counter[str]()
    with Kato(directory) as memory:
        writers = begin(memory, writers_count)
    for number in range(kills):
        receiving, sending = context().Pipe(duplex=False)
        child = context().Process(
            target=_embedded_child, args=(str(directory), writers, f"{seed} {number}", sending), daemon=True
        )
        child.start()
        sending.close()
        receiving.poll(60)  # it has begun to work
        timer = threading.Timer(chance.uniform(0.0, 0.6), child.kill)
        timer.start()
        with os.fdopen(os.dup(receiving.fileno()), "rb") as lines:
            journal = _read(lines.read())
        timer.join()
        child.join()
        receiving.close()
        _count_snapshots(directory, counts)
        for writer in writers:
            for operation in journal.done.get(writer.number, ()):
                apply(writer.model, operation)
        with Kato(directory) as memory:
            counts += compare(memory, writers, journal, f"{seed}, kill {number + 1}")
        counts["kills"] += 1
        _verify(directory, number, kills, counts, say)
    return counts


def _read(text: bytes) -> Journal:
    journal = Journal()
    for line in text.split(b"\n")[:-1]:
        found = json.loads(line)
        if isinstance(found, str):
            journal.complain(found)
            continue
        number, *operation = found
        if operation:
            journal.begin(number, (operation[0][0], operation[0][1]))
        else:
            journal.end(number)
    return journal


def run(
    door: str, kills: int, seed: int, writers: int = 4, say: Callable[[str], None] = print, without: str = ""
) -> Counter[str]:
    """
    Kill, compare, and count.

    Raises:
        Broken: A promise did not hold.
    """
    with tempfile.TemporaryDirectory() as directory:
        if door == "server":
            return kill_servers(Path(directory), kills, seed, writers, say, without)
        return kill_embedded(Path(directory), kills, seed, writers, say)


def main() -> int:
    """Read the command line."""
    parser = asking("crash", "Kill a memory at random moments.", ("commit",))
    parser.add_argument("--door", choices=("server", "embedded"), default="server")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--writers", type=int, default=4)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    return judged(lambda: run(given.door, given.kills, given.seed, given.writers, say, given.without))


if __name__ == "__main__":
    sys.exit(main())
