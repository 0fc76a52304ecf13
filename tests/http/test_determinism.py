"""The same history gives the same bytes: two hash seeds, embedded and through the server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HISTORY = """
import json, random, sys
sys.path.insert(0, sys.argv[1])
from kato import Kato, KATOClient
from serving import running
from kato.settings import Settings

def play(kato):
    chance = random.Random(7)
    kato.create_session("node", config={"max_predictions": 50, "affinity_emotive": "joy"})
    words = [chr(97 + n) for n in range(9)] + ["é", "z/z", "\\u0000"]
    for _ in range(60):
        for _ in range(chance.randint(1, 5)):
            kato.observe(
                chance.choices(words, k=chance.randint(1, 3)),
                emotives={"joy": chance.uniform(-1, 1), "fear": chance.random()},
                metadata={"n": chance.randint(0, 5)},
                vectors=[[chance.randint(0, 3), 0.5]] if chance.random() < 0.2 else [],
            )
        kato.learn()
    out = []
    for algorithm in ("potential", "similarity", "weighted_snr", "fragmentation", "bayesian_posterior"):
        kato.clear_stm()
        kato.update_config({"rank_sort_algo": algorithm, "fuzzy_token_threshold": 0.5})
        for _ in range(3):
            kato.observe(chance.choices(words, k=2))
        answer = kato.get_predictions()
        for name in ("session_id", "unique_id"):
            del answer[name]
        out.append(answer)
    out.append(kato.get_affinities(node_id="node"))
    out.append(kato.get_symbol_stats(node_id="node"))
    return json.dumps(out, sort_keys=False)

if sys.argv[2] == "embedded":
    with Kato(":memory:") as kato:
        print(play(kato))
else:
    with running(Settings(data_dir=":memory:", log_level="CRITICAL")) as server, KATOClient(server.url) as kato:
        print(play(kato))
"""


def play(door: str, seed: str) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", HISTORY, str(Path(__file__).parents[1]), door]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_the_same_history_gives_the_same_bytes_through_every_door_and_hash_seed():
    answers = {play(door, seed) for door in ("embedded", "server") for seed in ("1", "4242")}
    assert len(answers) == 1
    assert len(answers.pop()) > 10_000
