"""Sequences to forecast: read from files, or made up with a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

Sequence = tuple[str, ...]
WORD = re.compile(r"\w+")


def of_pairs(path: Path) -> list[Sequence]:
    """Consecutive lines of one session, `session item` each."""
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [tuple(row[1] for row in group) for _, group in groupby(rows, key=lambda row: row[0])]


def of_words(path: Path) -> list[Sequence]:
    """A line each, its words in lower case without punctuation."""
    return [tuple(WORD.findall(line.lower())) for line in path.read_text(encoding="utf-8").splitlines()]


def of_chars(path: Path) -> list[Sequence]:
    """A line each, its characters."""
    return [tuple(line) for line in path.read_text(encoding="utf-8").splitlines()]


READERS: dict[str, Callable[[Path], list[Sequence]]] = {"pairs": of_pairs, "words": of_words, "chars": of_chars}


def process(chance: random.Random) -> list[Sequence]:
    """A Markov chain of order 1 over a dozen activities, with loops: nothing can beat its own model."""
    after = {}
    activities = "abcdefghijkl"
    for activity in activities:
        followers = chance.sample(activities, chance.randint(2, 4))
        after[activity] = (followers, [chance.random() ** 2 + 0.05 for _ in followers])
    made = []
    for _ in range(2000):
        walk = [chance.choice("ab")]
        while len(walk) < 6 or (len(walk) < 40 and chance.random() > 0.08):
            walk.append(chance.choices(*after[walk[-1]])[0])
        made.append(tuple(walk))
    return made


def claims(chance: random.Random) -> list[Sequence]:
    """Claims handled by clerks: loops of questions, rework, and an outcome that hangs on the kind of claim."""
    made = []
    for _ in range(2000):
        is_large = chance.random() < 0.3
        case = ["register", "check"]
        while chance.random() < 0.35:
            case += ["ask", "answer", "check"]
        case.append("expert" if is_large else "assess")
        for _ in range(chance.choice((0, 0, 1, 2))):
            case += ["reject" if is_large and chance.random() < 0.6 else "rework", "check"]
        case += ["decide", "deny" if chance.random() < (0.7 if is_large else 0.2) else "pay"]
        made.append(tuple(case))
    return made


def clicks(chance: random.Random) -> list[Sequence]:
    """Visitors of a shop: twenty neighbouring departments, tastes, and going back to what was seen."""
    made = []
    for _ in range(3000):
        department, taste, seen = chance.randrange(20), chance.randrange(4), [""]
        length = min(40, 6 + int(chance.expovariate(0.25)))
        while len(seen) <= length:
            if chance.random() < 0.12:
                department = (department + chance.choice((1, -1, 3))) % 20
            if len(seen) > 1 and chance.random() < 0.2:
                seen.append(chance.choice(seen[1:]))
                continue
            page = (min(24, int(chance.expovariate(0.25))) + taste * 6) % 25
            seen.append(f"page {department}.{page}")
        made.append(tuple(seen[1:]))
    return made


def logs(chance: random.Random) -> list[Sequence]:
    """Two jobs of a server writing one log: each line follows from its own job, some from none."""
    lines = [f"line {number}" for number in range(60)]
    jobs = [[chance.choice(lines) for _ in range(chance.randint(5, 12))] for _ in range(25)]
    often = [1 / (number + 1) for number in range(25)]
    made = []
    for _ in range(2500):
        one, other = (list(job) for job in chance.choices(jobs, often, k=2))
        if chance.random() < 0.6:
            other = []
        log = []
        while one or other:
            job = other if other and (not one or chance.random() < 0.5) else one
            log.append(job.pop(0))
            if chance.random() < 0.03:
                log.append(chance.choice(lines))
        made.append(tuple(log))
    return made


MADE: dict[str, Callable[[random.Random], list[Sequence]]] = {
    "process": process,
    "claims": claims,
    "clicks": clicks,
    "logs": logs,
}
