"""Cancelling turns and conversations, and forgetting one altogether."""

from __future__ import annotations

import asyncio

import pytest

from actions.errors import ConversationBusy
from orchestrator.store.incoming import LimitGuard, LockGuard, NewRun


async def test_a_cancelled_turn_ends_when_its_last_handler_has_stopped(world):
    await world.open()
    await world.post(*(world.call("turn_x", at) for at in range(3)))
    (running,) = await world.take(room=1)
    assert await world.conversations.cancel_turn("turn_x") == "cancelling"
    assert (await world.conversations.turn("turn_x"))["s"] == "live"
    await world.end(running, "cancelled")
    assert (await world.conversations.turn("turn_x"))["s"] == "cancelled"
    told = await world.conversations.messages("conv_a")
    assert [message["role"] for message in told] == ["assistant", "tool", "tool", "tool"]
    assert await world.conversations.cancel_turn("turn_x") == "terminal"


async def test_a_turn_of_which_nothing_runs_is_cancelled_at_once(world):
    await world.open()
    await world.post(world.call("turn_x", 0), world.call("turn_x", 1, guards=(LockGuard("a"),)))
    assert await world.conversations.cancel_turn("turn_x") == "cancelled"
    assert await world.take() == []
    assert await world.conversations.cancel_turn("turn_none") == "missing"


async def test_a_cancelled_turn_has_no_further_round(world):
    await world.open()
    await world.say("turn_x")
    (leader,) = await world.take(lane="turns")
    await world.answer(leader, world.call("turn_x", 0))
    (run,) = await world.take()
    assert await world.conversations.cancel_turn("turn_x") == "cancelling"
    await world.end(run)
    assert (await world.conversations.turn("turn_x"))["s"] == "cancelled"
    assert await world.take(lane="turns") == []


async def test_a_turn_is_cancelled_before_it_is_led_on(world):
    await world.open()
    await world.say("turn_x")
    assert await world.conversations.cancel_turn("turn_x") == "cancelled"
    assert (await world.conversations.read("conv_a")).live_turn is None


async def test_cancelling_a_conversation_ends_what_waits_behind_its_turn_too(world):
    await world.open()
    for turn in ("turn_x", "turn_y", "turn_z"):
        await world.say(turn, turn)
    assert await world.conversations.cancel("conv_a") == "cancelled"
    for turn in ("turn_x", "turn_y", "turn_z"):
        assert (await world.conversations.turn(turn))["s"] == "cancelled"
    assert len(await world.conversations.messages("conv_a")) == 1
    assert await world.conversations.cancel("conv_a") == "terminal"
    assert await world.conversations.cancel("conv_none") == "missing"


async def test_a_forgotten_conversation_leaves_nothing(world):
    await world.open()
    before = set(await world.redis.keys(f"{world.prefix}*"))
    for turn in ("turn_x", "turn_y"):
        await world.post(world.call(turn, 0), world.call(turn, 1), turn=turn)
        for run in await world.take():
            await world.end(run)
    assert await world.conversations.forget("conv_a") is True
    left = set(await world.redis.keys(f"{world.prefix}*"))
    allowed = {
        f"{world.prefix}{key}"
        for key in ("fence", "audit", "live", "queues", "hot:actions", "slp:actions", "runs:")
    }
    assert left - allowed <= before - {f"{world.prefix}c:conv_a"}
    assert not [key for key in left if "conv_a" in key or ":r:" in key or ":t:" in key]
    assert await world.conversations.forget("conv_a") is False


async def test_a_forgotten_conversation_that_is_opened_again_stands_in_no_queue_twice(world):
    guards = (LockGuard("shared"),)
    await world.submit("run_holder", guards=guards)
    await world.take()
    for _ in range(2):
        await world.open()
        await world.post(world.call("turn_x", 0, guards=guards))
        await world.take()
        assert await world.redis.lrange(f"{world.prefix}lk:shared", 0, -1) == ["run_holder", "run_x.0.0"]
        await world.conversations.forget("conv_a")
        assert await world.redis.lrange(f"{world.prefix}lk:shared", 0, -1) == ["run_holder"]


async def test_a_conversation_that_is_being_removed_cannot_be_opened(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    (run,) = await world.take()
    await world.store.connection.run("cancel_turn", "conv_a", "forget")
    with pytest.raises(ConversationBusy):
        await world.conversations.open("conv_a")
    await world.end(run, "cancelled")


async def test_nothing_comes_after_what_is_forgotten(world):
    await world.open()
    await world.say("turn_x")
    await world.take(lane="turns")
    await world.store.connection.run("cancel_turn", "conv_a", "forget")
    world.pass_time(s=11)
    await world.runs.tick(["turns"])
    assert not [key for key in await world.redis.keys(f"{world.prefix}*") if "conv_a" in key]


async def test_turns_before_a_cancelled_one_that_is_gone_are_removed_too(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    (run,) = await world.take()
    await world.say("turn_y")
    await world.conversations.cancel_turn("turn_y")
    await world.end(run)
    await world.redis.delete(f"{world.prefix}t:turn_y")  # as its end would have it, if turn_x lives for long
    await world.conversations.forget("conv_a")
    assert not await world.redis.exists(f"{world.prefix}t:turn_x", f"{world.prefix}r:run_x.0.0")


async def test_forgetting_waits_for_the_last_finish(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    (run,) = await world.take()
    going = asyncio.create_task(world.conversations.forget("conv_a"))
    await asyncio.sleep(0.05)
    assert not going.done()
    assert await world.conversations.say("conv_a", "turn_y", "d", "{}", _lead()) == "missing"
    await world.end(run, "cancelled")
    assert await asyncio.wait_for(going, 5)
    assert await world.redis.exists(f"{world.prefix}m:conv_a") == 0


async def test_workers_finish_what_was_begun_to_be_forgotten(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    (run,) = await world.take()
    await world.store.connection.run("cancel_turn", "conv_a", "forget")
    await world.end(run, "cancelled")
    await world.runs.tick(["actions"])
    assert await world.redis.exists(f"{world.prefix}c:conv_a", f"{world.prefix}r:{run.id}") == 0


def _lead():
    from orchestrator.store.incoming import Lead

    return Lead("turns", b"{}")


async def test_what_a_forgotten_conversation_held_up_goes_on(world):
    lock = LockGuard("shared:1")
    limit = LimitGuard("wall:1", "wall", n=1, per_us=10_000_000)
    await world.submit("run_u", guards=(limit,))
    await world.end(await world.one())
    await world.open()
    evaluator = NewRun("run_x.ev.0", "actions", b"{}", guards=(lock, limit))
    await world.post(world.call("turn_x", 0), evaluators=[("always", evaluator)])
    await world.end(await world.one())
    await world.submit("run_other", guards=(lock,))
    assert await world.take() == []  # the evaluator holds the lock, and waits at the limit
    await world.conversations.forget("conv_a")
    assert (await world.one()).id == "run_other"
