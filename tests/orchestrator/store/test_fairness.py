"""Whose run is next: three weighted priorities, tenants in turn, and a share of the places."""

from __future__ import annotations

from collections import Counter
from typing import Any

from orchestrator.store.incoming import Priority
from orchestrator.store.rows import shares


async def fill(world, tenant, count, **fields: Any):
    await world.submit(*(f"run_{tenant}{n}" for n in range(count)), tenant=tenant, **fields)


def tenants(runs):
    return Counter(run.tenant for run in runs)


async def test_each_priority_has_its_weight_while_more_than_one_has_work(world):
    for priority in Priority:
        await world.submit(*(f"run_{priority.name}{n}" for n in range(100)), priority=priority)
    taken = Counter(run.id[4:].rstrip("0123456789") for run in await world.take(room=50))
    assert taken["HIGH"] >= 28
    assert taken["NORMAL"] >= 13
    assert taken["LOW"] >= 4
    assert sum(taken.values()) == 50


async def test_with_one_place_at_a_time_no_priority_starves(world):
    for priority in Priority:
        await world.submit(*(f"run_{priority.name}{n}" for n in range(200)), priority=priority)
    taken = Counter()
    for _ in range(200):
        world.pass_time(ms=1.7)
        (run,) = await world.take(room=1)
        taken[run.id[4:].rstrip("0123456789")] += 1
    assert taken["HIGH"] > taken["NORMAL"] > taken["LOW"] > 5


async def test_a_tenant_fills_its_share_while_others_wait(world):
    await fill(world, "big", 100)
    await fill(world, "small", 3)
    taken = await world.take(room=20, shares=shares(50, {"": (20, {})}))
    assert tenants(taken) == {"big": 17, "small": 3}
    await fill(world, "late", 100)
    taken = await world.take("p2", room=20, shares=shares(50, {"": (20, {})}))
    assert tenants(taken) == {"big": 10, "late": 10}


async def test_what_is_in_flight_counts_to_the_share(world):
    await fill(world, "big", 100)
    await fill(world, "small", 100)
    taken = await world.take(room=10, shares=shares(50, {"": (20, {"big": 10})}))
    assert tenants(taken) == {"small": 10}


async def test_a_tenant_alone_fills_everything(world):
    await fill(world, "big", 100)
    assert len(await world.take(room=20, shares=shares(50, {"": (20, {"big": 15})}))) == 20


async def test_a_share_of_another_tenants_high_priority_does_not_starve_the_low(world):
    await fill(world, "big", 100, priority=Priority.HIGH)
    await fill(world, "small", 5, priority=Priority.LOW)
    taken = await world.take(room=20, shares=shares(50, {"": (20, {})}))
    assert tenants(taken)["small"] == 5


async def test_places_that_nobody_else_can_fill_are_not_left_empty(world):
    await fill(world, "big", 100)
    await fill(world, "small", 2)
    taken = await world.take(room=20, shares=shares(50, {"": (20, {"big": 10})}))
    assert tenants(taken) == {"big": 18, "small": 2}


async def test_runs_of_others_that_cannot_start_keep_no_places_empty(world):
    from orchestrator.store.incoming import LockGuard

    guards = (LockGuard("one"),)
    await world.submit("run_holder", guards=guards)
    await world.take()
    await fill(world, "stuck", 20, guards=guards)
    await fill(world, "big", 20)
    taken = await world.take("p2", room=20, shares=shares(50, {"": (20, {})}))
    assert tenants(taken) == {"big": 20}


async def test_many_that_cannot_start_do_not_hold_the_server(world):
    from orchestrator.store.incoming import LockGuard

    await world.submit("run_holder", guards=(LockGuard("one"),))
    await world.take()
    for start in range(0, 2_000, 500):
        await world.submit(*(f"run_{n}" for n in range(start, start + 500)), guards=(LockGuard("one"),))
    await world.submit("run_free")
    claim = await world.claim(room=64)
    assert claim.due_ms == 0
    found, trips = list(claim.runs), 1
    while not found and trips < 20:
        found, trips = (await world.claim(room=64)).runs, trips + 1
    assert [run.id for run in found] == ["run_free"]
    assert trips > 2
