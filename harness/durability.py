"""
What each level of KATO_DURABILITY flushes to the disk before it acknowledges, counted call by call.

    python -m harness.durability

Flushes (fsync, fdatasync) on the files of a memory are counted by the preloaded `disk.c`, while a process of its own observes
and learns so many times, at each level. A learning is flushed at both; an observation at `full` alone: at `learn` it is
written, and survives the death of the process but not of the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.breaking import take_out
from harness.command import Broken
from harness.faults import Disk, compiler, preloaded
from kato import Kato

LEVELS = ("learn", "full")
_TIMES = 200


def count(directory: Path, level: str) -> dict[str, int]:
    """Flushes during so many observations, and during so many learnings; in this process, which has the library."""
    disk = Disk(Path(os.environ["DISK_CONTROL"]))
    with Kato(directory, durability=level) as memory:
        session = memory.node("n").session()
        session.observe(["first", "x"])
        session.learn()
        before = disk.syncs
        for number in range(_TIMES):
            session.observe([str(number), "x"])
        observed = disk.syncs - before
        learnings = 0
        for number in range(_TIMES):
            memory.learn_many([[[str(number)], ["y"]]], node_id="n")
            learnings += 1
        return {"observations": observed, "learnings": disk.syncs - before - observed, "times": learnings}


def measured(level: str, without: str = "") -> dict[str, int]:
    """`count` in a process that has the library preloaded; `without`: what is taken out of it."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "memory").mkdir()
        command = [sys.executable, "-m", "harness.durability", "--child", str(place / "memory"), "--level", level]
        done = subprocess.run(
            [*command, "--without", without] if without else command,
            env=preloaded(place, place / "memory"),
            stdout=subprocess.PIPE,
            check=True,
            cwd=Path(__file__).parents[1],
        )
    found: dict[str, int] = json.loads(done.stdout)
    return found


def judge(level: str, found: dict[str, int]) -> None:
    """Raises `Broken` where a level flushes less than it promises, or more than it needs."""
    times = found["times"]
    if found["learnings"] < times:
        raise Broken(f"{level}: {times} learnings were acknowledged after {found['learnings']} flushes")
    if level == "full" and found["observations"] < times:
        raise Broken(f"full: {times} observations were acknowledged after {found['observations']} flushes")
    if level == "learn" and found["observations"] > times // 10:
        raise Broken(f"learn: {times} observations cost {found['observations']} flushes; none is needed")


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m harness.durability", description="Flushes, counted.")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--level", choices=LEVELS, help=argparse.SUPPRESS)
    parser.add_argument("--without", choices=("flush",), default="", help="take this out; it must be noticed")
    given = parser.parse_args()
    if given.child:
        take_out(given.without)
        print(json.dumps(count(Path(given.child), given.level)))
        return 0
    if compiler() is None:
        print("skipped: there is no C compiler (cc) to build disk.c with")
        return 0
    print("nothing here is random: no seed")
    for level in LEVELS:
        found = measured(level, given.without)
        try:
            judge(level, found)
        except Broken as broken:
            print(f"BROKEN: {broken}")
            return 1
        told = f"{found['observations']} flushes for {_TIMES} observations, {found['learnings']} for {found['times']} learnings"
        print(f"held, {level}: {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
