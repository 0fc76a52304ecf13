"""`kato top`: rates and memory of a server, refreshed."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.columns import Columns
from rich.console import Group
from rich.live import Live
from rich.text import Text

from kato.cli.opening import ApiKey, AsJson, Data, Url, open_memory
from kato.cli.printing import console, print_json
from kato.cli.tables import Field, fitted
from kato.client.methods import ClientMethods

_FIELDS = (
    Field("node", folds=True),
    Field("patterns", is_number=True),
    Field("symbols", is_number=True, goes=2),
    Field("in memory", is_number=True, goes=1),
    Field("changed", goes=3),
)


def top(
    every: Annotated[float, typer.Option("--every", min=0.2, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    data: Data = None,
    api_key: ApiKey = None,
) -> None:
    """Print rates, memory and nodes, again and again until Ctrl-C; with --json once."""
    with open_memory(url, data, api_key) as memory:
        if as_json:
            print_json(_look(memory))
            return
        if once:
            console.print(_shown(_look(memory)))
            return
        with Live(_shown(_look(memory)), console=console, auto_refresh=False) as live:
            while True:
                time.sleep(every)
                live.update(_shown(_look(memory)), refresh=True)


def _look(memory: ClientMethods) -> dict[str, Any]:
    return {"metrics": memory.metrics(), "nodes": memory.list_nodes(limit=1000)["nodes"]}


def _shown(look: dict[str, Any]) -> Group:
    metrics = look["metrics"]
    rates, performance, resources = metrics["rates"], metrics["performance"], metrics["resources"]
    facts = (
        f"{rates['requests_per_second']:.1f} requests/s",
        f"{performance['average_response_time_ms']:.2f} ms on average",
        f"{rates['errors_per_minute']:g} errors/min",
        f"{metrics['sessions']['active']:,} sessions",
        f"{metrics['observations_processed']:,} observations",
        f"{metrics['patterns_learned']:,} learnings",
        f"processor {resources['cpu_percent']:.0f} %",
        f"memory {resources['memory_percent']:.0f} %",
    )
    newest = sorted(look["nodes"], key=lambda node: node["changed_at"], reverse=True)[:20]
    table, sentence = fitted(
        _FIELDS,
        [
            (
                node["node_id"],
                f"{node['patterns']:,}",
                "-" if node["symbols"] is None else f"{node['symbols']:,}",
                "-" if node["size_bytes"] is None else f"{node['size_bytes'] / 2**20:.1f} MiB",
                node["changed_at"][:19].replace("T", " "),
            )
            for node in newest
        ],
    )
    return Group(Columns(facts, padding=(0, 3)), table, *([Text(sentence, style="dim")] if sentence else []))
