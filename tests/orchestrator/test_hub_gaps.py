"""What followers hear when a stream was trimmed, emptied or replaced, or Redis was away: all that is left, once."""

from __future__ import annotations

import asyncio
import random

import pytest
from pydantic import SecretStr

from actions.errors import StoreUnavailable
from faults.link import Link
from hub_under_test import Place, collect, numbers, shortly
from orchestrator import stream_reader
from orchestrator.hub import Gap
from orchestrator.store.incoming import NewRun


@pytest.fixture
async def place(settings):
    made = Place(settings)
    yield made
    await made.close()


async def test_who_missed_what_was_trimmed_is_told_and_gets_what_is_new(place):
    ids = await place.write(*range(30), keep=10)
    for after in ("", ids[5], "0-0"):
        async with place.hub.subscribe("conv_a", after) as events:
            assert await events.take(1) == Gap("trimmed", ids[-1])
            assert await events.take(0) == []
    async with place.hub.subscribe("conv_a", ids[20]) as events:
        assert numbers(await events.take(1)) == list(range(21, 30))


@pytest.mark.parametrize(
    "after", ["nonsense", "1-2-3", "-", "1", "99999999999999999999-0", "9" * 400, "\u0661-\u0662"]
)
async def test_what_is_no_id_is_a_gap_and_then_what_is_new(place, after):
    (last,) = await place.write(1)
    async with place.hub.subscribe("conv_a", after) as events:
        assert await events.take(1) == Gap("unknown", last)
        assert await events.take(0) == []
        await place.write(2)
        assert numbers(await events.take(5)) == [2]


async def test_an_id_of_another_stream_is_a_gap(place):
    for id_, n in (("100-0", 1), ("200-0", 2)):
        await place.redis.xadd(
            place.key(), {"at": 1, "e": f'[{{"turn":"turn_{n}","status":"live"}}]'}, id=id_
        )
    async with place.hub.subscribe("conv_a", "150-0") as events:
        assert await events.take(1) == Gap("unknown", "200-0")
        assert await events.take(0) == []


async def test_an_id_ahead_of_the_stream_is_a_gap_and_then_what_is_new(place):
    (last,) = await place.write(1)
    async with place.hub.subscribe("conv_a", "9000000000000-0") as events:
        assert await events.take(1) == Gap("unknown", last)
        await place.write(2)
        assert numbers(await events.take(5)) == [2]


async def test_the_id_of_a_gap_resumes_without_another(place):
    await place.write(1, 2)
    for after, now in (("nonsense", False), ("", True)):
        async with place.hub.subscribe("conv_a", after, now=now) as events:
            gap = await events.take(1)
        async with place.hub.subscribe("conv_a", gap.id) as events:
            assert await events.take(0) == []
    async with place.hub.subscribe("conv_empty", now=True) as events:
        gap = await events.take(1)
    await place.write(3, stream="conv_empty")
    async with place.hub.subscribe("conv_empty", gap.id) as events:
        assert numbers(await events.take(0)) == [3]


async def test_what_is_trimmed_between_reading_and_following_is_a_gap(place):
    """The reader stands still while a thousand entries pass."""
    async with place.hub.subscribe("conv_a") as events:
        await place.write(0)
        assert await collect(events, 0) == [0]
        place.hub._reader._task.cancel()
        await asyncio.gather(place.hub._reader._task, return_exceptions=True)
        await place.write(*range(1, 201), keep=100)
        place.hub._reader._task = None
        place.hub._reader.follow()
        assert (await events.take(5)).reason == "trimmed"
        await place.write(201)
        assert await collect(events, 201) == [201]


async def test_a_stream_that_was_emptied_is_a_gap_also_for_who_follows(place, monkeypatch):
    monkeypatch.setattr(stream_reader, "CHECK_S", 0.0)
    async with place.hub.subscribe("conv_a") as events:
        await place.write(1, 2)
        assert await collect(events, 2) == [1, 2]
        await place.redis.delete(place.key())
        await place.hub._reader._interrupt()
        assert await events.take(5) == Gap("unknown", "0-0")
        await place.redis.xadd(place.key(), {"at": 1, "e": '[{"turn":"turn_3","status":"live"}]'}, id="5-0")
        assert numbers(await events.take(5)) == [3]  # though the clock went back


async def test_a_stream_that_went_and_came_back_between_two_looks_is_a_gap(place, monkeypatch):
    async with place.hub.subscribe("conv_a") as events:
        await place.write(1)
        assert await collect(events, 1) == [1]
        await place.redis.delete(place.key())
        await place.write(2)
        assert await collect(events, 2) == [2]
        monkeypatch.setattr(stream_reader, "CHECK_S", 0.0)
        await place.hub._reader._interrupt()
        assert (await events.take(5)).reason == "unknown"


@pytest.fixture
async def linked(settings):
    """A place whose way to Redis can be cut, and one beside it whose way is sound."""
    port = int(settings.store_url.rpartition(":")[2].partition("/")[0])
    sound = Place(settings)
    async with Link(port) as link:
        url = settings.store_url.replace(f":{port}", f":{link.port}")
        far = Place(settings.model_copy(update={"redis_url": SecretStr(url)}))
        yield far, sound, link
        await far.close()
    await sound.close()


async def test_a_hub_whose_connections_break_again_and_again_tells_all_once(linked):
    far, sound, link = linked
    chance = random.Random(5)
    async with far.hub.subscribe("conv_a") as events:
        assert await events.take(1) == []

        async def hurt():
            for begin in range(0, 200, 10):
                await sound.write(*range(begin, begin + 10))
                if chance.random() < 0.5:
                    link.cut()
                await asyncio.sleep(chance.random() * 0.02)

        hurting = asyncio.create_task(hurt())
        assert await collect(events, 199) == list(range(200))
        await hurting


async def test_a_stream_that_is_another_one_when_redis_is_back_is_a_gap(linked):
    far, sound, link = linked
    async with far.hub.subscribe("conv_a") as events:
        await sound.write(1)
        assert numbers(await events.take(5)) == [1]
        await shortly(lambda: len(link) == 2)  # the reader has its own connection
        link.cut()
        await sound.redis.delete(sound.key())
        await sound.redis.xadd(sound.key(), {"at": 1, "e": "[]"}, id="5-0")  # by a clock that is behind
        assert await events.take(5) == Gap("unknown", "5-0")


async def test_who_comes_while_redis_is_away_hears_it_at_once_and_who_is_there_stays(linked):
    far, sound, link = linked
    await sound.write(1)
    async with far.hub.subscribe("conv_a") as events:
        assert numbers(await events.take(5)) == [1]
        link._server.close()
        link.cut()
        with pytest.raises(StoreUnavailable):
            await far.hub.subscribe("conv_b").take(5)
        assert await events.take(0.05) == []


async def test_a_wait_survives_a_broken_line(linked):
    far, sound, link = linked
    await sound.store.runs.submit([NewRun("run_a", "actions", b"{}")])
    waiting = asyncio.create_task(far.hub.wait_run("run_a", 20))
    await shortly(lambda: far.hub._channels and far.hub._channels["run_a"].position)
    link.cut()
    await sound.store.runs.cancel("run_a")
    assert (await waiting).status == "cancelled"
