"""
The same history gives the same bytes: one corpus, through every door, under several hash seeds, with every engine.

    python -m harness.golden                 compares with the digest that is checked in
    python -m harness.golden --write         checks a new digest in, after a change of what answers hold

A history is generated from a seed that is part of this file. It is played into an embedded memory and into a real server;
then the same questions are asked of both, of the embedded memory opened anew, of a restored backup, and of a memory whose log was
exported and repeated. Opened anew it forecasts by what it found out about itself before; the others find it out again. What
differs by nature is left out of the answers: ids of sessions, times, the log's hashes, which stand for times too, and how much of
the process a node takes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_SEED = 20_250_101
_HASH_SEEDS = ("0", "1", "42", "4242", "31337")
_DIGEST = Path(__file__).with_name("golden.sha256")
_OMITTED = frozenset(
    {"session_id", "timestamp", "created_at", "changed_at", "last_accessed", "expires_at", "at", "hash", "size_bytes"}
)
NODES = ("words", "Words", "été/夜", "vectors")
_FORETELLING = "few"
"""A node that both engines ask as many questions to find out how it forecasts; of a larger one the plain engine asks fewer."""
_WORDS = ("a", "b", "c", "ab", "abc", "é", "Z", "z/z", "夜", "👁", "0", "-1", '"', "\\")
_RANKINGS = ("potential", "similarity", "frequency", "bayesian_posterior", "tfidf_score", "predictive_information")


def play(memory: Any) -> list[Any]:
    """The history; what the memory answered on the way."""
    chance = random.Random(_SEED)
    answers: list[Any] = []
    for node in NODES:
        told = answers.append
        config = {
            "max_pattern_length": chance.choice((0, 4)),
            "stm_mode": chance.choice(("CLEAR", "ROLLING")),
            "persistence": 3,
            "sort_symbols": node != "Words",
        }
        session = memory.node(node).session(config=config)
        for number in range(24):
            for step in range(chance.randint(1, 6)):
                told(
                    session.observe(
                        chance.choices(_WORDS, k=chance.randint(0, 3)),
                        vectors=[[chance.randint(0, 3), 0.5]] if node == "vectors" and chance.random() < 0.4 else [],
                        emotives={"joy": chance.uniform(-1, 1), "fear": chance.random()} if number % 3 else None,
                        metadata={"n": chance.randint(0, 5), "t": [None, 1.5, "é"]} if number % 4 else None,
                        unique_id=f"{node} {number} {step}",
                    )
                )
            if session.get_stm()["stm"]:
                answers.append(session.learn())
            if number % 8 == 7:
                names = [pattern["name"] for pattern in memory.node(node).iterate_patterns()]
                answers.append(memory.node(node).forget_pattern(chance.choice(names)))
                kept = [pattern["name"] for pattern in memory.node(node).iterate_patterns()]
                answers.append(memory.node(node).edit_pattern(chance.choice(kept), frequency=chance.randint(1, 50)))
        many = [[[chance.choice(_WORDS)] for _ in range(chance.randint(1, 7))] for _ in range(24)]
        answers.append(memory.node(node).learn_many(many))
        answers += [memory.node(node).undo(chance.randint(1, 5)), memory.node(node).undo()]
        answers.append(memory.node(node).learn_many(many[:3]))
        answers.append(memory.node(node).undo(to=memory.node(node).get_node()["head"] - 2))
    few = [[[chance.choice(_WORDS)] for _ in range(chance.randint(2, 6))] for _ in range(30)]
    answers.append(memory.node(_FORETELLING).learn_many(few))
    forgotten = memory.node("forgotten").session()
    observations = [{"strings": [symbol], "unique_id": f"forgotten {symbol}"} for symbol in "ab"]
    answers.append(forgotten.observe_sequence(observations, learn_at_end=True))
    answers.append(forgotten.clear_all())
    answers.append(forgotten.observe_sequence(observations, learn_at_end=True))
    answers += [forgotten.clear_all(), memory.node("forgotten").undo(), memory.node("forgotten").undo(2)]
    return answers


def ask(memory: Any) -> list[Any]:
    """The questions, in sessions of their own; what the memory answered."""
    chance = random.Random(_SEED + 1)
    answers: list[Any] = []
    for node in (*NODES, _FORETELLING, "forgotten", "unknown"):
        for config in (
            {},
            {"fuzzy_token_threshold": 0.5, "recall_threshold": 0.3},
            {"use_token_matching": False, "affinity_emotive": "joy"},
            {"filter_pipeline": ["length", "jaccard"], "recall_threshold": 0.0, "max_predictions": 20},
        ):
            session = memory.node(node).session(config=config)
            for number in range(3):
                session.observe(
                    chance.choices(_WORDS, k=chance.randint(1, 3)),
                    vectors=[[1.0, 0.25]] if node == "vectors" and number == 2 else [],
                    unique_id=f"question {number}",
                )
                answers.append(
                    session.get_predictions(rank_sort_algo=chance.choice(_RANKINGS), explain=number == 2 and not config)
                )
            answers += [session.get_percept_data(), session.get_cognition_data()]
        answers.append(list(memory.node(node).iterate_patterns()))
        answers += [memory.node(node).get_symbol_stats(), memory.node(node).get_affinities()]
        answers += _past(memory.node(node), chance)
        if node not in NODES:
            answers += _forecasts(memory.node(node), chance)
    return answers


def _past(node: Any, chance: random.Random) -> list[Any]:
    """What happened, what was known at earlier moments, and what becomes of single patterns."""
    head = node.get_node()["head"]
    moments = sorted(chance.randint(0, head) for _ in range(3))
    answers = [node.get_node(), list(node.iterate_history()), node.compare(0), node.compare(moments[0], moments[2])]
    for moment in moments:
        answers += [node.get_node(at=moment), node.list_patterns(at=moment)]
    names = [pattern["name"] for pattern in node.list_patterns(at=moments[2])["patterns"]]
    for name in chance.sample(names, min(3, len(names))):
        memory = [[chance.choice(_WORDS)], [chance.choice(_WORDS)]]
        answers += [node.get_pattern(name, at=moments[2]), node.explain_pattern(name, memory, at=moments[2])]
        answers.append(list(node.iterate_history(pattern=name)))
    for pattern in list(node.iterate_patterns())[:3]:
        answers.append(
            node.explain_pattern(pattern["name"], pattern["pattern_data"][:2], config={"max_predictions": 2})
        )
    return answers


def _forecasts(node: Any, chance: random.Random) -> list[Any]:
    """What comes next, by a choice that the node has made by now or makes now."""
    session = node.session()
    session.observe([chance.choice(_WORDS)], unique_id="before a forecast")
    memories = [[[chance.choice(_WORDS)] for _ in range(chance.randint(0, 4))] for _ in range(5)]
    known = [pattern["name"] for pattern in list(node.iterate_patterns())[:2]]
    return [
        session.get_forecast(wait=True, explain=True),
        session.get_forecast(wait=True, horizon=3, ending=True, limit=3),
        node.forecast_many(memories, wait=True, explain=True),
        node.forecast_many([[["a"]]] * len(known), as_if_left_out=known, wait=True) if known else None,
    ]


def digest(answers: list[Any]) -> str:
    """SHA-256 over answers, without what differs by nature."""

    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: kept(part) for name, part in value.items() if name not in _OMITTED}
        return [kept(part) for part in value] if isinstance(value, list) else value

    text = json.dumps(kept(answers), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def every_door(engine: str, without: str = "") -> dict[str, str]:
    """In this process: the digest of the history and of the questions, door by door."""
    from harness.processes import Server
    from kato import Kato, KATOClient
    from kato.storage.backing_up import make_backup, restore
    from kato.storage.transferring import export, import_lines

    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        with Kato(directory / "embedded", engine=engine) as memory:
            found = {"embedded, history": digest(play(memory))}
            make_backup(directory / "embedded" / "kato.db", directory / "backup")
            lines: list[bytes] = []
            export(directory / "embedded" / "kato.db", lines.append)
            found["embedded, questions"] = digest(ask(memory))
        with (
            Server(directory / "server", without=without, KATO_ENGINE=engine) as server,
            KATOClient(server.url) as client,
        ):
            found["server, history"] = digest(play(client))
            found["server, questions"] = digest(ask(client))
        restore(directory / "backup", directory / "restored" / "kato.db")
        import_lines(directory / "repeated" / "kato.db", lines)
        for name in ("embedded", "restored", "repeated"):
            with Kato(directory / name, engine=engine) as memory:
                found[f"{name} again, questions" if name == "embedded" else f"{name}, questions"] = digest(ask(memory))
    return found


def engines() -> tuple[str, ...]:
    """The engines of this build."""
    from kato.engine.matching import native_knowledge

    return ("plain",) if native_knowledge() is None else ("plain", "native")


def gather(hash_seeds: tuple[str, ...] = _HASH_SEEDS, without: str = "") -> dict[str, str]:
    """Every digest, each from a process with a hash seed of its own."""
    found: dict[str, str] = {}
    for engine in engines():
        for seed in hash_seeds:
            environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
            command = [sys.executable, "-m", "harness.golden", "--one", engine]
            command += ["--without", without] if without else []
            root = Path(__file__).parents[1]
            done = subprocess.run(command, env=environment, capture_output=True, check=False, cwd=root)
            if done.returncode:
                raise RuntimeError(done.stderr.decode())
            for door, value in json.loads(done.stdout).items():
                found[f"{door}, {engine}, hash seed {seed}"] = value
    return found


def judge(found: dict[str, str], golden: dict[str, str]) -> list[str]:
    """Sentences about what differs from the digests that are checked in."""
    return [
        f"{where}: {value}, not {golden[part]}"
        for where, value in found.items()
        if value != golden[part := "history" if "history" in where else "questions"]
    ]


def golden() -> dict[str, str]:
    """The digests that are checked in."""
    lines = _DIGEST.read_text(encoding="utf-8").splitlines()
    return {name: value for value, name in (line.split() for line in lines)}


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m harness.golden", description="The same history, the same bytes.")
    parser.add_argument("--write", action="store_true", help="check the digests found in")
    parser.add_argument("--one", metavar="ENGINE", help="print the digests of this process as JSON")
    parser.add_argument("--without", choices=("order",), default="", help="take this out; it must be noticed")
    given = parser.parse_args()
    if given.one:
        from harness.breaking import take_out

        take_out(given.without)
        print(json.dumps(every_door(given.one, given.without)))
        return 0
    print(f"seed {_SEED}, hash seeds {', '.join(_HASH_SEEDS)}, engines {', '.join(engines())}", flush=True)
    found = gather(without=given.without)
    if given.write:
        first = {"history": found[next(iter(found))], "questions": list(found.values())[1]}
        _DIGEST.write_text("".join(f"{value} {name}\n" for name, value in first.items()), encoding="utf-8")
    wrong = judge(found, golden())
    for sentence in wrong:
        print(f"BROKEN: {sentence}")
    print(f"{len(found) - len(wrong)} of {len(found)} digests are the one checked in")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
