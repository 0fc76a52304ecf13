#!/usr/bin/env python3
"""
Make `clicks.dat`: clicks of a made-up web shop, as real ones look.

    python3 examples/make_clicks.py > examples/clicks.dat

One line per click: the number of the visit and the page. Visitors come by a few entrances, follow the shop's links more often
than not, come back to pages they saw, and leave. Seeded: it makes the same file every time.
"""

from __future__ import annotations

import random

LINKS = {
    "home": ("sale", "shoes", "socks", "search"),
    "sale": ("boots", "sneakers", "wool-socks"),
    "shoes": ("boots", "sneakers", "sandals"),
    "socks": ("wool-socks", "sport-socks"),
    "search": ("boots", "sandals", "sport-socks"),
    "boots": ("boots-size", "leather-care", "wool-socks"),
    "boots-size": ("cart",),
    "sneakers": ("sneakers-size", "sport-socks"),
    "sneakers-size": ("cart",),
    "sandals": ("sandals-size", "shoes"),
    "sandals-size": ("cart",),
    "wool-socks": ("cart", "boots"),
    "sport-socks": ("cart", "sneakers"),
    "leather-care": ("cart", "boots"),
    "cart": ("checkout", "home", "shoes"),
    "checkout": (),
}
ENTRANCES = ("home", "home", "home", "sale", "search")
VISITS = 400
LONGEST = 12


def visit(chance: random.Random) -> list[str]:
    """The pages of one visit, in order."""
    pages = [chance.choice(ENTRANCES)]
    while len(pages) < LONGEST and LINKS[pages[-1]] and chance.random() > 0.08:
        seen = pages[:-1]
        back = seen and chance.random() < 0.1
        pages.append(chance.choice(seen if back else LINKS[pages[-1]]))
    return pages


if __name__ == "__main__":
    chance = random.Random(2000)
    for number in range(1, VISITS + 1):
        for page in visit(chance):
            print(number, page)
