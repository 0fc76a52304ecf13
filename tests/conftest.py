"""What tests of every folder share."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # so that tests can share helpers such as `serving`
sys.path.insert(0, str(Path(__file__).parents[1]))  # and run small samples of the harnesses

settings.register_profile("kato", deadline=None)  # no test looks at a clock; a busy machine is no fault of the code
settings.load_profile("kato")
if os.environ.get("KATO_ENGINE") == "plain":
    sys.modules["kato.engine.matching._kernel"] = None  # as where no kernel could be built


_LOGGERS = [logging.getLogger(name) for name in ("uvicorn", "kato.service")]
_BEFORE = [(each.handlers[:], each.propagate, each.level) for each in _LOGGERS]


@pytest.fixture(autouse=True, scope="module")
def _logs_as_they_were() -> Iterator[None]:
    """
    A server that tests start sets up the logs of this process; the next module finds them as this process began.

    Not as this module began: a server that a whole package shares is started before what a module asks for itself.
    """
    yield
    for each, (handlers, propagate, level) in zip(_LOGGERS, _BEFORE, strict=True):
        each.handlers[:], each.propagate = handlers, propagate
        each.setLevel(level)
