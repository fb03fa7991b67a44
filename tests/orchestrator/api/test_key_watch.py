"""Requests that go on for long end with their key: waits with 401, streams for good; those of other keys go on."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio

from api_under_test import bearer, make_key
from hub_under_test import shortly
from listening_under_test import site
from orchestrator import keyring
from orchestrator.api import key_watch
from workers_under_test import settings_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUN = {"action": "ADD", "arguments": {"a": 1, "b": 2}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(valkey, tmp_path_factory):
    """One server for all of them."""
    async with site(settings_of(valkey, tmp_path_factory.mktemp("home"))) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def here(serving, monkeypatch):
    monkeypatch.setattr(key_watch, "LOOK_S", 0.02)
    yield serving
    await serving.clean()


@pytest_asyncio.fixture(loop_scope="module")
async def client(here):
    base = f"http://127.0.0.1:{here.served.port}"
    async with httpx.AsyncClient(base_url=base, timeout=20) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def key(here):
    return await make_key(here.store)


async def revoke(here, key):
    assert await keyring.revoke(here.store, keyring.parse(key)[0], by="the tests")


async def expire(here, key):
    """As if its time were over by now."""
    record = await here.store.api_keys.get(keyring.parse(key)[0])
    fields = {name: getattr(record, name) for name in record.__dataclass_fields__}
    await here.store.api_keys.remove(record.id, {})
    await here.store.api_keys.put(type(record)(**fields | {"expires_ms": 1}), {})


async def damage(here, key):
    """Make its record unreadable, so that it opens nothing."""
    name = f"{here.store.connection.prefix}keys"
    await here.store.connection.ask(["HSET", name, keyring.parse(key)[0], "nonsense"])


def get(client, path, key):
    return asyncio.create_task(client.get(path, headers=bearer(key)))


@pytest.mark.parametrize("what", [revoke, expire, damage])
async def test_the_waits_of_a_key_that_ends_are_answered_401_and_those_of_others_go_on(
    here, client, key, what
):
    await here.submit("run_a")
    path = "/v1/runs/run_a?wait=30s"
    mine = [get(client, path, key) for _ in range(3)]
    other = get(client, path, here.key)
    await shortly(lambda: here.service.hub.waits == 4)
    await what(here, key)
    for answer in await asyncio.wait_for(asyncio.gather(*mine), 5):
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorised")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert here.service.hub.waits == 1
    await here.end(*await here.claim())
    assert (await other).json()["status"] == "succeeded"


async def test_the_wait_for_a_turn_ends_with_its_key_too(here, client, key):
    opened = await client.post("/v1/conversations", json={}, headers=bearer(key))
    call = {"id": "c1", "type": "function", "function": {"name": "ADD", "arguments": '{"a": 1, "b": 2}'}}
    reply = {"choices": [{"message": {"role": "assistant", "content": "", "tool_calls": [call]}}]}
    path = f"{opened.headers['location']}/replies"
    posted = await client.post(path, json=reply, headers=bearer(key))
    waiting = get(client, f"{posted.headers['location']}?wait=30s", key)
    await shortly(lambda: here.service.hub.waits == 1)
    await revoke(here, key)
    assert (await asyncio.wait_for(waiting, 5)).status_code == 401


async def test_what_was_accepted_is_told_so_though_its_wait_has_ended(here, client, key):
    submitting = asyncio.create_task(
        client.post("/v1/runs?wait=30s", json=RUN, headers=bearer(key), timeout=10)
    )
    await shortly(lambda: here.service.hub.waits == 1)
    await revoke(here, key)
    answer = await asyncio.wait_for(submitting, 5)
    assert answer.status_code == 202
    run = answer.json()["run"]
    assert (await here.store.runs.read(run)).status == "ready"
    assert (await client.get(f"/v1/runs/{run}", headers=bearer(key))).status_code == 401


async def test_a_stream_ends_with_its_key_and_whole(here, key):
    await here.store.conversations.open("conv_a")
    path = "/v1/conversations/conv_a/events"
    async with here.listen(path, key=key) as mine, here.listen(path) as other:
        await here.write(1)
        await mine.until(lambda it: it.messages)
        await revoke(here, key)
        began = time.monotonic()
        await mine.to_the_end(within_s=5)
        assert time.monotonic() - began < 2
        assert mine.text.endswith(b"\n\n")
        await here.write(2)
        await other.until(lambda it: len(it.messages) == 2)
    async with here.listen(path, key=key) as again:
        assert again.status == 401


async def test_a_key_that_has_not_ended_is_looked_at_again_and_again(here, client, monkeypatch):
    looks = []
    among = here.store.api_keys.among

    async def counted(ids):
        looks.append(list(ids))
        return await among(ids)

    monkeypatch.setattr(here.store.api_keys, "among", counted)
    soon = await make_key(here.store, expires=datetime.now(UTC) + timedelta(seconds=1))
    await here.submit("run_a")
    waits = [get(client, "/v1/runs/run_a?wait=30s", each) for each in (soon, soon, here.key)]
    await shortly(lambda: here.service.hub.waits == 3)
    assert [answer.status_code for answer in await asyncio.wait_for(asyncio.gather(*waits[:2]), 5)] == [
        401
    ] * 2
    assert len(looks) > 3
    assert 2 in map(len, looks)
    assert 3 not in map(len, looks)  # one question for both waits of a key
    await here.end(*await here.claim())
    assert (await waits[2]).status_code == 200
    watch = here.service.key_watch
    await shortly(lambda: watch._timer is watch._looking is None)  # nobody waits, nobody looks
