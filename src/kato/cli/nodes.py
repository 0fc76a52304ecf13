"""`kato nodes`: the nodes that have learned something."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from kato.cli.opening import ApiKey, AsJson, Data, Url, open_memory
from kato.cli.printing import console, print_json


def nodes(as_json: AsJson = False, url: Url = None, data: Data = None, api_key: ApiKey = None) -> None:
    """List the nodes that have learned something, with their patterns and the length of their logs."""
    with open_memory(url, data, api_key) as memory:
        answer = memory.list_nodes()
    if as_json:
        print_json(answer)
        return
    if not answer["nodes"]:
        console.print("No node has learned anything yet.")
        return
    table = Table("node", "patterns", "log", "changed")
    for node in answer["nodes"]:
        table.add_row(escape(node["node_id"]), f"{node['patterns']:,}", f"{node['sequence']:,}", node["changed_at"])
    console.print(table)
    if answer["has_more"]:
        console.print(f"… and more; these are the first {answer['count']}.")
