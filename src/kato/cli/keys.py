"""`kato keys`: who may call the server of a data directory."""

from __future__ import annotations

import sys
import unicodedata
from typing import Annotated

import typer

from kato.cli.opening import AsJson, Data
from kato.cli.printing import console, print_json
from kato.cli.tables import Field, print_table
from kato.errors import StorageUnavailable
from kato.operations.keys import key_members
from kato.settings import Settings
from kato.storage.keys import SCOPES, Key, KeyFile
from kato.storage.opening import key_file
from kato.wire.answers import time_text
from kato.wire.key_requests import LONGEST_NAME
from kato.wire.limits import Limits

app = typer.Typer(
    help="Make, list and revoke the API keys of a data directory; a running server follows at once.",
    no_args_is_help=True,
)


def keys_of(data: str | None) -> KeyFile:
    """
    The keys that belong to what `--data` or the settings name.

    Raises:
        StorageUnavailable: That is kept nowhere, and so are its keys.
    """
    found = key_file(data or Settings.read()[0].data_dir)
    if found is None:
        raise StorageUnavailable(
            "a memory that is kept nowhere keeps no keys; give them to the server in KATO_API_KEYS"
        )
    return found


@app.command()
def create(
    name: Annotated[str, typer.Option("--name", help="What it is for, or whose it is.")] = "",
    scope: Annotated[str, typer.Option("--scope", help=f"What it may do: {', '.join(SCOPES)}.")] = "write",
    prefix: Annotated[
        list[str] | None,
        typer.Option("--prefix", help="It may touch nodes whose ids begin so; repeatable; default: all."),
    ] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Make a key and print it, this once: on standard output the key alone, about it on standard error."""
    prefixes = prefix or []
    known = next((each for each in SCOPES if each == scope), None)
    if known is None:
        raise typer.BadParameter(f"--scope must be one of {', '.join(SCOPES)}")
    if len(name) > LONGEST_NAME or not _is_text(name):
        raise typer.BadParameter(f"--name may have {LONGEST_NAME} characters, without control characters")
    if not all(each and len(each) <= Limits().max_node_id and _is_text(each) for each in prefixes):
        raise typer.BadParameter(
            f"--prefix must have 1 to {Limits().max_node_id} characters, without control characters, as a node id has"
        )
    secret, made = keys_of(data).create(name, known, prefixes)
    if as_json:
        print_json({"key": secret, **key_members(made, None)})
        return
    sys.stdout.write(f"{secret}\n")
    sys.stderr.write(f"{made.key_id}, scope {made.scope}, {_nodes(made)}. It is shown this once; keep it.\n")


@app.command("list")
def list_(as_json: AsJson = False, data: Data = None) -> None:
    """List the keys there are, and were; never the keys themselves."""
    file = keys_of(data)
    keys, uses = file.read(), file.read_uses()
    if as_json:
        print_json({"keys": [key_members(key, uses.get(key.key_id)) for key in keys]})
        return
    if not keys:
        console.print("There are no keys; a server on a loopback address lets everybody do everything.")
        return
    fields = (
        Field("id"),
        Field("name", folds=True),
        Field("scope"),
        Field("nodes", folds=True, goes=1),
        Field("made", goes=3),
        Field("last used", goes=2),
        Field("revoked"),
    )
    rows = []
    for key in keys:
        times = (key.created_at, uses.get(key.key_id), key.revoked_at)
        made, used, revoked = (time_text(at)[:10] if at is not None else "-" for at in times)
        nodes = ", ".join(f"{prefix}…" for prefix in key.prefixes) or "all"
        rows.append((key.key_id, key.name, key.scope, nodes, made, used, revoked))
    print_table(fields, rows)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, or its name if no other has it.")],
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Revoke a key: from the next request on it lets nobody in, and its WebSockets are closed."""
    file = keys_of(data)
    revoked = file.revoke(key)
    if revoked is None:
        raise StorageUnavailable(
            f"there is no usable key {key!r}, or more than one of that name; `kato keys list` shows them"
        )
    if as_json:
        print_json(key_members(revoked, file.read_uses().get(revoked.key_id)))
        return
    console.print(f"{revoked.key_id} is revoked.", highlight=False)


def _is_text(text: str) -> bool:
    """Whether it is Unicode text without control characters; a shell can hand over bytes that are none."""
    return not any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)


def _nodes(key: Key) -> str:
    return "nodes that begin with " + ", ".join(map(repr, key.prefixes)) if key.prefixes else "all nodes"
