"""`kato serve`: run the server."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from kato.cli.printing import console
from kato.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on (127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65_535, help="Port to listen on (8000).")] = None,
    data: Annotated[str | None, typer.Option("--data", help="Directory that keeps everything.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; only 1 is possible.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Allow a public address without keys.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the log as lines of JSON (KATO_LOG_FORMAT=json).")
    ] = False,
) -> None:
    """Run the server until Ctrl-C. Options go before the environment, the environment before the defaults."""
    from kato.server.running import serve as run

    settings, warnings = Settings.read()
    for warning in warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)
    given: dict[str, Any] = {"host": host, "port": port, "data_dir": data, "workers": workers}
    given["log_format"] = "json" if as_json else None
    settings = replace(
        settings, insecure=insecure, **{name: value for name, value in given.items() if value is not None}
    )
    run(settings)
