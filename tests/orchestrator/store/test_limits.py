"""Rate limits: never more in any window, over all pumps; what is over the limit waits in turn or is refused."""

from __future__ import annotations

import pytest

from actions.errors import StoreRefused
from orchestrator.store.incoming import Effect, EffectKind, LimitGuard

MINUTE = 60_000_000
FIVE = LimitGuard("buy:a", "buy", 5, MINUTE)
SMOOTH = LimitGuard("pour", "pour", 100, MINUTE, burst=10)


def ids(runs):
    return [run.id for run in runs]


def several(count, start=0):
    return [f"run_{n:02}" for n in range(start, start + count)]


async def drain(world, seconds, *, step_ms=1_000, pump="p1"):
    """Claim as a pump does until so much time has passed; when each run started, in seconds."""
    starts = []
    for _ in range(int(seconds * 1000 / step_ms)):
        for run in await world.take(pump, 64):
            starts.append((run.id, (world.now - world.began) / 1e6))
            await world.end(run, pump=pump)
        world.pass_time(ms=step_ms)
    return starts


@pytest.fixture(autouse=True)
def _clock(world):
    world.began = world.now


async def test_n_start_at_once_and_the_next_when_the_first_is_a_window_old(world):
    await world.submit(*several(7), guards=(FIVE,))
    starts = await drain(world, 70)
    assert ids_of(starts) == several(7)
    assert [at for _, at in starts] == [0, 0, 0, 0, 0, 60, 60]


def ids_of(starts):
    return [run for run, _ in starts]


async def test_two_pumps_share_one_limit(world):
    await world.submit(*several(50), guards=(FIVE,))
    first, second = await world.take("p1", 25), await world.take("p2", 25)
    assert len(first) + len(second) == 5


async def test_each_key_has_a_limit_of_its_own(world):
    await world.submit(*several(6), guards=(FIVE,))
    await world.submit(*several(6, 10), guards=(LimitGuard("buy:b", "buy", 5, MINUTE),))
    assert len(await world.take(room=20)) == 10


async def test_a_burst_is_followed_by_an_even_flow_and_never_more_than_n_in_a_window(world):
    await world.submit(*several(99), guards=(SMOOTH,))
    starts = [at for _, at in await drain(world, 90, step_ms=100)]
    assert starts[:10] == [0] * 10
    assert starts[10] > 0
    assert max(sum(1 for each in starts if at <= each < at + 60) for at in starts) <= 100
    assert len(starts) > 95


async def test_a_pump_learns_when_the_next_may_start(world):
    await world.submit(*several(6), guards=(FIVE,))
    claim = await world.claim()
    assert claim.due_ms == 60_000


async def test_costs_are_units_of_the_limit(world):
    dear = LimitGuard("tokens", "tokens", 100, MINUTE, burst=50, cost=30)
    await world.submit(*several(3), guards=(dear,))
    assert len(await world.take()) == 1


async def test_what_was_reserved_and_not_spent_is_given_back(world):
    dear = LimitGuard("tokens", "tokens", 100, MINUTE, burst=50, cost=50)
    await world.submit(*several(2), guards=(dear,))
    (first,) = await world.take()
    assert await world.take() == []
    await world.end(first, effects=(Effect(EffectKind.SPENT, "tokens", "0"),))
    assert ids(await world.take()) == ["run_01"]


async def test_time_does_not_give_back_twice(world):
    def cost(units):
        return (LimitGuard("tokens", "tokens", 10, MINUTE, burst=5, cost=units),)

    await world.submit("run_1", guards=cost(5))
    (first,) = await world.take()
    world.pass_time(s=100)
    await world.submit("run_2", guards=cost(5))
    await world.take()
    await world.end(first, effects=(Effect(EffectKind.SPENT, "tokens", "1"),))
    await world.submit("run_3", guards=cost(1))
    assert await world.take() == []


async def test_what_was_spent_beyond_the_reserve_is_paid_for_later(world):
    dear = LimitGuard("tokens", "tokens", 100, MINUTE, burst=50, cost=10)
    await world.submit(*several(2), guards=(dear,))
    claimed = await world.take(room=1)
    await world.end(claimed[0], "failed", "{}", effects=(Effect(EffectKind.SPENT, "tokens", "60"),))
    assert await world.take() == []
    world.pass_time(s=30)
    assert ids(await world.take()) == ["run_01"]


@pytest.mark.parametrize("spent", ["1e30", "inf", str(10**40)])
async def test_no_amount_that_a_handler_names_stops_a_finish(world, spent):
    dear = LimitGuard("tokens", "tokens", 100, MINUTE, burst=50, cost=10)
    await world.open()
    await world.post(world.call("turn_x", 0, guards=(dear,)))
    (run,) = await world.take()
    assert await world.end(run, effects=(Effect(EffectKind.SPENT, "tokens", spent),)) == "ok"
    assert (await world.conversations.turn("turn_x"))["s"] == "done"


async def test_no_window_that_an_operator_names_stops_a_claim(world):
    dear = LimitGuard("tokens", "tokens", 100, MINUTE, burst=50, cost=10)
    await world.store.limits.set("tokens", n=100, burst=100, per_us=10**20)
    await world.submit("run_00", "run_01", guards=(dear,))
    assert ids(await world.take()) == ["run_00", "run_01"]


async def test_a_refusing_limit_says_when_to_try_again(world):
    refusing = LimitGuard("buy:a", "buy", 1, MINUTE, over="refuse")
    await world.submit(*several(2), guards=(refusing,))
    await world.take()
    view = await world.runs.read("run_01")
    assert view.status == "refused"
    assert '"code":"rate_limited"' in view.result
    assert '"retry_after_s":60' in view.result


async def test_a_cooled_limit_lets_nobody_through_until_then(world):
    await world.submit(*several(2), guards=(FIVE,))
    (first,) = await world.take(room=1)
    await world.end(
        first, "again", "{}", delay_ms=5_000, effects=(Effect(EffectKind.COOL, "buy:a", "20000"),)
    )
    assert await world.take() == []
    world.pass_time(s=19)
    assert await world.take() == []
    world.pass_time(s=1)
    assert ids(await world.take()) + ids(await world.take()) == ["run_01", "run_00"]


async def test_an_operator_cools_a_limit(world):
    await world.store.limits.cool(["buy:a"], 10_000)
    await world.submit("run_1", guards=(FIVE,))
    assert await world.take() == []
    (standing,) = await world.store.limits.standing("buy")
    assert (standing.key, standing.waiting) == ("buy:a", 1)
    world.pass_time(s=10)
    assert ids(await world.take()) == ["run_1"]


async def test_a_limit_that_is_raised_lets_those_who_wait_start(world):
    await world.submit(*several(12), guards=(FIVE,))
    assert len(await world.take(room=20)) == 5
    await world.store.limits.set("buy", n=10, per_us=MINUTE)
    taken = []
    for _ in range(12):
        taken += await world.take(room=20)
    assert len(taken) == 5


async def test_a_limit_may_be_changed_for_one_key_alone(world):
    await world.store.limits.set("buy", key="buy:a", n=1, per_us=MINUTE)
    await world.submit(*several(3), guards=(FIVE,))
    await world.submit(*several(3, 10), guards=(LimitGuard("buy:b", "buy", 5, MINUTE),))
    assert ids(await world.take(room=20)) == ["run_00", *several(3, 10)]
    await world.store.limits.unset("buy", key="buy:a")
    assert len(await world.take() + await world.take()) == 2


async def test_a_limit_of_nothing_stops_all_and_goes_on_when_unset(world):
    await world.store.limits.set("buy", n=0, per_us=MINUTE)
    await world.submit(*several(3), guards=(FIVE,))
    assert await world.take() == []
    await world.store.limits.unset("buy")
    taken = []
    for _ in range(4):
        taken += await world.take()
        world.pass_time(ms=50)
    assert ids(taken) == several(3)


async def test_a_run_is_charged_only_when_all_its_limits_have_room(world):
    narrow, wide = LimitGuard("buy:a", "buy", 5, MINUTE), LimitGuard("all", "all", 1, MINUTE)
    await world.submit("run_00", guards=(wide,))
    await world.take()
    await world.submit(*several(5, 1), guards=(narrow, wide))
    assert await world.take() == []
    assert not await world.redis.exists(f"{world.prefix}lim:buy:a")


async def test_many_that_wait_for_long_are_let_in_as_there_is_room_and_in_their_order(world):
    day = LimitGuard("day", "day", 3, 86_400_000_000)
    await world.submit(*several(10), guards=(day,))
    starts = []
    for _ in range(4):
        for _ in range(4):
            starts += ids(await world.take(room=64))
            world.pass_time(ms=100)
        world.pass_time(s=86_400)
    assert starts == several(10)


async def test_a_newcomer_does_not_overtake_those_that_wait_for_long(world):
    day = LimitGuard("day", "day", 1, 86_400_000_000)
    await world.submit("run_1", "run_2", guards=(day,))
    await world.take()
    world.pass_time(s=86_400)
    await world.submit("run_3", guards=(day,), priority=0)
    assert ids(await world.take()) == ["run_2"]


async def test_a_parked_run_that_is_cancelled_leaves_no_trace(world):
    day = LimitGuard("day", "day", 1, 86_400_000_000)
    await world.submit("run_1", "run_2", guards=(day,))
    await world.take()
    assert await world.runs.cancel("run_2") == "cancelled"
    assert not await world.redis.exists(f"{world.prefix}lp:day")


async def test_a_change_and_its_line_in_the_audit_are_one_step(world, monkeypatch):
    line = {"run": "", "what": "limit", "by": "ann"}
    await world.store.limits.set("buy", n=1, per_us=MINUTE, line=line)
    await world.store.limits.unset("buy", line=line | {"by": "bob"})
    assert [each.fields["by"] for each in await world.store.audit.read()] == ["ann", "bob"]
    monkeypatch.setattr("orchestrator.store.limits.MOST_CHANGED", 0)
    with pytest.raises(StoreRefused):
        await world.store.limits.set("buy", n=1, per_us=MINUTE, line=line)
    assert len(await world.store.audit.read()) == 2
