"""One reader for all who follow: every entry once and in order; and for all who wait, one word when it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import gc

import pytest

from hub_under_test import Place, collect, numbers, shortly
from orchestrator import channels
from orchestrator.hub import Gap, TooManyStreams
from orchestrator.store.incoming import Lead, NewRun


@pytest.fixture
async def place(settings):
    made = Place(settings)
    yield made
    await made.close()


async def test_it_tells_what_is_kept_and_then_what_comes(place):
    await place.write(1, 2, 3)
    async with place.hub.subscribe("conv_a") as events:
        assert numbers(await events.take(1)) == [1, 2, 3]
        await place.write(4)
        assert numbers(await events.take(5)) == [4]
        assert await events.take(0.01) == []


async def test_it_goes_on_behind_any_id(place):
    ids = await place.write(*range(10))
    for at, id_ in enumerate(ids):
        async with place.hub.subscribe("conv_a", id_) as events:
            rest = await events.take(0)
            assert numbers(rest) == list(range(at + 1, 10))


async def test_a_stream_may_begin_later(place):
    async with place.hub.subscribe("conv_a") as events:
        assert await events.take(0) == []
        await place.write(1)
        assert numbers(await events.take(5)) == [1]


async def test_more_than_a_page_comes_in_order(place):
    pipe = place.redis.pipeline()
    for n in range(950):
        pipe.xadd(place.key(), {"at": 1, "e": f'[{{"turn":"turn_{n}","status":"live"}}]'})
    await pipe.execute()
    async with place.hub.subscribe("conv_a") as events:
        assert await collect(events, 949) == list(range(950))


async def test_one_may_begin_with_what_is_new(place):
    (*_, last) = await place.write(1, 2)
    async with place.hub.subscribe("conv_a", now=True) as events:
        assert await events.take(1) == Gap("now", last)
        await place.write(3)
        assert numbers(await events.take(5)) == [3]


async def test_followers_of_one_stream_share_a_channel_and_each_has_a_place_of_its_own(place):
    ids = await place.write(*range(5))
    async with place.hub.subscribe("conv_a") as first, place.hub.subscribe("conv_a", ids[3]) as second:
        assert await collect(first, 4) == [0, 1, 2, 3, 4]
        assert await collect(second, 4) == [4]
        await place.write(5, 6)
        assert await collect(first, 6) == await collect(second, 6) == [5, 6]
        assert len(place.hub._channels) == 1
    assert not place.hub._channels


async def test_an_entry_is_read_once_for_all_who_follow(place):
    async with contextlib.AsyncExitStack() as stack:
        each = [await stack.enter_async_context(place.hub.subscribe("conv_a")) for _ in range(20)]
        await asyncio.gather(*(one.take(0) for one in each))
        await place.write(1)
        (first,), *others = await asyncio.gather(*(one.take(5) for one in each))
        assert all(other[0] is first for other in others)


async def test_who_comes_while_it_reads_is_read_for_at_once_and_then_it_sleeps_again(place, monkeypatch):
    reads, follower = [], place.hub._reader._follower
    read = follower.read

    async def counted(places):
        reads.append(len(places))
        return await read(places)

    monkeypatch.setattr(follower, "read", counted)
    async with place.hub.subscribe("conv_a") as first, place.hub.subscribe("conv_b") as second:
        assert await first.take(0) == []
        await shortly(lambda: place.hub._reader._is_reading)
        assert await second.take(0) == []
        await shortly(lambda: 2 in reads, within_s=1)
        await place.write(1, stream="conv_b")
        assert numbers(await second.take(1)) == [1]
        assert await first.take(0.2) == []
        assert len(reads) <= 4


async def test_a_ring_of_long_entries_is_shorter(place, monkeypatch):
    monkeypatch.setattr(channels, "RING_CHARACTERS", 200)
    async with place.hub.subscribe("conv_a") as slow, place.hub.subscribe("conv_a") as quick:
        assert await slow.take(0) == await quick.take(0) == []
        for n in range(10):
            await place.write(n)
            await collect(quick, n)
        assert len(place.hub._channels["conv_a"]._ring) < 7
        assert await collect(slow, 9) == list(range(10))


async def test_one_may_follow_entry_by_entry_until_the_hub_closes(place):
    await place.write(1, 2)
    seen = []
    async with place.hub.subscribe("conv_a") as events:
        async for each in events:
            seen += numbers([each])
            if seen == [1, 2]:
                await place.write(3)
            if seen == [1, 2, 3]:
                place.hub.drain()
    assert seen == [1, 2, 3]


async def test_who_is_too_slow_for_the_ring_reads_it_all_and_holds_nobody_up(place):
    async with place.hub.subscribe("conv_a") as slow, place.hub.subscribe("conv_a") as quick:
        assert await slow.take(0) == await quick.take(0) == []
        for begin in range(0, 900, 50):
            await place.write(*range(begin, begin + 50))
            await collect(quick, begin + 49)
        assert len(place.hub._channels["conv_a"]._ring) == 256
        assert await collect(slow, 899) == list(range(900))


async def test_there_are_no_more_than_it_may_follow(settings):
    place = Place(settings, streams=2)
    async with place.hub.subscribe("conv_a"), place.hub.subscribe("conv_b"):
        with pytest.raises(TooManyStreams):
            place.hub.subscribe("conv_c")
    async with place.hub.subscribe("conv_c"):
        assert place.hub.streams == 1
    await place.close()


async def test_nothing_is_left_of_those_who_went(place):
    await place.write(1)
    await place.store.runs.submit([NewRun(f"run_{n}", "actions", b"{}") for n in range(10)])
    before = len(asyncio.all_tasks())

    async def follow(n):
        async with place.hub.subscribe(f"conv_{n % 7}", now=n % 2 == 0) as events:
            while True:
                await events.take(10)

    tasks = [asyncio.create_task(follow(n)) for n in range(100)]
    waits = [asyncio.create_task(place.hub.wait_run(f"run_{n}", 30)) for n in range(10)]
    await shortly(lambda: len(place.hub._channels) == 17)
    for task in [*tasks, *waits]:
        task.cancel()
    await asyncio.gather(*tasks, *waits, return_exceptions=True)
    assert not place.hub._channels
    assert (place.hub.streams, place.hub.waits) == (0, 0)
    await place.hub.close()
    gc.collect()
    assert len(asyncio.all_tasks()) <= before


async def test_a_hub_that_was_closed_ends_all(place):
    subscription = place.hub.subscribe("conv_a")
    taking = asyncio.create_task(subscription.take(30))
    await shortly(lambda: place.hub._channels["conv_a"].position is not None)
    place.hub.drain()
    assert await taking is None
    assert await place.hub.subscribe("conv_b").take(5) is None


async def test_a_wait_ends_with_the_run(place):
    await place.store.runs.submit([NewRun("run_a", "actions", b"{}")])
    waiting = asyncio.create_task(place.hub.wait_run("run_a", 20))
    await shortly(lambda: place.hub._channels and place.hub._channels["run_a"].position)
    await place.store.runs.cancel("run_a")
    assert (await waiting).status == "cancelled"
    assert not place.hub._channels


async def test_a_wait_for_what_has_ended_or_is_not_there_is_none(place):
    await place.store.runs.submit([NewRun("run_a", "actions", b"{}")])
    await place.store.runs.cancel("run_a")
    assert (await place.hub.wait_run("run_a", 20)).status == "cancelled"
    assert await place.hub.wait_run("run_b", 20) is None
    assert await place.hub.wait_turn("turn_b", 20) is None


async def test_a_wait_whose_time_is_over_tells_how_it_stands(place):
    await place.store.runs.submit([NewRun("run_a", "actions", b"{}")])
    assert (await place.hub.wait_run("run_a", 0.02)).status == "ready"
    assert (await place.hub.wait_run("run_a", 0)).status == "ready"


async def test_waits_beyond_the_bound_do_not_wait(settings):
    place = Place(settings, waits=1)
    await place.store.runs.submit([NewRun("run_a", "actions", b"{}")])
    first = asyncio.create_task(place.hub.wait_run("run_a", 20))
    await shortly(lambda: place.hub.waits == 1)
    assert (await place.hub.wait_run("run_a", 20)).status == "ready"
    place.hub.drain()
    assert (await first).status == "ready"
    await place.close()


async def test_a_wait_for_a_turn_ends_with_it(place):
    await place.store.conversations.open("conv_a")
    lead = Lead("turns", b"{}", max_rounds=3)
    await place.store.conversations.say("conv_a", "turn_x", "d", '{"role":"user","content":"x"}', lead)
    waiting = asyncio.create_task(place.hub.wait_turn("turn_x", 20))
    await shortly(lambda: place.hub._channels and place.hub._channels["conv_a"].position)
    await place.store.conversations.cancel_turn("turn_x")
    assert await waiting == "cancelled"
