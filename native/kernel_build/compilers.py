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
#include <charconv>
#include <optional>
#include <string>
std::optional<std::string> probe(double number) {
    char text[32];
    return std::string(text, std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr);
}
"""
_PATIENCE_SECONDS = 1200  # zig compiles its whole C++ library before the first program; a small machine needs minutes


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

    On Windows it is "", CMake's own choice, without a look: Visual Studio is never on the path, and CMake finds it.
    """
    if sys.platform == "win32":
        return ""
    return next((each for each in candidates() if works(shlex.split(each)) is None), None)


def works(command: list[str]) -> str | None:
    """None if this compiler makes a shared library of C++17 and writes numbers; else what went wrong, in its last words."""
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


@contextmanager
def using(compiler: str) -> Iterator[Mapping[str, str]]:
    """Make CMake take this compiler and no other; the value is what the build's settings need besides, nothing."""
    with environment({"CXX": compiler} if compiler else {}):
        yield {}


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
