"""Clocks of a run: what is not begun, or not done, in time expires; a delay is not a wait for a guard."""

from __future__ import annotations

from types import SimpleNamespace

from orchestrator.store.incoming import LockGuard


async def due(world):
    return await world.redis.zrange(f"{world.prefix}due", 0, -1)


async def test_a_run_that_is_not_begun_in_time_expires_without_a_claim(world):
    await world.submit("run_1", queue_ms=5_000)
    world.pass_time(s=4)
    await world.runs.tick(["actions"])
    assert await world.status("run_1") == "ready"
    world.pass_time(s=1)
    await world.runs.tick(["actions"])
    view = await world.runs.read("run_1")
    assert view.status == "expired"
    assert '"code":"expired"' in view.result
    assert await due(world) == []


async def test_of_many_whose_time_in_the_queue_is_over_none_is_started(world):
    await world.submit(*(f"run_{n}" for n in range(300)), queue_ms=5_000)
    world.pass_time(s=3_600)
    assert await world.take(room=64) == []


async def test_what_was_claimed_in_time_and_never_begun_may_still_begin(world):
    await world.submit("run_1", queue_ms=5_000)
    await world.take()
    await world.runs.reconcile("p1", [])
    world.pass_time(s=6)
    assert [run.id for run in await world.take()] == ["run_1"]


async def test_once_begun_the_time_in_the_queue_counts_no_more(world):
    await world.submit("run_1", queue_ms=5_000)
    (run,) = await world.take()
    await world.end(run, "again", "{}", delay_ms=10_000)
    world.pass_time(s=11)
    (again,) = await world.take()
    assert again.attempt == 2


async def test_a_claim_tells_how_much_of_the_total_time_is_left(world):
    await world.submit("run_1", total_ms=10_000)
    world.pass_time(s=4)
    (run,) = await world.take()
    assert run.left_ms == 6_000


async def test_an_expired_run_is_not_started(world):
    await world.submit("run_1", total_ms=10_000)
    world.pass_time(s=10)
    assert await world.take() == []
    assert await world.status("run_1") == "expired"


async def test_a_retry_that_would_come_too_late_is_not_waited_for(world):
    await world.submit("run_1", total_ms=10_000)
    (run,) = await world.take()
    await world.end(run, "again", "{}", delay_ms=20_000)
    assert await world.status("run_1") == "expired"
    assert await due(world) == []


async def test_a_run_that_waits_for_a_lock_expires_in_its_place(world):
    guards = (LockGuard("orders"),)
    await world.submit("run_1", guards=guards)
    (holder,) = await world.take()
    await world.submit("run_2", guards=guards, total_ms=5_000)
    await world.submit("run_3", guards=guards)
    await world.take()
    world.pass_time(s=5)
    await world.runs.tick(["actions"])
    assert await world.status("run_2") == "expired"
    await world.end(holder)
    assert [run.id for run in await world.take()] == ["run_3"]


async def test_a_second_attempt_that_waits_for_a_lock_expires_too(world):
    guards = (LockGuard("orders"),)
    await world.submit("run_1", guards=guards, total_ms=60_000)
    (run,) = await world.take(lease_ms=100_000)
    world.pass_time(s=50)
    await world.runs.tick(["actions"])
    await world.submit("run_2", guards=guards)
    await world.end(run, "again", "{}", delay_ms=1_000)
    await world.take(lease_ms=100_000)
    world.pass_time(s=1)
    await world.runs.tick(["actions"])
    await world.take(lease_ms=100_000)
    assert await world.status("run_1") == "waiting"
    world.pass_time(s=9)
    await world.runs.tick(["actions"])
    assert await world.status("run_1") == "expired"


async def test_an_end_leaves_no_deadline_behind(world):
    await world.submit("run_1", total_ms=10_000, queue_ms=1_000)
    (run,) = await world.take()
    await world.end(run)
    assert await due(world) == []


async def test_a_delayed_run_is_ready_after_its_delay(world):
    await world.submit("run_1", delay_ms=3_000)
    claim = await world.claim()
    assert claim.runs == []
    assert claim.due_ms == 3_000
    world.pass_time(s=3)
    assert [run.id for run in await world.take()] == ["run_1"]


async def test_a_waiting_retry_is_there_after_an_hour_without_workers(world):
    await world.submit("run_1")
    (run,) = await world.take()
    await world.end(run, "again", '{"error":"busy"}', delay_ms=1_000)
    await world.runs.leave("p1", ["actions"])
    world.pass_time(s=3_600)
    (again,) = await world.take("p9")
    assert (again.id, again.attempt) == ("run_1", 2)


async def test_an_unknown_outcome_goes_as_the_action_said(world):
    await world.submit("run_retry")
    await world.submit("run_fail", on_unknown="fail")
    await world.submit("run_check", on_unknown="check")
    await world.take()
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    view = await world.runs.read("run_fail")
    assert view.status == "failed"
    assert '"code":"outcome_unknown"' in view.result
    again = {run.id: run for run in await world.take("p2")}
    assert {run: claimed.check for run, claimed in again.items()} == {"run_retry": "", "run_check": "death"}
    assert again["run_check"].deaths == 1


async def test_a_run_that_is_handed_back_before_it_began_is_no_unknown_outcome(world):
    await world.submit("run_1", on_unknown="fail")
    await world.take()
    await world.runs.reconcile("p1", [])
    assert await world.status("run_1") == "ready"


async def test_a_run_that_is_handed_back_while_it_ran_is_one(world):
    await world.submit("run_1", on_unknown="fail")
    await world.submit("run_2", on_unknown="check")
    await world.take()
    await world.runs.leave("p1", ["actions"])
    assert await world.status("run_1") == "failed"
    (again,) = await world.take("p2")
    assert again.check == "death"


async def test_a_run_that_is_handed_back_and_had_not_begun_is_none(world):
    await world.submit("run_1", on_unknown="fail")
    await world.take()
    await world.runs.leave("p1", ["actions"], ["run_1"])
    assert await world.status("run_1") == "ready"


async def test_a_check_is_asked_for_once(world):
    await world.submit("run_1", on_unknown="check")
    await world.take()
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    (again,) = await world.take("p2")
    await world.end(SimpleNamespace(id=again.id, fence=again.fence), "again", "{}", pump="p2")
    (third,) = await world.take("p2")
    assert third.check == ""


async def test_a_check_that_was_never_heard_of_is_still_asked_for(world):
    await world.submit("run_1", on_unknown="check")
    await world.take()
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    await world.take("p2")
    await world.runs.reconcile("p2", [])
    (again,) = await world.take("p2")
    assert again.check == "death"
