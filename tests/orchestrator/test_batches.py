"""A batch is recorded by one step of the store: all of it, or nothing, whatever stands there already."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from actions.errors import DeclarationError, IdempotencyConflict
from actions.registry import Registry
from orchestrator.assembly import House, build
from orchestrator.settings import Settings
from orchestrator.submission import Submission
from orchestrator.wire import MOST_RUNS
from routes_under_test import add


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    made = build(settings, Registry([add]))
    yield made
    await made.close()


def calls(count: int, first: int = 0) -> list[Submission]:
    return [Submission("ADD", {"a": first + at}) for at in range(count)]


async def records(house: House) -> list[str]:
    prefix = house.store.connection.prefix
    return [key async for key in house.store.connection.redis.scan_iter(f"{prefix}r:*", count=1_000)]


async def test_the_largest_batch_is_one_script(house: House):
    await house.conductor.submit_batch(calls(1))  # the scripts are loaded
    redis = house.store.connection.redis
    await redis.config_resetstat()
    recorded = await house.conductor.submit_batch(calls(MOST_RUNS))
    stats = await redis.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 1
    assert len(set(recorded.runs)) == MOST_RUNS
    assert len(await records(house)) == MOST_RUNS + 1


async def test_nothing_is_recorded_if_one_id_stands_for_another_request(house: House):
    kept = (await house.conductor.submit_batch(calls(MOST_RUNS), key="k")).runs[-1]
    redis, prefix = house.store.connection.redis, house.store.connection.prefix
    await redis.delete(
        *[key for key in await records(house) if key != f"{prefix}r:{kept}"]
    )  # they have expired
    with pytest.raises(IdempotencyConflict):
        await house.conductor.submit_batch(calls(MOST_RUNS, first=1), key="k")
    assert await records(house) == [f"{prefix}r:{kept}"]


async def test_what_has_gone_of_a_batch_is_not_run_again_while_some_of_it_is_there(house: House):
    first = await house.conductor.submit_batch(calls(5), key="k")
    redis, prefix = house.store.connection.redis, house.store.connection.prefix
    gone = [f"{prefix}r:{run}" for run in first.runs[1:4]]
    await redis.delete(*gone)  # they have expired
    again = await house.conductor.submit_batch(calls(5), key="k")
    assert (again.runs, again.repeated) == (first.runs, True)
    assert await redis.exists(*gone) == 0


async def test_a_batch_that_is_too_large_for_one_step_is_refused(house: House):
    with pytest.raises(DeclarationError, match="1000 calls at most"):
        await house.conductor.submit_batch(calls(MOST_RUNS + 1))
    assert await records(house) == []
