"""What is known of the native kernel of this installation."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

_NAME = "kato.engine.matching._kernel"
_MISSING = (
    "the native kernel is missing: KATO was installed without it, so the plain engine serves, more slowly the more patterns "
    "there are. `pip install -v --force-reinstall --no-deps .` in KATO's directory builds it, or says why it cannot be built"
)


@dataclass(frozen=True)
class Kernel:
    """
    The kernel of this installation.

    `build` is how it was made, None where it cannot be used. `missing` and `broken` are sentences about why not.
    """

    build: dict[str, str] | None = None
    missing: str = ""
    broken: str = ""


def find() -> Kernel:
    """Load the kernel and ask it how it was made."""
    if importlib.util.find_spec(_NAME) is None:
        return Kernel(missing=_MISSING)
    try:
        from kato.engine.matching import _kernel
    except ImportError as error:
        return Kernel(broken=f"the native kernel is there but cannot be loaded: {error}. Install KATO again")
    return Kernel(build=_kernel.build_information())


def described(build: dict[str, str] | None) -> str:
    """One line about how the kernel was made."""
    if build is None:
        return "none"
    line = "built by {compiler} for {system} and Python {python}, {build_type}: {flags}".format_map(build)
    return line + (f", with sanitizers: {build['sanitizers']}" if build["sanitizers"] else "")
