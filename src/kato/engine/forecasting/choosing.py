"""
Self-knowledge: a node asks itself about its own patterns, each with one learning left out, the newest ones as if they and all
after them had not been learned yet; it keeps the ways of voting that do best (docs/forecast.md#self-test).

Which patterns are asked about follows from their names, which are digests of their content: the same memory asks itself the same
questions, and comes to the same choice.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice

from kato.engine.event import Symbol
from kato.engine.forecasting.calibrating import Curve, Observation, fit
from kato.engine.forecasting.electing import EVERYBODY, MOST_TOKENS, MOST_VOTERS
from kato.engine.forecasting.novelty import novelty
from kato.engine.forecasting.profiles import MENU, NAMES, SHAPES, UNTESTED
from kato.engine.forecasting.question import Kind, Question, ahead, ask, closing, present
from kato.engine.forecasting.source import Ballots, Learned, Mix, Source
from kato.engine.forecasting.voting import FLOOR

MOST_WAYS = 8
"""Profiles that a mix may count, repetitions included."""
GAIN = 1.0
"""Nats that all questions together have to gain by one more profile: the price of a further number (Akaike, 1974)."""
REPEATS = (1.0, 0.0, 0.3, 2.0)
"""What another symbol of the memory may be worth; the first of equals is taken."""
FEWEST = 16
"""Questions below which a self-test says nothing: the untested mix stays."""
ENOUGH = 250
"""Questions that calibrate where hits have chosen, without those that chose; where there are fewer, these calibrate too."""
NEWEST = 1 / 4
"""Part of the patterns, by the order in which they were first learned, that is asked about as before it was learned."""
HITS_OF_MANY = 5.0
"""Worth of the hit rate beside one nat of log-loss, where more than one symbol can be right. Where only one can, it is worth
nothing: of some hundred questions it follows chance, and a mix chosen by it seems better than it is."""
DOUBT = 0.02
"""Part of every probability that is spread over all symbols when log-loss is taken, as a share may be 0."""
PASSED = 0.55
"""Symbols that could be looked at in the time that passing over one pattern of a large node takes, as measured."""
GATHERED = 2
"""How much longer it takes to look at a symbol of voters who are elected anew for each question, as measured."""
WHOLE_MENU = 2
"""How much longer it takes to look at a symbol by every profile of the menu than by those of a dear mix, as measured."""
LISTED = 10
"""Ranks below the first that the second curve is fitted on."""
RULES = hashlib.sha256(
    repr(
        (
            6,
            MENU,
            SHAPES,
            FLOOR,
            EVERYBODY,
            MOST_VOTERS,
            MOST_TOKENS,
            MOST_WAYS,
            GAIN,
            REPEATS,
            HITS_OF_MANY,
            DOUBT,
            NEWEST,
        )
    ).encode()
).hexdigest()[:16]
"""What choices are made by, so that one that was kept is told from what would be chosen now; the first number counts changes that
none of the others shows."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a self-test may cost."""

    voting: int = 350
    """Questions that choose the ways of voting: at most these, and half of those asked in all."""
    calibrating: int = 8000
    """Questions that calibrate the chosen mix."""
    work: int = 9 * 2**27
    """Symbols that the calibrating ones may look at together, a pattern that is passed over counting as PASSED of one, and a
    symbol as GATHERED where voters are elected anew; those that choose may look at as many, each counting as WHOLE_MENU. FEWEST
    questions are asked all the same."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a node has found out about itself, for one kind of question."""

    kind: Kind
    sequence: int
    """The log sequence it was made at."""
    mix: Mix = UNTESTED
    repeat: float = 1.0
    tested: int = 0
    """Questions behind the calibration; 0 before any self-test, when probabilities are shares."""
    hit_rate: float = 0.0
    """How often the best symbol was right."""
    foretold: int = 0
    """Those of the questions that are about a pattern as before it was learned; all others leave a learning out."""
    foretold_hit_rate: float = 0.0
    """How often the best symbol was right in these."""
    left_out_hit_rate: float = 0.0
    """How often it was in all others."""
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

    @property
    def names(self) -> tuple[tuple[str, int], ...]:
        """(profile, how often it counts)."""
        return tuple((MENU[number].name, times) for number, times in self.mix)


def to_text(choice: Choice) -> str:
    """A choice as JSON, which keeps every bit."""
    return json.dumps({**asdict(choice), "mix": choice.names, "rules": RULES})


def from_text(text: str) -> Choice | None:
    """The choice again; None where it was made by other rules: it can always be made anew."""
    try:
        told = json.loads(text)
        if told.pop("rules") != RULES:
            return None
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
    """How many of the pattern's learnings it stands for."""
    is_only: bool
    """Whether the pattern was learned once."""

    @property
    def foretells(self) -> bool:
        """Whether it is about a pattern before it was learned; else one learning of it is left out."""
        return self.question.before is not None


def trial(told: Learned, kind: Kind, again: int, *, counts: int, foretells: bool = False) -> Trial | None:
    """
    The question about a pattern: its end where ends are asked about, else a place that follows from its name.

    None for a pattern too short for it.

    Args:
        again: How many rounds of questions there have been; each is about another place of the pattern.
        counts: How many of its learnings the question stands for.
        foretells: Whether it is asked as before the pattern was learned; else one learning of it is left out.
    """
    place, name, events, frequency = told
    if kind.ending:
        cut = len(events) - closing(kind.horizon) if again == 0 else 0
    else:
        cut = 1 + (int(name[-8:], 16) + again) % (len(events) - 1) if again < len(events) - 1 else 0
    if cut < 1:
        return None
    right = frozenset(symbol for event in ahead(events, cut, kind.horizon) for symbol in event)
    question = ask(events[:cut], kind, before=place) if foretells else ask(events[:cut], kind, left_out=events)
    return Trial(question, right, counts, frequency == 1)


def trials_about(told: Learned, kind: Kind, again: int, since: int) -> list[Trial]:
    """
    One round of questions about a pattern, in which each of its learnings counts once.

    Args:
        since: From this place on, a pattern's first learning is foretold; all others are left out.
    """
    place, _, _, frequency = told
    is_new = place >= since
    made = [trial(told, kind, again, counts=1, foretells=True)] if is_new else []
    if frequency > is_new:
        made.append(trial(told, kind, again, counts=frequency - is_new))
    return [each for each in made if each is not None]


def choose(
    source: Source, kind: Kind, sequence: int, effort: Effort, *, stopped: Callable[[], bool] = lambda: False
) -> Choice | None:
    """
    Find out what works.

    Args:
        stopped: Asked between questions; once true, the answer is None.
    """
    trials, most_voting = _trials(source, kind, effort)
    if len(trials) < FEWEST:
        return Choice(kind, sequence)
    voting = trials[:most_voting]
    ballots = []
    for each in voting:
        if stopped():
            return None
        ballots.append(source.ballots(each.question, each.right))
    hits = 0.0 if all(len(each.right) == 1 for each in voting) else HITS_OF_MANY
    mix, repeat, loss = _mix(voting, ballots, hits, source.patterns)
    # Those whose hits chose the mix find it better than others would.
    apart = trials[len(voting) :] if hits and len(trials) - len(voting) >= max(ENOUGH, len(voting)) else trials
    return _calibrated(source, apart, Choice(kind, sequence, mix, repeat, log_loss=loss), stopped)


def _trials(source: Source, kind: Kind, effort: Effort) -> tuple[list[Trial], int]:
    """The questions of the self-test, and how many of them may choose."""
    found = source.smallest(effort.calibrating)
    places = sorted(place for place, *_ in found)
    since = places[-max(1, int(len(places) * NEWEST))] if places else 0
    rounds = math.ceil(effort.calibrating / max(1, len(found)))
    made = (each for again in range(rounds) for told in found for each in trials_about(told, kind, again, since))
    trials = list(islice(made, effort.calibrating))
    if not trials:
        return [], 0
    few = trials[:: max(1, len(trials) // 8)][:8]
    looked_at = max(1, *(source.heard(each.question) for each in few)) * (1 if source.everybody_votes else GATHERED)
    passed = PASSED * source.patterns
    calibrating = max(FEWEST, int(effort.work / (looked_at + passed)))
    voting = min(effort.voting, calibrating // 2, int(effort.work / (WHOLE_MENU * looked_at + passed)))
    return trials[:calibrating], max(FEWEST, voting)


# --- ways of voting ---


@dataclass(slots=True)
class Mixing:
    """One question while profiles are added to a mix: the vote of those so far, as `mixed` counts it."""

    trial: Trial
    worth: list[float]
    """What each symbol's votes count: those of a symbol of the memory as a repeat, every other one's once."""
    right: list[int]
    """Numbers of the right symbols on the ballots."""
    factors: list[list[float] | None]
    """Per profile what it gives each symbol, None where nobody votes by it."""
    product: list[float]
    ways: int = 0

    def with_one_more(self, number: int) -> tuple[bool, float]:
        """(whether the best symbol is right, the share of all right ones) if a profile were added."""
        factors = self.factors[number]
        product, ways = self.product, self.ways
        if factors is not None:
            product, ways = [so_far * one for so_far, one in zip(product, factors, strict=True)], ways + 1
        if not ways:
            return False, 0.0
        root = 1.0 / ways
        votes = [math.pow(each, root) * one for each, one in zip(product, self.worth, strict=True)]
        whole = math.fsum(votes)
        if not whole > 0:
            return False, 0.0
        return votes.index(max(votes)) in self.right, math.fsum(votes[at] for at in self.right) / whole

    def add(self, number: int) -> None:
        """Count a profile once more."""
        factors = self.factors[number]
        if factors is not None:
            self.product = [so_far * one for so_far, one in zip(self.product, factors, strict=True)]
            self.ways += 1


def _mixing(each: Trial, found: Ballots) -> Mixing:
    return Mixing(
        each,
        [1.0] * len(found.symbols),
        [number for number, symbol in enumerate(found.symbols) if symbol in each.right],
        [[share + FLOOR for share in shares] if any(shares) else None for shares in found.shares],
        [1.0] * len(found.symbols),
    )


def _with_repeats(one: Mixing, found: Ballots, repeat: float) -> Mixing:
    """The same question where a symbol of the memory is worth so much."""
    memory = present(one.trial.question)
    return replace(one, worth=[repeat if symbol in memory else 1.0 for symbol in found.symbols])


def _mix(trials: Sequence[Trial], ballots: Sequence[Ballots], hits: float, patterns: int) -> tuple[Mix, float, float]:
    """
    Begin with the profile that does best alone, and what a repeat is worth to it; add one after another, each time that which
    helps most, as long as one helps by more than GAIN (Caruana et al., 2004).

    Args:
        hits: Worth of the hit rate beside log-loss.

    Returns:
        The mix, what a repeat is worth to it, and its log-loss.
    """
    asked = [_mixing(each, found) for each, found in zip(trials, ballots, strict=True)]
    openings = {
        repeat: [_with_repeats(one, found, repeat) for one, found in zip(asked, ballots, strict=True)]
        for repeat in REPEATS
    }
    first = {repeat: _addition(openings[repeat], hits, patterns) for repeat in REPEATS}
    repeat = max(REPEATS, key=lambda each: first[each][0])
    asked = openings[repeat]
    least_gain = GAIN / sum(each.counts for each in trials)
    times = [0] * len(MENU)
    best, best_loss = -math.inf, 0.0
    for ways in range(MOST_WAYS):
        score, loss, chosen = _addition(asked, hits, patterns) if ways else first[repeat]
        if score <= best + least_gain:
            break
        best, best_loss = score, loss
        times[chosen] += 1
        for one in asked:
            one.add(chosen)
    return tuple((number, counted) for number, counted in enumerate(times) if counted), repeat, best_loss


def _addition(asked: Sequence[Mixing], hits: float, patterns: int) -> tuple[float, float, int]:
    """(score, log-loss, profile) with the one that helps a mix most; ties go to the first of the menu."""
    whole = sum(one.trial.counts for one in asked)
    spread = DOUBT / (patterns + 1)
    found: tuple[float, float, int] | None = None
    for number in range(len(MENU)):
        right, losses = 0, []
        for one in asked:
            is_right, share = one.with_one_more(number)
            right += one.trial.counts * is_right
            losses.append(-one.trial.counts * math.log((1 - DOUBT) * share + spread))
        loss = math.fsum(losses) / whole
        score = hits * (right / whole) - loss
        if found is None or score > found[0]:
            found = (score, loss, number)
    assert found is not None
    return found


# --- calibration ---


def _calibrated(source: Source, trials: Sequence[Trial], choice: Choice, stopped: Callable[[], bool]) -> Choice | None:
    """The choice with what its mix has shown on every question, each asked as anybody would ask it."""
    first: list[Observation] = []
    others: list[Observation] = []
    unknown: list[Observation] = []
    novelties = []
    hits = {True: 0, False: 0}
    for each in trials:
        if stopped():
            return None
        tally = source.tally(each.question, choice.mix, choice.repeat, LISTED + 1)
        best = tally.best[0][1] if tally.best else 0.0
        right = bool(tally.best) and tally.best[0][0] in each.right
        hits[each.foretells] += each.counts * right
        first.append((best, right, each.counts))
        others.extend((share, symbol in each.right, each.counts) for symbol, share in tally.best[1:])
        if each.foretells:
            continue  # what all patterns hold, and how unlike them a memory is, is told of the node as it is
        known = right or any(symbol in each.right for symbol, _ in tally.best) or _heard_of(source, each)
        unknown.append((1.0 - best, not known, each.counts))
        novelties.append(novelty(source.familiarity(each.question)).score)
    asked = {foretells: sum(each.counts for each in trials if each.foretells == foretells) for foretells in hits}
    return replace(
        choice,
        tested=len(trials),
        hit_rate=sum(hits.values()) / sum(asked.values()),
        foretold=sum(each.foretells for each in trials),
        foretold_hit_rate=hits[True] / max(1, asked[True]),
        left_out_hit_rate=hits[False] / max(1, asked[False]),
        first=fit(first),
        others=fit(others),
        unknown=fit(unknown),
        novelties=tuple(sorted(novelties)),
    )


def _heard_of(source: Source, each: Trial) -> bool:
    """Whether a right symbol is held by a pattern besides the one left out."""
    own = 1 if each.is_only else 0
    return any(source.members(symbol) > own for symbol in each.right)
