from __future__ import annotations

import asyncio

import pytest

from actions.context import ActionContext
from actions.errors import TryAgain
from actions.services import Services

BASIC = {"text": "hello", "tone": "flat"}


def context(**services: object) -> ActionContext:
    return ActionContext("run_a1", "X", services=Services(services))


async def awaited(service):
    return {"tone": service}


@pytest.mark.parametrize("how", [lambda service: {"tone": service}, awaited])
async def test_a_service_makes_a_basic_result_better(how):
    result = await context(voice="warm").enhanced(BASIC, "voice", how)

    assert result == {"text": "hello", "tone": "warm", "enhanced": True}
    assert BASIC == {"text": "hello", "tone": "flat"}


async def test_a_missing_service_leaves_it_basic():
    result = await context(other="warm").enhanced(BASIC, "voice", awaited)

    assert result == {**BASIC, "enhanced": False}


async def fails(service):
    raise ConnectionError(service)


@pytest.mark.parametrize("how", [fails, lambda service: 1 / 0, lambda service: None, lambda service: "text"])
async def test_a_service_that_fails_leaves_it_basic_and_is_logged(how, caplog):
    result = await context(voice="warm").enhanced(BASIC, "voice", how)

    assert result == {**BASIC, "enhanced": False}
    assert "the service voice failed" in caplog.text


async def test_a_signal_goes_on_to_steer_the_run():
    def busy(service):
        raise TryAgain("5s")

    with pytest.raises(TryAgain):
        await context(voice="warm").enhanced(BASIC, "voice", busy)


async def test_an_attempt_that_is_stopped_is_stopped():
    async def forever(service):
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await context(voice="warm").enhanced(BASIC, "voice", forever)
