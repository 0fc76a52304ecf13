"""`kato nodes`: the nodes that have learned something."""

from __future__ import annotations

from kato.cli.opening import ApiKey, AsJson, Data, Url, open_memory
from kato.cli.printing import console, print_json
from kato.cli.tables import Field, print_table


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
    fields = (
        Field("node", folds=True),
        Field("patterns", is_number=True),
        Field("log", is_number=True, goes=1),
        Field("changed", goes=2),
    )
    print_table(
        fields,
        [
            (
                node["node_id"],
                f"{node['patterns']:,}",
                f"{node['sequence']:,}",
                node["changed_at"][:19].replace("T", " "),
            )
            for node in answer["nodes"]
        ],
    )
    if answer["has_more"]:
        console.print(f"… and more; these are the first {answer['count']}.")
