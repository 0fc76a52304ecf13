"""`kato predict`: observe some words and print what comes next."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from kato.cli.files import split
from kato.cli.opening import ApiKey, AsJson, Data, Node, Url, open_memory
from kato.cli.printing import console, line_of, number, print_json
from kato.wire.answers import NUMBERS

METRICS = (*NUMBERS, "frequency")
_SHOWN = "similarity,evidence,confidence,potential"


def predict(
    words: Annotated[list[str], typer.Argument(help="What to observe, one event each.")],
    node: Node,
    metrics: Annotated[str, typer.Option("--metrics", help="Numbers to print, separated by commas.")] = _SHOWN,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most predictions.")] = 10,
    threshold: Annotated[float | None, typer.Option("--threshold", help="recall_threshold, 0 to 1.")] = None,
    rank: Annotated[str | None, typer.Option("--rank", help="rank_sort_algo.")] = None,
    tokens: Annotated[str, typer.Option("--tokens", help="words as given, or chars of them.")] = "words",
    as_json: AsJson = False,
    url: Url = None,
    data: Data = None,
    api_key: ApiKey = None,
) -> None:
    """Observe some words in a session of their own and print past, present and future of what matches."""
    names = [name.strip() for name in metrics.split(",") if name.strip()]
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise typer.BadParameter(f"there is no metric {', '.join(unknown)}; there are {', '.join(METRICS)}")
    config: dict[str, Any] = {"max_predictions": limit}
    if threshold is not None:
        config["recall_threshold"] = threshold
    if rank is not None:
        config["rank_sort_algo"] = rank
    events = split(" ".join(words), "chars") if tokens == "chars" else [[word] for word in words]
    with open_memory(url, data, api_key) as memory:
        memory.create_session(node, config=config, ttl=300)
        memory.observe_sequence([{"strings": event} for event in events])
        answer = memory.get_predictions()
        memory.delete_session()
    if as_json:
        print_json(answer)
        return
    found = answer["predictions"]
    if not found:
        console.print(f"No pattern of node {node!r} matches; lower --threshold, or train it first.", highlight=False)
        return
    for rank_, prediction in enumerate(found, start=1):
        past, present, future = (escape(line_of(prediction[part])) for part in ("past", "present", "future"))
        line = f"{rank_:>3}. [dim]{past}[/dim] · [bold]{present}[/bold] · [green]{future}[/green]"
        console.print(line.replace("[dim][/dim] · ", ""), highlight=False, soft_wrap=True)
        numbers = "  ".join(f"{name} {number(prediction['metrics'].get(name))}" for name in names)
        console.print(f"     {numbers}", highlight=False, style="dim", soft_wrap=True)
