"""What tests of every folder share."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # so that tests can share helpers such as `serving`

settings.register_profile("kato", deadline=None)  # no test looks at a clock; a busy machine is no fault of the code
settings.load_profile("kato")
