"""`kato history`, `kato undo`, `kato forget`: what happened to a node, and taking it back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from kato.cli.opening import ApiKey, AsJson, Data, Node, Url, open_memory
from kato.cli.printing import console, line_of, print_json
from kato.cli.tables import Field, print_table

Pattern = Annotated[str, typer.Argument(help="The pattern, with or without PTRN|.")]


def history(
    node: Node,
    pattern: Annotated[str | None, typer.Option("--pattern", help="Only what is about this pattern.")] = None,
    operation: Annotated[
        str | None, typer.Option("--operation", help="Only learn, edit, forget, forget_all or undo.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Most entries.")] = 20,
    as_json: AsJson = False,
    url: Url = None,
    data: Data = None,
    api_key: ApiKey = None,
) -> None:
    """Print what happened to a node's memory, the newest first."""
    with open_memory(url, data, api_key) as memory:
        answer = memory.get_history(node, pattern=pattern, operation=operation, limit=limit)
    if as_json:
        print_json(answer)
        return
    if not answer["entries"]:
        console.print("Nothing has happened.")
        return
    fields = (
        Field("sequence", is_number=True),
        Field("when", goes=2),
        Field("what"),
        Field("pattern", goes=1),
        Field("by", goes=3),
        Field("with", folds=True),
    )
    rows = [
        (
            str(entry["sequence"]),
            entry["at"][:19].replace("T", " "),
            entry["operation"],
            (entry["pattern_name"] or "all patterns")[:17],
            (entry["actor"] or entry["session_id"] or "-")[:20],
            _with(entry["details"]),
        )
        for entry in answer["entries"]
    ]
    print_table(fields, rows)
    if answer["has_more"]:
        console.print(f"… and older ones; --limit shows more. The newest is {answer['head']}.")


def _with(details: dict[str, Any]) -> str:
    told = []
    for name, value in details.items():
        if name == "to":
            told.append(f"back to {value}")
        elif name not in {"part", "parts"}:
            told.append(line_of(value) if name == "events" else f"{name} {value}")
    return ", ".join(told)[:200]


def undo(
    node: Node,
    count: Annotated[int | None, typer.Option("--count", min=1, help="How many changes; 1 unless told.")] = None,
    to: Annotated[int | None, typer.Option("--to", min=0, help="Everything behind this sequence instead.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    data: Data = None,
    api_key: ApiKey = None,
) -> None:
    """Take back the newest changes of a node. `kato undo` again brings them back."""
    if count is not None and to is not None:
        raise typer.BadParameter("give --count or --to, not both")
    with open_memory(url, data, api_key) as memory:
        answer = memory.undo(count, node, to=to)
    if as_json:
        print_json(answer)
        return
    console.print(
        f"Took back {answer['count']} changes: the node is as it was after {answer['to']}, "
        f"{answer['restored_count']} patterns were put back.",
        highlight=False,
        soft_wrap=True,
    )
    for each in answer["restored"][:10]:
        console.print(
            f"  {each['pattern_name']}: learned {each['frequency_before']} → {each['frequency']} times", highlight=False
        )
    for sentence in answer["warnings"]:
        console.print(sentence, style="yellow", markup=False)


def forget(
    pattern: Pattern,
    node: Node,
    as_json: AsJson = False,
    url: Url = None,
    data: Data = None,
    api_key: ApiKey = None,
) -> None:
    """Forget one pattern, as if it had never been learned; `kato undo` brings it back."""
    with open_memory(url, data, api_key) as memory:
        answer = memory.forget_pattern(pattern, node)
    if as_json:
        print_json(answer)
        return
    console.print(f"Forgot {answer['pattern_name']}, learned {answer['frequency']} times.", highlight=False)
