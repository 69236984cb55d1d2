"""What is begun: over at once where nothing is waited for, and else as if it had been awaited, however it is told to end."""

from __future__ import annotations

import asyncio
import time

import pytest

from functory_serve.athand import Begun


async def summed(*seconds: float) -> float:
    for one in seconds:
        await asyncio.sleep(one)
    return sum(seconds)


def test_what_waits_for_nothing_is_over_at_once_and_what_waits_goes_on_when_it_is_awaited() -> None:
    async def both() -> tuple[bool, float, bool, float]:
        here, later = Begun(summed()), Begun(summed(0.001, 0.002))
        return here.is_over, here.result, later.is_over, await later

    assert asyncio.run(both()) == (True, 0, False, pytest.approx(0.003))


def test_what_it_raises_at_once_or_later_is_raised() -> None:
    async def failing(seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds)
        raise ZeroDivisionError

    async def both() -> None:
        with pytest.raises(ZeroDivisionError):
            Begun(failing(0))
        with pytest.raises(ZeroDivisionError):
            await Begun(failing(0.001))

    asyncio.run(both())


def test_who_is_cancelled_while_it_is_awaited_cancels_it() -> None:
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.001)  # it may take its time to end
            ended.append("ended")

    async def hurried() -> None:
        begun = Begun(endless())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await begun

    since = time.monotonic()
    asyncio.run(hurried())
    assert ended == ["ended"]
    assert time.monotonic() - since < 50
