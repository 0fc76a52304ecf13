"""The C++ compiler of this machine: found by compiling a few lines, because a name on the path proves nothing."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PROBE = """\
#include <optional>
#include <string>
std::optional<std::string> probe() { return "a shared library of C++17"; }
"""
_PATIENCE_SECONDS = 120


def has_python_headers() -> bool:
    """Whether this Python can be extended: many systems pack its headers separately."""
    return (Path(sysconfig.get_path("include")) / "Python.h").is_file()


def candidates() -> list[str]:
    """Command lines of compilers to try, best first: the asked-for, the one that made this Python, the usual names."""
    named = [os.environ.get("CXX"), sysconfig.get_config_var("CXX"), "c++", "g++", "clang++"]
    return list(dict.fromkeys(name for name in named if name))


def find() -> str | None:
    """
    The command line of the first compiler that works, None if none does.

    On Windows it is "cl" without a look: CMake finds Visual Studio where it is installed, which is never on the path.
    """
    if sys.platform == "win32":
        return "cl"
    return next((each for each in candidates() if works(shlex.split(each)) is None), None)


def works(command: list[str]) -> str | None:
    """None if this compiler makes a shared library of C++17, else what went wrong, in its last words."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.cpp"
        source.write_text(PROBE)
        arguments = ["-std=c++17", "-shared", "-fPIC", str(source), "-o", str(Path(folder) / "probe.so")]
        try:
            done = subprocess.run(
                [*command, *arguments], capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]


def settings_for(compiler: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Environment and CMake definitions that make CMake use the compiler that was found, and no other."""
    return ({} if sys.platform == "win32" else {"CXX": compiler}), {}


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
