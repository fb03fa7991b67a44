"""Event streams over HTTP: every event once, for those who may hear it and as long as they may."""

from __future__ import annotations

import asyncio
import random

import pytest
import pytest_asyncio
from pydantic_core import from_json

from api_under_test import make_key
from hub_under_test import shortly
from listening_under_test import Listener, site, told
from orchestrator import keyring
from orchestrator.api import event_streams, key_watch, ownership
from orchestrator.keyring import Caller
from workers_under_test import settings_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

HERE = Caller("k", "", None, frozenset({"read"}), frozenset())
A = "/v1/conversations/conv_a/events"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(valkey, tmp_path_factory):
    """One server for all of them."""
    async with site(settings_of(valkey, tmp_path_factory.mktemp("home"))) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def here(serving):
    await serving.store.conversations.open("conv_a")
    yield serving
    await serving.clean()


# Conversations


async def test_a_conversations_events_come_once_and_in_order(here):
    await here.write(1, 2)
    async with here.listen(A) as listener:
        assert listener.status == 200
        assert listener.headers["content-type"].startswith("text/event-stream")
        await listener.until(lambda it: len(it.messages) == 2)
        await here.write(3)
        await listener.until(lambda it: len(it.messages) == 3)
    assert [from_json(each.data) for each in listener.messages] == [
        {"at": n, "changes": [{"turn": f"turn_{n}", "status": "live"}]} for n in (1, 2, 3)
    ]
    assert {each.event for each in listener.messages} == {"changes"}


@pytest.mark.parametrize("how", ["header", "query", "both"])
async def test_a_client_goes_on_behind_its_last_id(here, how):
    await here.write(1, 2, 3)
    async with here.listen(A) as first:
        await first.until(lambda it: len(it.messages) == 3)
    one, two = first.messages[0].id, first.messages[1].id
    path = {"header": A, "query": f"{A}?last_event_id={two}", "both": f"{A}?last_event_id={one}"}[how]
    async with here.listen(path, after="" if how == "query" else two) as second:
        await second.until(lambda it: it.messages)
        assert told(second) == [3]


async def test_what_was_trimmed_is_a_reset_with_how_it_stands_and_then_what_is_new(here):
    await here.write(*range(20), keep=5)
    for after in ("", "1-0"):
        async with here.listen(A, after=after) as listener:
            await listener.until(lambda it: it.messages)
            await here.write(20, keep=5)
            await listener.until(lambda it: len(it.messages) == 2)
        reset, *_ = listener.messages
        assert reset.event == "reset"
        snapshot = ownership.as_json(await ownership.standing(here.house, HERE, "conv_a"))
        assert from_json(reset.data) == {"reason": "trimmed", "snapshot": from_json(snapshot)}
        assert told(listener) == [20]


@pytest.mark.parametrize("after", ["nonsense", "0", "9" * 300, "99999999999999-1", "%00", "-1-5", "[]"])
async def test_what_is_no_id_of_the_stream_is_a_reset_and_then_what_is_new(here, after):
    await here.write(1)
    async with here.listen(A, after=after) as listener:
        await listener.until(lambda it: it.messages)
        assert from_json(listener.messages[0].data)["reason"] == "unknown"
        await here.write(2)
        await listener.until(lambda it: len(it.messages) == 2)
        assert told(listener) == [2]


async def test_one_may_begin_with_now_and_come_back_to_where_one_was(here):
    await here.write(1)
    async with here.listen(f"{A}?from=now") as first:
        await first.until(lambda it: it.messages)
        assert from_json(first.messages[0].data)["reason"] == "now"
    await here.write(2)
    async with here.listen(f"{A}?from=now", after=first.last) as second:
        await second.until(lambda it: it.messages)
        assert told(second) == [2]


async def test_a_silent_stream_gives_signs_of_life(here, monkeypatch):
    monkeypatch.setattr(event_streams, "HEARTBEAT_S", 0.02)
    async with here.listen(A) as listener:
        await listener.until(lambda it: it.text.count(b": \n\n") >= 3)
        assert not listener.messages
        assert listener.text.startswith(b"retry: ")


# Who may hear it


async def test_another_tenants_streams_are_not_there(here):
    await here.store.conversations.open("conv_b", tenant="acme")
    await here.submit("run_b", tenant="acme")
    acme = await make_key(here.store, tenant="acme")
    for path in ("conversations/conv_b", "runs/run_b"):
        for key, status in ((here.key, 404), (acme, 200), ("", 401)):
            async with here.listen(f"/v1/{path}/events", key=key) as listener:
                assert listener.status == status
    assert here.service.hub.streams <= 2
    for path in ("conversations/conv_no", "runs/run_no", "runs/conv_a"):
        async with here.listen(f"/v1/{path}/events", key=acme) as listener:
            assert listener.status == 404


async def test_a_key_that_is_revoked_ends_its_streams(here, monkeypatch):
    monkeypatch.setattr(key_watch, "LOOK_S", 0.02)
    key = await make_key(here.store, scopes=("read",))
    async with here.listen(A, key=key) as mine, here.listen(A) as other:
        await keyring.revoke(here.store, key.split("_")[1], by="the tests")
        await mine.to_the_end()
        await here.write(1)
        await other.until(lambda it: it.messages)
    assert not mine.messages
    async with here.listen(A, key=key) as again:
        assert again.status == 401


async def test_the_streams_of_a_conversation_that_was_removed_end(here, monkeypatch):
    monkeypatch.setattr(event_streams, "LOOK_S", 0.02)
    async with here.listen(A) as listener:
        await here.house.conductor.forget("conv_a")
        await listener.to_the_end()
    async with here.listen(A) as again:
        assert again.status == 404


async def test_there_are_no_more_streams_than_there_may_be(settings):
    async with site(settings.model_copy(update={"api_streams": 1})) as here:
        await here.store.conversations.open("conv_a")
        async with here.listen(A), here.listen(A) as second:
            assert second.status == 429
            assert int(second.headers["retry-after"]) > 0
            await second.to_the_end()
            assert from_json(second.text)["code"] == "too_many_streams"
        await shortly(lambda: here.service.hub.streams == 0)
        async with here.listen(A) as third:
            assert third.status == 200


# Ends


async def test_a_client_that_goes_leaves_nothing_behind(here):
    before = len(asyncio.all_tasks())
    for _ in range(30):
        async with here.listen(A) as listener:
            await listener.read()
    await shortly(lambda: here.service.hub.streams == 0 and here.service.in_flight == 0)
    await shortly(lambda: len(asyncio.all_tasks()) <= before + 1)  # the hub's reader
    assert here.service.metrics.streams._value.get() == 0


async def test_streams_end_when_the_process_stops(settings):
    async with site(settings) as here:
        await here.store.conversations.open("conv_a")
        async with here.listen(A) as listener:
            await listener.read()
            here.served.stop()
            await listener.to_the_end(within_s=3)
            assert listener.text.endswith(b"\n\n")


async def test_a_client_that_drops_a_hundred_times_hears_everything_once(here):
    chance, last, heard = random.Random(4), "", []

    async def happen():
        for n in range(400):
            await here.write(n)
            if n % 10 == 0:
                await asyncio.sleep(0.005)

    happening = asyncio.create_task(happen())
    drops = 0
    async with asyncio.timeout(30):
        while len(heard) < 400 or drops < 100:
            async with here.listen(A, after=last) as listener:
                pieces = chance.randrange(3)
                while pieces and (drops >= 100 or len(heard) + len(listener.messages) < 400):
                    await listener.read()
                    pieces -= drops < 100
                    if drops >= 100 and len(heard) + len(listener.messages) >= 400:
                        break
            assert all(each.event == "changes" for each in listener.messages)
            heard += told(listener)
            last = listener.last
            drops += 1
    await happening
    assert heard == list(range(400))
    assert drops >= 100


async def test_many_clients_hear_everything_once(here):
    streams = [f"conv_{n}" for n in range(50)]
    for stream in streams:
        await here.store.conversations.open(stream)
    paths = [f"/v1/conversations/{stream}/events" for stream in streams for _ in range(6)]
    listeners: list[Listener] = [here.listen(path) for path in paths]

    async def hear(listener):
        async with listener:
            assert listener.status == 200
            await listener.until(lambda it: len(it.messages) == 3, within_s=30)

    async with asyncio.TaskGroup() as group:
        for listener in listeners:
            group.create_task(hear(listener))
        await shortly(lambda: here.service.hub.streams == len(listeners), within_s=30)
        for n in range(3):
            for stream in streams:
                await here.write(n, stream=stream)
    assert all(told(listener) == [0, 1, 2] for listener in listeners)
    assert len({each for listener in listeners[:6] for each in (m.id for m in listener.messages)}) == 3
