"""`kato explain`: why a pattern is predicted for some words, or why it is not."""

from __future__ import annotations

from typing import Annotated

import typer

from kato.cli.correct import Pattern
from kato.cli.opening import ApiKey, AsJson, Data, Node, Url, open_memory
from kato.cli.printing import print_json


def explain(
    pattern: Pattern,
    words: Annotated[list[str], typer.Argument(help="What is observed, one event each.")],
    node: Node,
    threshold: Annotated[float | None, typer.Option("--threshold", help="recall_threshold, 0 to 1.")] = None,
    rank: Annotated[str | None, typer.Option("--rank", help="rank_sort_algo.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="As it was after this sequence, or at this time.")] = None,
    levels: Annotated[int, typer.Option("--levels", min=0, help="How deep numbers are told; 99 to every count.")] = 2,
    as_json: AsJson = False,
    url: Url = None,
    data: Data = None,
    api_key: ApiKey = None,
) -> None:
    """Print what becomes of a pattern when these words are observed, its place, its numbers, and where it comes from."""
    config = {"recall_threshold": threshold, "rank_sort_algo": rank}
    given = {name: value for name, value in config.items() if value is not None}
    with open_memory(url, data, api_key) as memory:
        answer = memory.explain_pattern(pattern, [[word] for word in words], node, config=given, at=at)
    if as_json:
        print_json(answer)
    else:
        answer.explain(levels)  # type: ignore[attr-defined]  # an ExplainedPattern
