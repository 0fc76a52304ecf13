"""`kato forecast`: observe some words and print what comes next, how likely, and why."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from kato.cli.files import split
from kato.cli.opening import ApiKey, AsJson, Data, Node, Url, open_memory
from kato.cli.printing import console, line_of, print_json


def forecast(
    words: Annotated[list[str], typer.Argument(help="What to observe, one event each.")],
    node: Node,
    horizon: Annotated[
        int, typer.Option("--horizon", min=0, max=100, help="Events ahead that count; 0: the last event.")
    ] = 1,
    ending: Annotated[bool, typer.Option("--ending", help="The sequence ends with those events.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Most symbols.")] = 10,
    explain: Annotated[bool, typer.Option("--explain", help="Say which patterns are behind each symbol.")] = False,
    tokens: Annotated[str, typer.Option("--tokens", help="words as given, or chars of them.")] = "words",
    as_json: AsJson = False,
    url: Url = None,
    data: Data = None,
    api_key: ApiKey = None,
) -> None:
    """Observe some words in a session of their own and print what comes next and how likely; waits for a self-test."""
    events = split(" ".join(words), "chars") if tokens == "chars" else [[word] for word in words]
    with open_memory(url, data, api_key) as memory:
        memory.create_session(node, ttl=300)
        memory.observe_sequence([{"strings": event} for event in events])
        answer = memory.get_forecast(horizon=horizon, ending=ending, limit=limit, explain=explain, wait=True)
        memory.delete_session()
    if as_json:
        print_json(answer)
        return
    if not answer["forecast"]:
        console.print(f"Node {node!r} has learned nothing; train it first.", highlight=False)
        return
    for entry in answer["forecast"]:
        line = f"{entry['probability']:7.1%}  {escape(entry['symbol'])}  [dim]share {entry['share']:.3f}[/dim]"
        console.print(line, highlight=False, soft_wrap=True)
        for voice in entry.get("voices", ()):
            sequence = voice["sequence"]
            before, after = line_of(sequence[: voice["position"]]), line_of(sequence[voice["position"] :])
            told = f"         {voice['share']:.3f}  {escape(before)} · {escape(after)}"
            console.print(told, highlight=False, style="dim", soft_wrap=True)
    console.print(f"{answer['unknown']:7.1%}  something it has never seen", highlight=False, style="dim")
    profile = answer["profile"]
    ways = ", ".join(f"{way['name']} × {way['count']}" for way in profile["mix"])
    known = (
        f"right in {profile['hit_rate']:.1%} of {profile['tested']} questions about its own patterns{_of_them(profile)}"
        if profile["tested"]
        else "not tested: the node has too few patterns to ask itself about"
    )
    console.print(f"Voting: {ways}; {known}", highlight=False, style="dim", soft_wrap=True)


def _of_them(profile: dict[str, Any]) -> str:
    """How it did in questions of each sort."""
    sorts = (("left_out", "with one learning left out"), ("foretold", "before it was learned"))
    told = [
        f"{profile[name]['hit_rate']:.1%} of {profile[name]['tested']} {how}"
        for name, how in sorts
        if profile[name]["tested"]
    ]
    return f" ({', '.join(told)})"
