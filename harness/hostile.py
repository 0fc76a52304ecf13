"""
Hostile strings in every string slot, hostile bodies to every operation, and node ids that look alike.

    python -m harness.hostile --seed 7
    python -m harness.hostile --without encoding     must be BROKEN: node ids are folded before they are stored

Every answer must be one of the protocol: no 5xx, JSON, a trace id. What is taken must come back as it was given; what is
refused must have changed nothing. Of every pair of different node ids neither may see what the other has learned.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import corpus
from harness.breaking import take_out
from harness.command import Broken, asking, judged
from harness.processes import Server
from harness.raw import Answer, RawClient, encoded
from kato import Kato, KATOClient
from kato.operations import OPERATIONS
from kato.storage.checking import check_file
from kato.wire.encoding import encode_body

SEQUENCE = [["one"], ["two"]]
_CANARY = "canary"
_WRITTEN_WITH = ("Idempotency-Key", "Cookie", "Authorization", "X-API-Key", "Accept", "User-Agent", "Content-Encoding")
"""Headers that are tried with a write."""
Told = Callable[[Any], Any]


@dataclass(frozen=True)
class Slot:
    """A place of a request where a string goes."""

    name: str
    method: str
    target: str
    """With {} where the string goes, percent-encoded; none where it goes elsewhere."""
    body: Callable[[str], Any] | None = None
    header: str = ""
    told: Told | None = None
    """What a success tells of the string; it must be the string."""


def slots(session_id: str) -> list[Slot]:
    """Every string slot of the API; those of paths, queries and headers follow from the operations."""
    found = []
    for operation in OPERATIONS:
        names = [part[1:-1] for part in operation.template.split("/") if part.startswith("{")]
        plain = operation.template.replace("{session_id}", session_id)
        for name in names:
            if name != "session_id" or operation.method == "GET":
                place = operation.template.replace(f"{{{name}}}", "{}").replace("{session_id}", session_id)
                made = {"POST": _nothing, "PATCH": _edit}.get(operation.method)
                found.append(Slot(f"{operation.method} {operation.template} {name}", operation.method, place, made))
        if names and names != ["session_id"]:
            continue
        for parameter in operation.parameters:
            if parameter.kind == "string":
                told = (
                    _node_told if parameter.name in {"node_id", "kb_id"} and operation.template != "/sessions" else None
                )
                where = f"{plain}?{parameter.name}={{}}"
                found.append(
                    Slot(
                        f"{operation.method} {operation.template}?{parameter.name}", operation.method, where, told=told
                    )
                )
    observe = f"/sessions/{session_id}/observe"
    for name, body, told in _observations():
        found.append(Slot(f"POST observe {name}", "POST", observe, body, told=told))
    for name, method, target, made, said in _bodies(session_id):
        found.append(Slot(f"{method} {target.rpartition('/')[2][:20]} {name}", method, target, made, told=said))
    for header, told in (("X-Node-ID", _node_told), ("X-Test-ID", None), ("X-Trace-ID", None), ("X-Session-ID", None)):
        found.append(Slot(f"header {header}", "GET", "/patterns", header=header, told=told))
    found += [
        Slot(f"header {header}", "POST", "/cache/invalidate", _nothing, header=header) for header in _WRITTEN_WITH
    ]
    return found


def _observations() -> list[tuple[str, Callable[[str], Any], Told | None]]:
    return [
        ("strings", lambda text: {"strings": [text]}, lambda answer: answer["strings"][0]),
        ("emotives", lambda text: {"emotives": {text: 1}}, lambda answer: next(iter(answer["emotives"]))),
        ("metadata", lambda text: {"metadata": {text: [text]}}, lambda answer: next(iter(answer["metadata"]))),
        (
            "unique_id",
            lambda text: {"unique_id": text or "made"},
            lambda answer: answer["unique_id"].replace("made", ""),
        ),
        ("member", lambda text: {text: text}, None),
    ]


def _bodies(session_id: str) -> list[tuple[str, str, str, Callable[[str], Any], Told | None]]:
    """(member, method, target, body, what is told of it) of the other strings in bodies."""
    config, sequence = f"/sessions/{session_id}/config", f"/sessions/{session_id}/observe-sequence"
    made = {"node_id": "made", "ttl": 60}
    learn, predict, pattern = "/nodes/slots/learn", "/nodes/slots/predict", "/pattern/" + "a" * 40

    def annotated(text: str) -> Any:
        return {"sequences": [{"events": SEQUENCE, "emotives": [{text: 1}], "metadata": [{text: text}]}]}

    return [
        ("node_id", "POST", "/sessions", lambda text: {"node_id": text, "ttl": 60}, _node_told),
        ("metadata", "POST", "/sessions", lambda text: {**made, "metadata": {text: text}}, _metadata_told),
        ("config key", "POST", "/sessions", lambda text: {**made, "config": {text: 1}}, None),
        ("config value", "POST", "/sessions", lambda text: {**made, "config": {"stm_mode": text}}, None),
        ("key", "PUT", config, lambda text: {"config": {text: 1}}, None),
        ("value", "PUT", config, lambda text: {"config": {"rank_sort_algo": text}}, None),
        ("emotive", "PUT", config, lambda text: {"config": {"affinity_emotive": text}}, None),
        ("strings", "POST", sequence, lambda text: {"observations": [{"strings": [text]}]}, _symbol_told),
        ("sequences", "POST", learn, lambda text: {"sequences": [[[text], ["then"]]]}, None),
        ("emotives", "POST", learn, annotated, None),
        ("stms", "POST", predict, lambda text: {"stms": [[[text]]]}, None),
        ("config", "POST", predict, lambda text: {"stms": [], "config": {text: text}}, None),
        ("metadata", "PATCH", pattern, lambda text: {"metadata": {text: text}}, None),
    ]


def _nothing(_: str) -> Any:
    return {}


def _edit(_: str) -> Any:
    return {"frequency": 1}


def _node_told(answer: Any) -> Any:
    return answer["node_id"]


def _metadata_told(answer: Any) -> Any:
    return next(iter(answer["metadata"].items()))


def _symbol_told(answer: Any) -> Any:
    return answer["results"][0]["symbols"][0]


# --- judging ---


def judge(answer: Answer) -> str | None:
    """What is wrong with an answer, whatever was asked; None if nothing is."""
    if answer.status >= 500:
        return f"status {answer.status}: {answer.content[:300]!r}"
    if not answer.headers.get("x-trace-id"):
        return f"status {answer.status} without a trace id: {answer.content[:200]!r}"
    if "json" not in answer.headers.get("content-type", ""):
        return None if answer.status == 200 else f"an error that is no JSON: {answer.content[:200]!r}"
    try:
        body = answer.json()
    except ValueError:
        return f"no JSON: {answer.content[:200]!r}"
    if answer.status != 200 and not body.get("error", {}).get("code"):
        return f"an error without a code: {answer.content[:200]!r}"
    return None


def _try(client: RawClient, slot: Slot, text: str) -> tuple[Answer, str | None] | None:
    """(the answer, what is wrong with it); None where HTTP itself cannot carry the string."""
    headers = {}
    if slot.header:
        value = text.encode("utf-8", "surrogatepass")
        if any(byte < 0x20 or byte == 0x7F for byte in value) or len(value) > 8000:
            return None
        headers[slot.header] = (b"session_id=" if slot.header == "Cookie" else b"") + value
    if "{}" in slot.target and len(encoded(text)) > 60_000:
        return None  # the server's own limit of a request's head
    body = slot.body(text) if slot.body is not None else None
    content = encode_body(body) if body is not None else None
    answer = client.send(slot.method, slot.target.replace("{}", encoded(text)), content, **headers)
    wrong = judge(answer)
    if wrong is None and answer.status == 200 and slot.told is not None:
        told = slot.told(answer.json())
        # What stands around a header's value is not always part of it.
        allowed = {text, text.strip(" \t") or "default_node"} if slot.header else {text}
        if not any(told in (each, (each, each)) for each in allowed):
            wrong = f"told {told!r:.100}"
    return answer, wrong


def try_strings(server: Server, seed: int, share: float) -> Counter[str]:
    """
    Every string in every slot.

    Raises:
        Broken: Something was answered that may not be, or changed what it must not.
    """
    chance, counts = random.Random(seed), Counter[str]()
    with KATOClient(server.url) as memory:
        session_id = memory.create_session("hostile", ttl=24 * 3600)
        every = slots(session_id)
        before = _plant(memory)
        client = RawClient(server.port)
        for slot in every:
            for text in corpus.strings():
                if chance.random() >= share:
                    continue
                done = _try(client, slot, text)
                if done is None:
                    counts["not carried by HTTP"] += 1
                    continue
                counts[f"status {done[0].status}"] += 1
                if done[1] is not None:
                    raise Broken(f"{slot.name} with {text!r:.100}: {done[1]}")
        _see(memory, before)
        client.close()
    counts["slots"] = len(every)
    return counts


def try_bodies(server: Server, seed: int, share: float) -> Counter[str]:
    """
    Every body to every operation that takes one.

    Raises:
        Broken: As for `try_strings`.
    """
    chance, counts = random.Random(seed), Counter[str]()
    with KATOClient(server.url) as memory:
        session_id = memory.create_session("hostile", ttl=24 * 3600)
        before = _plant(memory)
        client = RawClient(server.port)
        for operation in OPERATIONS:
            if operation.method not in {"POST", "PUT", "PATCH"}:
                continue
            target = operation.template.replace("{session_id}", session_id).replace("{node_id}", "hostile")
            target = target.replace("{pattern_id}", "a" * 40)
            for body in corpus.bodies():
                if chance.random() >= share:
                    continue
                answer = client.send(operation.method, target, body)
                counts[f"status {answer.status}"] += 1
                wrong = judge(answer)
                if wrong is not None:
                    raise Broken(f"{operation.method} {operation.template} with {body[:100]!r}: {wrong}")
        _see(memory, before)
        client.close()
    return counts


def _plant(memory: KATOClient) -> Any:
    """Something that nothing here is about, and that must stay as it is."""
    memory.learn_many([SEQUENCE, [["canary"], ["sings"]]], node_id=_CANARY)
    return list(memory.node(_CANARY).iterate_patterns())


def _see(memory: KATOClient, before: Any) -> None:
    if list(memory.node(_CANARY).iterate_patterns()) != before or memory.health()["status"] != "healthy":
        raise Broken("a node that nothing was about has changed, or the server is no longer healthy")


# --- node ids ---


def try_pairs(memory: Kato, count: int, seed: int) -> Counter[str]:
    """
    Teach both of every pair something of its own, and see that neither knows the other's.

    Raises:
        Broken: They share something.
    """
    made = list(corpus.pairs(count, seed))
    for first, second in made:
        memory.learn_many([_own(first)], node_id=first)
        memory.learn_many([_own(second)], node_id=second)
    for pair in made:
        for node_id, other in (pair, pair[::-1]):
            patterns = [pattern["data"] for pattern in memory.node(node_id).iterate_patterns()]
            if patterns != [_own(node_id)]:
                raise Broken(f"node {node_id!r} beside {other!r} knows {patterns}")
            asked = memory.predict_many([[["begin"]], [_own(other)[1]]], node_id=node_id)["results"]
            futures = [[each["future"] for each in result["predictions"]] for result in asked]
            if futures != [[_own(node_id)[1:]], []]:
                raise Broken(f"node {node_id!r} beside {other!r} expects {futures}")
            if set(memory.get_symbol_stats(node_id)["symbols"]) != {"begin", f"end of {node_id}"}:
                raise Broken(f"node {node_id!r} beside {other!r} counts symbols that are not its own")
    return Counter(pairs=len(made))


def _own(node_id: str) -> list[list[str]]:
    return [["begin"], [f"end of {node_id}"]]


def try_pairs_over_http(server: Server, count: int, seed: int) -> Counter[str]:
    """
    The same through path, query and header: all three must mean the same node, and no other.

    Raises:
        Broken: They do not.
    """
    client = RawClient(server.port)
    for pair in corpus.pairs(count, seed + 1):
        for node_id in pair:
            body = encode_body({"sequences": [_own(node_id)]})
            client.send("POST", f"/nodes/{encoded(node_id)}/learn", body)
        for node_id in pair:
            asked = [client.send("GET", f"/patterns?node_id={encoded(node_id)}")]
            if node_id == node_id.strip(" "):
                asked.append(client.send("GET", "/patterns", X_Node_ID=node_id.encode()))
            for answer in asked:
                found = answer.json()
                if found.get("node_id") != node_id or [each["data"] for each in found["patterns"]] != [_own(node_id)]:
                    raise Broken(f"of the pair {pair!r}, {node_id!r} was answered {json.dumps(found)[:300]}")
    client.close()
    return Counter({"pairs over HTTP": count})


PARTS = ("strings", "bodies", "pairs")


def run(seed: int, *, share: float = 1.0, pairs: int = 10_000, parts: tuple[str, ...] = PARTS) -> Counter[str]:
    """
    Strings, bodies and pairs.

    Raises:
        Broken: A promise did not hold.
    """
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        with Server(directory / "server") as server:
            if "strings" in parts:
                counts += try_strings(server, seed, share)
            if "bodies" in parts:
                bodies = try_bodies(server, seed, share)
                counts += Counter({f"bodies, {name}": number for name, number in bodies.items()})
            if "pairs" in parts:
                counts += try_pairs_over_http(server, pairs // 20, seed)
        with Kato(directory / "pairs") as memory:
            if "pairs" in parts:
                counts += try_pairs(memory, pairs, seed)
        for name in ("server", "pairs"):
            found = check_file(directory / name / "kato.db").findings
            if found:
                raise Broken(found[0].sentence)
    return counts


def main() -> int:
    """Read the command line."""
    parser = asking("hostile", "Hostile strings and bodies.", ("encoding",))
    parser.add_argument("--share", type=float, default=1.0, help="of all combinations of strings, bodies and places")
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--only", choices=PARTS, help="one of the three parts")
    given = parser.parse_args()
    print(f"seed {given.seed}: {len(corpus.strings())} strings, {len(corpus.bodies())} bodies", flush=True)
    take_out(given.without)
    parts = (given.only,) if given.only else PARTS
    return judged(lambda: run(given.seed, share=given.share, pairs=given.pairs, parts=parts))


if __name__ == "__main__":
    sys.exit(main())
