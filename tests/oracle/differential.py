"""
Plain against native on as many generated cases as asked for.

    python tests/oracle/differential.py --cases 1000000 --seed 1
    python tests/oracle/differential.py --of forecasts --cases 100000

Ends with status 1 and a small case at the first difference. Every thousand cases have a seed of their own, which is printed,
so that a difference can be had again without the cases before it.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle import cases, forecast_cases

_SHARE = 1000


def main() -> int:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", choices=("predictions", "forecasts"), default="predictions")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000_000)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + -(-asked.cases // _SHARE))
    compare = cases.compare if asked.of == "predictions" else forecast_cases.compare
    print(f"{asked.cases} cases of {asked.of}, seeds {seeds[0]} to {seeds[-1]}, {_SHARE} cases each", flush=True)
    started = time.monotonic()
    with ProcessPoolExecutor(asked.processes) as pool:
        for done, told in enumerate(pool.map(compare, seeds, [_SHARE] * len(seeds)), 1):
            if told:
                print(told)
                pool.shutdown(wait=False, cancel_futures=True)
                return 1
            if done % 50 == 0:
                print(f"{done * _SHARE} cases equal after {time.monotonic() - started:.0f} s", flush=True)
    print(f"{asked.cases} cases: equal answers, all fields, order included; {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
