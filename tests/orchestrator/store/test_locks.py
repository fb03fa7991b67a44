"""Locks: one holder over all pumps, in turn, and what becomes of them when a holder dies or goes on."""

from __future__ import annotations

import pytest

from orchestrator.store.incoming import Effect, EffectKind, LimitGuard, LockGuard
from orchestrator.store.keys import ghost

ORDERS = LockGuard("orders:a")
BOOKS = LockGuard("books:a")
DAY = LimitGuard("day", "day", 1, 86_400_000_000)


def ids(runs):
    return [run.id for run in runs]


async def locks(world, key="orders:a"):
    return await world.redis.lrange(f"{world.prefix}lk:{key}", 0, -1)


async def test_one_run_holds_a_lock_and_the_others_get_it_in_turn(world):
    await world.submit("run_1", "run_2", "run_3", guards=(ORDERS,))
    for expected in ("run_1", "run_2", "run_3"):
        (run,) = await world.take()
        assert run.id == expected
        assert await world.take("p2") == []
        await world.end(run)
    assert await locks(world) == []


async def test_a_waiting_run_says_what_it_waits_for(world):
    await world.submit("run_1", "run_2", guards=(ORDERS,))
    await world.take()
    view = await world.runs.read("run_2")
    assert (view.status, view.why) == ("waiting", "lock orders:a")


async def test_the_end_of_a_holder_wakes_the_next_at_once(world):
    await world.submit("run_1", "run_2", guards=(ORDERS,))
    (first,) = await world.take()
    assert await world.end(first) == "ok"
    assert await world.status("run_2") == "ready"


@pytest.mark.parametrize("verdict", ["again", "postponed"])
async def test_a_run_that_is_put_off_gives_up_its_lock_and_queues_anew(world, verdict):
    await world.submit("run_1", "run_2", guards=(ORDERS,))
    (first,) = await world.take()
    await world.end(first, verdict, '{"error":"later"}', delay_ms=1_000, why="backoff")
    (second,) = await world.take()
    assert second.id == "run_2"
    world.pass_time(s=1)
    assert await world.take() == []
    await world.end(second)
    assert ids(await world.take()) == ["run_1"]


async def test_a_lock_with_places_is_held_by_so_many(world):
    await world.submit(*(f"run_{n}" for n in range(5)), guards=(LockGuard("pool:a", places=2),))
    first, second = await world.take()
    assert await world.take() == []
    await world.end(second)
    assert ids(await world.take()) == ["run_2"]
    await world.end(first)
    assert ids(await world.take()) == ["run_3"]


async def test_a_refusing_lock_tells_the_newcomer_that_it_is_taken(world):
    refusing = LockGuard("orders:a", "refuse")
    await world.submit("run_1", "run_2", guards=(refusing,))
    assert ids(await world.take()) == ["run_1"]
    view = await world.runs.read("run_2")
    assert view.status == "refused"
    assert '"code":"locked"' in view.result
    assert await locks(world) == ["run_1"]


@pytest.mark.parametrize("verdict", ["again", "postponed"])
async def test_a_run_that_has_run_is_not_refused_when_it_comes_again(world, verdict):
    refusing = LockGuard("orders:a", "refuse")
    await world.submit("run_1", guards=(refusing,))
    (first,) = await world.take()
    await world.end(first, verdict, "{}", delay_ms=1_000)
    await world.submit("run_2", guards=(refusing,))
    (second,) = await world.take()
    world.pass_time(s=1)
    assert await world.take() == []
    assert await world.status("run_1") == "waiting"
    await world.end(second)
    assert ids(await world.take()) == ["run_1"]


async def test_a_run_is_not_refused_because_of_its_own_ghost(world):
    await world.submit("run_1", guards=(LockGuard("orders:a", "refuse"),))
    (first,) = await world.take()
    await world.end(first, "again", "{}", effects=(Effect(EffectKind.GHOST),))
    assert await world.take() == []
    await world.end(first, "late", "{}")
    assert ids(await world.take()) == ["run_1"]


async def test_a_head_that_has_ended_holds_up_nobody(world):
    limit = LimitGuard("buy", "buy", 5, 60_000_000)
    await world.submit("run_gone")
    (gone,) = await world.take()
    await world.end(gone)
    for kind, key in (("lk", "orders:a"), ("lw", "buy")):
        await world.redis.rpush(f"{world.prefix}{kind}:{key}", "run_gone", "run_never")
    await world.submit("run_1", guards=(ORDERS, limit))
    assert ids(await world.take()) == ["run_1"]


async def test_of_very_many_that_ended_while_they_waited_some_are_dropped_at_a_time(world):
    for start in range(0, 1_500, 500):
        await world.submit(*(f"run_{n:04}" for n in range(start, start + 500)), guards=(ORDERS,))
    while (await world.claim(room=1)).due_ms == 0:
        pass
    for n in range(1, 1_499):
        await world.runs.cancel(f"run_{n:04}")
    await world.end(await _claimed(world, "run_0000"))
    taken = []
    for _ in range(5):
        taken += ids(await world.take())
    assert taken == ["run_1499"]


async def test_the_newest_replaces_the_holder_and_who_waited_to_do_the_same(world):
    replacing = LockGuard("orders:a", "replace")
    await world.submit("run_1", guards=(replacing,))
    (holder,) = await world.take()
    await world.submit("run_2", "run_3", guards=(replacing,))
    assert await world.take() == []
    assert await world.statuses("run_1", "run_2", "run_3") == ["cancelling", "cancelled", "waiting"]
    assert await world.runs.renew("p1", 10_000) == ["run_1"]
    await world.end(holder, "cancelled")
    view = await world.runs.read("run_1")
    assert '"code":"superseded"' in view.result
    assert ids(await world.take()) == ["run_3"]


async def test_of_many_that_replace_each_other_only_the_newest_is_left(world):
    replacing = LockGuard("orders:a", "replace")
    await world.submit("run_holder", guards=(replacing,))
    (holder,) = await world.take()
    await world.submit(*(f"run_{n}" for n in range(500)), guards=(replacing,))
    while (await world.claim()).due_ms == 0:
        pass
    assert await locks(world) == ["run_holder", "run_499"]
    await world.end(holder, "cancelled")
    assert ids(await world.take()) == ["run_499"]


async def test_who_replaces_one_key_leaves_keys_that_only_begin_like_it_alone(world):
    await world.submit("run_holder", guards=(LockGuard("a"),))
    await world.take()
    await world.submit("run_1", guards=(LockGuard("a"), LockGuard("ab", "replace")))
    await world.claim()
    await world.submit("run_2", guards=(LockGuard("a", "replace"),))
    await world.claim()
    assert await world.status("run_1") == "waiting"


async def test_a_run_that_is_stopped_at_its_second_guard_keeps_its_first(world):
    await world.submit("run_1", guards=(BOOKS,))
    (holder,) = await world.take()
    await world.submit("run_2", guards=(ORDERS, BOOKS))
    await world.submit("run_3", guards=(ORDERS,))
    assert await world.take() == []
    assert await locks(world) == ["run_2", "run_3"]
    await world.end(holder)
    assert ids(await world.take()) == ["run_2"]


async def test_a_waiting_run_that_is_cancelled_lets_the_next_one_in(world):
    await world.submit("run_1", "run_2", "run_3", guards=(ORDERS,))
    (first,) = await world.take()
    assert await world.runs.cancel("run_2") == "cancelled"
    await world.end(first)
    assert ids(await world.take()) == ["run_3"]


async def test_a_dead_holder_frees_its_lock_when_its_lease_is_over(world):
    await world.submit("run_1", "run_2", guards=(ORDERS,))
    (first,) = await world.take("p1", lease_ms=10_000)
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    assert ids(await world.take("p2")) == ["run_1"] or await world.status("run_2") == "running"
    assert await world.end(first, pump="p1") == "stale"
    assert len(await locks(world)) == 2


async def test_a_late_holder_changes_nothing(world):
    await world.submit("run_1", "run_2", guards=(ORDERS,))
    (first,) = await world.take("p1")
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    (again,) = await world.take("p2")
    assert await world.end(first, pump="p1") == "stale"
    assert (await locks(world))[0] == again.id


async def test_a_ghost_keeps_its_lock_until_it_ends(world):
    await world.submit("run_1", "run_2", guards=(ORDERS,))
    (first,) = await world.take()
    await world.end(first, "timed_out", '{"code":"timed_out"}', effects=(Effect(EffectKind.GHOST),))
    assert await world.status("run_1") == "timed_out"
    assert await world.take() == []
    await world.end(first, "late", '{"status":"succeeded"}')
    assert ids(await world.take()) == ["run_2"]
    view = await world.runs.read("run_1")
    assert view.late == '{"status":"succeeded"}'
    assert view.status == "timed_out"


async def test_a_run_that_is_tried_again_waits_for_its_own_ghost(world):
    await world.submit("run_1", guards=(ORDERS,))
    (first,) = await world.take()
    await world.end(first, "again", "{}", effects=(Effect(EffectKind.GHOST),))
    assert await world.take() == []
    await world.end(first, "late", "{}")
    assert ids(await world.take()) == ["run_1"]


async def test_a_ghost_whose_pump_dies_frees_its_lock(world):
    await world.submit("run_1", "run_2", guards=(ORDERS,))
    (first,) = await world.take()
    await world.end(first, "timed_out", "{}", effects=(Effect(EffectKind.GHOST),))
    assert (await world.claim("p1", 0)).held == 1
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    assert ids(await world.take("p2")) == ["run_2"]
    assert not await world.redis.keys(f"{world.prefix}gh:*")


async def test_a_pump_that_squares_its_books_keeps_its_ghosts(world):
    await world.submit("run_1", "run_2", guards=(ORDERS,))
    (first,) = await world.take()
    await world.end(first, "timed_out", "{}", effects=(Effect(EffectKind.GHOST),))
    await world.runs.reconcile("p1", [(ghost("run_1", first.fence), first.fence)])
    assert await world.take() == []
    await world.runs.reconcile("p1", [])
    assert ids(await world.take()) == ["run_2"]


async def test_a_thread_that_is_handed_back_keeps_its_lock_until_the_lease_is_over(world):
    await world.submit("run_1", lane="actions/t", guards=(ORDERS,))
    await world.take(lane="actions/t")
    await world.runs.leave("p1", ["actions"])
    assert await world.take("p2", lane="actions/t") == []
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    assert ids(await world.take("p2", lane="actions/t")) == ["run_1"]
    assert await world.redis.zrange(f"{world.prefix}live", 0, -1) == ["p2"]


async def test_an_exhausted_daily_limit_does_not_hold_up_a_lock(world):
    await world.submit("run_0", guards=(DAY,))
    await world.take()
    await world.submit("run_1", guards=(ORDERS, DAY))
    await world.submit("run_2", guards=(ORDERS,))
    assert ids(await world.take()) == ["run_2"]
    view = await world.runs.read("run_1")
    assert (view.status, view.why) == ("waiting", "limit day")
    await world.end(await _claimed(world, "run_2"))
    world.pass_time(s=86_401)
    assert ids(await world.take()) == ["run_1"]


async def _claimed(world, run):
    """As the pump knows it."""
    from types import SimpleNamespace

    return SimpleNamespace(id=run, fence=await world.field(run, "f"))
