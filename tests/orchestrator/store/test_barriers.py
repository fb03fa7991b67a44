"""Barriers: runs that wait together for the ends of others, whatever these ends are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.messages import Status
from orchestrator.store.incoming import Sameness

if TYPE_CHECKING:
    from conftest import World


async def taken(world: World) -> list[str]:
    return sorted(run.id for run in await world.take(room=3_000))


async def test_what_waits_at_a_barrier_goes_on_with_the_last_end_before_it(world: World):
    await world.submit("run_a", "run_b", "run_c", before="one")
    await world.submit("run_x", "run_y", after="one")
    first, second = await world.take(room=2)
    await world.end(first)
    assert await world.runs.cancel("run_c") == "cancelled"
    assert await world.statuses("run_x", "run_y") == ["blocked", "blocked"]
    await world.end(second, Status.FAILED)
    assert await taken(world) == ["run_x", "run_y"]
    assert not [key for key in await world.keys() if key.startswith(("br:", "bw:"))]


async def test_what_comes_after_all_have_ended_does_not_wait(world: World):
    await world.submit("run_a", before="one")
    [first] = await world.take()
    await world.end(first)
    await world.submit("run_x", after="one")
    assert await taken(world) == ["run_x"]


async def test_a_run_that_is_recorded_again_raises_no_barrier(world: World):
    for _ in range(2):
        await world.submit("run_a", before="one")
        await world.submit("run_x", before="two", after="one")
    [first] = await world.take()
    await world.end(first)
    assert await taken(world) == ["run_x"]


async def test_a_run_that_ends_at_a_barrier_lowers_the_next_one(world: World):
    await world.submit("run_a", before="one")
    await world.submit("run_b", before="two", after="one")
    await world.submit("run_c", after="two")
    await world.runs.cancel("run_b")
    assert await taken(world) == ["run_a", "run_c"]


async def test_a_barrier_stands_beside_other_dependencies(world: World):
    await world.submit("run_a", before="one")
    await world.submit("run_b", dependents=("run_x",))
    await world.submit("run_x", after="one", open=1, status=Status.BLOCKED)
    first, second = await world.take()
    await world.end(first)
    assert await world.status("run_x") == "blocked"
    await world.end(second)
    assert await taken(world) == ["run_x"]


async def test_equal_calls_at_a_barrier_are_one(world: World):
    same = Sameness("digest", 60_000)
    await world.submit("run_a", before="one", same=same)
    await world.submit("run_x", "run_y", after="one", same=same)
    [first] = await world.take()
    await world.end(first)
    assert await world.statuses("run_x", "run_y") == ["succeeded", "succeeded"]


async def test_many_go_on_some_at_a_time(world: World):
    await world.submit("run_a", before="one")
    names = sorted(f"run_x{at}" for at in range(1_200))
    for at in range(0, 1_200, 400):
        await world.submit(*names[at : at + 400], after="one")
    [first] = await world.take()
    await world.end(first)
    assert len([each for each in await world.statuses(*names) if each == "ready"]) == 500
    assert sorted([*await taken(world), *await taken(world), *await taken(world)]) == names
