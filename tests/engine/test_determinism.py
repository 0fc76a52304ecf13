"""Equal input, equal bytes: whatever the hash seed of the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import kato

PROGRAM = """
from engine.building import Node, learning
made = Node()
for position, line in enumerate(["a,b c d", "c d e", "d a,b", "b c a d", "a b c d e f g", "g f,e d"]):
    made.learn(
        learning(line, emotives=[{"joy": 0.1 * position, "fear": 0.3}], metadata=[{"k": position, "l": line}]),
        times=1 + position % 2,
    )
for algorithm in ("potential", "tfidf_score", "weighted_snr"):
    print(made.predict("a,b c x dd", rank_sort_algo=algorithm, affinity_emotive="joy", fuzzy_token_threshold=0.5))
view = made.knowledge.view()
print(view.symbols(), view.symbols(with_affinity=True, only=["a", "b", "z"]), view.totals)
"""


def printed(seed: str) -> bytes:
    folders = [str(Path(kato.__file__).parents[1]), str(Path(__file__).parents[1])]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(folders)}
    return subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True).stdout


def test_the_hash_seed_changes_no_byte() -> None:
    one, *others = (printed(seed) for seed in ("0", "1", "4711"))
    assert b"Prediction(" in one
    assert all(other == one for other in others)
