"""renew, tick and release: leases, dead pumps, suspects, and handing back."""

from __future__ import annotations

import pytest

from actions.messages import TERMINAL, Status

LEASE_S = 10


async def die(world) -> None:
    """Every pump has fallen silent: their leases end and a tick sees it."""
    world.pass_time(s=LEASE_S + 1)
    await world.runs.tick(["actions"])


async def die_but(world, keeps: str) -> None:
    """All pumps but one have fallen silent."""
    world.pass_time(s=LEASE_S)
    assert await world.runs.renew(keeps, LEASE_S * 1000) == []
    world.pass_time(s=1)
    await world.runs.tick(["actions"])


async def test_a_lease_is_renewed_while_it_lasts(world):
    await world.submit("run_a")
    await world.take()
    for _ in range(4):
        world.pass_time(s=LEASE_S)
        assert await world.runs.renew("p1", LEASE_S * 1000) == []
        await world.runs.tick(["actions"])
    assert await world.status("run_a") == Status.RUNNING


async def test_a_lease_that_is_over_is_not_renewed(world):
    await world.submit("run_a")
    await world.take()
    world.pass_time(ms=LEASE_S * 1000 + 1)
    assert await world.runs.renew("p1", LEASE_S * 1000) is None
    await world.runs.tick(["actions"])
    assert await world.status("run_a") == Status.READY


async def test_a_pump_that_nobody_knows_has_no_lease_to_renew(world):
    assert await world.runs.renew("p1", 10_000) is None
    assert await world.keys() == {}


async def test_runs_of_a_dead_pump_are_ready_again_as_suspects(world):
    await world.submit("run_a")
    await world.take()
    await die(world)
    view = await world.runs.read("run_a")
    assert (view.status, view.why) == (Status.READY, "worker_died")
    (run,) = await world.take("p2")
    assert (run.level, run.attempt) == ("1", 2)


async def test_a_pump_takes_few_suspects_at_a_time(world):
    await world.submit(*(f"run_{at}" for at in range(5)))
    await world.take()
    await die(world)
    await world.submit("run_new")
    runs = await world.take("p2", suspects=2)
    assert [run.level for run in runs] == ["1", "1", ""]
    assert await world.take("p2", suspects=0, flying=3) == []
    assert len(await world.take("p3", suspects=16)) == 3


async def test_after_a_second_death_a_run_is_alone_in_its_pump(world):
    await world.submit("run_a")
    for pump in ("p1", "p2"):
        await world.take(pump)
        await die(world)
    await world.submit("run_b")
    claim = await world.claim("p3")
    assert claim.verdict == "alone"
    assert [(run.id, run.level) for run in claim.runs] == [("run_a", "2")]


async def test_a_busy_pump_drains_before_it_runs_one_alone(world):
    await world.submit("run_a")
    await world.take("p1")
    await die(world)
    await world.take("p2")
    await world.submit("run_b", "run_c")
    (busy,) = await world.take("p3", 1)
    await die_but(world, "p3")
    claim = await world.claim("p3", flying=1)
    assert (claim.verdict, claim.runs) == ("drain", [])
    await world.end(busy, pump="p3")
    claim = await world.claim("p3")
    assert (claim.verdict, [run.id for run in claim.runs]) == ("alone", ["run_a"])
    assert await world.status("run_c") == Status.READY


async def test_one_pump_at_a_time_drains_for_a_lone_run(world):
    await world.submit("run_b", "run_c")
    for pump in ("p3", "p4"):
        await world.take(pump, 1)
    await world.redis.hset(f"{world.prefix}r:run_a", "s", "ready")
    await world.redis.rpush(f"{world.prefix}alone:actions", "run_a")
    assert (await world.claim("p3", flying=1)).verdict == "drain"
    assert (await world.claim("p4", flying=1)).verdict == "ok"
    assert (await world.claim("p3", flying=1)).verdict == "drain"
    await world.pass_real_gates()
    assert (await world.claim("p4", flying=1)).verdict == "drain"


async def test_nobody_drains_for_a_lone_run_that_has_ended(world):
    await world.submit("run_a")
    await world.take("p1")
    await die(world)
    await world.take("p2")
    await world.submit("run_b")
    await world.take("p3", 1)
    await die_but(world, "p3")
    assert await world.runs.cancel("run_a") == "cancelled"
    assert (await world.claim("p3", flying=1)).verdict == "ok"
    assert not await world.redis.exists(f"{world.prefix}alone:actions")


async def test_three_deaths_alone_are_dead_and_the_conversation_hears_it(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    for _ in range(2 + 2):
        assert len(await world.take()) == 1
        await die(world)
        assert await world.status("run_x.0.0") == Status.READY
    (run,) = await world.take()
    assert (run.level, run.attempt) == ("2", 5)
    await die(world)
    assert await world.status("run_x.0.0") == Status.DEAD
    (_, (role, content)) = await world.told()
    assert role == "tool"
    assert '"code":"dead"' in content
    assert (await world.conversations.turn("turn_x"))["s"] == "done"


async def test_an_attempt_that_ends_by_itself_clears_the_suspicion(world):
    await world.submit("run_a")
    await world.take()
    await die(world)
    (run,) = await world.take("p2")
    await world.end(run, "again", "1", delay_ms=0, why="backoff", pump="p2")
    (run,) = await world.take("p2")
    assert run.level == ""
    await die(world)
    (run,) = await world.take("p3")
    assert run.level == "1"


async def test_a_leading_run_that_is_dead_ends_its_turn_as_failed(world):
    await world.open()
    await world.say("turn_x")
    for _ in range(5):
        assert len(await world.take(lane="turns")) == 1
        await die(world)
    assert await world.status("run_x.0.next") == Status.DEAD
    assert (await world.conversations.turn("turn_x"))["s"] == "failed"
    assert (await world.conversations.read("conv_a")).status == "idle"


async def test_more_than_one_tick_can_carry_are_all_recovered(world):
    await world.submit(*(f"run_{at:03}" for at in range(450)))
    assert len(await world.take(room=450)) == 450
    await die(world)
    assert len(await world.take("p2", 450, suspects=450)) == 450
    assert await world.redis.exists(f"{world.prefix}held:p1") == 0
    assert await world.redis.zrange(f"{world.prefix}live", 0, -1) == ["p2"]


async def test_many_dead_pumps_are_all_recovered(world):
    for at in range(7):
        await world.submit(*(f"run_{at}.{number:02}" for number in range(60)))
        assert len(await world.take(f"p{at}", 60)) == 60
    await die(world)
    assert len(await world.take("p9", 999, suspects=999)) == 420
    assert await world.redis.zrange(f"{world.prefix}live", 0, -1) == ["p9"]


async def test_what_a_dead_pump_was_to_cancel_is_cancelled(world):
    await world.submit("run_a")
    await world.take()
    assert await world.runs.cancel("run_a") == "cancelling"
    await die(world)
    assert await world.status("run_a") == Status.CANCELLED
    assert await world.take("p2") == []


async def test_one_tick_a_second_is_enough_for_all_hosts(world):
    await world.submit("run_a")
    await world.take()
    await world.runs.tick(["actions"], gate_ms=60_000)
    world.pass_time(s=11)
    await world.runs.tick(["actions"], gate_ms=60_000)
    assert await world.status("run_a") == Status.RUNNING
    await world.pass_real_gates()
    await world.runs.tick(["actions"], gate_ms=60_000)
    assert await world.status("run_a") == Status.READY


async def test_a_pump_that_ends_hands_back_what_it_holds(world):
    await world.submit(*(f"run_{at:03}" for at in range(450)))
    await world.take(room=450)
    await world.runs.leave("p1", ["actions"])
    runs = await world.take("p2", 500)
    assert len(runs) == 450
    assert {(run.attempt, run.level) for run in runs} == {(1, "")}
    assert (await world.runs.read("run_000")).why == "handed_back"
    assert await world.redis.zrange(f"{world.prefix}live", 0, -1) == ["p2"]


async def test_a_run_handed_back_is_no_longer_its_pumps(world):
    await world.submit("run_a")
    (run,) = await world.take()
    await world.runs.leave("p1", ["actions"])
    assert await world.end(run) == "stale"
    assert await world.status("run_a") == Status.READY


async def test_handing_back_goes_before_what_waits(world):
    await world.submit("run_a", "run_b")
    await world.take(room=1)
    await world.runs.leave("p1", ["actions"])
    assert [run.id for run in await world.take("p2")] == ["run_a", "run_b"]


async def test_reconciling_gives_back_only_what_the_pump_does_not_know(world):
    await world.submit("run_a", "run_b")
    (known,) = await world.take(room=1)
    await world.take(room=1)  # the reply of this claim was lost
    await world.runs.reconcile("p1", [("run_a", known.fence)])
    assert await world.statuses("run_a", "run_b") == [Status.RUNNING, Status.READY]
    assert await world.end(known) == "ok"
    assert [(run.id, run.attempt) for run in await world.take("p2")] == [("run_b", 1)]


async def test_a_run_that_was_claimed_again_unheard_is_given_back(world):
    """The pump knows it under the fence of its first claim only; else nobody would ever carry it out."""
    await world.submit("run_a")
    (first,) = await world.take()
    await world.end(first, "postponed")
    await world.take()  # due at once, and the reply of this claim was lost
    await world.runs.reconcile("p1", [("run_a", first.fence)])
    assert await world.status("run_a") == Status.READY


async def test_a_death_uses_up_no_retry(world):
    await world.submit("run_a")
    await world.take()
    world.pass_time(s=11)
    await world.runs.tick(["actions"], clock=world.now)
    (again,) = await world.take("p2")
    assert (again.attempt, again.deaths) == (2, 1)


async def test_a_pump_that_pauses_keeps_its_runs_and_is_not_counted_on(world):
    await world.submit("run_a")
    (run,) = await world.take()
    assert await world.posture("p1") == "hot"
    await world.runs.pause("p1", ["actions"])
    assert await world.posture("p1") == "full"
    assert await world.status("run_a") == Status.RUNNING
    assert await world.end(run) == "ok"


async def test_a_pump_that_is_gone_leaves_nothing(world):
    await world.submit("run_a", lane="actions/t")
    claim = await world.runs.claim("p1", [("actions", 1), ("actions/t", 1)])
    await world.end(claim.runs[0])
    await world.runs.claim("p1", [("actions", 1), ("actions/t", 1)])
    await world.runs.leave("p1", ["actions"])
    assert set(await world.keys()) == {"fence", "audit", "r:run_a", "runs:"}


async def test_a_queue_that_nobody_serves_any_more_is_forgotten(world):
    await world.runs.tick(["actions", "old"])
    await world.claim("p1", lane="old")
    world.pass_time(s=86_400 - 5)
    await world.runs.tick(["actions"])
    await world.claim("p2", lane="old")
    world.pass_time(s=6)
    await world.runs.tick(["actions"])
    assert not [key for key in await world.keys() if key.endswith(":old")]
    assert await world.redis.zrange(f"{world.prefix}queues", 0, -1) == ["actions"]


@pytest.mark.parametrize("ended", sorted(TERMINAL))
async def test_no_terminal_status_ever_changes(world, ended):
    await world.submit("run_a")
    (run,) = await world.take()
    await world.end(run, ended, "1")
    before = await world.redis.hgetall(f"{world.prefix}r:run_a")
    await world.redis.sadd(f"{world.prefix}held:p1", "run_a")
    assert await world.runs.cancel("run_a") == "terminal"
    assert await world.end(run, "failed", "2") == "done"
    await world.redis.zadd(f"{world.prefix}due", {"run_a": 1})
    await die(world)
    await world.runs.leave("p1", ["actions"])
    await world.submit("run_a")
    assert await world.take("p2") == []
    assert await world.redis.hgetall(f"{world.prefix}r:run_a") == before
