"""
The menu: ways of voting, and nothing else to choose from (docs/forecast.md#profiles).

The numbers were found on click streams, a text by word and by character, and made-up processes; the choice among them is each
node's own (`choosing.py`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """How a symbol's rarity, age and displacement count as evidence."""

    rarity: int
    """Power of its idf: 1 or 2."""
    fading: float
    """Worth of each event further back, 0 to 1."""
    displacement: float
    """Worth of each event that it is found away from its place, 0 to 1."""


SHAPES = (Shape(1, 0.7, 0.5), Shape(2, 0.8, 0.7), Shape(1, 0.8, 1.0), Shape(1, 0.9, 0.7))
"""In place, rare, anywhere before, and wide: older events and events out of place count more."""
NEAR, RARE, ANYWHERE, WIDE = range(len(SHAPES))

LEVELS = 6
"""Longest context that a back-off looks at, in events."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One way of voting. `order` 0: a position's evidence is its vote; else a back-off over contexts up to that long."""

    name: str
    shape: int = NEAR
    power: int = 1
    """Of the evidence."""
    suffix: float = 1.0
    """Factor for each event of the exact suffix before the position, up to WINDOW."""
    ending: float = 1.0
    """Factor where nothing follows the events voted for."""
    best_only: bool = False
    """Whether only a pattern's best position votes; the first of equals."""
    affinity: int = 0
    """Halves of the power to which a symbol's share of closing occurrences counts: 0, 1 or 2."""
    affinity_after: int = 0
    """Longest context, in events, after which closing occurrences are counted too."""
    order: int = 0
    escape: float = 1.0
    """Of a back-off: how much a symbol never seen in a context is expected there."""
    closing: str = "ignored"
    """Of a back-off: contexts at ends are `ignored`, looked at `beside` each other context, `after` all others, or `alone`."""


MENU = (
    Profile("near", power=3),
    Profile("nearest", power=5, suffix=2.0),
    Profile("suffix", power=2, suffix=4.0),
    Profile("wide", shape=WIDE, power=4, suffix=2.0),
    Profile("rare", shape=RARE, power=2),
    Profile("any-order", shape=ANYWHERE, power=3),
    Profile("whole-future", shape=ANYWHERE),
    Profile("single", power=3, best_only=True),
    Profile("last-event", order=1),
    Profile("back-off", order=LEVELS),
    Profile("closing", power=3, suffix=2.0, ending=30.0),
    Profile("closing-near", power=3, suffix=2.0, ending=10.0, affinity=1),
    Profile("closing-suffix", power=2, suffix=8.0, ending=100.0),
    Profile("closing-affinity", power=2, suffix=4.0, ending=4.0, affinity=2),
    Profile("closing-nearest", power=5, suffix=2.0, ending=30.0, affinity=1),
    Profile("closing-wide", shape=WIDE, power=4, suffix=2.0, ending=30.0, affinity=1),
    Profile("closing-rare", shape=RARE, power=2, suffix=2.0, ending=30.0, affinity=1),
    Profile("closing-rarest", shape=RARE, power=4, suffix=2.0, ending=30.0, affinity=1),
    Profile("closing-any-order", shape=ANYWHERE, power=3, ending=10.0, affinity=2),
    Profile("closing-back-off", order=LEVELS, escape=4.0, affinity=2),
    Profile("closing-last-event", order=1, escape=4.0, affinity=2),
    Profile("closing-context", order=LEVELS, affinity=2, affinity_after=1),
    Profile("closing-contexts", order=LEVELS, affinity=2, affinity_after=2),
    Profile("closing-ends", order=LEVELS, closing="alone"),
    Profile("closing-beside", order=LEVELS, affinity=1, closing="beside"),
    Profile("closing-after", order=LEVELS, escape=2.0, closing="after"),
)

NAMES = {profile.name: number for number, profile in enumerate(MENU)}

GENERAL = NAMES["back-off"]
"""Who answers where nobody in the mix votes, as after symbols never seen: it knows what is common."""
UNTESTED = ((NAMES["near"], 1), (NAMES["suffix"], 1), (NAMES["back-off"], 1))
"""What a node uses that has not asked itself yet: (profile, how often it counts)."""
