"""The two commands of the README refuse what makes no sense before they set anything up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "run.py"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["demo", "--port", "99999"], "must be a port from 1 to 65535, got '99999'"),
        (["demo", "--port", "0"], "must be a port from 1 to 65535, got '0'"),
        (["demo", "quickly"], "unrecognized arguments: quickly"),
        (["tset"], "invalid choice: 'tset'"),
        ([], "required"),
    ],
)
def test_a_wrong_command_line_is_a_sentence(arguments, sentence):
    done = subprocess.run([sys.executable, RUN, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
