"""cancel: from every status, and what the pump and the conversation hear of it."""

from __future__ import annotations

from actions.messages import Status


async def test_a_run_that_is_not_there_is_missing(world):
    assert await world.runs.cancel("run_a") == "missing"
    assert await world.keys() == {}


async def test_a_ready_run_is_cancelled_at_once(world):
    await world.submit("run_a")
    assert await world.runs.cancel("run_a") == "cancelled"
    assert (await world.runs.read("run_a")).result == '{"code":"cancelled","error":"cancelled"}'
    assert await world.take() == []


async def test_a_blocked_run_is_cancelled_at_once_and_lets_go_of_its_dependents(world):
    await world.submit("run_a", dependents=("run_b",))
    await world.submit("run_b", status=Status.BLOCKED, open=1, dependents=("run_c",))
    await world.submit("run_c", status=Status.BLOCKED, open=1)
    assert await world.runs.cancel("run_b") == "cancelled"
    assert await world.status("run_c") == Status.READY
    first, second = await world.take()
    assert (first.id, second.id) == ("run_a", "run_c")
    await world.end(first)
    assert await world.status("run_b") == Status.CANCELLED


async def test_a_waiting_run_is_cancelled_at_once_and_no_longer_due(world):
    await world.submit("run_a")
    (run,) = await world.take()
    await world.end(run, "again", "1", delay_ms=50, why="backoff")
    assert await world.runs.cancel("run_a") == "cancelled"
    assert (await world.claim()).due_ms == -1
    world.pass_time(s=1)
    assert await world.take() == []


async def test_a_running_run_is_stopped_by_its_pump(world):
    await world.submit("run_a")
    (run,) = await world.take()
    assert await world.runs.cancel("run_a") == "cancelling"
    assert await world.runs.next_control("p1", 5)
    assert await world.runs.renew("p1", 10_000) == ["run_a"]
    assert await world.end(run, "succeeded", '"too late"') == "ok"
    assert await world.status("run_a") == Status.CANCELLED


async def test_cancelling_twice_wakes_its_pump_once(world):
    await world.submit("run_a")
    await world.take()
    assert await world.runs.cancel("run_a") == "cancelling"
    assert await world.runs.cancel("run_a") == "cancelling"
    assert await world.redis.llen(f"{world.prefix}ctl:p1") == 1


async def test_a_run_that_has_ended_stays_as_it_is(world):
    await world.submit("run_a")
    (run,) = await world.take()
    await world.end(run, result="1")
    assert await world.runs.cancel("run_a") == "terminal"
    assert (await world.runs.read("run_a")).result == "1"


async def test_a_pump_is_no_longer_told_of_what_it_has_stopped(world):
    """Else a pump that lives long and is often told to cancel carries a list that only grows."""
    await world.submit("run_a", "run_b")
    first, _ = await world.take()
    await world.runs.cancel("run_a")
    await world.runs.cancel("run_b")
    await world.end(first, "cancelled", "{}")
    assert await world.runs.renew("p1", 10_000) == ["run_b"]
    await world.runs.leave("p1", ["actions"])
    assert "cx:p1" not in await world.keys()
    assert await world.status("run_b") == Status.CANCELLED


async def test_a_backoff_asked_for_while_it_is_cancelled_ends_it(world):
    await world.submit("run_a")
    (run,) = await world.take()
    await world.runs.cancel("run_a")
    assert await world.end(run, "again", "1", delay_ms=5, why="backoff") == "ok"
    assert await world.status("run_a") == Status.CANCELLED


async def test_what_is_cancelled_gives_the_conversation_its_result(world):
    await world.open()
    await world.post(world.call("turn_x", 0), world.call("turn_x", 1))
    await world.runs.cancel("run_x.0.0")
    assert len(await world.told()) == 1
    (run,) = await world.take()
    await world.end(run)
    assert await world.told() == [
        ("assistant", "…"),
        ("tool", '{"code":"cancelled","error":"cancelled"}'),
        ("tool", '"done"'),
    ]


async def test_a_cancelled_leading_run_cancels_its_turn_and_the_inbox_goes_on(world):
    await world.open()
    await world.say("turn_x", "one")
    await world.say("turn_y", "two")
    assert await world.runs.cancel("run_x.0.next") == "cancelled"
    assert (await world.conversations.turn("turn_x"))["s"] == "cancelled"
    assert [run.id for run in await world.take(lane="turns")] == ["run_y.0.next"]
    assert await world.told() == [("user", "one"), ("user", "two")]
