"""The command line of a harness: what all of them are asked, and how they end."""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Mapping
from typing import Any


class Broken(Exception):
    """A promise did not hold."""


def asking(name: str, description: str, without: tuple[str, ...] = ()) -> argparse.ArgumentParser:
    """
    A parser of --seed, drawn where it is not given, and --without.

    Args:
        name: Of the module in this folder.
        without: Protections that can be taken out, to see that the harness notices.
    """
    parser = argparse.ArgumentParser(prog=f"python -m harness.{name}", description=description)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    if without:
        parser.add_argument("--without", choices=without, default="", help="take this out; it must be noticed")
    return parser


def say(text: str) -> None:
    """A line, at once."""
    print(text, flush=True)


def judged(run: Callable[[], Any]) -> int:
    """Run, and tell in one line how it ended, unless nothing is returned: the exit status, 1 where a promise was broken."""
    try:
        found = run()
    except Broken as broken:
        say(f"BROKEN: {broken}")
        return 1
    if found is not None:
        say(f"held: {dict(found) if isinstance(found, Mapping) else found}")
    return 0
