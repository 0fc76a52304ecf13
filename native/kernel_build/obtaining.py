"""Whether the installer could get what a build with the kernel needs; an installer that cannot would stop for good."""

from __future__ import annotations

import os
import subprocess
import sys

_PATIENCE_SECONDS = 300


def obtainable(requirements: list[str]) -> bool:
    """
    False if pip says that these packages cannot be had; True if they can, or if there is no pip to ask.

    pip runs build hooks with a path of their own; the pip that called is found without it.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    pip = [sys.executable, "-m", "pip"]
    question = ["install", "--dry-run", "--quiet", "--no-deps", "--ignore-installed", "--only-binary=:all:"]
    try:
        if subprocess.run([*pip, "--version"], env=environment, capture_output=True, check=False).returncode != 0:
            return True
        asked = subprocess.run(
            [*pip, *question, *requirements],
            env=environment,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0
