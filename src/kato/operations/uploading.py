"""
Sequences that arrive one a line, without end: learned in chunks, answered line by line, taken up again where they broke off.

Each chunk is one transaction. Under an idempotency key it also writes down, in the same transaction, which lines it took
and what became of them: the n-th upload of the same lines then tells what the first was told, and learns only what comes
after. Chunks of a repeated upload follow those that were kept, wherever the pieces of the new connection may end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from kato.engine.knowledge import Change
from kato.engine.pattern import pattern_name
from kato.errors import IdempotencyMismatch, KATOError, LimitExceeded
from kato.operations.idempotency import IDEMPOTENCY_KEY, key_scope, lines_scope, mismatch, turn
from kato.operations.registry import Pieces, Request
from kato.service import learning
from kato.service.system import System
from kato.storage.interface import Learn, Reply
from kato.wire.answers import Json, bulk_learned, node
from kato.wire.encoding import encode_answer
from kato.wire.lines import Lines
from kato.wire.parsing import BLANK
from kato.wire.reading import problem

CHUNK_LINES = 1000
CHUNK_BYTES = 1 << 20
"""A chunk ends with the line that reaches either: large enough to share a commit, small enough to hold."""
_KEPT_CHUNKS = 1_000_000
ReadLine = Callable[[bytes], tuple[Learn | None, list[str]]]
"""What to do for the sequence that a line holds, and warnings; raises KATOError where it holds none."""


@dataclass(slots=True)
class Chunk:
    """Lines that are learned together. None stands for a line that was too long to hold."""

    first: int
    """Number of its first line, from 1."""
    lines: list[bytes | None] = field(default_factory=list)
    size: int = 0

    def add(self, line: bytes | None) -> None:
        """One more line."""
        self.lines.append(line)
        self.size += len(line or b"")

    def is_full(self, wanted: int | None) -> bool:
        """Whether to learn it now; `wanted` is how many lines a chunk had that was learned before."""
        if wanted is not None:
            return len(self.lines) >= wanted
        return len(self.lines) >= CHUNK_LINES or self.size >= CHUNK_BYTES

    def digest(self, place: bytes) -> bytes:
        """What tells these lines from others, and from the same lines sent to another place."""
        digest = hashlib.sha256(place + b"\n")
        for line in self.lines:
            digest.update(b"\0too long\n" if line is None else line + b"\n")
        return digest.digest()


@dataclass(slots=True)
class Tally:
    """What became of the lines so far."""

    lines: int = 0
    learned: int = 0
    insufficient_data: int = 0
    refused: int = 0
    replayed: int = 0

    def as_json(self) -> Json:
        """The numbers as the last line shows them."""
        return {name: getattr(self, name) for name in self.__slots__}


class Upload:
    """One upload of lines to a node."""

    def __init__(self, system: System, request: Request, node_id: str, read_line: ReadLine) -> None:
        self._system = system
        self._node_id = node_id
        self._read_line = read_line
        self._principal = request.principal
        self.key = request.headers.get(IDEMPOTENCY_KEY, "")
        self._scope = lines_scope(self._principal, self.key)
        self._place = json.dumps([node_id, request.query]).encode()
        self.tally = Tally()

    async def earlier(self, first: int) -> Reply | None:
        """What was written down about the chunk that begins with this line, if it was kept before."""
        if not self.key:
            return None
        now = self._system.runtime.now()
        return await self._system.runtime.compute(self._system.storage.reply, self._scope, str(first), now=now)

    def check_key(self) -> None:
        """
        Refuse a key under which something else was sent than lines.

        Raises:
            IdempotencyMismatch: It was.
        """
        scope, now = key_scope(self._principal), self._system.runtime.now()
        if self.key and self._system.storage.reply(scope, self.key, now=now) is not None:
            raise _mismatch(1)

    async def learn(self, chunk: Chunk, earlier: Reply | None) -> list[Json]:
        """
        Learn a chunk, or tell what became of it before; one result per line that is not blank.

        Raises:
            IdempotencyMismatch: Other lines were sent under this key before.
            StorageError: Nothing of this chunk was kept.
        """
        results, operations = await self._system.runtime.compute(self._read, chunk)
        digest = chunk.digest(self._place)
        if earlier is not None:
            if earlier.fingerprint != digest:
                raise _mismatch(chunk.first)
            frequencies = json.loads(earlier.answer)["frequencies"]
            if len(frequencies) != len(operations):
                raise _mismatch(chunk.first)
            self.tally.replayed += len(operations)
        else:
            frequencies = await self._commit(chunk, digest, [operation for _, operation in operations])
        for (position, operation), frequency in zip(operations, frequencies, strict=True):
            results[position] |= bulk_learned(operation.name or pattern_name(operation.events), frequency)
        self.tally.lines += len(chunk.lines)
        self.tally.learned += len(operations)
        return results

    def _read(self, chunk: Chunk) -> tuple[list[Json], list[tuple[int, Learn]]]:
        """(a result per line, that of lines to learn still open; those lines' places and what to do for them)."""
        results: list[Json] = []
        operations: list[tuple[int, Learn]] = []
        for number, line in enumerate(chunk.lines, start=chunk.first):
            if line is not None and not line.strip(BLANK):
                continue
            result: Json = {"line": number}
            results.append(result)
            try:
                if line is None:
                    raise _too_long(self._system.limits.max_body_bytes)
                operation, warnings = self._read_line(line)
            except KATOError as error:
                self.tally.refused += 1
                told = {"code": error.code, "message": error.message, "details": error.details}
                result |= {"status": "refused", "error": told}
                continue
            if warnings:
                result["warnings"] = warnings
            if operation is None:
                self.tally.insufficient_data += 1
                result |= bulk_learned(None, 0)
            else:
                operations.append((len(results) - 1, operation))
        return results, operations

    async def _commit(self, chunk: Chunk, digest: bytes, operations: Sequence[Learn]) -> list[int]:
        """Keep what a chunk learned; the frequency of each pattern after it."""
        seconds = self._system.policy.idempotency_seconds

        def frequencies(changes: Sequence[Change]) -> list[int]:
            return [change.after.frequency for change in changes if change.after is not None]

        def reply(changes: Sequence[Change]) -> Reply:
            answer = {"lines": len(chunk.lines), "frequencies": frequencies(changes)}
            expires_at = self._system.runtime.now() + seconds * 1_000_000
            return Reply(self._scope, str(chunk.first), digest, encode_answer(answer), expires_at, _KEPT_CHUNKS)

        remembered = reply if self.key and seconds else None
        if not operations and remembered is None:
            return []
        committed = await learning.learn_many(
            self._system, self._node_id, operations, actor=self._principal, reply=remembered
        )
        return frequencies(committed.changes)


async def upload(
    system: System,
    request: Request,
    node_id: str,
    read_line: ReadLine,
    pieces: Pieces,
    warnings: Sequence[str],
) -> AsyncGenerator[bytes, None]:
    """
    Learn the lines of a body that arrives in pieces; yields the lines of the answer.

    Raises:
        KATOError: Nothing was learned. What goes wrong after the first chunk is told in the last line instead.
    """
    work = Upload(system, request, node_id, read_line)
    async with turn(system, key_scope(request.principal), work.key):
        work.check_key()
        begun = False
        try:
            async with aclosing(_learned(work, pieces, system.limits.max_body_bytes)) as chunks:
                async for results in chunks:
                    begun = True
                    yield b"".join(encode_answer(result) + b"\n" for result in results)
            end: Json = {"status": "completed", **work.tally.as_json(), **node(node_id), "warnings": list(warnings)}
        except KATOError as error:
            if not begun:
                raise
            told = {"code": error.code, "message": error.message, "recoverable": error.recoverable}
            end = {
                "status": "failed",
                **work.tally.as_json(),
                **node(node_id),
                "warnings": list(warnings),
                "error": told,
            }
    yield encode_answer(end) + b"\n"


async def _learned(work: Upload, pieces: Pieces, longest: int) -> AsyncGenerator[list[Json], None]:
    """The results of one chunk after another."""
    lines = Lines(longest)
    chunk = Chunk(1)
    earlier = await work.earlier(1)
    wanted = _line_count(earlier)
    async for piece in pieces:
        if piece is None and earlier is not None:
            continue  # the rest of a chunk that was kept before is on its way
        for line in lines.feed(piece) if piece is not None else ():
            chunk.add(line)
            if chunk.is_full(wanted):
                yield await work.learn(chunk, earlier)
                chunk = Chunk(chunk.first + len(chunk.lines))
                earlier = await work.earlier(chunk.first)
                wanted = _line_count(earlier)
        if piece is None and chunk.lines:
            yield await work.learn(chunk, None)
            chunk = Chunk(chunk.first + len(chunk.lines))
            earlier = await work.earlier(chunk.first)
            wanted = _line_count(earlier)
    for line in lines.finish():
        chunk.add(line)
    if chunk.lines:
        yield await work.learn(chunk, earlier)


def _line_count(earlier: Reply | None) -> int | None:
    return json.loads(earlier.answer)["lines"] if earlier is not None else None


def _too_long(longest: int) -> LimitExceeded:
    message = f"may have at most {longest} bytes; the limit is set by KATO_MAX_BODY_BYTES"
    context = {"limit": longest, "actual": None, "setting": "KATO_MAX_BODY_BYTES"}
    return LimitExceeded([problem(("body",), "limit", message, "", **context)])


def _mismatch(first: int) -> IdempotencyMismatch:
    return mismatch(f"was used for something else than these lines from {first} on; use another key for other lines")
