"""
Learns a slice of the King James Bible through a running server and asks what comes next.

    python examples/bible.py http://127.0.0.1:8000

Run again, it learns nothing twice: the node already knows the text.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from kato import KATOClient

NODE = "king-james"
TEXT = Path(__file__).with_name("kjv-slice.txt")
OPENING = ["let", "there", "be"]
SHOWN = 3


def sentences(text: str) -> list[list[list[str]]]:
    """Each line as a sequence of one-word events."""
    lines = (re.findall(r"[a-z']+", line.lower()) for line in text.splitlines())
    return [[[word] for word in words] for words in lines if len(words) >= 2]


def line_of(events: list[list[str]]) -> str:
    """Events as people read them."""
    return " ".join(" ".join(event) for event in events)


def explain(prediction: dict[str, Any]) -> None:
    """Print where the numbers of a prediction come from."""
    matches, length = len(prediction["matches"]), prediction["length"]
    present = sum(map(len, prediction["present"]))
    terms = prediction["explanation"]["terms"]
    print(f"    because {matches} of the sentence's {length} words were observed (evidence {terms['evidence']:.3f}),")
    print(
        f"    which is {matches} of the {present} between the first and the last (confidence {terms['confidence']:.3f}),"
    )
    print(f"    in {len(prediction['explanation']['blocks'])} unbroken run(s) (phi {terms['phi']:.3f});")
    print(f"    snr {terms['snr']:.3f}, itfdf {terms['itfdf_similarity']:.3f}, potential {prediction['potential']:.3f}")


def main(url: str) -> None:
    """Learn, predict, explain."""
    with KATOClient(url) as kato:
        known = kato.list_patterns(node_id=NODE, limit=1)["total"]
        if not known:
            sequences = sentences(TEXT.read_text(encoding="utf-8"))
            kato.learn_many(sequences, node_id=NODE)
            known = kato.list_patterns(node_id=NODE, limit=1)["total"]
            print(f"Learned {len(sequences)} sentences: {known} different ones.")
        else:
            print(f"The node {NODE!r} already knows {known} sentences.")
        kato.create_session(NODE, ttl=300)
        for word in OPENING:
            kato.observe([word])
        answer = kato.get_predictions(limit=SHOWN, explain=True)
        print(f"\nObserved: {' '.join(OPENING)} ...\n")
        for prediction in answer["predictions"]:
            print(f"  {line_of(prediction['past'])} [{line_of(prediction['present'])}] {line_of(prediction['future'])}")
            explain(prediction)
        kato.delete_session()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
