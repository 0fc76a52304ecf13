"""What tests of every folder share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # so that tests can share helpers such as `serving`
sys.path.insert(0, str(Path(__file__).parents[1]))  # and run small samples of the harnesses

settings.register_profile("kato", deadline=None)  # no test looks at a clock; a busy machine is no fault of the code
settings.load_profile("kato")
if os.environ.get("KATO_ENGINE") == "plain":
    sys.modules["kato.engine.matching._kernel"] = None  # as where no kernel could be built
