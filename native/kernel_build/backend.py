"""
The build backend that pip calls: scikit-build-core, which builds the native kernel, and two ways out.

1. A machine without a working C++ compiler gets one from PyPI, `ziglang`, for this build alone.
2. Where that cannot be had either, or the build breaks, the package is built without the kernel: pure Python, with the plain
   engine. Whoever installs reads one sentence about it, and `kato doctor` goes on saying so.

The config setting `kernel` chooses: `auto` is the above; `require` makes a failure of the kernel a failure of the build; `off`
leaves the kernel out. For example `pip install . -C kernel=require`.

Only the hooks of PEP 517 and PEP 660 live here. What a machine has is found in `compilers.py`, zig is in `zig.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scikit_build_core import build as scikit_build
from scikit_build_core.errors import FailedProcessError, ScikitBuildError

from . import compilers, zig
from .obtaining import obtainable
from .telling import tell

Settings = Mapping[str, str | list[str]]

get_requires_for_build_sdist = scikit_build.get_requires_for_build_sdist
build_sdist = scikit_build.build_sdist


class NoKernel(Exception):
    """The kernel cannot be built here; the message says why."""


def get_requires_for_build_wheel(config_settings: Settings | None = None) -> list[str]:
    """What the build of a wheel needs beyond pyproject.toml, on this machine."""
    return _requirements(scikit_build.get_requires_for_build_wheel, config_settings)


def get_requires_for_build_editable(config_settings: Settings | None = None) -> list[str]:
    """What an editable build needs beyond pyproject.toml, on this machine."""
    return _requirements(scikit_build.get_requires_for_build_editable, config_settings)


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings | None = None) -> str:
    """Name, version, dependencies: the same with and without the kernel."""
    return scikit_build.prepare_metadata_for_build_wheel(metadata_directory, _without_kernel(config_settings))


def prepare_metadata_for_build_editable(metadata_directory: str, config_settings: Settings | None = None) -> str:
    """Name, version, dependencies: the same with and without the kernel."""
    return scikit_build.prepare_metadata_for_build_editable(metadata_directory, _without_kernel(config_settings))


def build_wheel(
    wheel_directory: str,
    config_settings: Settings | None = None,
    metadata_directory: str | None = None,  # noqa: ARG001 - the prepared metadata does not name the wheel's platform
) -> str:
    """Build a wheel, with the kernel if that is possible."""
    return _build(scikit_build.build_wheel, wheel_directory, config_settings)


def build_editable(
    wheel_directory: str,
    config_settings: Settings | None = None,
    metadata_directory: str | None = None,  # noqa: ARG001 - the prepared metadata does not name the wheel's platform
) -> str:
    """Build a wheel that points to the sources, with the kernel if that is possible."""
    return _build(scikit_build.build_editable, wheel_directory, config_settings)


def wanted(config_settings: Settings | None) -> str:
    """
    The config setting `kernel`.

    Raises:
        SystemExit: It is none of auto, require, off.
    """
    choice = (config_settings or {}).get("kernel", "auto")
    if choice not in {"auto", "require", "off"}:
        raise SystemExit(f"the config setting kernel must be auto, require or off, got {choice}")
    return str(choice)


def _requirements(hook: Callable[..., list[str]], config_settings: Settings | None) -> list[str]:
    choice = wanted(config_settings)
    if choice == "off" or not compilers.has_python_headers():
        return []
    needed = hook(_with_kernel(config_settings))
    if compilers.find() is None and zig.fits_this_system():
        needed.append(zig.REQUIREMENT)
    if choice == "auto" and needed and not obtainable(needed):
        return []
    return needed


def _build(hook: Callable[..., str], wheel_directory: str, config_settings: Settings | None) -> str:
    choice = wanted(config_settings)
    if choice == "off":
        return hook(wheel_directory, _without_kernel(config_settings))
    try:
        return _build_kernel(hook, wheel_directory, config_settings)
    except NoKernel as error:
        if choice == "require":
            raise SystemExit(f"the native kernel was not built: {error}") from error
        built = hook(wheel_directory, _without_kernel(config_settings))
        tell(
            f"kato is installed without its native kernel: {error}. The plain engine gives the same answers, "
            "more slowly the more patterns there are. `kato doctor` tells which engine serves."
        )
        return built


def _build_kernel(hook: Callable[..., str], wheel_directory: str, config_settings: Settings | None) -> str:
    if not compilers.has_python_headers():
        raise NoKernel("the C headers of this Python are missing (on Debian or Ubuntu: apt install python3-dev)")
    compiler = compilers.find()
    if compiler is None and not zig.is_installed():
        raise NoKernel("no C++ compiler was found and ziglang could not be had from PyPI")
    try:
        with zig.using() if compiler is None else compilers.using(compiler) as definitions:
            return hook(wheel_directory, {**_with_kernel(config_settings), **definitions})
    except zig.ZigUnusable as error:
        raise NoKernel(f"no C++ compiler was found and the one from PyPI does not run here ({error})") from error
    except (SystemExit, ScikitBuildError, FailedProcessError, OSError) as error:
        raise NoKernel("its compilation failed; `pip install -v` shows the compiler's own words") from error


def _with_kernel(config_settings: Settings | None) -> dict[str, str | list[str]]:
    return {name: value for name, value in (config_settings or {}).items() if name != "kernel"}


def _without_kernel(config_settings: Settings | None) -> dict[str, str | list[str]]:
    return {**_with_kernel(config_settings), "wheel.cmake": "false"}
