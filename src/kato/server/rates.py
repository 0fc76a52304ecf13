"""
How often somebody may ask: a limit over any sixty seconds.

Requests are counted by whole seconds. One more is let in while the seconds that any part of the last sixty falls into hold
fewer than the limit, so that in no sixty seconds more than the limit are let in; what is refused does not count. Each caller
costs at most 61 small entries, and the callers remembered are limited too: of more, the one who has been silent longest is
forgotten, and begins anew.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict, deque

_WINDOW = 60
MOST_CALLERS = 10_000


class Rates:
    """
    What each caller of one kind has asked in the last minute.

    Args:
        limit: Requests let in within any sixty seconds, ≥ 1.
        most: Callers remembered.
    """

    def __init__(self, limit: int, most: int = MOST_CALLERS) -> None:
        self.limit = limit
        self._most = most
        self._callers: OrderedDict[str, _Count] = OrderedDict()

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._callers)

    def admit(self, caller: str, now: float) -> int:
        """
        Count a request.

        Args:
            now: Seconds of a clock that never runs backwards.

        Returns:
            0 when it is let in; otherwise whole seconds, ≥ 1, after which the next one will be.
        """
        count = self._callers.get(caller)
        if count is None:
            count = self._callers[caller] = _Count()
            if len(self._callers) > self._most:
                self._callers.popitem(last=False)
        else:
            self._callers.move_to_end(caller)
        second = math.floor(now)
        count.forget(second - _WINDOW)
        if count.total >= self.limit:
            return max(1, math.ceil(count.seconds[0][0] + _WINDOW + 1 - now))
        count.add(second)
        return 0


class _Count:
    """Requests of one caller: (second, how many), oldest first."""

    __slots__ = ("seconds", "total")

    def __init__(self) -> None:
        self.seconds: deque[tuple[int, int]] = deque()
        self.total = 0

    def forget(self, before: int) -> None:
        while self.seconds and self.seconds[0][0] < before:
            self.total -= self.seconds.popleft()[1]

    def add(self, second: int) -> None:
        self.total += 1
        if self.seconds and self.seconds[-1][0] == second:
            self.seconds[-1] = (second, self.seconds[-1][1] + 1)
        else:
            self.seconds.append((second, 1))


def network_of(address: str) -> str:
    """
    The caller that an address stands for: of IPv6 the first 64 bits, since one machine has all the addresses below them.

    >>> network_of("192.0.2.7"), network_of("2001:db8::7")
    ('192.0.2.7', '2001:db8::/64')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped) if mapped is not None else str(ipaddress.ip_network((found, 64), strict=False))
