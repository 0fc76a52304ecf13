"""How use-cases wait, and where random names come from."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from concurrent.futures import Future

import pytest

from kato.service.runtime import LoopRuntime, random_id

FORKING = """
import os
from kato.service.runtime import random_id
random_id()
reading, writing = os.pipe()
if not os.fork():
    os.write(writing, random_id().encode())
    os._exit(0)
os.wait()
print(os.read(reading, 32).decode(), random_id())
"""


def test_random_ids_are_32_digits_and_all_different():
    made = [random_id() for _ in range(600)]
    assert len(set(made)) == 600
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in made)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_a_forked_process_gives_out_other_ids():
    told = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, check=True).stdout.split()
    assert len(told) == 2
    assert told[0] != told[1]


def test_all_who_wait_are_woken_and_get_what_is_theirs():
    async def wait():
        runtime = LoopRuntime(threads=1)
        futures = [Future() for _ in range(40)]
        waiting = [asyncio.create_task(runtime.wait(future)) for future in futures]
        await asyncio.sleep(0)

        def finish():
            for number, future in enumerate(futures):
                if future.set_running_or_notify_cancel():
                    future.set_result(number) if number % 2 else future.set_exception(KeyError(number))

        waiting[4].cancel()  # it has not begun, so it is taken back
        await asyncio.sleep(0)
        await runtime.compute(finish)
        results = await asyncio.gather(*waiting, return_exceptions=True)
        runtime.close()
        return results

    results = asyncio.run(wait())
    assert isinstance(results.pop(4), asyncio.CancelledError)
    assert [each if isinstance(each, int) else each.args[0] for each in results] == [0, 1, 2, 3, *range(5, 40)]


def test_who_waits_after_others_were_woken_is_woken_too():
    async def wait():
        runtime = LoopRuntime(threads=1)
        for number in range(3):
            future = Future()
            waiting = asyncio.create_task(runtime.wait(future))
            await asyncio.sleep(0)
            await runtime.compute(future.set_result, number)
            done, _ = await asyncio.wait([waiting], timeout=20)
            assert done, "nobody woke it"
            assert waiting.result() == number
        runtime.close()

    asyncio.run(wait())


def test_who_gives_up_too_late_is_told_what_happened():
    async def wait():
        runtime = LoopRuntime(threads=1)
        future = Future()
        future.set_running_or_notify_cancel()
        waiting = asyncio.create_task(runtime.wait(future))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        assert not waiting.done()
        future.set_result("done")
        assert await waiting == "done"
        runtime.close()

    asyncio.run(wait())
