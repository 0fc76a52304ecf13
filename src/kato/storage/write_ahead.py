"""
Whether the write-ahead log beside a database is whole.

SQLite takes a frame whose checksum is wrong for the place where a crash cut the last write, and silently drops it and all
that follows. Where whole commits follow, it was no crash but damage, and what follows was acknowledged; so it is looked
for before SQLite opens the file. And a process that dies leaves the index of its log beside it (-shm), which says how many
frames were committed: fewer whole ones are damage too, unless the machine went down as well and took the end with it.
The formats are SQLite's own: https://www.sqlite.org/fileformat2.html#walformat and https://www.sqlite.org/walformat.html
"""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

_HEADER = 32
_FRAME_HEADER = 24
_MAGIC = {0x377F0682: "<u4", 0x377F0683: ">u4"}
"""By the order of bytes in which checksums were computed."""
_INDEX_HEADER = 136
"""Bytes of the index's header: twice what is committed, then how far it was copied."""
_AT_ONCE = 4096
"""Frames looked at together; bounds what a long log takes of memory."""


def damage_in(path: Path) -> str | None:
    """
    What is wrong with a write-ahead log, as a sentence; None for a whole one, and for none at all.

    Args:
        path: The log's own path, ending in -wal. Nobody may be writing to it.
    """
    committed, copied, salts = _index_beside(path)
    if not path.exists():
        return _sentence(path, "its beginning: it is missing") if committed > copied else None
    with path.open("rb") as file:
        header = file.read(_HEADER)
        if len(header) < _HEADER or not any(header):
            return _sentence(path, "its header") if committed > copied else None
        magic, _, page, _, salt_1, salt_2, sum_0, sum_1 = struct.unpack(">8L", header)
        order = _MAGIC.get(magic)
        page = 65_536 if page == 1 else page
        before = np.array([[sum_0, sum_1]], np.uint32)
        is_sound = page in {2**power for power in range(9, 17)}
        if order is not None and is_sound:
            own = np.frombuffer(header, order, 6)[None, :]
            is_sound = bool(_agree(own, np.zeros((1, 2), np.uint32), before)[0])
        if order is None or not is_sound:
            return _sentence(path, "its header") if file.read(1) else None
        position, broken = 0, None
        while block := file.read((_FRAME_HEADER + page) * _AT_ONCE):
            count = len(block) // (_FRAME_HEADER + page)
            if not count:
                break
            frames = np.frombuffer(block, np.uint8, count * (_FRAME_HEADER + page)).reshape(count, -1)
            heads = frames[:, :_FRAME_HEADER].copy().view(">u4")
            stored = heads[:, 4:6].astype(np.uint32)
            starts = np.concatenate([before, stored[:-1]])
            words = np.concatenate([frames[:, :8], frames[:, _FRAME_HEADER:]], axis=1).view(order)
            whole = _agree(words, starts, stored) & (heads[:, 2] == salt_1) & (heads[:, 3] == salt_2)
            if broken is None and not whole.all():
                broken = position + int(np.argmin(whole))
            if broken is not None:
                commits = np.flatnonzero(whole & (heads[:, 1] != 0)) + position
                if len(commits) and commits[-1] > broken:
                    return _sentence(path, f"frame {broken + 1}")
            before = stored[-1:]
            position += count
    whole_frames = position if broken is None else broken
    if salts == header[16:24] and whole_frames < committed:
        return _sentence(path, f"frame {whole_frames + 1} of {committed}")
    return None


def _index_beside(path: Path) -> tuple[int, int, bytes]:
    """
    What a process that died left beside its log: (frames committed, frames copied into the database, the log's salts).

    (0, 0, b"") where nothing is left, or the machine was started since: then its end may be newer than that of the log.
    """
    index = path.with_name(path.name.removesuffix("-wal") + "-shm")
    if not index.exists() or index.stat().st_mtime < psutil.boot_time():
        return 0, 0, b""
    with index.open("rb") as file:
        content = file.read(_INDEX_HEADER)
    if len(content) < _INDEX_HEADER or content[:48] != content[48:96] or not content[12]:
        return 0, 0, b""
    (committed,) = struct.unpack_from("=L", content, 16)
    (copied,) = struct.unpack_from("=L", content, 96)
    return committed, copied, content[32:40]


def _sentence(path: Path, where: str) -> str:
    return (
        f"{path} is damaged at {where}; acknowledged changes that stand behind it cannot be read. Restore a backup, "
        "or let `kato repair --salvage` go on without them"
    )


def _agree(words: NDArray[np.uint32], starts: NDArray[np.uint32], stored: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """
    Whether each row's checksum, continued from its start, is the stored one.

    The checksum is linear: each word enters both sums with a weight that depends on its place alone, modulo 2**32.
    """
    weights, carried = _weights(words.shape[1])
    with np.errstate(over="ignore"):
        sums = np.stack([words.astype(np.uint32) @ weights[:, which] for which in (0, 1)], axis=1)
        sums = sums + starts @ carried
    agree: NDArray[np.bool_] = (sums.astype(np.uint32) == stored).all(axis=1)
    return agree


@lru_cache(maxsize=4)
def _weights(count: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """How much each of `count` words, and each of the two sums before them, counts in the two sums after them."""
    weights = np.zeros((count, 2), np.uint32)
    step = np.array([[1, 1], [1, 2]], np.uint64)
    passed = np.eye(2, dtype=np.uint64)  # from the sums after a pair of words to the sums at the end
    for place in range(count - 2, -1, -2):
        weights[place] = (np.array([1, 1], np.uint64) @ passed) % 2**32  # the first enters both sums
        weights[place + 1] = (np.array([0, 1], np.uint64) @ passed) % 2**32
        passed = (step @ passed) % 2**32
    return weights, passed.astype(np.uint32)
