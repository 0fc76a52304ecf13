"""Every number can explain itself: a value, what it means, and the numbers it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """One number, what it means, and the numbers it was made from."""

    value: float
    reason: str
    parts: tuple[Explanation, ...] = ()

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The tree as text, one number a line, parts indented under what they make."""
        yield f"{'  ' * depth}{self.value:.6g}  {self.reason}"
        for part in self.parts:
            yield from part.lines(depth + 1)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def count(value: int, reason: str) -> Explanation:
    """A leaf: something that was counted."""
    return Explanation(value, reason)
