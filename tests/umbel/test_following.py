"""Following something through the store: what is told, what is not told twice, and when it ends."""

from __future__ import annotations

import asyncio

import pytest

from actions.definition import action
from actions.directives import Complete, Result
from actions.errors import StoreUnavailable, UnknownConversation, UnknownRecord
from actions.registry import Registry
from following_under_test import claimed, finish
from orchestrator import reading
from orchestrator.hub import Hub
from orchestrator.standings import ConversationStanding, RunStanding
from umbel import Umbel, following
from umbel.following import Change
from workers_under_test import eventually


@action("BREW")
async def brew() -> Result:
    """Make tea."""
    return Result("tea", (Complete(),))


REGISTRY = Registry([brew])
REPLY = {"role": "assistant", "content": '{"action": "BREW"}'}


@pytest.fixture
async def umbel(settings):
    async with Umbel(settings, REGISTRY) as made:
        yield made


async def told_by(events, many):
    """The next so many."""
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(many)]


async def test_a_conversation_that_is_removed_ends_it(umbel, monkeypatch):
    monkeypatch.setattr(following, "LOOK_S", 0.05)
    store = umbel._store
    conversation = await umbel.open_conversation()
    async with following.following(conversation, store, REGISTRY) as events:
        (first,) = await told_by(events, 1)
        assert isinstance(first, ConversationStanding)
        posted = await umbel.post_reply(conversation, REPLY)
        await finish(store, await claimed(store), "failed", {"error": "no", "code": "x"})
        seen = []
        while not any(
            change.what.get("turn") == posted.turn and change.what["status"] == "done" for change in seen
        ):
            seen += await told_by(events, 1)
        assert [change.what["status"] for change in seen if "run" in change.what][-1] == "failed"
        await umbel.forget(conversation)
        async with asyncio.timeout(10):
            assert [each async for each in events] == []


async def test_what_the_first_look_shows_is_not_told_again(umbel):
    run = await umbel.submit("BREW", delay="1h")
    async with following.following(run, umbel._store, REGISTRY) as events:
        (first,) = await told_by(events, 1)
        assert isinstance(first, RunStanding)
        assert (first.status, first.why) == ("waiting", "delay")
        assert await umbel.cancel(run) == "cancelled"
        change, last = await told_by(events, 2)
        assert isinstance(change, Change)
        assert change.what["status"] == "cancelled"
        assert last.status == "cancelled"
        with pytest.raises(StopAsyncIteration):
            await anext(events)


async def test_a_change_between_the_subscription_and_the_look_is_told_once(umbel, monkeypatch):
    posted = await umbel.post_reply(await umbel.open_conversation(), REPLY)
    store, look, started = umbel._store, reading.read, []

    async def late(given, where, registry):
        if not started:
            started.append(await claimed(store))
        return await look(given, where, registry)

    monkeypatch.setattr(reading, "read", late)
    async with following.following(posted.runs[0], store, REGISTRY) as events:
        (first,) = await told_by(events, 1)
        assert first.status == "running"
        await finish(store, started[0], "succeeded", "tea")
        async with asyncio.timeout(10):
            rest = [each async for each in events]
    assert [each.what["status"] for each in rest if isinstance(each, Change)] == ["succeeded"]


async def test_changes_of_other_runs_of_the_conversation_are_left_out(umbel):
    conversation = await umbel.open_conversation()
    posted = await umbel.post_reply(
        conversation, {"role": "assistant", "content": '[{"action": "BREW"}, {"action": "BREW"}]'}
    )
    assert len(posted.runs) == 2
    first, second = posted.runs
    async with following.following(second, umbel._store, REGISTRY) as events:
        await told_by(events, 1)
        for _ in range(2):
            await finish(umbel._store, await claimed(umbel._store), "succeeded", "tea")
        async with asyncio.timeout(10):
            rest = [each async for each in events]
    assert {each.what["run"] for each in rest if isinstance(each, Change)} == {second}
    assert rest[-1].status == "succeeded"
    assert first != second


@pytest.mark.parametrize(
    ("given", "error"),
    [("run_nobody", UnknownRecord), ("turn_nobody", UnknownRecord), ("conv_nobody", UnknownConversation)],
)
async def test_what_is_not_there_is_an_error(umbel, given, error):
    with pytest.raises(error):
        async with following.following(given, umbel._store, REGISTRY) as events:
            await anext(events)


@pytest.mark.parametrize(("patience", "ends_well"), [(60.0, True), (0.0, False)])
async def test_while_redis_is_away_it_waits_but_not_for_ever(umbel, monkeypatch, patience, ends_well):
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    run = await umbel.submit("BREW", delay="1h")
    look, failures = reading.read, []

    async def failing(given, where, registry):
        if len(failures) < 3:
            failures.append(given)
            raise StoreUnavailable("Redis does not answer")
        return await look(given, where, registry)

    async with following.following(run, umbel._store, REGISTRY) as events:
        await told_by(events, 1)
        monkeypatch.setattr(reading, "read", failing)
        monkeypatch.setattr(following, "AWAY_S", patience)
        if not ends_well:
            with pytest.raises(StoreUnavailable):
                await told_by(events, 1)
            return

        async def the_last():
            return [each async for each in events][-1]

        following_on = asyncio.create_task(the_last())
        await eventually(lambda: len(failures) == 3)
        await umbel.cancel(run)
        assert (await asyncio.wait_for(following_on, 10)).status == "cancelled"


async def test_nothing_is_left_behind_when_one_stops_to_follow(umbel, monkeypatch):
    closed = []
    close = Hub.close

    async def noted(hub):
        await close(hub)
        closed.append(hub)

    monkeypatch.setattr(Hub, "close", noted)
    run = await umbel.submit("BREW", delay="1h")
    async with following.following(run, umbel._store, REGISTRY) as events:
        await told_by(events, 1)
    assert closed
    assert closed[0].streams == 0
