"""The C++ compiler inside `ziglang`, a package on PyPI: clang, its library and its linker, for machines that have none."""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from . import compilers

REQUIREMENT = "ziglang>=0.13"

# zig compiles for the very processor it runs on, and with its checks on, unless told otherwise. It compiles its C++ library
# anew for each level of optimization and for -s, which takes a minute or more: the same at every call means once.
_TOOLS = {"c++": "c++ -mcpu=baseline -fno-sanitize=undefined -O3 -s", "ar": "ar", "ranlib": "ranlib"}


class ZigUnusable(Exception):
    """zig is installed but cannot compile here; the message has its last words."""


def fits_this_system() -> bool:
    """Whether zig is worth asking for: it makes no extension modules for the Python of Windows."""
    return sys.platform != "win32"


def is_installed() -> bool:
    """Whether `ziglang` can be used by this build."""
    return fits_this_system() and importlib.util.find_spec("ziglang") is not None


@contextmanager
def using() -> Iterator[Mapping[str, str]]:
    """
    Make CMake take zig; the value is what the build's settings need besides.

    Its caches go with the block, unless the environment names a place for them. CMake wants each tool to be one program, so
    each is a script of one line.

    Raises:
        ZigUnusable: zig does not start, or cannot compile.
    """
    with tempfile.TemporaryDirectory(prefix="kato-zig-") as name:
        folder = Path(name)
        for tool, arguments in _TOOLS.items():
            script = folder / tool
            script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m ziglang {arguments} "$@"\n')
            script.chmod(0o755)
        cache = os.environ.get("ZIG_GLOBAL_CACHE_DIR", str(folder / "cache"))
        variables = {"CXX": str(folder / "c++"), "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
        with compilers.environment(variables):
            problem = compilers.works([variables["CXX"]])
            if problem is not None:
                raise ZigUnusable(problem)
            yield {
                "cmake.define.CMAKE_AR": str(folder / "ar"),
                "cmake.define.CMAKE_RANLIB": str(folder / "ranlib"),
                "cmake.define.KATO_COMPILER_NOTE": f"zig {_version()}",
            }


def _version() -> str:
    command = [sys.executable, "-m", "ziglang", "version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
