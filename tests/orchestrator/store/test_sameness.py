"""Idempotency keys and dedupe: what was asked for before is found again."""

from __future__ import annotations

import pytest

from actions.errors import IdempotencyConflict
from orchestrator.store.incoming import LockGuard, Sameness

JOIN = Sameness("k1", 60_000)
REFUSE = Sameness("k1", 60_000, "refuse")


async def test_the_same_key_and_body_give_the_first_run_back(world):
    await world.submit("run_1", digest="d1")
    await world.submit("run_1", digest="d1")
    assert len(await world.take()) == 1


async def test_another_body_under_the_same_key_is_an_error_and_records_nothing(world):
    await world.submit("run_1", digest="d1")
    with pytest.raises(IdempotencyConflict):
        await world.submit("run_2", "run_1", digest="d2")
    assert await world.status("run_2") is None


async def test_the_same_call_joins_the_one_that_runs(world):
    await world.submit("run_1", same=JOIN)
    (first,) = await world.take()
    await world.submit("run_2", "run_3", same=JOIN, reply_to="box")
    assert await world.take() == []
    view = await world.runs.read("run_2")
    assert (view.status, view.why) == ("blocked", "joined")
    await world.end(first, "failed", '{"error":"no"}')
    for run in ("run_2", "run_3"):
        view = await world.runs.read(run)
        assert (view.status, view.result, view.attempts) == ("failed", '{"error":"no"}', 0)
    assert await world.runs.next_reply("box", 1) == ("run_2", "failed", '{"error":"no"}')


async def test_the_same_call_gets_the_result_of_the_one_that_succeeded(world):
    await world.submit("run_1", same=JOIN)
    (first,) = await world.take()
    await world.end(first, result='{"n":1}')
    await world.submit("run_2", same=JOIN)
    view = await world.runs.read("run_2")
    assert (view.status, view.result) == ("succeeded", '{"n":1}')


async def test_a_failed_call_may_be_made_anew(world):
    await world.submit("run_1", same=JOIN)
    (first,) = await world.take()
    await world.end(first, "failed", "{}")
    await world.submit("run_2", same=JOIN)
    assert [run.id for run in await world.take()] == ["run_2"]


async def test_those_who_joined_a_cancelled_run_go_on_without_it(world):
    await world.submit("run_1", "run_2", "run_3", same=JOIN)
    assert await world.runs.cancel("run_1") == "cancelled"
    (second,) = await world.take()
    assert second.id == "run_2"
    await world.submit("run_4", same=JOIN)
    await world.end(second, result="4")
    assert await world.statuses("run_3", "run_4") == ["succeeded", "succeeded"]


async def test_the_same_call_may_be_refused(world):
    await world.submit("run_1", "run_2", same=REFUSE)
    view = await world.runs.read("run_2")
    assert view.status == "refused"
    assert '"code":"duplicate"' in view.result


async def test_a_call_that_has_joined_may_be_cancelled_alone(world):
    await world.submit("run_1", "run_2", same=JOIN)
    assert await world.runs.cancel("run_2") == "cancelled"
    (first,) = await world.take()
    await world.end(first)
    assert await world.statuses("run_1", "run_2") == ["succeeded", "cancelled"]


async def test_calls_of_one_round_may_be_the_same_and_each_has_its_result(world):
    await world.open()
    calls = [world.call("turn_x", at, same=JOIN) for at in range(3)]
    await world.post(*calls)
    (first,) = await world.take()
    await world.end(first, result='"once"')
    assert (await world.conversations.turn("turn_x"))["s"] == "done"
    contents = [message["content"] for message in await world.conversations.messages("conv_a")][1:]
    assert contents == ['"once"'] * 3


async def test_a_call_that_ends_by_dedupe_releases_what_depends_on_it(world):
    await world.submit("run_1", same=JOIN)
    (first,) = await world.take()
    await world.end(first)
    await world.open()
    await world.post(
        world.call("turn_x", 0, same=JOIN, dependents=("run_x.0.1",)),
        world.call("turn_x", 1, status="blocked", open=1),
    )
    assert [run.id for run in await world.take()] == ["run_x.0.1"]


async def test_a_call_that_waited_for_another_one_is_the_same_when_it_could_start(world):
    await world.open()
    await world.post(
        world.call("turn_x", 0, same=JOIN, dependents=("run_x.0.1",)),
        world.call("turn_x", 1, status="blocked", open=1, same=JOIN),
    )
    (first,) = await world.take()
    await world.end(first, result='"once"')
    assert await world.take() == []
    assert await world.statuses("run_x.0.0", "run_x.0.1") == ["succeeded", "succeeded"]


async def test_nothing_is_left_of_those_who_joined(world):
    await world.submit("run_1", "run_2", same=JOIN)
    (first,) = await world.take()
    await world.end(first)
    assert not await world.redis.exists(f"{world.prefix}jn:run_1")


async def test_a_duplicate_under_a_lock_holds_nothing(world):
    await world.submit("run_1", "run_2", same=JOIN, guards=(LockGuard("a"),))
    (first,) = await world.take()
    await world.end(first)
    assert not await world.redis.exists(f"{world.prefix}lk:a")
