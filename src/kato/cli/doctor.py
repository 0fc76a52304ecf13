"""`kato doctor`: what is installed, where data lives, and what is wrong."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

from kato import Kato, KATOError, StorageInUse, __version__
from kato.cli import kernel
from kato.cli.opening import AsJson, Data
from kato.cli.printing import console, print_json
from kato.engine.matching import choose
from kato.settings import Settings

_LIBRARIES = ("fastapi", "uvicorn", "pydantic", "orjson", "httpx2", "numpy", "typer")


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


def _open(directory: Path, report: dict[str, Any], problems: list[str]) -> str:
    try:
        with Kato(directory) as memory:
            nodes = memory.system.storage.nodes(limit=1_000_000)
            report["nodes"] = len(nodes)
            report["patterns"] = sum(node.patterns for node in nodes)
            report["size_bytes"] = memory.system.storage.size_bytes()
            return "good"
    except StorageInUse as error:
        return f"in use: {error.message}"
    except KATOError as error:
        problems.append(error.message)
        return "cannot be opened"


def doctor(as_json: AsJson = False, data: Data = None) -> None:
    """Print versions, the engine, where data lives, and what is wrong; exit code 1 if something is."""
    report = examine(data)
    if as_json:
        print_json(report)
    else:
        for name, value in report.items():
            if name in {"warnings", "problems", "libraries"}:
                continue
            if name == "native_kernel":
                value = kernel.described(value)
            console.print(f"{name:14} {value}", markup=False, highlight=False, soft_wrap=True)
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
