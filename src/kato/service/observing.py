"""
Observing: one observation, or a sequence of them as one.

Both are the same three movements. What the node knows is read as far as the observations need it; the engine says what
memory follows and what is learned; everything is stored in one transaction, and only then does the session have it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kato.engine.event import Event, Symbol, vector_name
from kato.engine.growing import grown
from kato.engine.knowledge import Change, View
from kato.engine.learning import Learning, learn
from kato.engine.memory import Observation
from kato.engine.pattern import pattern_name
from kato.engine.vectors import nearest_of
from kato.errors import StorageError
from kato.service.events import PatternsLearned
from kato.service.learning import as_operation
from kato.service.predicting import Asked, predict_from
from kato.service.session import Session
from kato.service.session_state import Percept, SessionState, Step, cleared, compacted, needed_steps
from kato.service.system import System
from kato.storage.interface import Learn, Reply, Transaction

logger = logging.getLogger("kato.service")
Vector = tuple[float, ...]

_TRIM = 256
"""A full memory loses an event with each observation; the steps behind those events are let go of only so often."""


class Observed(NamedTuple):
    """What became of one observation."""

    observation: Observation
    event: Event
    stm_length: int
    time: int
    learned: int | None
    """Position, among all the request learned, of what this observation led to; None if nothing."""
    insufficient: bool
    """Whether learning after it was asked for and found fewer than two symbols."""
    predicted_for: Sequence[Event]
    """The memory with this event, before any learning; () if it added none."""
    learned_before: int
    """How many patterns the request had learned before it."""


@dataclass(frozen=True, slots=True)
class SequenceOptions:
    """How a sequence of observations is to be taken."""

    learn_after_each: bool = False
    learn_at_end: bool = False
    clear_between: bool = False


@dataclass(slots=True)
class Course:
    """What a run of observations does to a session, worked out before anything is stored."""

    session: Session
    state: SessionState
    window: int
    view: View | None
    operations: list[Learn] = field(default_factory=list)
    results: list[Observed] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dropped: int = 0
    vectors: dict[Symbol, Vector] = field(default_factory=dict)
    """Vectors that become learned within this run."""
    final_learned: int | None = None
    final_insufficient: bool = False
    final_events: Sequence[Event] = ()

    def observe(self, observation: Observation) -> Observed:
        """Take one observation in, with the auto-learning it may lead to."""
        settings = self.session.settings
        neighbours = self._neighbours(observation) if observation.vectors else []
        seen = self.state.memory.observe(
            observation,
            neighbours=[tuple(near.items()) for near in neighbours],
            settings=settings,
            window=self.window,
        )
        named: dict[Symbol, Vector] = {}
        for near in neighbours:
            named.update(near)
        step = Step(self.state.next_ordinal, observation, seen.event, named)
        learned_before = len(self.operations)
        state = SessionState(
            memory=seen.memory,
            steps=grown(self.state.steps, step),
            next_ordinal=self.state.next_ordinal + 1,
            percept=Percept(observation, seen.before_learning.emotives),
            recalled=seen.before_learning.events,
        )
        if seen.memory is not seen.before_learning or (seen.dropped and step.ordinal % _TRIM == 0):
            state = state._replace(steps=needed_steps(state))
        self.state = state
        self.dropped += seen.dropped
        learned = self._learn(seen.learned)
        result = Observed(
            observation=observation,
            event=seen.event,
            stm_length=len(seen.memory.events),
            time=seen.memory.time,
            learned=learned,
            insufficient=False,
            predicted_for=seen.before_learning.events if seen.event else (),
            learned_before=learned_before,
        )
        self.results.append(result)
        return result

    def learn_now(self) -> tuple[int | None, bool]:
        """Learn what the memory holds: (position of what was learned or None, whether there was too little)."""
        if not self.state.memory.events:
            # An episode without events ends all the same: what was gathered with it goes.
            return None, False
        memory, learning = learn(self.state.memory)
        self.state = self.state._replace(memory=memory, steps=())
        return self._learn(learning), learning is None

    def name_of(self, learned: int | None) -> str | None:
        """The bare name of the pattern that the n-th learning of this run leads to."""
        return pattern_name(self.operations[learned].events) if learned is not None else None

    def _learn(self, learning: Learning | None) -> int | None:
        if learning is None:
            return None
        self.operations.append(as_operation(learning, self.session.settings))
        self.vectors.update(learning.vectors)
        return len(self.operations) - 1

    def _neighbours(self, observation: Observation) -> list[dict[Symbol, Vector]]:
        settings = self.session.settings
        found: list[dict[Symbol, Vector]] = []
        for vector in observation.vectors:
            candidates = dict(self.view.nearest(vector, settings)) if self.view is not None else {}
            same = {name: other for name, other in self.vectors.items() if len(other) == len(vector)}
            if same:
                candidates = dict(nearest_of({**candidates, **same}, vector, settings))
            found.append(candidates)
            known = self.view is not None and self.view.totals.vectors > 0
            if known and not same and self.view is not None and not self.view.has_dimension(len(vector)):
                self.warnings.append(
                    f"vector {vector_name(vector)} has {len(vector)} dimensions; the node has learned vectors, "
                    "but none of that dimension, so it has no neighbours"
                )
        return found


class Taken(NamedTuple):
    """One observation that was taken in."""

    result: Observed
    learned: str | None
    """Bare name of the pattern it led to, if it did."""
    predictions: Asked | None
    """None where not asked for."""
    warnings: Sequence[str]


async def observe(
    system: System,
    session: Session,
    observation: Observation,
    *,
    predict: bool = False,
    reply: Callable[[Taken], Reply] | None = None,
) -> Taken:
    """
    Take one observation in. The caller holds the session's turn.

    Args:
        reply: Makes the answer that is to be remembered with it, if one is.
    """
    asked_for = predict and session.settings.process_predictions
    course = await begin(system, session, [observation], needs_view=asked_for)
    result = course.observe(observation)
    predictions = None
    if asked_for and course.view is not None:
        predictions = await predict_from(system, course.view, result.predicted_for, session.settings)
    taken = Taken(result, course.name_of(result.learned), predictions, course.warnings)
    await finish(system, course, trigger="auto", reply=None if reply is None else lambda: reply(taken))
    return taken


async def begin(system: System, session: Session, observations: Sequence[Observation], *, needs_view: bool) -> Course:
    """Read what the observations need to know of the node: nothing, unless they hold vectors or want predictions."""
    for observation in observations:
        needs_view = needs_view or bool(observation.vectors)
    view = await system.nodes.view(session.node_id) if needs_view else None
    return Course(session, session.state, system.policy.max_stm_events, view)


async def finish(system: System, course: Course, *, trigger: str, reply: Callable[[], Reply] | None) -> None:
    """Store what a run of observations did, all at once; with it the answer that is to be remembered, if one is."""
    session = course.session
    if course.dropped:
        course.warnings.append(
            f"the short-term memory holds at most {course.window} events; the oldest {course.dropped} fell off"
        )
    state = compacted(course.state, course.window)
    fields = {"short_term_memory": True} if course.results or course.operations else {}
    for result in course.results:
        if result.observation.emotives:
            fields["emotives"] = True
        if result.observation.metadata:
            fields["metadata"] = True
    committed = await system.sessions.record(
        session,
        state,
        fields=tuple(fields),
        operations=tuple(course.operations),
        reply=reply() if reply is not None else None,
    )
    system.events.observations += len(course.results)
    if committed.changes:
        system.events.learned(patterns_learned(session, committed.changes, trigger))


def patterns_learned(session: Session, changes: Sequence[Change], trigger: str) -> PatternsLearned:
    """The event that tells of what one request of a session learned."""
    last = changes[-1]
    return PatternsLearned(
        session_id=session.session_id,
        node_id=session.node_id,
        at=last.at,
        names=tuple(change.after.name for change in changes if change.after is not None),
        frequency=last.after.frequency if last.after is not None else 0,
        is_new=last.before is None,
        trigger="sequence" if trigger == "sequence" else "auto" if trigger == "auto" else "learn",
        owner=session.owner,
    )


@dataclass(frozen=True, slots=True)
class SequenceObserved:
    """What became of a sequence of observations."""

    course: Course
    initial_length: int
    predictions: tuple[Asked | None, ...]
    """One per observation; None where not asked for."""
    final_predictions: Asked | None
    is_complete: bool = True
    """False while predictions are still to be made of what the sequence itself has learned."""


async def observe_sequence(
    system: System,
    session: Session,
    observations: Sequence[Observation],
    options: SequenceOptions,
    *,
    predict_each: Sequence[bool],
    predict_final: bool,
    reply: Callable[[SequenceObserved], Reply] | None = None,
) -> SequenceObserved:
    """
    Take observations in as if one after another, and appear to everybody else at one instant.

    Predictions of an observation see what the sequence learned before it. The caller holds the session's turn.

    Args:
        reply: Makes the answer that is to be remembered with it, if one is. Where predictions need what is learned here,
            it is made twice: without them, to be stored with the learning, and whole, to be stored when they are known.
    """
    predicts = session.settings.process_predictions
    wants = [wanted and predicts for wanted in predict_each]
    course = await begin(system, session, observations, needs_view=any(wants) or predict_final)
    initial_length = len(session.state.memory.events)
    for observation in observations:
        if options.clear_between:
            emptied = course.state.memory._replace(events=(), vectors={})
            course.state = course.state._replace(memory=emptied)
            course.state = course.state._replace(steps=needed_steps(course.state))
        result = course.observe(observation)
        if options.learn_after_each:
            learned, insufficient = course.learn_now()
            position = learned if learned is not None else result.learned
            course.results[-1] = result._replace(
                learned=position, insufficient=insufficient, stm_length=len(course.state.memory.events)
            )
    learned_before_end = len(course.operations)
    course.final_events = course.results[-1].predicted_for if course.results else session.state.memory.events
    if course.results and not course.final_events:
        course.final_events = course.state.recalled
    if options.learn_at_end:
        course.final_learned, course.final_insufficient = course.learn_now()

    # Which states of the node the predictions are for: 0 is the one before this request, k the one after its k-th learning.
    questions = [
        (result.learned_before, result.predicted_for) if wanted and result.predicted_for else None
        for result, wanted in zip(course.results, wants, strict=True)
    ]
    last_before = course.results[-1].learned_before if course.results else learned_before_end
    final_question = (last_before, course.final_events) if predict_final and predicts and course.final_events else None
    everything = [*questions, final_question]
    answers: list[Asked | None] = [None] * len(everything)
    if course.view is not None:
        for position, question in enumerate(everything):
            if question is not None and question[0] == 0:
                answers[position] = await predict_from(system, course.view, question[1], session.settings)
    later = any(question is not None and question[0] > 0 for question in everything)
    capture = await system.nodes.capture(session.node_id, session.session_id) if later else None
    done = SequenceObserved(course, initial_length, tuple(answers[:-1]), answers[-1], is_complete=not later)
    try:
        await finish(system, course, trigger="sequence", reply=None if reply is None else lambda: reply(done))
    finally:
        if capture is not None:
            system.nodes.release(session.node_id, session.session_id)
    if capture is None:
        return done
    try:
        for position, question in enumerate(everything):
            if question is not None and question[0] > 0:
                view = capture.views[question[0] - 1]
                answers[position] = await predict_from(system, view, question[1], session.settings)
        whole = SequenceObserved(course, initial_length, tuple(answers[:-1]), answers[-1])
        if reply is not None:
            await _remember(system, reply(whole))
    except asyncio.CancelledError:
        return done  # its time is up, but it has happened, and must not be told as if it had not
    return whole


async def _remember(system: System, reply: Reply) -> None:
    """Put the whole answer in the place of the one without predictions, which stands if this fails."""
    try:
        await system.commit(Transaction(at=system.runtime.now(), reply=reply))
    except StorageError as error:
        logger.warning("The predictions of a sequence are not remembered under its idempotency key: %s", error)


async def clear_stm(system: System, session: Session, *, reply: Reply | None = None) -> None:
    """Forget the current episode; `reply`: the answer to be remembered with it. The caller holds the session's turn."""
    fields = ("short_term_memory", "emotives", "metadata")
    await system.sessions.record(session, cleared(session.state), fields=fields, reply=reply)
