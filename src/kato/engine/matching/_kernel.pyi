"""The native kernel, written in `native/`; absent where none could be built."""

def build_information() -> dict[str, str]:
    """How the kernel was built: compiler, flags, build_type, sanitizers, nanobind, python, system."""

def revision() -> int:
    """What Python and the kernel expect of each other; both sides must agree."""

def total(numbers: list[int]) -> int:
    """The sum of integers of 64 bits."""
