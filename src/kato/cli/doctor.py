"""`kato doctor`: what is installed, where data lives, and what is wrong."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

from kato import Kato, KATOClient, KATOError, StorageInUse, __version__
from kato.cli import kernel
from kato.cli.opening import ApiKey, AsJson, Data, Url
from kato.cli.printing import console, print_json
from kato.engine.matching import choose
from kato.settings import Settings
from kato.storage import snapshots

_LIBRARIES = ("fastapi", "uvicorn", "pydantic", "orjson", "httpx2", "numpy", "typer")


_COSTS = ("node_id", "patterns", "index_bytes", "rest_bytes", "last_accessed", "access_count", "is_loading")
_SHOWN = 20
"""Nodes of a directory that are told one by one."""


def examine(data: str | None) -> dict[str, Any]:
    """All that doctor reports; `problems` are sentences, [] when all is well."""
    problems: list[str] = []
    warnings: list[str] = []
    settings = Settings()
    try:
        settings, warnings = Settings.read()
    except KATOError as error:
        problems.append(f"settings: {error.message}")
    native = kernel.find()
    warnings = [*warnings, *filter(None, [native.missing])]
    problems += filter(None, [native.broken])
    report: dict[str, Any] = {
        "kato": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "native_kernel": native.build,
        "engine": None,
        "memory_budget": settings.memory_budget,
    }
    try:
        if not native.broken:
            report["engine"] = "plain" if choose(settings.engine).__name__.startswith("Plain") else "native"
    except KATOError as error:
        problems.append(error.message)
    directory = Path(data or settings.data_dir).expanduser()
    report["data"] = str(directory)
    if native.broken:
        report["state"] = "not opened"
    elif directory.exists():
        report["state"] = _open(directory, report, problems)
    else:
        report["state"] = "does not exist yet; it is made when first used"
        parent = next(each for each in directory.parents if each.exists())
        if not os.access(parent, os.W_OK):
            problems.append(f"{parent} may not be written to; choose another directory with KATO_DATA_DIR or --data")
    return {**report, "warnings": warnings, "problems": problems}


def ask(url: str, report: dict[str, Any], problems: list[str], api_key: str | None = None) -> None:
    """What a running server says of the nodes it holds in memory."""
    try:
        with KATOClient(url, api_key=api_key or None) as client:
            held = client.status()["processors"]
    except (KATOError, ValueError) as error:
        problems.append(f"{url}: {error}")
        return
    report["server"] = {
        "url": url,
        **{name: held[name] for name in ("memory_bytes", "memory_budget_bytes", "evictions", "snapshots_discarded")},
        "nodes": [{name: node[name] for name in _COSTS} for node in held["processors"]],
    }


def _files(memory: Kato) -> list[dict[str, Any]]:
    """The largest nodes, and the bytes of their snapshots: about what their indexes take in memory."""
    storage = memory.system.storage
    largest = sorted(storage.nodes(limit=1_000_000), key=lambda node: (-node.patterns, node.node_id))[:_SHOWN]
    shown = []
    for node in largest:
        path = snapshots.path_of(storage.snapshots, node.node_id) if storage.snapshots is not None else None
        size = path.stat().st_size if path is not None and path.exists() else None
        shown.append({"node_id": node.node_id, "patterns": node.patterns, "snapshot_bytes": size})
    return shown


def _open(directory: Path, report: dict[str, Any], problems: list[str]) -> str:
    try:
        with Kato(directory) as memory:
            nodes = memory.system.storage.nodes(limit=1_000_000)
            report["nodes"] = len(nodes)
            report["patterns"] = sum(node.patterns for node in nodes)
            report["size_bytes"] = memory.system.storage.size_bytes()
            report["largest"] = _files(memory)
            return "good"
    except StorageInUse as error:
        return f"in use: {error.message}"
    except KATOError as error:
        problems.append(error.message)
        return "cannot be opened"


def _told(name: str, value: Any) -> list[str]:
    """A part of the report as lines for people."""
    if name == "native_kernel":
        return [kernel.described(value)]
    if name == "largest":
        return [
            f"{node['node_id']!r}: {node['patterns']:,} patterns, "
            + (f"snapshot of {node['snapshot_bytes']:,} bytes" if node["snapshot_bytes"] else "no snapshot")
            for node in value
        ]
    if name == "server":
        budget = value["memory_budget_bytes"]
        return [
            f"{value['url']}: nodes take {value['memory_bytes']:,} of {'any number of' if budget is None else f'{budget:,}'} "
            f"bytes; {value['evictions']:,} were let go",
            *(
                f"{node['node_id']!r}: {node['patterns']:,} patterns, {node['index_bytes']:,} bytes of index, "
                f"{node['rest_bytes']:,} of the rest, last asked {node['last_accessed']}"
                for node in value["nodes"]
            ),
        ]
    return [str(value)]


def doctor(as_json: AsJson = False, data: Data = None, url: Url = None, api_key: ApiKey = None) -> None:
    """
    Print versions, the engine, where data lives, and what is wrong; exit code 1 if something is.

    With --url also what each node in a running server's memory costs.
    """
    report = examine(data)
    if url is not None:
        ask(url, report, report["problems"], api_key)
    if as_json:
        print_json(report)
    else:
        for name, value in report.items():
            if name in {"warnings", "problems", "libraries"}:
                continue
            for line, told in enumerate(_told(name, value)):
                console.print(f"{'' if line else name:14} {told}", markup=False, highlight=False, soft_wrap=True)
        console.print(
            "libraries      " + ", ".join(f"{name} {found}" for name, found in report["libraries"].items()),
            highlight=False,
            soft_wrap=True,
        )
        for sentence in report["warnings"]:
            console.print(f"warning: {sentence}", style="yellow", markup=False, soft_wrap=True)
        for sentence in report["problems"]:
            console.print(f"wrong: {sentence}", style="red", markup=False, soft_wrap=True)
        if not report["problems"]:
            console.print("All is well.", style="green")
    if report["problems"]:
        raise typer.Exit(1)
