"""A sample of `python -m harness.hostile`, and that it notices what must not happen."""

from __future__ import annotations

import json

import pytest

from harness import corpus, hostile
from harness.breaking import take_out
from harness.command import Broken
from harness.raw import Answer
from kato import Kato
from kato.operations import OPERATIONS
from kato.storage.sqlite import SqliteStorage


def test_the_corpus_is_large_and_the_same_every_time():
    assert len(corpus.strings()) >= 300
    assert len(corpus.bodies()) >= 400
    assert corpus.strings() == corpus.strings()
    pairs = list(corpus.pairs(500, 3))
    assert pairs == list(corpus.pairs(500, 3))
    assert all(first != second for first, second in pairs)


def test_every_operation_has_its_strings_tried():
    named = " ".join(slot.target for slot in hostile.slots("SESSION"))
    for operation in OPERATIONS:
        for part in operation.template.split("/"):
            if part.startswith("{") and part != "{session_id}":
                assert operation.template.replace(part, "{}") in named


def test_hostile_strings_bodies_and_node_ids_do_no_harm():
    counts = hostile.run(5, share=0.01, pairs=60)
    assert counts["status 200"] > 0
    assert counts["pairs"] == 60


@pytest.mark.parametrize(
    ("status", "content", "headers", "sentence"),
    [
        (500, {"error": {"code": "X"}}, {}, "status 500"),
        (404, {"error": {"code": "X"}}, {"x-trace-id": ""}, "without a trace id"),
        (404, {"detail": "no"}, {}, "without a code"),
        (400, None, {"content-type": "text/plain"}, "no JSON"),
        (200, None, {}, "no JSON"),
        (200, {}, {}, "None"),
    ],
)
def test_an_answer_that_is_none_of_the_protocol_is_noticed(status, content, headers, sentence):
    body = b"Invalid HTTP request" if content is None else json.dumps(content).encode()
    answer = Answer(status, {"content-type": "application/json", "x-trace-id": "t", **headers}, body)
    assert sentence in str(hostile.judge(answer))


def test_node_ids_that_are_folded_are_noticed(monkeypatch, tmp_path):
    for name in ("commit", "load", "node"):
        monkeypatch.setattr(SqliteStorage, name, getattr(SqliteStorage, name))  # put back at the end
    take_out("encoding")
    with Kato(tmp_path) as memory, pytest.raises(Broken):
        hostile.try_pairs(memory, 60, 5)
