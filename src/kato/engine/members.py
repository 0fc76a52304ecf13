"""The members of an ensemble, before anybody asks how one lies on the memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from kato.engine.event import Event
from kato.engine.measuring import Match
from kato.engine.pattern import Pattern


class Members(Sequence[Match]):
    """Matches in order of selection; each is compared with the memory when it is asked for."""

    def __init__(self, patterns: Sequence[Pattern], match: Callable[[int], Match]) -> None:
        """
        Args:
            patterns: In order of selection.
            match: How the pattern of a place (from 0) lies on the memory.
        """
        self._match = match
        self.places: dict[tuple[Event, ...], int] = {pattern.events: at for at, pattern in enumerate(patterns)}
        """Events of a member → its place, from 0."""

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, place: int) -> Match: ...
    @overload
    def __getitem__(self, place: slice) -> list[Match]: ...
    def __getitem__(self, place: int | slice) -> Match | list[Match]:
        found = range(len(self))[place]
        return self._match(found) if isinstance(found, int) else [self._match(each) for each in found]
