"""
Requests made up from the description, in every phase: whatever is sent, the answer is one that the description has.

`make fuzz` sends at least 300 examples of every operation; a small sample is among the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import httpx2  # noqa: E402 - after the path of what tests share

from kato.settings import Settings  # noqa: E402
from kato.wire.limits import Limits  # noqa: E402
from serving import running  # noqa: E402

LIMITS = Limits(max_strings=200, max_sequence=200, max_memories=20, max_stm_events=100, max_vector_dim=500)
"""Below the defaults: what is tried are the rules, not how long thousands of symbols take to compare."""
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)


ALL = "examples,coverage,fuzzing,stateful"
_TO_FINISH = 600
"""Seconds to end what was begun and to tell of it; a busy machine needs some of them."""


def fuzz(
    examples: int, seconds: int | None, *extra: str, phases: str = ALL, quiet: bool = True
) -> subprocess.CompletedProcess[str]:
    """
    Send that many examples of every operation to a fresh server.

    Args:
        seconds: Go on with further ones for so long, and no longer; None: until those have been sent.
        quiet: Keep what is told in the result, instead of telling it while it happens.
    """
    settings = Settings(data_dir=":memory:", log_level="CRITICAL", limits=LIMITS)
    with tempfile.TemporaryDirectory() as directory, running(settings) as server:
        session = httpx2.post(f"{server.url}/sessions", json={"node_id": "fuzz"}).json()["session_id"]
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{server.url}/openapi.json",
            f"--checks={','.join(CHECKS)}",
            f"--phases={phases}",
            f"--max-examples={examples}",
            *([] if seconds is None else [f"--max-time={seconds}"]),
            "--request-timeout=60",
            "--warnings=off",
            "--no-color",
            *extra,
        ]
        environment = {
            **os.environ,
            "SCHEMATHESIS_HOOKS": "hooks",
            "PYTHONPATH": str(HERE),
            "KATO_FUZZ_SESSION": session,
        }
        return subprocess.run(
            command,
            cwd=directory,
            env=environment,
            capture_output=quiet,
            text=True,
            timeout=(seconds or 0) + _TO_FINISH,
            check=False,
        )


if __name__ == "__main__":
    wanted, most = int(os.environ.get("EXAMPLES", "300")), int(os.environ.get("SECONDS_AT_MOST", "3600"))
    done = fuzz(wanted, most, "--continue-on-failure", quiet=False)
    raise SystemExit(done.returncode)
