"""claim: who gets which runs, in what order, under which fence."""

from __future__ import annotations

import asyncio

from actions.messages import Status
from orchestrator.store.incoming import Priority


async def test_two_claims_give_each_run_once(world):
    await world.submit(*(f"run_{at}" for at in range(10)))
    first, second = await asyncio.gather(world.take("p1", 6), world.take("p2", 6))
    ids = [run.id for run in first + second]
    assert sorted(ids) == [f"run_{at}" for at in range(10)]
    assert len(first) + len(second) == 10
    assert await world.take("p3") == []


async def test_a_claim_gives_no_more_than_there_is_room_for(world):
    await world.submit("run_a", "run_b", "run_c")
    assert [run.id for run in await world.take(room=2)] == ["run_a", "run_b"]
    assert [run.id for run in await world.take(room=2)] == ["run_c"]


async def test_a_full_lane_does_not_keep_the_other_one_from_its_runs(world):
    await world.submit("run_a", lane="actions/t")
    await world.submit("run_b", lane="actions")
    claim = await world.runs.claim("p1", [("actions", 5), ("actions/t", -3)])
    assert [run.id for run in claim.runs] == ["run_b"]
    assert await world.posture("p1", "actions") == "hot"
    assert await world.posture("p1", "actions/t") == "full"


async def test_a_claim_of_thousands_comes_back_whole(world):
    """Lua's unpack stops at 8,000 values: such an answer was lost after its runs had been marked as running."""
    for start in range(0, 2_000, 500):
        await world.submit(*(f"run_{at:04}" for at in range(start, start + 500)))
    runs = await world.take(room=10_000)
    assert [run.id for run in runs] == [f"run_{at:04}" for at in range(2_000)]
    assert await world.redis.scard(f"{world.prefix}held:p1") == 2_000


async def test_a_claim_tells_what_an_attempt_needs(world):
    await world.open(tenant="t", principal="ann", machine="coach", state="INTRO", context={"a": 1})
    await world.post(world.call("turn_x", 0, tenant="t"))
    (run,) = await world.take(worker="one@host")
    assert (run.id, run.lane, run.attempt, run.conversation, run.turn) == (
        "run_x.0.0", "actions", 1, "conv_a", "turn_x",
    )  # fmt: skip
    assert (run.tenant, run.state, run.state_revision, run.machine) == ("t", "INTRO", 0, "coach")
    assert (run.principal, run.level, run.payload) == ("ann", "", '{"v":1,"a":"ACT"}')


async def test_higher_priorities_go_first(world):
    await world.submit("run_low", priority=Priority.LOW)
    await world.submit("run_normal")
    await world.submit("run_high", priority=Priority.HIGH)
    assert [run.id for run in await world.take()] == ["run_high", "run_normal", "run_low"]


async def test_runs_of_one_tenant_start_in_the_order_they_came(world):
    await world.submit("run_c", "run_a")
    await world.submit("run_b")
    assert [run.id for run in await world.take()] == ["run_c", "run_a", "run_b"]


async def test_tenants_take_turns_of_eight(world):
    for tenant in ("a", "b"):
        await world.submit(*(f"run_{tenant}{at:02}" for at in range(20)), tenant=tenant)
    order = "".join(run.tenant for run in await world.take(room=40))
    assert order == "a" * 8 + "b" * 8 + "a" * 8 + "b" * 8 + "a" * 4 + "b" * 4


async def test_a_tenant_that_comes_late_waits_one_turn_only(world):
    await world.submit(*(f"run_a{at:02}" for at in range(30)), tenant="a")
    await world.take(room=8)
    await world.submit("run_b", tenant="b")
    assert [run.tenant for run in await world.take(room=9)] == ["a"] * 8 + ["b"]


async def test_the_rotation_holds_each_tenant_with_work_once_and_no_other(world):
    await world.submit("run_a1", "run_a2", tenant="a")
    await world.submit("run_a3", tenant="a")
    await world.submit("run_b1", tenant="b")
    rotation = f"{world.prefix}rot:actions:1"
    assert await world.redis.lrange(rotation, 0, -1) == ["a", "b"]
    await world.take(room=1)
    assert await world.redis.lrange(rotation, 0, -1) == ["b", "a"]
    await world.take(room=9)
    assert await world.redis.exists(rotation) == 0


async def test_a_run_that_was_cancelled_on_its_list_takes_no_place(world):
    await world.submit("run_a", "run_b")
    await world.runs.cancel("run_a")
    assert [run.id for run in await world.take(room=1)] == ["run_b"]


async def test_fences_only_grow_and_never_lie_below_the_clock(world):
    await world.submit("run_a", "run_b", "run_c", "run_d")
    fences = [int((await world.claim(room=1)).runs[0].fence) for _ in range(3)]
    world.pass_time(s=-3600)  # a failover to a server whose clock is behind
    fences.append(int((await world.claim(room=1)).runs[0].fence))
    assert fences == sorted(set(fences))
    assert fences[0] >= world.now + 3_600_000_000
    world.pass_time(s=7200)
    await world.submit("run_e")
    (run,) = await world.take()
    assert int(run.fence) >= world.now


async def test_time_does_not_fall_behind_the_last_fence(world):
    await world.submit("run_a")
    (run,) = await world.take()
    world.pass_time(s=-4)
    await world.end(run)
    view = await world.runs.read("run_a")
    assert view.since_us == int(run.fence)


async def test_a_clock_that_was_set_back_is_believed_and_nothing_stands_still(world):
    await world.submit("run_a", "run_b")
    (first,) = await world.take(room=1)
    world.pass_time(s=-3_600)
    (second,) = await world.take("p2", room=1, lease_ms=1_000)
    assert int(second.fence) > int(first.fence)
    await world.runs.tick(["actions"])
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    assert await world.statuses("run_a", "run_b") == [Status.READY, Status.READY]


async def test_a_claim_says_that_the_lease_was_lost(world):
    await world.submit("run_a", "run_b")
    await world.take(room=1, lease_ms=10_000)
    world.pass_time(ms=10_001)
    claim = await world.claim(flying=1)
    assert (claim.verdict, claim.runs) == ("lost", [])
    assert await world.status("run_b") == Status.READY


async def test_a_claim_up_to_the_last_moment_of_the_lease_renews_it(world):
    await world.submit("run_a", "run_b")
    await world.take(room=1, lease_ms=10_000)
    world.pass_time(ms=10_000)
    assert [run.id for run in (await world.claim(flying=1)).runs] == ["run_b"]
    world.pass_time(ms=9_999)
    await world.runs.tick(["actions"])
    assert await world.statuses("run_a", "run_b") == [Status.RUNNING, Status.RUNNING]


async def test_a_pump_without_runs_may_begin_anew_after_its_lease(world):
    await world.claim()
    world.pass_time(s=60)
    await world.submit("run_a")
    assert [run.id for run in await world.take()] == ["run_a"]


async def test_submitting_twice_records_a_run_once(world):
    await world.submit("run_a")
    (run,) = await world.take()
    await world.submit("run_a")
    assert await world.take("p2") == []
    await world.end(run)
    await world.submit("run_a")
    assert await world.take("p2") == []
    assert await world.status("run_a") == Status.SUCCEEDED
