"""The time limit of a request: what it costs nobody, and what it ends."""

from __future__ import annotations

import asyncio

import pytest

from kato.server.deadlines import DeadlinePassed, within


async def at_once(value):
    return value


async def after(pauses, value):
    for _ in range(pauses):
        await asyncio.sleep(0)
    return value


async def failing(pauses):
    await after(pauses, None)
    raise ValueError("its own")


@pytest.mark.parametrize("seconds", [None, 5.0])
@pytest.mark.parametrize("coroutine", [lambda: at_once(7), lambda: after(1, 7), lambda: after(3, 7)])
def test_a_result_comes_through(seconds, coroutine):
    assert asyncio.run(within(seconds, coroutine())) == 7


@pytest.mark.parametrize("seconds", [None, 5.0])
@pytest.mark.parametrize("pauses", [0, 2])
def test_so_does_an_error(seconds, pauses):
    with pytest.raises(ValueError, match="its own"):
        asyncio.run(within(seconds, failing(pauses)))


def test_an_own_timeout_error_is_not_taken_for_the_deadline():
    async def give_up():
        await asyncio.sleep(0)
        raise TimeoutError("of something else")

    with pytest.raises(TimeoutError, match="of something else"):
        asyncio.run(within(5.0, give_up()))


def test_what_takes_longer_is_cancelled_where_it_waits():
    seen = []

    async def endless():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with pytest.raises(DeadlinePassed):
        asyncio.run(within(0.02, endless()))
    assert seen == ["cancelled"]


def test_what_cannot_be_taken_back_any_more_is_finished_and_told():
    async def stubborn():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return await after(2, "done all the same")

    assert asyncio.run(within(0.02, stubborn())) == "done all the same"


def test_a_request_that_is_cancelled_itself_is_no_deadline():
    async def waiting():
        task = asyncio.create_task(within(5.0, after(10**9, None)))
        await asyncio.sleep(0.02)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(waiting())


def test_timers_of_its_own_work_inside():
    async def inner():
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        except TimeoutError:
            return "its own"

    assert asyncio.run(within(5.0, inner())) == "its own"
