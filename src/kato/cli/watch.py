"""`kato watch`: what happens at a server, as it happens."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.markup import escape

from kato import KATOError, ServerUnreachable
from kato.cli.opening import ApiKey, AsJson
from kato.cli.printing import console
from kato.wire.failures import error_from_answer

_ENDS: dict[int | None, str] = {
    1001: "the server stops",
    1012: "the server stops",
    1008: "the key lets nobody in any more",
    1013: "more happened than could be printed",
}
_QUIET = {"heartbeat", "subscribed"}


def watch(
    url: Annotated[str, typer.Option("--url", help="The running server.")] = "http://127.0.0.1:8000",
    node: Annotated[str | None, typer.Option("--node", "-n", help="Only what happens to this node.")] = None,
    event: Annotated[list[str] | None, typer.Option("--event", help="Only events of this type; repeatable.")] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many events.")] = None,
    as_json: AsJson = False,
    api_key: ApiKey = None,
) -> None:
    """Print events of a server as they happen, one a line, until Ctrl-C."""
    from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
    from websockets.sync.client import connect

    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter("--url must begin with http:// or https://")
    query = urlencode([*([("node_id", node)] if node else []), *(("event_type", each) for each in event or [])])
    address = f"ws{url.removeprefix('http').rstrip('/')}/ws/events{f'?{query}' if query else ''}"
    seen = 0
    try:
        with connect(address, additional_headers={"X-API-Key": api_key} if api_key else {}) as socket:
            while True:
                told = json.loads(socket.recv())
                if told["event_type"] in _QUIET:
                    continue
                if as_json:
                    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
                    sys.stdout.flush()
                else:
                    console.print(_line(told), highlight=False, soft_wrap=True)
                seen += 1
                if count is not None and seen >= count:
                    return
    except InvalidStatus as refused:
        raise _refusal(refused.response.status_code, refused.response.body) from refused
    except ConnectionClosed as ended:
        reason = _ENDS.get(ended.rcvd.code if ended.rcvd is not None else None, "the connection was lost")
        raise KATOError(f"{url} is watched no longer: {reason}") from ended
    except (OSError, WebSocketException) as error:
        raise ServerUnreachable(f"{url} does not let itself be watched: {error}") from error


def _refusal(status: int, body: bytes | bytearray | None) -> KATOError:
    """What the server said instead of letting itself be watched."""
    text = (body or b"").decode("utf-8", "replace")
    try:
        return error_from_answer(status, json.loads(text))
    except ValueError:
        return error_from_answer(status, text)


def _line(told: dict[str, Any]) -> str:
    when = told["timestamp"][11:19]
    facts = ", ".join(f"{name} {value}" for name, value in told["data"].items() if name != "pattern_names")
    return f"[dim]{when}[/dim] [bold]{told['event_type']:18}[/bold] {escape(facts)}"
