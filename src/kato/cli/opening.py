"""Which memory a command talks to: a server by its address, or a file on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from kato import Kato, KATOClient
from kato.client.methods import ClientMethods
from kato.settings import Settings

Url = Annotated[str | None, typer.Option("--url", help="Talk to a running server, e.g. http://127.0.0.1:8000.")]
Data = Annotated[str | None, typer.Option("--data", help="Open this directory or .db file; default: KATO_DATA_DIR.")]
Node = Annotated[str, typer.Option("--node", "-n", help="The node whose memory it is.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")]


def open_memory(url: str | None, data: str | None) -> ClientMethods:
    """
    The memory that the options name.

    Raises:
        KATOError: It cannot be opened; `StorageInUse` when a server holds the directory.
    """
    if url is not None and data is not None:
        raise typer.BadParameter("give --url or --data, not both")
    if url is not None:
        return KATOClient(url)
    settings, _ = Settings.read()
    return Kato(data or settings.data_dir, engine=settings.engine, durability=settings.durability)
