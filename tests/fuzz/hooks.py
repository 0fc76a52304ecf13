"""What made-up requests need to get beyond the first check: a session that lives. Loaded by schemathesis."""

from __future__ import annotations

import os

import schemathesis

LIVE = os.environ["KATO_FUZZ_SESSION"]


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Most requests go to the live session; those that would end it, and some others, to one that is made up."""
    if path_parameters and "session_id" in path_parameters:
        made_up = str(path_parameters["session_id"])
        if context.operation.method.upper() != "DELETE" and len(made_up) % 4:
            return {**path_parameters, "session_id": LIVE}
    return path_parameters
