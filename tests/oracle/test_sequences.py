"""Sequences read by the kernel are what the readers of bodies and the definitions of names and texts make of the same bytes."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import orjson
import pytest

from kato.engine.event import make_events
from kato.engine.matching import SequenceRead, SequenceReader, sequence_reader
from kato.engine.pattern import pattern_name
from kato.errors import KATOError
from kato.storage.records import events_text
from kato.wire.bulk_requests import BulkSequence, LearnMany
from kato.wire.limits import Limits
from kato.wire.reading import read_body

LIMITS = Limits()
LETTERS = [*map(chr, range(0x20)), *"\"\\/'abc019 []{},:", "\x7f", "\x80", "\xad", "é", "\u2028", "語", "\ufeff", "😀"]


def reader(limits: Limits = LIMITS, *, sort_symbols: bool = True) -> SequenceReader:
    made = sequence_reader(
        "native",
        sort_symbols=sort_symbols,
        symbol_bytes=limits.max_symbol_bytes,
        symbols=limits.max_strings,
        events=limits.max_stm_events,
        sequences=limits.max_sequence,
    )
    assert made is not None
    return made


def defined(sequence: BulkSequence, *, sort_symbols: bool) -> SequenceRead:
    events = make_events(sequence.events, sort_symbols=sort_symbols)
    return events, pattern_name(events), events_text(events), sum(map(len, events))


def a_sequence(chance: random.Random, vocabulary: list[str]) -> list[list[str]]:
    return [
        chance.choices(vocabulary, k=chance.choice((0, 1, 1, 1, 2, 5))) for _ in range(chance.choice((0, 1, 3, 20)))
    ]


def written(chance: random.Random, value: object) -> bytes:
    """JSON as different writers write it."""
    return chance.choice(
        (
            lambda: orjson.dumps(value),
            lambda: orjson.dumps(value, option=orjson.OPT_INDENT_2),
            lambda: json.dumps(value).encode(),
            lambda: json.dumps(value, ensure_ascii=False, indent="\t").encode(),
            lambda: b" \r\n" + json.dumps(value).upper().replace("SEQUENCES", "sequences").encode() + b"\n",
        )
    )()


@pytest.mark.parametrize("seed", range(20))
def test_bodies_are_read_as_they_are_defined(seed):
    chance = random.Random(seed)
    vocabulary = ["".join(chance.choices(LETTERS, k=chance.choice((0, 1, 2, 7, 8, 9, 40)))) for _ in range(40)]
    for sort_symbols in (True, False):
        one = reader(sort_symbols=sort_symbols)
        for _ in range(20):
            body = written(
                chance, {"sequences": [a_sequence(chance, vocabulary) for _ in range(chance.choice((1, 300)))]}
            )
            try:
                read, warnings = read_body(LearnMany, body, LIMITS)
            except KATOError:  # escapes in capitals are not always JSON
                assert one.sequences(body) is None
                continue
            assert warnings == []
            assert one.sequences(body) == [defined(each, sort_symbols=sort_symbols) for each in read.sequences]
            line = written(chance, a_sequence(chance, vocabulary))
            try:
                sequence, _ = read_body(BulkSequence, line, LIMITS)
            except KATOError:
                assert one.sequence(line) is None
                continue
            assert one.sequence(line) == defined(sequence, sort_symbols=sort_symbols)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[",
        b"{}",
        b'{"events":[["a"]]}',
        b"3",
        b'["a"]',
        b'[["a"],]',
        b'[["a",]]',
        b'[["a"]["b"]]',
        b'[["a"]] x',
        b'[["a",3]]',
        b'[["a"],null]',
        b'[["a]]',
        b'[["a\\',
        b'[["a\\"]]',
        b'[["\\x"]]',
        b'[["\\u12"]]',
        b'[["\\u12g4"]]',
        b'[["\\ud800"]]',
        b'[["\\ud800\\n"]]',
        b'[["\\ud800\\ud800"]]',
        b'[["\\udc00"]]',
        b'[["a\nb"]]',
        b'[["\xff"]]',
        b'[["\xed\xa0\x80"]]',
        b'[["\xc0\x80"]]',
        b'\xef\xbb\xbf[["a"]]',
        b"[[NaN]]",
    ],
)
def test_what_is_not_plainly_a_sequence_is_left_to_others(line):
    assert reader().sequence(line) is None
    assert reader().sequences(b'{"sequences":[[["a"]],' + line + b"]}") is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"sequences":[]}',
        b'{"sequences":[[["a"]]]',
        b'{"sequences":[[["a"]]],"more":1}',
        b'{"sequences":[[["a"]]],"sequences":[]}',
        b'{"sequence":[[["a"]]]}',
        b'{"sequences" [[["a"]]]}',
        b'[[["a"]]]',
        b'{"sequences":[{"events":[["a"]]}]}',
        b'{"sequences":[[["a"]] [["b"]]]}',
    ],
)
def test_bodies_that_say_anything_else_are_left_to_others(body):
    assert reader().sequences(body) is None


def test_what_is_beyond_a_limit_is_left_to_others():
    limits = replace(LIMITS, max_symbol_bytes=4, max_strings=3, max_stm_events=2, max_sequence=2)
    one = reader(limits)
    assert one.sequence(b'[["a","b","c"],["\\ud83d\\ude00"]]') is not None
    for beyond in (b'[["a","b","c","d"]]', b'[["abcde"]]', '[["éab"],["aéé"]]'.encode(), b'[["a"],[],["b"]]'):
        assert one.sequence(beyond) is None
        with pytest.raises(KATOError):
            read_body(BulkSequence, beyond, limits)
    assert one.sequences(b'{"sequences":[[["a"]],[["b"]]]}') is not None
    assert one.sequences(b'{"sequences":[[["a"]],[["b"]],[["c"]]]}') is None


def test_a_reader_of_many_symbols_does_not_grow_without_end():
    """What it knew is forgotten between two bodies; what it read before stays as it was."""
    one = reader()
    first = one.sequence(b'[["a"],["b"]]')
    for round_ in range(80):
        line = orjson.dumps([[f"{round_} {place} " + "x" * 500] for place in range(100)])
        read = one.sequence(line)
        assert read is not None
        assert read[2].encode() == line
    assert (
        one.sequence(b'[["a"],["b"]]')
        == first
        == ((("a",), ("b",)), pattern_name((("a",), ("b",))), '[["a"],["b"]]', 2)
    )


def test_each_thread_has_a_reader_of_its_own_and_keeps_it():
    one = reader()
    assert reader() is one
    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(reader).result()
        assert other is not one
        assert thread.submit(reader).result() is other
    assert reader(sort_symbols=False) is not one


def test_the_plain_engine_has_no_reader():
    assert sequence_reader("plain", sort_symbols=True, symbol_bytes=9, symbols=9, events=9, sequences=9) is None
