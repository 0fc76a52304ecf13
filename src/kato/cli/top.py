"""`kato top`: rates and memory of a server, refreshed."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from kato.cli.opening import ApiKey, AsJson, Data, Url, open_memory
from kato.cli.printing import console, print_json
from kato.client.methods import ClientMethods


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
    facts = Table.grid(padding=(0, 3))
    facts.add_row(
        f"{rates['requests_per_second']:.1f} requests/s",
        f"{performance['average_response_time_ms']:.2f} ms on average",
        f"{rates['errors_per_minute']:g} errors/min",
        f"{metrics['sessions']['active']:,} sessions",
    )
    facts.add_row(
        f"{metrics['observations_processed']:,} observations",
        f"{metrics['patterns_learned']:,} learnings",
        f"processor {resources['cpu_percent']:.0f} %",
        f"memory {resources['memory_percent']:.0f} %",
    )
    table = Table("node", "patterns", "symbols", "in memory", "changed")
    newest = sorted(look["nodes"], key=lambda node: node["changed_at"], reverse=True)
    for node in newest[:20]:
        size = "-" if node["size_bytes"] is None else f"{node['size_bytes'] / 2**20:.1f} MiB"
        symbols = "-" if node["symbols"] is None else f"{node['symbols']:,}"
        changed = node["changed_at"][:19].replace("T", " ")
        table.add_row(escape(node["node_id"]), f"{node['patterns']:,}", symbols, size, changed)
    return Group(facts, table)
