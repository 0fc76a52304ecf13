"""
A disk that refuses: writes, flushes, openings, cuts and renamings fail at chosen points, and everything stays whole.

    python -m harness.faults --points 500 --seed 7

`disk.c` is compiled with `cc` and preloaded into a process that has a memory embedded, then into a real server. At each point
one call on the files fails, or it and all after it: with EIO, with ENOSPC, or by writing half. An operation then happened
whole and was acknowledged, or it failed and changed nothing; while the disk refuses, the storage says so; when it obeys
again, everything goes on by itself, without a restart.
"""

from __future__ import annotations

import argparse
import errno
import json
import mmap
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from harness.breaking import take_out
from harness.command import Broken, asking, judged
from harness.crash import Writer, begin
from harness.doing import apply, do
from harness.processes import free_port
from kato import Kato, KATOError
from kato.errors import StorageError
from kato.storage.backing_up import make_backup, read_backup
from kato.storage.checking import check_file

SOURCE = Path(__file__).with_name("disk.c")
WRITE, SYNC, OPEN, TRUNCATE, RENAME = range(5)
NEVER, ONCE, FROM_THEN_ON = range(3)
_ERRORS = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "half": 0}
_FIELDS = 11
_OPERATIONS = 6
"""Operations tried at each point."""


def compiler() -> str | None:
    """The C compiler, or None: then there is nothing to preload and the harness cannot run."""
    return shutil.which("cc")


def preloaded(place: Path, directory: Path) -> dict[str, str]:
    """The environment of a process whose disk obeys `Disk(place)`, for the files under a directory."""
    library, page = place / "disk.so", place / "control"
    if not library.exists():
        command = [compiler() or "cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
    page.write_bytes(bytes(8 * _FIELDS))
    return {**os.environ, "LD_PRELOAD": str(library), "DISK_CONTROL": str(page), "DISK_DIRECTORY": str(directory)}


class Disk:
    """The control page: says what is to fail, and what was done."""

    def __init__(self, page: Path) -> None:
        self._file = page.open("r+b")
        self._page = mmap.mmap(self._file.fileno(), 8 * _FIELDS)

    def _fields(self) -> tuple[int, ...]:
        return struct.unpack(f"<{_FIELDS}q", self._page[: 8 * _FIELDS])

    def fail(self, mode: int, *, at: int = 1, kinds: tuple[int, ...] = (WRITE, SYNC), error: int = errno.EIO) -> None:
        """From now on, the call of that number fails, of those kinds."""
        self.obey()
        rest = (at, sum(1 << kind for kind in kinds), error, 0)
        self._page[8:40] = struct.pack("<4q", *rest)
        self._page[:8] = struct.pack("<q", mode)

    def obey(self) -> None:
        """Nothing fails any more."""
        self._page[:8] = struct.pack("<q", NEVER)

    @property
    def failed(self) -> int:
        """Calls that failed since the last `fail`."""
        return self._fields()[4]

    @property
    def syncs(self) -> int:
        """Flushes asked for since the process began."""
        return self._fields()[5 + SYNC]

    def close(self) -> None:
        """Let the page go."""
        self._page.close()
        self._file.close()


# --- the embedded memory, in this process, which has the library preloaded ---


class Trial:
    """A memory, a writer on it, and the disk under both."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.disk = Disk(Path(os.environ["DISK_CONTROL"]))
        self.directory = directory
        self.chance = random.Random(seed)
        self.memory: Kato | None = Kato(directory)
        self.writer: Writer = begin(self.memory, 1)[0]
        self.counts: Counter[str] = Counter()

    def point(self, number: int) -> None:
        """One failing call, or one after which all fail; then the disk obeys again."""
        chance = self.chance
        kinds = chance.choice(
            ((WRITE,), (WRITE,), (SYNC,), (SYNC,), (OPEN,), (TRUNCATE,), (RENAME,), (WRITE, SYNC, OPEN))
        )
        error = chance.choice(list(_ERRORS))
        mode = chance.choice((ONCE, FROM_THEN_ON))
        what = f"point {number}: {('', 'once', 'from then on')[mode]} {error} of kinds {kinds}"
        self.disk.fail(mode, at=chance.choice((1, 1, 2, 3, 5, 8, 13)), kinds=kinds, error=_ERRORS[error])
        if RENAME in kinds:
            self._back_up(number)
        if chance.random() < 0.3 or TRUNCATE in kinds or OPEN in kinds:
            self._reopen()
        refused = [self._operate(what) for _ in range(_OPERATIONS)]
        if self.memory is not None and mode == FROM_THEN_ON and any(refused) and set(kinds) & {WRITE, SYNC}:
            self._is_red(what)
        hit = self.disk.failed > 0
        self.disk.obey()
        self.counts["points"] += hit
        self.counts[f"points of {error}"] += hit
        if self.memory is None:
            self.memory = Kato(self.directory)
        self.memory.system.storage.check()  # it recovers by itself, and says so
        self._compare(what)

    def _operate(self, what: str) -> bool:
        """One operation; whether it was refused."""
        if self.memory is None:
            return True
        operation = self.writer.choose(self.chance)
        try:
            do(self.memory, operation, self.writer.ids.__getitem__)
        except StorageError:
            self.counts["refused"] += 1
            return True
        except KATOError as error:
            raise Broken(f"{what}: {operation} was answered by {error!r}") from error
        apply(self.writer.model, operation)
        self.counts["acknowledged"] += 1
        return False

    def _reopen(self) -> None:
        if self.memory is not None:
            self.memory.close()
        self.memory = None
        try:
            self.memory = Kato(self.directory)
        except StorageError:
            self.counts["not opened"] += 1

    def _back_up(self, number: int) -> None:
        place = self.directory / f"backup {number}"
        try:
            make_backup(self.directory / "kato.db", place)
        except (OSError, StorageError):
            if place.exists():
                raise Broken(f"point {number}: a failed backup looks like a backup") from None
            self.counts["backups refused"] += 1
            return
        self.disk.obey()
        read_backup(place)
        shutil.rmtree(place)

    def _is_red(self, what: str) -> None:
        assert self.memory is not None
        try:
            self.memory.system.storage.check()
        except StorageError:
            self.counts["told of it"] += 1
            return
        raise Broken(f"{what}: the disk refuses, and the storage says it is well")

    def _compare(self, what: str) -> None:
        assert self.memory is not None
        expected, seen = self.writer.expected(), self.writer.seen(self.memory)
        for part, value in expected.items():
            if seen[part] != value:
                raise Broken(f"{what}: {part}: expected {value}, found {seen[part]}")


def try_embedded(directory: Path, points: int, seed: int) -> Counter[str]:
    """So many points that were really hit."""
    trial = Trial(directory, seed)
    number = 0
    while trial.counts["points"] < points:
        number += 1
        trial.point(number)
        if number % 100 == 0:
            print(f"{number} tried: {dict(trial.counts)}", file=sys.stderr, flush=True)
    assert trial.memory is not None
    trial.memory.close()
    findings = check_file(directory / "kato.db").findings
    if findings:
        raise Broken(findings[0].sentence)
    return trial.counts


def embedded(points: int, seed: int, without: str = "") -> dict[str, int]:
    """`try_embedded` in a process that has the library preloaded; `without`: what is taken out of it."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "memory").mkdir()
        command = [sys.executable, "-m", "harness.faults", "--child", str(place / "memory")]
        command += ["--without", without] if without else []
        done = subprocess.run(
            [*command, "--points", str(points), "--seed", str(seed)],
            env=preloaded(place, place / "memory"),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            cwd=Path(__file__).parents[1],
        )
    if done.returncode:
        raise Broken(done.stdout.strip() or f"the process ended with status {done.returncode}")
    found: dict[str, int] = json.loads(done.stdout)
    return found


# --- the server ---


class RefusedServer:
    """A real server whose disk is ours."""

    def __init__(self, place: Path, **environ: str) -> None:
        (place / "memory").mkdir(exist_ok=True)
        port = free_port()
        environment = {**preloaded(place, place / "memory"), "KATO_LOG_LEVEL": "CRITICAL", **environ}
        command = [sys.executable, "-m", "kato", "serve", "--data", str(place / "memory"), "--port", str(port)]
        self._process = subprocess.Popen(command, env=environment)
        self.disk = Disk(place / "control")
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, verify=False)
        for _ in range(600):
            try:
                if self.http.get("/health/ready").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.1)
        self.close()
        raise AssertionError("the server did not start")

    def post(self, path: str, body: Mapping[str, Any]) -> httpx2.Response:
        """Ask."""
        return self.http.post(path, json=dict(body))

    def close(self) -> None:
        """Kill it."""
        self.http.close()
        self._process.kill()
        self._process.wait()
        self.disk.close()

    def __enter__(self) -> RefusedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _expect(condition: object, what: str) -> None:
    if not condition:
        raise Broken(what)


def server() -> dict[str, int]:
    """Refuse under a server: reading goes on, writing is answered 503 or 507, health is red, and all of it ends by itself."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name, RefusedServer(Path(name)) as served:
        made = served.post("/sessions", {"node_id": "n"}).json()["session_id"]
        at = f"/sessions/{made}"
        for symbol in "ab":
            served.post(f"{at}/observe", {"strings": [symbol]})
        served.post(f"{at}/learn", {})
        served.post(f"{at}/observe", {"strings": ["a"]})
        stm, learned = [["a"]], 1
        for error, status, code in ((errno.EIO, 503, "STORAGE_UNAVAILABLE"), (errno.ENOSPC, 507, "STORAGE_FULL")):
            for _ in range(5):
                served.disk.fail(FROM_THEN_ON, kinds=(WRITE,) if error == errno.ENOSPC else (WRITE, SYNC), error=error)
                for path, body in ((f"{at}/observe", {"strings": ["x"]}), (f"{at}/learn", {}), (f"{at}/clear-stm", {})):
                    answer = served.post(path, body)
                    found = (answer.status_code, answer.json()["error"]["code"])
                    _expect(found == (status, code), f"{path} was answered {found}, not {status} {code}")
                    _expect(status != 503 or int(answer.headers["retry-after"]) > 0, "503 without Retry-After")
                    counts[f"refused with {status}"] += 1
                _expect(
                    served.http.get(f"{at}/stm").json()["stm"] == stm, "the short-term memory changed or cannot be read"
                )
                future = served.http.get(f"{at}/predictions").json()["predictions"][0]
                _expect((future["future"], future["frequency"]) == ([["b"]], learned), "predictions changed")
                health = served.http.get("/health").json()
                _expect(health["status"] == "unhealthy" and health["issues"], "health is green while the disk refuses")
                _expect(served.http.get("/health/ready").status_code == 503, "it calls itself ready")
                served.disk.obey()
                _expect(served.http.get("/health").json()["status"] == "healthy", "health stays red")
                _expect(served.post(f"{at}/observe", {"strings": ["b"]}).status_code == 200, "it does not recover")
                _expect(served.http.get(f"{at}/stm").json()["stm"] == [*stm, ["b"]], "the memory is another")
                served.post(f"{at}/learn", {})
                served.post(f"{at}/observe", {"strings": ["a"]})
                learned += 1
                counts["recovered"] += 1
    return dict(counts)


def main() -> int:
    """Read the command line."""
    parser = asking("faults", "A disk that refuses.", ("rollback",))
    parser.add_argument("--points", type=int, default=500)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        return _child(Path(given.child), given.points, given.seed, given.without)
    print(f"seed {given.seed}", flush=True)
    if compiler() is None:
        print("skipped: there is no C compiler (cc) to build disk.c with")
        return 0
    return judged(lambda: embedded(given.points, given.seed, given.without)) or judged(server)


def _child(directory: Path, points: int, seed: int, without: str) -> int:
    """What `embedded` starts: the counts as JSON, or what was broken."""
    take_out(without)
    try:
        print(json.dumps(try_embedded(directory, points, seed)))
    except Broken as broken:
        print(broken)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
