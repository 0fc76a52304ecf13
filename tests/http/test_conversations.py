"""
Programs as people write them, without our classes and with them: nothing but URLs, JSON and the members they rely on.

The first half speaks HTTP by hand, sending what the popular libraries send: their headers, a body only where there is
something to say, a connection of its own for every call or one for all.
"""

from __future__ import annotations

import asyncio
import http.client
import json

import pytest

from kato import AsyncKATOClient, BatchKATOClient, Kato, KATOClient, KATOSessionError, PredictionHelper

HEADERS = {"User-Agent": "python-requests/2.32.5", "Accept-Encoding": "gzip, deflate", "Accept": "*/*"}
DAY = [["kettle", "morning"], ["desk", "mail"], ["dinner", "sofa"]]
REST = [["desk", "mail"], ["dinner", "sofa"]]


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, body: dict) -> None:
        super().__init__(status, body)
        self.status = status


def answered(status: int, content_type: str, content: bytes) -> dict:
    assert content_type == "application/json"
    body = json.loads(content)
    assert isinstance(body, dict)
    if status != 200:
        raise Refused(status, body)
    return body


class ByHand:
    """HTTP by hand over the standard library; `keeps` one connection for all calls, or makes one for each."""

    def __init__(self, port: int, *, keeps: bool) -> None:
        self._port = port
        self._kept = http.client.HTTPConnection("127.0.0.1", port, timeout=30) if keeps else None

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        connection = self._kept or http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {**HEADERS, "Connection": "keep-alive"}
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return answered(answer.status, answer.headers["Content-Type"], answer.read())
        finally:
            if connection is not self._kept:
                connection.close()

    def close(self) -> None:
        if self._kept:
            self._kept.close()


class Streams:
    """HTTP by hand over asyncio's streams, one kept connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._runner = asyncio.Runner()
        self._reader, self._writer = self._runner.run(asyncio.open_connection("127.0.0.1", port))

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        return self._runner.run(self._call(method, path, body))

    async def _call(self, method: str, path: str, body: dict | None) -> dict:
        lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self._port}", "Accept: */*"]
        lines += ["Accept-Encoding: gzip, deflate, br", "User-Agent: Python/3.13 aiohttp/3.13.2"]
        content = b""
        if body is not None:
            content = json.dumps(body).encode()
            lines += [f"Content-Length: {len(content)}", "Content-Type: application/json"]
        elif method != "GET":
            lines += ["Content-Length: 0", "Content-Type: application/octet-stream"]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        content = await self._reader.readexactly(int(fields["content-length"]))
        return answered(int(head[0].split()[1]), fields["content-type"], content)

    def close(self) -> None:
        self._writer.close()
        self._runner.run(self._writer.wait_closed())
        self._runner.close()


@pytest.fixture(params=["one connection each", "one kept connection", "streams"])
def wire(request, server):
    made = Streams(server.port) if request.param == "streams" else ByHand(server.port, keeps="kept" in request.param)
    yield made
    made.close()


def observation(strings):
    """All four members, the empty ones too, as a thin client sends them."""
    return {"strings": strings, "vectors": [], "emotives": {}, "metadata": {}}


def test_a_program_by_hand_learns_and_recalls(wire, request):
    node = request.node.nodeid
    created = wire.call("POST", "/sessions", {"node_id": node, "config": {"recall_threshold": 0.3}, "ttl": 7200})
    assert created["node_id"] == node
    path = f"/sessions/{created['session_id']}"
    for length, strings in enumerate(DAY, start=1):
        seen = wire.call("POST", f"{path}/observe", observation(strings))
        assert (seen["stm_length"], seen["strings"]) == (length, strings)
    assert wire.call("GET", f"{path}/stm")["length"] == 3
    assert wire.call("POST", f"{path}/learn")["pattern_name"].startswith("PTRN|")
    assert wire.call("POST", f"{path}/clear-stm")["stm_length"] == 0
    wire.call("POST", f"{path}/observe", {"strings": ["morning", "kettle"], "vectors": [], "emotives": {}})
    top = wire.call("GET", f"{path}/predictions")["predictions"][0]
    assert top["future"] == REST
    assert top["missing"] == [[]]
    assert top["metrics"]["confidence"] == top["confidence"] == 1.0
    info = wire.call("GET", path)
    assert (info["ttl"], info["config_overrides"]) == (7200, {"recall_threshold": 0.3})
    assert wire.call("DELETE", path)["deleted"] is True
    with pytest.raises(Refused) as gone:
        wire.call("POST", f"{path}/observe", observation(["late"]))
    assert gone.value.status == 404


def test_a_program_by_hand_begins_again_when_its_session_is_gone(wire, request):
    """What is learned stays with the node, so the next session, or the next run, goes on with it."""
    node = request.node.nodeid
    for _ in range(2):
        path = "/sessions/" + wire.call("POST", "/sessions", {"node_id": node})["session_id"]
        assert wire.call("GET", f"{path}/stm")["length"] == 0
        wire.call("POST", f"{path}/observe", observation(["hello", "world"]))
        wire.call("POST", f"{path}/observe", observation(["more"]))
        wire.call("POST", f"{path}/learn")
        wire.call("POST", f"{path}/observe", observation(["hello", "world"]))
        assert len(wire.call("GET", f"{path}/predictions")["predictions"]) == 1
        wire.call("DELETE", path)


def test_what_a_program_by_hand_does_wrong_is_final_and_not_to_be_repeated(wire, request):
    path = "/sessions/" + wire.call("POST", "/sessions", {"node_id": request.node.nodeid})["session_id"]
    for body in ({"strings": "word"}, {"strings": [1]}, {"emotives": {"joy": "much"}}):
        with pytest.raises(Refused) as refused:
            wire.call("POST", f"{path}/observe", body)
        assert refused.value.status == 422
    with pytest.raises(Refused) as refused:
        wire.call("POST", f"{path}/learn")
    assert refused.value.status == 400
    assert wire.call("GET", f"{path}/stm")["length"] == 0


# --- the same with our classes ----------------------------------------------------------------------------------------


@pytest.fixture(params=["KATOClient", "BatchKATOClient", "Kato"])
def client(request, server):
    made = Kato(":memory:") if request.param == "Kato" else None
    made = made or {"KATOClient": KATOClient, "BatchKATOClient": BatchKATOClient}[request.param](server.url)
    with made:
        yield made


def test_the_same_program_with_our_classes(client, request):
    client.create_session(request.node.nodeid, {"recall_threshold": 0.3}, 7200, True)
    for strings in DAY:
        client.observe(strings, None, None, None, True)
    assert client.get_stm()["length"] == 3
    learned = client.learn()
    client.clear_stm()
    client.observe(["morning", "kettle"])
    answer = client.get_predictions()
    helper = PredictionHelper()
    top = helper.get_top_prediction(answer)
    assert top["pattern_name"] == learned["pattern_name"]
    assert helper.get_future_strings(top) == ["desk", "mail", "dinner", "sofa"]
    assert helper.get_next_event(top) == ["desk", "mail"]
    assert helper.has_missing_symbols(top) is False
    assert helper.get_confidence(top) == top["confidence"] == 1.0
    client.delete_session()
    assert client.session_id is None
    with pytest.raises(KATOSessionError):
        client.observe(["late"])
    client.reconnect()
    assert client.get_session_info()["config_overrides"] == {"recall_threshold": 0.3}


def test_training_and_testing_in_two_batches(client, request):
    client.create_session(request.node.nodeid)
    found = client.learn_and_test(
        training_obs=[{"strings": strings} for strings in DAY], test_obs=[{"strings": ["morning", "kettle"]}]
    )
    top = found["predictions"]["predictions"][0]
    assert top["name"] == found["pattern"]["pattern_name"].removeprefix("PTRN|")
    assert top["future"] == REST
    assert top["metrics"]["confidence"] == top["confidence"]


def test_the_same_program_awaited(server, request):
    async def program():
        async with AsyncKATOClient(server.url) as client:
            await client.create_session(request.node.nodeid, {"recall_threshold": 0.3})
            for strings in DAY:
                await client.observe(strings, [], {})
            await client.learn()
            await client.observe(["kettle", "morning"])
            return (await client.get_predictions())["predictions"][0]["future"]

    assert asyncio.run(program()) == REST
