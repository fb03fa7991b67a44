"""What people are told of limits, locks and ladders is what the scripts decide by."""

from __future__ import annotations

import pytest

from orchestrator.store.incoming import Effect, EffectKind, LimitGuard, LockGuard
from orchestrator.store.room import Numbers, Room, read_guards, room

S = 1_000_000
MINUTE = 60 * S
NOW = 10_000 * S
FIVE = LimitGuard("buy:a", "buy", 5, MINUTE)
SMOOTH = LimitGuard("pour", "pour", 100, MINUTE, burst=10)
SHELF = LockGuard("shelf:a")
DECLARED = {"buy": Numbers(5, MINUTE), "pour": Numbers(100, MINUTE, 10)}


async def standing(world, declared=None):
    return await world.store.limits.standing(declared=declared, clock=world.now)


@pytest.mark.parametrize("guard", [FIVE, SMOOTH, SHELF, LockGuard("~turn:x", "replace", 3)])
def test_a_guard_is_read_as_it_was_written(guard):
    assert read_guards(f"{guard.line()}\n{SHELF.line()}") == [guard, SHELF]


@pytest.mark.parametrize(
    ("starts", "told"),
    [
        ([], Room(0, 2, 0)),
        ([NOW - 9 * S], Room(1, 2, 0)),
        ([NOW - S, NOW - 9 * S], Room(2, 2, NOW + S)),
        ([NOW - S, NOW - 11 * S], Room(1, 2, NOW - S)),
        ([NOW - 11 * S, NOW - 12 * S], Room(0, 2, NOW - 2 * S)),
        ([NOW - S, NOW - 2 * S, NOW - 3 * S], Room(3, 2, NOW + 8 * S)),  # the operator has lowered it
    ],
)
def test_of_an_exact_limit_only_starts_within_the_window_count(starts, told):
    assert room(Numbers(2, 10 * S), starts, 0, 0, NOW) == told


@pytest.mark.parametrize(
    ("tat", "used", "free_in_s"),
    [
        (0, 0, None),
        (NOW + 200 * S, 200, None),
        (NOW + 500 * S, 500, 1),
        (NOW + 499 * S, 499, 0),
        (NOW + 510 * S, 510, 11),
    ],
)
def test_of_gcra_the_next_unit_counts_and_not_the_last(tat, used, free_in_s):
    told = room(Numbers(1_000, 501 * S, 500), [], tat, 0, NOW)  # one unit a second
    assert (told.used, told.most) == (used, 500)
    assert told.next_us is not None
    assert told.next_us - NOW <= 0 if free_in_s is None else told.next_us - NOW == free_in_s * S


def test_a_pause_puts_the_next_start_off():
    assert room(Numbers(2, 10 * S), [], 0, NOW + 7 * S, NOW).next_us == NOW + 7 * S


async def test_a_full_limit_says_when_the_next_may_start_and_is_gone_when_its_window_is_over(world):
    await world.submit(*(f"run_{n}" for n in range(7)), guards=(FIVE,))
    await world.take()
    world.pass_time(s=20)
    (told,) = await standing(world, declared=DECLARED)
    assert (told.key, told.used, told.most, told.waiting + told.parked) == ("buy:a", 5, 5, 2)
    assert told.next_us == world.now + 40 * S
    assert told.first == "run_5"
    world.pass_time(s=40)
    assert [run.id for run in await world.take()] == ["run_5", "run_6"]
    (told,) = await standing(world, declared=DECLARED)
    assert (told.used, told.first) == (2, None)
    world.pass_time(s=60)
    assert await standing(world, declared=DECLARED) == []


async def test_gcra_says_the_moment_at_which_one_more_starts(world):
    await world.submit(*(f"run_{n}" for n in range(12)), guards=(SMOOTH,))
    assert len(await world.take(room=20)) == 10
    (told,) = await standing(world, declared=DECLARED)
    assert (told.used, told.most, told.waiting) == (10, 10, 2)
    assert told.next_us is not None
    world.pass_time(ms=(told.next_us - world.now) / 1_000 - 1)
    assert await world.take() == []
    world.pass_time(ms=1)
    assert len(await world.take()) == 1


async def test_what_was_given_back_is_free_at_once(world):
    dear = LimitGuard("pour", "pour", 100, MINUTE, burst=10, cost=10)
    await world.submit("run_1", guards=(dear,))
    (run,) = await world.take()
    await world.end(run, effects=(Effect(EffectKind.SPENT, "pour", "4"),))
    (told,) = await standing(world, declared=DECLARED)
    assert (told.used, told.most) == (4, 10)
    assert told.next_us is not None
    assert told.next_us <= world.now


async def test_an_operators_numbers_count_in_place_of_the_declared(world):
    await world.submit("run_1", "run_2", guards=(FIVE,))
    await world.take()
    await world.store.limits.set("buy", n=20, per_us=MINUTE)
    assert [each.most for each in await standing(world, declared=DECLARED)] == [20]
    await world.store.limits.set("buy", key="buy:a", n=0, per_us=MINUTE)
    (told,) = await standing(world, declared=DECLARED)
    assert (told.used, told.most, told.next_us) == (2, 0, None)


async def test_without_the_actions_the_numbers_are_those_of_who_waits(world):
    await world.submit(*(f"run_{n}" for n in range(6)), guards=(FIVE,))
    await world.take()
    (told,) = await standing(world)
    assert (told.used, told.most) == (5, 5)
    await world.runs.cancel("run_5")
    assert [(each.used, each.most) for each in await standing(world)] in ([(5, 5)], [(None, None)])


async def test_a_lock_says_who_holds_it_and_a_ghost_is_told_apart(world):
    await world.submit("run_1", "run_2", "run_3", guards=(SHELF,))
    (run,) = await world.take()
    (told,) = await world.store.locks.standing()
    assert (told.key, told.places, told.waiting) == ("shelf:a", 1, 2)
    assert [(each.run, each.ghost, each.status, each.since_us) for each in told.holders] == [
        ("run_1", False, "running", world.now)
    ]
    await world.end(run, "timed_out", "{}", effects=(Effect(EffectKind.GHOST),))
    (told,) = await world.store.locks.standing()
    assert [(each.run, each.ghost, each.status) for each in told.holders] == [("run_1", True, "timed_out")]
    assert (told.places, told.waiting) == (1, 2)


async def test_all_who_have_a_place_hold_a_lock_with_several(world):
    wide = LockGuard("shelf:b", places=2)
    await world.submit("run_1", "run_2", "run_3", guards=(wide,))
    await world.take()
    (told,) = await world.store.locks.standing()
    assert ([each.run for each in told.holders], told.waiting) == (["run_1", "run_2"], 1)


async def test_a_ladder_says_what_a_run_holds_what_stops_it_and_what_is_ahead(world):
    await world.submit("run_1", "run_2", guards=(SHELF, LimitGuard("all", "all", 1, 10 * S)))
    await world.submit("run_3", guards=(LockGuard("shelf:b"), LimitGuard("all", "all", 1, 10 * S)))
    await world.take()

    async def where(run):
        return [(rung.key, rung.where, rung.before) for rung in (await world.store.ladders.read(run)).rungs]

    assert await where("run_1") == [("shelf:a", "held", None), ("all", "held", None)]
    assert await where("run_2") == [("shelf:a", "here", 0), ("all", "ahead", None)]
    assert await where("run_3") == [("shelf:b", "held", None), ("all", "here", 0)]


async def test_a_run_that_waits_for_long_holds_nothing(world):
    day = LimitGuard("day", "day", 1, 86_400 * S)
    await world.submit("run_1", "run_2", "run_3", guards=(SHELF, day))
    (run,) = await world.take()
    await world.end(run)
    await world.take()
    ladder = await world.store.ladders.read("run_2")
    assert [(rung.key, rung.where) for rung in ladder.rungs] == [("shelf:a", "ahead"), ("day", "parked")]
    assert ladder.rungs[1].before == 0


async def test_what_is_not_there_has_an_empty_ladder(world):
    ladder = await world.store.ladders.read("run_nobody")
    assert (ladder.rungs, ladder.open, ladder.joined) == ((), 0, None)
