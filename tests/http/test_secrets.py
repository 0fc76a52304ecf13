"""Nothing secret in the log, in numbers, in errors or in what is stored."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from guarding import KEYS, NODE, Asking, guarded
from kato.server.logs import set_up
from kato.storage.keys import fingerprint

GIVEN = "a-key-of-the-environment-0123"
WRONG = "kato_this-is-nearly-a-key-and-somebody-s-other-one"


@pytest.mark.parametrize("form", ["json", "human"])
def test_keys_and_session_ids_are_nowhere_but_where_they_belong(tmp_path, form):
    log, data = tmp_path / "log", tmp_path / "data"
    try:
        with (
            guarded(data, log_level="DEBUG", log_format=form, log_output=str(log), api_keys=(GIVEN,)) as server,
            Asking(server) as ask,
        ):
            session = ask.session()
            port = server.server.port
            answers = []
            for headers in (
                {"X-API-Key": GIVEN},
                {"Authorization": f"Bearer {WRONG}"},
                {"X-API-Key": server.secrets["read"]},
            ):
                for path in (
                    "/status",
                    "/metrics",
                    "/metrics/prometheus",
                    "/stats",
                    "/requests",
                    "/nothing",
                    f"/sessions/{session}/none",
                ):
                    for query in ({}, {"api_key": WRONG, "token": server.secrets["write"]}):
                        answers.append(ask.http.get(path, headers=headers, params=query).text)
            for query in (f"?api_key={server.secrets['admin']}", f"?token={WRONG}"):
                try:
                    with connect(f"ws://127.0.0.1:{port}/ws/events{query}"):
                        pass
                except InvalidStatus as refused:
                    answers.append(refused.response.body.decode())
            fail = server.server.application.system.nodes
            server.server.application.system.nodes = None  # type: ignore[assignment] - an unforeseen error, with a traceback
            answers.append(ask.as_("admin", "GET", "/symbols/stats", params={"node_id": NODE}).text)
            server.server.application.system.nodes = fail
            assert json.loads(answers[-1])["status"] == 500
            secrets = [GIVEN, WRONG, *server.secrets.values()]
            hashes = [fingerprint(secret) for secret in secrets]
            ids = dict(server.ids)
    finally:
        set_up("CRITICAL", "human", "stdout")
    told = log.read_text(encoding="utf-8")
    for secret in (*secrets, *(secret[5:] for secret in secrets), *hashes):
        assert secret not in told
        assert not any(secret in answer for answer in answers)
    assert session not in told
    assert ids["write"] in told, "who it was is told by the key's id"
    stored = b"".join(file.read_bytes() for file in data.iterdir())
    assert not any(secret.encode() in stored for secret in (GIVEN, WRONG, *server.secrets.values()))
    assert len(KEYS) == sum(digest.encode() in stored for digest in hashes), (
        "those of the environment are not stored at all"
    )
