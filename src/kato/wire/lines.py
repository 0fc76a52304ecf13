"""Newline-delimited JSON, read piece by piece: no more is held than the line at hand."""

from __future__ import annotations

CONTENT_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")


class Lines:
    """
    Splits bytes that arrive in any pieces into lines.

    Args:
        longest: Bytes a line may have. A longer one is dropped while it arrives and reported as None.

    >>> lines = Lines(longest=4)
    >>> lines.feed(b"ab"), lines.feed(b"c\\ntoo long"), lines.feed(b"\\nd"), lines.finish()
    ([], [b'abc'], [None], [b'd'])
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[bytes | None]:
        """The lines that end in this piece."""
        *ended, rest = piece.split(b"\n")
        found: list[bytes | None] = []
        for part in ended:
            self._hold(part)
            found.append(self._take())
        self._hold(rest)
        return found

    def finish(self) -> list[bytes | None]:
        """The last line, which need not end in a newline; nothing if there is none."""
        return [self._take()] if self._size else []

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= self._longest:
            self._held.append(part)
        else:
            self._held.clear()

    def _take(self) -> bytes | None:
        line = b"".join(self._held) if self._size <= self._longest else None
        self._held, self._size = [], 0
        return line
