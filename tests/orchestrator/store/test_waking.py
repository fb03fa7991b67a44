"""Who is woken when something becomes ready: nobody, one sleeper, or Celery; and that nothing is left lying."""

from __future__ import annotations

import pytest

from actions.messages import Status

BOTH = [("actions", 10), ("actions/t", 2)]


async def test_a_claim_that_finds_nothing_is_asleep_in_the_same_step(world):
    claim = await world.claim(nap_ms=700)
    assert claim.runs == []
    until = await world.redis.zscore(f"{world.prefix}slp:actions", "p1")
    assert until == world.now + 700_000
    assert await world.redis.zscore(f"{world.prefix}hot:actions", "p1") is None


async def test_a_claim_that_gave_something_and_has_room_is_hot_for_a_second(world):
    await world.claim()
    await world.submit("run_a")
    await world.claim()
    assert await world.redis.zscore(f"{world.prefix}hot:actions", "p1") == world.now + 1_000_000
    assert await world.redis.zscore(f"{world.prefix}slp:actions", "p1") is None


async def test_a_full_claim_is_neither(world):
    await world.submit("run_a")
    await world.claim(room=1)
    assert await world.posture("p1") == "full"


async def test_a_hot_pump_needs_no_token_and_no_nudge(world):
    await world.offer()
    await world.claim("p2")
    await world.submit("run_a")
    await world.claim("p1")
    await world.pass_real_gates()
    await world.claim("p2")
    await world.submit("run_b")
    assert await world.tokens("p1") == await world.tokens("p2") == 0
    assert await world.nudges() == 0


async def test_a_hot_pump_that_broke_its_promise_is_not_counted_on(world):
    await world.offer()
    await world.submit("run_a")
    await world.redis.delete(world.celery())
    await world.claim("p1")
    await world.pass_real_gates()
    world.pass_time(ms=1_001)
    await world.submit("run_b")
    assert await world.nudges() == 1


async def test_one_sleeper_gets_one_token(world):
    await world.offer()
    await world.claim("p1")
    world.pass_time(ms=1)
    await world.claim("p2")
    await world.submit("run_a", "run_b")
    assert (await world.tokens("p1"), await world.tokens("p2")) == (0, 1)
    assert await world.nudges() == 0


async def test_the_token_reaches_the_sleeper_that_it_was_meant_for(world):
    """On one shared list the longest sleeper would get the newest one's token, and the newest would stay unseen."""
    await world.claim("p1")
    world.pass_time(ms=1)
    await world.claim("p2")
    await world.submit("run_a")
    assert not await world.runs.next_wake("p1", 0.01)
    assert await world.runs.next_wake("p2", 5)
    await world.submit("run_b")
    assert await world.runs.next_wake("p1", 5)


async def test_a_sleeper_whose_nap_is_over_is_not_counted_on(world):
    await world.offer()
    await world.claim("p1", nap_ms=100)
    world.pass_time(ms=101)
    await world.submit("run_a")
    assert await world.tokens("p1") == 0
    assert await world.nudges() == 1


async def test_without_a_pump_one_nudge_goes_out_and_names_its_time(world):
    await world.offer()
    await world.submit("run_a")
    assert await world.redis.lrange(world.celery(), 0, -1) == [f'{{"id": "nudge-actions-{world.now}"}}']


async def test_a_second_nudge_within_200_ms_is_dropped(world):
    await world.offer()
    await world.submit("run_a")
    await world.redis.delete(world.celery())  # a worker took it
    await world.submit("run_b")
    assert await world.nudges() == 0
    assert 0 < await world.redis.pttl(f"{world.prefix}nudged:actions") <= 200
    await world.pass_real_gates()
    await world.submit("run_c")
    assert await world.nudges() == 1


async def test_no_nudge_joins_another_on_the_queue(world):
    await world.offer()
    await world.submit("run_a")
    await world.pass_real_gates()
    await world.submit("run_b")
    assert await world.nudges() == 1


async def test_without_a_worker_that_offered_a_nudge_nothing_is_written_to_celery(world):
    await world.submit("run_a")
    assert set(await world.keys()) == {"r:run_a", "runs:", "rdy:actions:1:", "rot:actions:1"}


async def test_a_lost_nudge_is_made_good_by_the_next_tick(world):
    await world.offer()
    await world.submit("run_a")
    await world.redis.delete(world.celery())  # lost between Redis and the worker
    await world.pass_real_gates()
    world.pass_time(s=1)
    await world.runs.tick(["actions"])
    assert await world.nudges() == 1


async def test_a_swallowed_nudge_is_made_good_by_the_next_tick(world):
    """The pump that it started claimed, found nothing left for it, and died asleep."""
    await world.offer()
    await world.claim("p1", nap_ms=500)
    await world.submit("run_a")
    assert await world.tokens("p1") == 1  # and nobody reads it
    world.pass_time(s=1)
    await world.runs.tick(["actions"])
    assert await world.nudges() == 1


async def test_a_tick_wakes_nobody_when_there_is_nothing_to_do(world):
    await world.offer()
    await world.claim("p1", nap_ms=5_000)
    await world.runs.tick(["actions"])
    assert await world.tokens("p1") == 0
    assert await world.nudges() == 0


@pytest.mark.parametrize("lane", ["actions", "actions/t"])
async def test_a_tick_sees_work_in_both_lanes_of_a_queue(world, lane):
    await world.submit("run_a", lane=lane)
    await world.offer()
    await world.runs.tick(["actions"])
    assert await world.nudges() == 1


async def test_a_full_claim_that_leaves_work_wakes_the_next(world):
    await world.claim("p2", nap_ms=9_000)
    await world.submit("run_a", "run_b", "run_c")
    await world.redis.delete(f"{world.prefix}wake:p2")
    await world.redis.zadd(f"{world.prefix}slp:actions", {"p2": world.now + 9_000_000})
    await world.claim("p1", room=2)
    assert await world.tokens("p2") == 1


async def test_a_full_claim_that_leaves_nothing_wakes_nobody(world):
    await world.claim("p2", nap_ms=9_000)
    await world.submit("run_a")
    await world.redis.delete(f"{world.prefix}wake:p2")
    await world.redis.zadd(f"{world.prefix}slp:actions", {"p2": world.now + 9_000_000})
    await world.claim("p1", room=1)
    assert await world.tokens("p2") == 0


async def test_a_full_pump_wakes_the_next_for_each_queue_that_it_leaves_work_on(world):
    await world.submit("run_a", lane="actions")
    await world.submit("run_b", lane="turns")
    await world.claim("p2", room=0, lane="actions")
    for pump, lane in (("p2", "actions"), ("p3", "turns")):
        await world.redis.zadd(f"{world.prefix}slp:{lane}", {pump: world.now + 9_000_000})
    await world.runs.claim("p1", [("actions", 0), ("turns", 0)])
    assert (await world.tokens("p2"), await world.tokens("p3")) == (1, 1)


async def test_a_pump_full_of_threads_does_not_wake_itself(world):
    """It has room on its loop, so it sleeps; work for threads is none that it can be woken for."""
    await world.submit("run_a", "run_b", "run_c", lane="actions/t")
    assert len((await world.runs.claim("p1", BOTH)).runs) == 2
    assert (await world.runs.claim("p1", [("actions", 10), ("actions/t", 0)], flying=2)).runs == []
    assert await world.posture("p1", "actions") == "asleep"
    assert await world.posture("p1", "actions/t") == "full"
    assert await world.tokens("p1") == 0


async def test_two_pumps_full_of_threads_do_not_wake_each_other_for_ever(world):
    await world.submit(*(f"run_{at}" for at in range(5)), lane="actions/t")
    for pump in ("p1", "p2"):
        assert len((await world.runs.claim(pump, BOTH)).runs) == 2
    for pump in ("p1", "p2", "p1", "p2"):
        await world.runs.claim(pump, [("actions", 10), ("actions/t", 0)], flying=2)
        assert (await world.tokens("p1"), await world.tokens("p2")) == (0, 0)


async def test_a_pump_that_is_hot_on_its_loop_does_not_stand_for_its_threads(world):
    await world.submit("run_a", "run_b", lane="actions/t")
    await world.runs.claim("p1", BOTH)
    await world.runs.claim("p2", BOTH, nap_ms=9_000)
    await world.submit("run_c", lane="actions")
    await world.redis.delete(f"{world.prefix}wake:p2")
    await world.runs.claim("p1", [("actions", 10), ("actions/t", 0)], flying=2)
    assert await world.posture("p1", "actions") == "hot"
    await world.submit("run_d", lane="actions/t")
    assert await world.tokens("p2") == 1


async def test_a_claim_uses_up_the_tokens_of_its_pump(world):
    await world.runs.claim("p1", BOTH)
    await world.submit("run_a", lane="actions")
    await world.submit("run_b", lane="actions/t")
    assert await world.tokens("p1") == 2
    assert len((await world.runs.claim("p1", BOTH)).runs) == 2
    assert await world.tokens("p1") == 0


async def test_a_finish_does_not_wake_the_queue_that_its_pump_claims_from_next(world):
    await world.offer()
    await world.submit("run_a", dependents=("run_b",))
    await world.submit("run_b", status=Status.BLOCKED, open=1)
    (run,) = await world.take(room=1)
    await world.redis.delete(world.celery())
    await world.pass_real_gates()
    await world.end(run, claims_next=("actions",))
    assert await world.nudges() == 0
    assert [run.id for run in await world.take()] == ["run_b"]


async def test_a_finish_wakes_every_other_queue_also_one_whose_name_is_the_end_of_its_own(world):
    await world.offer("turns")
    await world.submit("run_a", lane="returns", dependents=("run_b",))
    await world.submit("run_b", lane="turns", status=Status.BLOCKED, open=1)
    (run,) = await world.take(lane="returns")
    await world.end(run, claims_next=("returns",))
    assert await world.nudges("turns") == 1


async def test_what_falls_due_on_a_queue_of_others_wakes_that_queue(world):
    await world.offer()
    await world.submit("run_a")
    (run,) = await world.take()
    await world.end(run, "again", "1", delay_ms=10, why="backoff")
    await world.runs.leave("p1", ["actions"])
    await world.redis.delete(world.celery())
    await world.pass_real_gates()
    world.pass_time(ms=10)
    assert await world.take("p2", lane="turns") == []
    assert await world.status("run_a") == Status.READY
    assert await world.nudges() == 1


async def test_suspects_that_a_pump_may_not_take_wake_the_next(world):
    await world.submit("run_a", "run_b", "run_c")
    await world.take("p0")
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    await world.redis.zadd(f"{world.prefix}slp:actions", {"p2": world.now + 9_000_000})
    assert len(await world.take("p1", suspects=1)) == 1
    assert await world.tokens("p2") == 1


async def test_handing_back_wakes_the_next(world):
    await world.submit("run_a")
    await world.take("p1")
    await world.redis.zadd(f"{world.prefix}slp:actions", {"p2": world.now + 9_000_000})
    await world.runs.leave("p1", ["actions"])
    assert await world.tokens("p2") == 1


async def test_a_pump_that_pauses_wakes_the_next_for_the_work_that_counted_on_it(world):
    await world.submit("run_a")
    await world.take("p1")
    await world.claim("p2", nap_ms=9_000)
    await world.submit("run_b")  # nobody is woken: p1 is hot
    assert await world.tokens("p2") == 0
    await world.runs.pause("p1", ["actions"])
    assert await world.tokens("p2") == 1


async def test_a_dead_pumps_runs_wake_the_next(world):
    await world.offer()
    await world.submit("run_a")
    await world.take("p1")
    await world.redis.delete(world.celery())
    await world.pass_real_gates()
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    assert await world.nudges() == 1


async def test_a_tick_that_finds_work_tells_celery_too_for_the_sleeper_may_be_dead(world):
    await world.offer()
    await world.claim("p1", nap_ms=2_000)
    await world.claim("p2", nap_ms=2_000)
    await world.submit("run_a")  # one of them gets a token, but both were killed
    assert await world.nudges() == 0
    world.pass_time(s=1)
    await world.runs.tick(["actions"])
    assert await world.nudges() == 1


async def test_a_tick_leaves_work_to_a_hot_pump(world):
    await world.offer()
    await world.submit("run_a")
    await world.redis.delete(world.celery())
    await world.take("p1")
    await world.pass_real_gates()
    await world.submit("run_b")
    await world.runs.tick(["actions"])
    assert await world.nudges() == 0


async def test_a_tick_wakes_a_sleeper_for_what_lies_there(world):
    await world.submit("run_a")  # before anybody slept, and without a worker to nudge
    await world.redis.zadd(f"{world.prefix}slp:actions", {"p1": world.now + 2_000_000})
    await world.runs.tick(["actions"])
    assert await world.tokens("p1") == 1
