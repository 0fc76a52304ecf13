"""Which memory a command talks to: a server by its address, or a file on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kato import Kato, KATOClient, StorageUnavailable
from kato.client.methods import ClientMethods
from kato.settings import KEY_VARIABLE, Settings
from kato.storage.opening import database_at

Url = Annotated[str | None, typer.Option("--url", help="Talk to a running server, e.g. http://127.0.0.1:8000.")]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        envvar=KEY_VARIABLE,
        show_envvar=False,
        help=f"Key for --url; better in {KEY_VARIABLE}, out of sight.",
    ),
]
Data = Annotated[str | None, typer.Option("--data", help="Open this directory or .db file; default: KATO_DATA_DIR.")]
Node = Annotated[str, typer.Option("--node", "-n", help="The node whose memory it is.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")]


def open_memory(url: str | None, data: str | None, api_key: str | None = None, *, make: bool = False) -> ClientMethods:
    """
    The memory that the options name; one that is not there yet is made only if `make` says so.

    Raises:
        KATOError: It cannot be opened; `StorageInUse` when a server holds the directory.
    """
    if url is not None and data is not None:
        raise typer.BadParameter("give --url or --data, not both")
    if url is not None:
        try:
            return KATOClient(url, api_key=api_key or None)
        except ValueError as error:
            told = str(error).replace("base_url", "--url").replace("api_key", "--api-key")
            raise typer.BadParameter(told) from error
    settings, _ = Settings.read()
    directory = data or settings.data_dir
    if not make and not Path(directory).expanduser().exists():
        raise StorageUnavailable(f"there is no memory at {directory}; `kato train` makes one")
    return Kato(directory, engine=settings.engine, durability=settings.durability)


def database(data: str | None) -> Path:
    """The database file that `--data` or the settings name, without opening it."""
    return database_at(data or Settings.read()[0].data_dir)
