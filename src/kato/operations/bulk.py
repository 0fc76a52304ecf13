"""Many at once: nodes, learning many sequences, predicting from many memories."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from kato.engine.event import make_events
from kato.engine.knowledge import Change, Knowledge
from kato.engine.matching import SequenceRead, SequenceReader, sequence_reader
from kato.operations import node_id as nodes
from kato.operations.moments import AT, moment_of, told, view_at
from kato.operations.observing import asked_members
from kato.operations.registry import Answer, Pieces, Request, operation
from kato.operations.sessions import read_configuration
from kato.operations.uploading import upload
from kato.service import knowledge, learning, predicting
from kato.service.learning import symbol_count
from kato.service.system import System
from kato.storage.interface import Learn
from kato.wire.answers import Json, bulk_learned, node, time_text
from kato.wire.bulk_requests import BulkSequence, LearnMany, PredictMany
from kato.wire.lines import CONTENT_TYPES
from kato.wire.reading import Parameter, read_body, read_query
from kato.wire.schemas import knowledge as shapes

LISTING = (
    Parameter("limit", "integer", default=100, minimum=1, maximum=1000, description="Entries in this page."),
    Parameter("after", "string", default="", description="Nodes after this one."),
)
LEARNING = (
    Parameter(
        "persistence",
        "integer",
        default=None,
        minimum=1,
        maximum=100,
        description="As configured for a session; a sequence's own goes before it.",
    ),
    Parameter("sort_symbols", "boolean", default=None, description="As configured for a session."),
)


@operation(
    "GET",
    "/nodes",
    scope="read",
    summary="List nodes",
    description="Nodes that have learned something, by node id.",
    parameters=LISTING,
    errors=(422,),
    answer=shapes.NODES,
)
async def list_nodes(system: System, request: Request) -> Answer:
    """GET /nodes."""
    query, warnings = read_query(LISTING, request.query)
    page = await knowledge.list_nodes(
        system, after=query["after"], limit=query["limit"] + 1, prefixes=request.caller.prefixes
    )
    has_more = len(page) > query["limit"]
    page = page[: query["limit"]]
    return Answer(
        {
            "nodes": [
                {
                    "node_id": info.node_id,
                    "patterns": info.patterns,
                    "sequence": info.head,
                    "created_at": time_text(info.created_at),
                    "changed_at": time_text(info.changed_at),
                    **_in_memory(system.nodes.peek(info.node_id)),
                }
                for info in page
            ],
            "count": len(page),
            "has_more": has_more,
            "warnings": warnings,
        }
    )


def _in_memory(held: Knowledge | None) -> Json:
    """What is known only of a node that is in memory; a list loads none."""
    return {
        "is_loaded": held is not None,
        "symbols": held.view().totals.symbols if held is not None else None,
        "size_bytes": held.cost.total if held is not None else None,
    }


_MUCH = 1 << 16
"""Bytes of a body that takes some milliseconds to read."""


class Learner:
    """How the sequences of one request are learned: what the query says, else as a session would by default."""

    def __init__(self, system: System, query: dict[str, int | bool | None]) -> None:
        settings = system.sessions.configure({}).settings
        given, ordered = query["persistence"], query["sort_symbols"]
        self._persistence = settings.persistence if given is None else int(given)
        self._sort = settings.sort_symbols if ordered is None else bool(ordered)
        self._engine, self._limits = system.engine, system.limits

    def read(self, body: bytes) -> tuple[list[Learn | None], list[str]]:
        """
        What the storage is to do for each sequence of a body, None for those of fewer than two symbols; and warnings.

        Raises:
            MalformedJSON, InvalidInput, LimitExceeded, PayloadTooLarge: As `read_body`.
        """
        reader = self._reader()
        sequences = reader.sequences(body) if reader is not None else None
        if sequences is not None:
            return list(map(self._plainly, sequences)), []
        read, found = read_body(LearnMany, body, self._limits)
        return list(map(self._operation, read.sequences)), found

    def read_line(self, line: bytes) -> tuple[Learn | None, list[str]]:
        """The same of a line, which is one sequence."""
        reader = self._reader()
        sequence = reader.sequence(line) if reader is not None else None
        if sequence is not None:
            return self._plainly(sequence), []
        read, found = read_body(BulkSequence, line, self._limits)
        return self._operation(read), found

    def _reader(self) -> SequenceReader | None:
        limits = self._limits
        return sequence_reader(
            self._engine,
            sort_symbols=self._sort,
            symbol_bytes=limits.max_symbol_bytes,
            symbols=limits.max_strings,
            events=limits.max_stm_events,
            sequences=limits.max_sequence,
        )

    def _plainly(self, sequence: SequenceRead) -> Learn | None:
        events, name, text, symbols = sequence
        return Learn(events, persistence=self._persistence, name=name, text=text) if symbols >= 2 else None

    def _operation(self, sequence: BulkSequence) -> Learn | None:
        events = make_events(sequence.events, sort_symbols=self._sort)
        if symbol_count(events) < 2:
            return None
        persistence = sequence.persistence or self._persistence
        if not (sequence.emotives or sequence.metadata):
            return Learn(events, persistence=persistence)
        return Learn(
            events=events,
            emotives=tuple(each for each in sequence.emotives if each),
            metadata=tuple(each for each in sequence.metadata if each),
            persistence=persistence,
        )


def results(operations: Sequence[Learn | None], changes: Sequence[Change]) -> Iterator[Json]:
    """What became of each sequence, in order."""
    done = iter(changes)
    for wanted in operations:
        after = next(done).after if wanted is not None else None
        yield bulk_learned(after.name, after.frequency) if after is not None else bulk_learned(None, 0)


async def learn_lines(system: System, request: Request, pieces: Pieces) -> AsyncGenerator[bytes, None]:
    """POST /nodes/{node_id}/learn with a body of lines."""
    query, warnings = read_query(LEARNING, request.query)
    node_id = nodes.check_node_id(request.path["node_id"], ("path", "node_id"), system.limits)
    learner = Learner(system, query)
    async with aclosing(upload(system, request, node_id, learner.read_line, pieces, warnings)) as lines:
        async for line in lines:
            yield line


@operation(
    "POST",
    "/nodes/{node_id}/learn",
    scope="write",
    summary="Learn many sequences",
    description="All or nothing, in one commit. A sequence is a list of events, an event a list of strings; as an object "
    "it may have emotives, metadata and a persistence of its own. With Content-Type `application/x-ndjson` the body is a "
    "sequence a line, of any length: lines are learned in chunks, each all or nothing, and each line is answered by one "
    "as soon as it is kept; the last line sums up. Sent again under the same Idempotency-Key, lines that were learned "
    "are not learned twice.",
    request=LearnMany,
    parameters=LEARNING,
    errors=(413, 422),
    answer=shapes.BULK_LEARNED,
    other_answers=CONTENT_TYPES[:1],
    lines=learn_lines,
)
async def learn_many(system: System, request: Request) -> Answer:
    """POST /nodes/{node_id}/learn."""
    query, warnings = read_query(LEARNING, request.query)
    node_id = nodes.check_node_id(request.path["node_id"], ("path", "node_id"), system.limits)
    learner = Learner(system, query)
    # What takes long to read must not keep everybody else waiting.
    is_much, body = len(request.body) > _MUCH, request.body
    operations, found = await system.runtime.compute(learner.read, body) if is_much else learner.read(body)
    wanted = [each for each in operations if each is not None]

    def answer(changes: Sequence[Change]) -> Answer:
        return Answer(
            {
                "status": "completed",
                "learned": len(wanted),
                "results": list(results(operations, changes)),
                **node(node_id),
                "warnings": [*warnings, *found],
            }
        )

    committed = await learning.learn_many(
        system, node_id, wanted, actor=request.principal, reply=request.replying(answer)
    )
    return answer(committed.changes)


@operation(
    "POST",
    "/nodes/{node_id}/predict",
    scope="read",
    summary="Predict from many short-term memories",
    description="Each is answered with what a session of this configuration would answer, holding these events. All "
    "answers are for one state of the node, no session is made and nothing is stored.",
    request=PredictMany,
    parameters=(AT,),
    errors=(400, 413, 422),
    answer=shapes.BULK_PREDICTED,
)
async def predict_many(system: System, request: Request) -> Answer:
    """POST /nodes/{node_id}/predict."""
    query, warnings = read_query((AT,), request.query)
    node_id = nodes.check_node_id(request.path["node_id"], ("path", "node_id"), system.limits)
    body, found = read_body(PredictMany, request.body, system.limits)
    overrides, ttl, said = read_configuration(system, {}, body.config, prefix="config.")
    if ttl is not None:
        said = [*said, "config.session_ttl was ignored: there is no session"]
    configuration = system.sessions.configure(overrides)
    settings, window = configuration.settings, system.policy.max_stm_events
    answered: list[Json] = []
    moment = await moment_of(system, node_id, query)
    view = await view_at(system, node_id, moment)
    for position, stm in enumerate(body.stms):
        events = make_events(stm, sort_symbols=settings.sort_symbols)
        if len(events) > window:
            said = [*said, f"stms[{position}] has {len(events)} events; the newest {window} are held"]
        asked = await predicting.predict_from(system, view, events[-window:], settings)
        answered.append({**asked_members(asked), "count": asked.count})
    return Answer(
        {
            "results": answered,
            "count": len(answered),
            "config": configuration.effective,
            **node(node_id),
            **told(moment),
            "warnings": [*warnings, *found, *said],
        }
    )
