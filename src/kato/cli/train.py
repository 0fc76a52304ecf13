"""`kato train`: learn the sequences of a file."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

import kato
from kato import Kato
from kato.cli.files import FORMATS, TOKENS, Sequence, guess_format, read_sequences, windows
from kato.cli.opening import ApiKey, AsJson, Data, Node, Url, open_memory
from kato.cli.printing import console, print_json
from kato.client.methods import ClientMethods

_LONGEST = 1000
"""Events of one sequence; the most a short-term memory holds, too."""


@dataclass(slots=True)
class Tally:
    """What became of the sequences so far."""

    learned: int = 0
    new: int = 0
    too_short: int = 0
    cut: int = 0


def train(
    file: Annotated[Path, typer.Argument(help="The file to learn.", exists=True, dir_okay=False, readable=True)],
    node: Node,
    form: Annotated[str, typer.Option("--format", help="One of " + ", ".join(FORMATS) + ".")] = "auto",
    tokens: Annotated[str, typer.Option("--tokens", help="For text, one of " + ", ".join(TOKENS) + ".")] = "words",
    window: Annotated[int | None, typer.Option("--window", min=2, help="Learn every run of so many events.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Stop after so many sequences.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    data: Data = None,
    api_key: ApiKey = None,
) -> None:
    """Learn the sequences of a file: text lines, CSV or TSV of id and item, or JSON lines of events."""
    if form not in FORMATS:
        raise typer.BadParameter(f"--format must be one of {', '.join(FORMATS)}, got {form}")
    if tokens not in TOKENS:
        raise typer.BadParameter(f"--tokens must be one of {', '.join(TOKENS)}, got {tokens}")
    form = guess_format(file) if form == "auto" else form
    started = time.perf_counter()
    with open_memory(url, data, api_key, make=True) as memory:
        tally, head = Tally(), memory.get_history(node, limit=1)["head"]
        try:
            _learn_file(memory, file, node, form, tokens, window, limit, tally, silent=as_json)
        except BaseException:
            if tally.learned:
                # Who mends the file and learns it again would count these twice.
                place = [*(["--url", url] if url else []), *(["--data", data] if data else [])]
                undo = shlex.join(["kato", "undo", "--node", node, "--to", str(head), *place])
                sys.stderr.write(
                    f"{tally.learned:,} sequences were learned before this; `{undo}` takes them back, "
                    "with whatever else the node has learned since\n"
                )
            raise
        seconds = time.perf_counter() - started
        size = memory.system.storage.size_bytes() if isinstance(memory, Kato) else None
        if as_json:
            print_json({**asdict(tally), "node_id": node, "format": form, "seconds": seconds, "size_bytes": size})
            return
        rate = tally.learned / seconds if seconds else 0.0
        console.print(
            f"Learned {tally.learned:,} sequences ({tally.new:,} new patterns) of {file.name} as {form} "
            f"in {seconds:.1f} s, {rate:,.0f}/s.",
            highlight=False,
            soft_wrap=True,
        )
        if tally.too_short:
            console.print(
                f"{tally.too_short:,} had fewer than 2 symbols and were passed over.", highlight=False, soft_wrap=True
            )
        if tally.cut:
            console.print(
                f"{tally.cut:,} were longer than {_LONGEST} events and were learned in parts.", highlight=False
            )
        if size is not None:
            console.print(f"The memory holds {size / 1e6:,.1f} MB on disk.", highlight=False, soft_wrap=True)


def _learn_file(
    memory: ClientMethods,
    file: Path,
    node: str,
    form: str,
    tokens: str,
    window: int | None,
    limit: int | None,
    tally: Tally,
    *,
    silent: bool,
) -> None:
    size = file.stat().st_size
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[count]:,} sequences, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
        console=console,
        disable=silent,
    )
    with bar, file.open("rb") as stream:
        task = bar.add_task(f"learning {file.name}", total=size, count=0, rate=0.0)
        started = time.perf_counter()

        def show(done: kato.Progress) -> None:
            elapsed = max(time.perf_counter() - started, 1e-9)
            bar.update(task, completed=stream.tell(), count=done.learned, rate=done.learned / elapsed)
            tally.learned, tally.new = done.learned, done.new

        sequences = _fitting(windows(read_sequences(stream, form, tokens), window), tally)
        memory.learn_all(islice(sequences, limit), node_id=node, progress=show)
        bar.update(task, completed=size)


def _fitting(sequences: Iterator[Sequence], tally: Tally) -> Iterator[Sequence]:
    """Sequences that can be learned: long ones in parts, short ones counted and passed over."""
    for sequence in sequences:
        tally.cut += len(sequence) > _LONGEST
        for start in range(0, max(len(sequence), 1), _LONGEST):
            part = sequence[start : start + _LONGEST]
            if sum(map(len, part)) < 2:
                tally.too_short += 1
            else:
                yield part
