"""A small sample of what `make fuzz` sends."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fuzzing import fuzz

from kato.operations import OPERATIONS


def test_every_answer_to_made_up_requests_is_one_that_the_description_has():
    done = fuzz(8, None, "--generation-deterministic", "--no-shrink", phases="examples,fuzzing,stateful")
    assert done.returncode == 0, done.stdout[-8000:]
    assert re.search(rf"\b{len(OPERATIONS)} selected", done.stdout), done.stdout[-3000:]
