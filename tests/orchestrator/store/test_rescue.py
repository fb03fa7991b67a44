"""on_error: called once when a run has failed for the last time; the run still ends as it would have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.store.incoming import Effect, EffectKind, LimitGuard, LockGuard

RESCUE = (Effect(EffectKind.RESCUE),)
ERROR = '{"error":"no","code":"failed"}'


async def failed(world, **fields: Any) -> None:
    await world.submit("run_a", rescues=True, **fields)
    await world.end(await world.one(), "failed", ERROR, effects=RESCUE)


async def test_a_run_is_claimed_once_more_before_it_ends(world):
    await failed(world, reply_to="mail")
    run = await world.one()
    assert (run.id, run.rescue, json.loads(run.error)) == ("run_a", "failed", json.loads(ERROR))
    assert await world.runs.next_reply("mail", 0.05) is None
    await world.end(run, "failed", '{"error":"no","code":"failed","compensated":true}')
    view = await world.runs.read("run_a")
    assert (view.status, json.loads(view.result)["compensated"]) == ("failed", True)
    assert (await world.claim()).runs == []


async def test_it_ends_as_it_would_have_whatever_is_said_afterwards(world):
    await failed(world)
    await world.end(await world.one(), "succeeded", '{"compensated":true}')
    assert await world.status("run_a") == "failed"


async def test_an_attempt_that_is_tried_again_is_not_rescued(world):
    await world.submit("run_a", rescues=True)
    await world.end(await world.one(), "again", ERROR)
    assert (await world.one()).rescue == ""


async def test_a_run_whose_handler_had_not_begun_is_not_rescued(world):
    await world.submit("run_a", rescues=True)
    await world.end(await world.one(), "refused", ERROR)
    assert await world.status("run_a") == "refused"


@pytest.mark.parametrize("how", ["dead", "cancelled", "expired"])
async def test_what_the_store_ends_is_rescued_too(world, how):
    await world.submit("run_a", rescues=True, total_ms=60_000)
    run = await world.one(pump="p9")
    if how == "cancelled":
        await world.runs.cancel("run_a")
        await world.end(run, "cancelled", ERROR, effects=RESCUE, pump="p9")
    elif how == "expired":
        await world.end(run, "again", ERROR, delay_ms=30_000, pump="p9")
        world.pass_time(s=61)
        await world.runs.tick(["actions"])
    else:
        for pump in "abcdefg":
            world.pass_time(ms=10_001)
            await world.runs.tick(["actions"])
            await world.redis.hdel(f"{world.prefix}r:run_a", "dl")
            if (await world.runs.read("run_a")).why == "on_error":
                break
            await world.claim(pump)
    rescue = await world.one()
    assert rescue.rescue == how
    await world.end(rescue, how, '{"compensated":true}')
    assert await world.status("run_a") == how


async def test_a_worker_that_dies_in_it_is_followed_by_another_three_times(world):
    await failed(world)
    for pump in "abcdefgh":
        claimed = (await world.claim(pump)).runs
        if not claimed:
            break
        assert claimed[0].rescue == "failed"
        world.pass_time(s=11)
        await world.runs.tick(["actions"])
    view = await world.runs.read("run_a")
    assert view.status == "failed"
    assert json.loads(view.result) == {
        **json.loads(ERROR),
        "compensated": False,
        "compensation_error": "its worker died",
    }


async def test_it_is_not_cancelled_and_does_not_expire(world):
    await failed(world, total_ms=5_000)
    assert await world.runs.cancel("run_a") == "undoing"
    world.pass_time(s=6)
    await world.runs.tick(["actions"])
    run = await world.one()
    assert await world.runs.cancel("run_a") == "undoing"
    assert await world.end(run, "failed", ERROR) == "ok"


async def test_it_takes_the_locks_again_but_no_limits(world):
    guards = (LockGuard("orders:a", policy="refuse"), LimitGuard("once:a", "once", 1, 3_600_000_000))
    await world.submit("run_a", rescues=True, guards=guards)
    await world.end(await world.one(), "failed", ERROR, effects=RESCUE)
    await world.submit("run_b", guards=(LockGuard("orders:a"),))
    claimed = (await world.claim()).runs
    assert [run.id for run in claimed] == ["run_a"]
    assert await world.status("run_b") == "waiting"
    await world.end(claimed[0], "failed", ERROR)
    assert (await world.one()).id == "run_b"


async def test_a_cancelled_run_that_waits_for_its_next_attempt_is_rescued(world):
    await world.submit("run_a", rescues=True)
    await world.end(await world.one(), "again", ERROR, delay_ms=5_000, why="backoff")
    assert await world.runs.cancel("run_a") == "undoing"
    assert (await world.one()).rescue == "cancelled"


async def test_directives_of_on_error_are_applied(world):
    await world.open()
    await world.post(world.call("turn_x", 0, rescues=True))
    await world.end(await world.one(), "failed", ERROR, effects=RESCUE)
    await world.end(await world.one(), "failed", ERROR, effects=(Effect(EffectKind.SET, "mood", '"sorry"'),))
    assert (await world.conversations.read("conv_a")).context == {"mood": '"sorry"'}


async def test_it_waits_for_a_handler_that_goes_on_after_its_end(world):
    await world.submit("run_a", rescues=True, guards=(LockGuard("~run:run_a"),))
    run = await world.one()
    await world.end(run, "timed_out", ERROR, effects=(*RESCUE, Effect(EffectKind.GHOST)))
    assert (await world.claim()).runs == []
    await world.end(run, "late", '{"discarded":"done"}')
    assert (await world.one()).rescue == "timed_out"


async def haunted(world, run, verdict: str = "timed_out", **fields: Any) -> None:
    """An attempt that is over while its handler goes on."""
    await world.end(run, verdict, ERROR, effects=(*RESCUE, Effect(EffectKind.GHOST)), **fields)


async def test_another_attempt_does_not_wait_for_the_handler_of_the_one_before(world):
    await world.submit("run_a", rescues=True, guards=(LockGuard("~run:run_a"),))
    first = await world.one()
    await haunted(world, first, "again")
    second = await world.one()
    await haunted(world, second, "again")
    third = await world.one()
    await world.end(third)
    assert await world.status("run_a") == "succeeded"
    for run in (first, second):
        await world.end(run, "late", '{"discarded":"done"}')
    assert not await world.redis.exists(f"{world.prefix}lk:~run:run_a")


async def test_on_error_waits_ten_minutes_for_a_handler_that_never_ends(world):
    await world.submit("run_a", rescues=True, guards=(LockGuard("~run:run_a"),))
    await haunted(world, await world.one())
    assert (await world.claim()).runs == []
    for _ in range(61):
        world.pass_time(s=9)
        await world.runs.renew("p1", 10_000)
        await world.runs.tick(["actions"])
    assert (await world.runs.read("run_a")).why == "lock ~run:run_a"
    for _ in range(7):
        world.pass_time(s=9)
        await world.runs.renew("p1", 10_000)
        await world.runs.tick(["actions"])
    view = await world.runs.read("run_a")
    assert (view.status, json.loads(view.result)["compensation_error"]) == (
        "timed_out",
        "its handler still goes on",
    )


async def test_it_begins_as_soon_as_the_worker_of_that_handler_is_gone(world):
    await world.submit("run_a", rescues=True, guards=(LockGuard("~run:run_a"),))
    await haunted(world, await world.one(pump="p9"), pump="p9")
    assert (await world.claim()).runs == []
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    assert (await world.one()).rescue == "timed_out"


async def test_of_two_handlers_that_go_on_the_second_may_end_first(world):
    await world.submit("run_a", rescues=True, guards=(LockGuard("~run:run_a"),))
    first = await world.one()
    await haunted(world, first, "again")
    second = await world.one()
    await haunted(world, second)
    for run in (second, first):
        assert (await world.claim()).runs == []
        await world.end(run, "late", '{"discarded":"done"}')
    assert (await world.one()).rescue == "timed_out"
