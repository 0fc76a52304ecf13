"""
Self-knowledge: a node asks itself about its own patterns, each with one learning left out, and keeps the ways of voting that do
best (docs/forecast.md#self-test).

Which patterns are asked about follows from their names, which are digests of their content: the same memory asks itself the same
questions, and comes to the same choice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from kato.engine.event import Event, Symbol
from kato.engine.forecasting.calibrating import Curve, Observation, fit
from kato.engine.forecasting.novelty import novelty
from kato.engine.forecasting.profiles import MENU, NAMES, UNTESTED
from kato.engine.forecasting.question import Kind, Question, ask
from kato.engine.forecasting.source import Ballot, Mix, Source

MOST_WAYS = 6
"""Profiles that a mix may count, repetitions included."""
REPEATS = (1.0, 0.0, 0.3, 2.0)
"""What another symbol of the memory may be worth; the first of equals is taken."""
FEWEST = 16
"""Questions below which a self-test says nothing: the untested mix stays."""
SURPRISE = 0.05
"""Worth of one nat of log-loss beside the hit rate: of some hundred questions the hit rate alone follows chance."""
DOUBT = 0.02
"""Part of every probability that is spread over all symbols when log-loss is taken, as a share may be 0."""
LISTED = 10
"""Ranks below the first that the second curve is fitted on."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a self-test may cost."""

    voting: int = 600
    """Questions that choose the ways of voting."""
    calibrating: int = 1500
    """Questions that calibrate the chosen mix."""
    tokens: int = 2**27
    """Symbols that all of them may look at together; FEWEST questions are asked all the same."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a node has found out about itself, for one kind of question."""

    kind: Kind
    sequence: int
    """The log sequence it was made at."""
    patterns: int = 0
    """Patterns of the node then."""
    mix: Mix = UNTESTED
    repeat: float = 1.0
    tested: int = 0
    """Questions behind the calibration; 0 before any self-test, when probabilities are shares."""
    hit_rate: float = 0.0
    """How often the best symbol was right."""
    log_loss: float = 0.0
    """Mean of −ln probability of what was right, in nats, while choosing."""
    first: Curve = ()
    """Share of the best symbol → how often it is right."""
    others: Curve = ()
    """The same for those behind it."""
    unknown: Curve = ()
    """One minus the best share → how often nothing that had a share was right."""
    novelties: tuple[float, ...] = ()
    """Novelty of the questions, ascending."""

    def is_due(self, patterns: int) -> bool:
        """Whether the node has grown or shrunk by half since."""
        return patterns != self.patterns and (2 * patterns >= 3 * self.patterns or 3 * patterns <= 2 * self.patterns)

    @property
    def names(self) -> tuple[tuple[str, int], ...]:
        """(profile, how often it counts)."""
        return tuple((MENU[number].name, times) for number, times in self.mix)


def to_text(choice: Choice) -> str:
    """A choice as JSON, which keeps every bit; profiles by name, so that a longer menu means no other choice."""
    return json.dumps({**asdict(choice), "mix": choice.names})


def from_text(text: str) -> Choice | None:
    """The choice again; None where it was not told by this menu: it can always be made anew."""
    try:
        told = json.loads(text)
        mix = tuple((NAMES[name], times) for name, times in told["mix"])
        curves = {name: tuple(map(tuple, told[name])) for name in ("first", "others", "unknown")}
        exact = {"kind": Kind(**told["kind"]), "mix": mix, "novelties": tuple(told["novelties"])}
        return Choice(**{**told, **curves, **exact})
    except (ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class Trial:
    """One question of the self-test."""

    question: Question
    right: frozenset[Symbol]
    counts: int
    """The pattern's frequency."""


def trial(name: str, events: tuple[Event, ...], frequency: int, kind: Kind, again: int = 0) -> Trial | None:
    """
    The question about a pattern: its end where ends are asked about, else a place that follows from its name.

    None for a pattern too short for it.

    Args:
        again: How many questions about the pattern there have been; each is about another place.
    """
    if kind.ending:
        cut = len(events) - kind.horizon if again == 0 else 0
    else:
        cut = 1 + (int(name[-8:], 16) + again) % (len(events) - 1) if again < len(events) - 1 else 0
    if cut < 1:
        return None
    ahead = events[cut : cut + kind.horizon]
    right = frozenset(symbol for event in ahead for symbol in event)
    return Trial(ask(events[:cut], kind, events), right, frequency)


def choose(
    source: Source, kind: Kind, sequence: int, effort: Effort, *, stopped: Callable[[], bool] = lambda: False
) -> Choice | None:
    """
    Find out what works.

    Args:
        stopped: Asked between questions; once true, the answer is None.
    """
    trials = _trials(source, kind, effort)
    if len(trials) < FEWEST:
        return Choice(kind, sequence, source.patterns)
    voting = trials[: effort.voting]
    ballots = []
    for each in voting:
        if stopped():
            return None
        ballots.append(source.ballots(each.question, each.right))
    repeat = _repeat(voting, ballots)
    ballots = [repeated(each, found, repeat) for each, found in zip(voting, ballots, strict=True)]
    mix, loss = _mix(voting, ballots, source.patterns)
    return _calibrated(source, trials, Choice(kind, sequence, source.patterns, mix, repeat, log_loss=loss), stopped)


def _trials(source: Source, kind: Kind, effort: Effort) -> list[Trial]:
    found = source.smallest(effort.calibrating)
    rounds = max(1, effort.calibrating // max(1, len(found)))
    trials = [made for again in range(rounds) for told in found if (made := trial(*told, kind, again)) is not None]
    if not trials:
        return []
    few = trials[:: max(1, len(trials) // 8)][:8]
    looked_at = max(
        sum(len(event) for voter in source.electorate(each.question) for event in voter.events) for each in few
    )
    return trials[: max(FEWEST, effort.tokens // max(1, looked_at))]


# --- ways of voting ---


def _winner(shares: Sequence[tuple[Symbol, float]]) -> Symbol | None:
    return min(shares, key=lambda entry: (-entry[1], entry[0]))[0] if shares else None


def _present(question: Question) -> frozenset[Symbol]:
    return frozenset(symbol for step in question.steps for symbol in step.symbols)


def _repeat(trials: Sequence[Trial], ballots: Sequence[Sequence[Ballot]]) -> float:
    """What a repeated symbol is worth: with what all profiles together are right most often."""

    def hits(repeat: float) -> int:
        right = 0
        for each, found in zip(trials, ballots, strict=True):
            present = _present(each.question)
            for ballot in found:
                shares = [(symbol, share * repeat if symbol in present else share) for symbol, share in ballot.shares]
                right += each.counts * (_winner(shares) in each.right)
        return right

    return max(REPEATS, key=hits)


def repeated(each: Trial, ballots: Sequence[Ballot], repeat: float) -> tuple[Ballot, ...]:
    """Ballots with repeated symbols counted at their worth, and what is then the share of the right one."""
    present = _present(each.question)
    made = []
    for ballot in ballots:
        gone = math.fsum(share for symbol, share in ballot.shares if symbol in present)
        whole = 1.0 + gone * (repeat - 1.0)
        if not whole > 1e-9:
            made.append(Ballot((), 0.0))
            continue
        shares = tuple(
            (symbol, (share * repeat if symbol in present else share) / whole) for symbol, share in ballot.shares
        )
        target = ballot.target * (repeat if each.right <= present else 1.0) / whole
        made.append(Ballot(shares, min(1.0, target)))
    return tuple(made)


def _mix(trials: Sequence[Trial], ballots: Sequence[Sequence[Ballot]], patterns: int) -> tuple[Mix, float]:
    """
    Add one profile after another, each time that which helps most, as long as one helps (Caruana et al., 2004).

    Ties go to the first of the menu.
    """
    times = [0] * len(MENU)
    so_far: list[dict[Symbol, float]] = [{} for _ in trials]
    targets = [0.0] * len(trials)
    whole = sum(each.counts for each in trials)
    spread = DOUBT / (patterns + 1)
    best_score, loss = -math.inf, 0.0
    for ways in range(1, MOST_WAYS + 1):
        found: tuple[float, float, int] | None = None
        for number in range(len(MENU)):
            hits, losses = 0, []
            for at, each in enumerate(trials):
                ballot = ballots[at][number]
                hits += each.counts * (_winner_with(so_far[at], ballot) in each.right)
                chance = (1 - DOUBT) * (targets[at] + ballot.target) / ways + spread
                losses.append(-each.counts * math.log(chance))
            mean_loss = math.fsum(losses) / whole
            score = hits / whole - SURPRISE * mean_loss
            if found is None or score > found[0]:
                found = (score, mean_loss, number)
        assert found is not None
        if found[0] <= best_score:
            break
        best_score, loss, chosen = found
        times[chosen] += 1
        for at in range(len(trials)):
            ballot = ballots[at][chosen]
            targets[at] += ballot.target
            for symbol, share in ballot.shares:
                so_far[at][symbol] = so_far[at].get(symbol, 0.0) + share
    return tuple((number, counted) for number, counted in enumerate(times) if counted), loss


def _winner_with(so_far: dict[Symbol, float], ballot: Ballot) -> Symbol | None:
    if not so_far:
        return ballot.shares[0][0] if ballot.shares else None
    together = dict(so_far)
    for symbol, share in ballot.shares:
        together[symbol] = together.get(symbol, 0.0) + share
    return _winner(tuple(together.items()))


# --- calibration ---


def _calibrated(source: Source, trials: Sequence[Trial], choice: Choice, stopped: Callable[[], bool]) -> Choice | None:
    """The choice with what its mix has shown on every question, each asked as anybody would ask it."""
    first: list[Observation] = []
    others: list[Observation] = []
    unknown: list[Observation] = []
    novelties = []
    hits = 0
    for each in trials:
        if stopped():
            return None
        tally = source.tally(each.question, choice.mix, choice.repeat, LISTED + 1)
        best = tally.best[0][1] if tally.best else 0.0
        right = bool(tally.best) and tally.best[0][0] in each.right
        hits += each.counts * right
        first.append((best, right, each.counts))
        others.extend((share, symbol in each.right, each.counts) for symbol, share in tally.best[1:])
        known = right or any(symbol in each.right for symbol, _ in tally.best) or _heard_of(source, each)
        unknown.append((1.0 - best, not known, each.counts))
        novelties.append(novelty(source.familiarity(each.question)).score)
    return replace(
        choice,
        tested=len(trials),
        hit_rate=hits / sum(each.counts for each in trials),
        first=fit(first),
        others=fit(others),
        unknown=fit(unknown),
        novelties=tuple(sorted(novelties)),
    )


def _heard_of(source: Source, each: Trial) -> bool:
    """Whether a right symbol is held by a pattern besides the one left out."""
    own = 1 if each.counts == 1 else 0
    return any(source.members(symbol) > own for symbol in each.right)
