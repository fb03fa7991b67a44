"""Large things are told in small pages: all callers of a process share one connection to Redis."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orchestrator.settings import Settings
from routes_under_test import Key, World, world

_SIZES = [1_500_000, 1_500_000, 1_500_000, 10, 5_000_000, 10, 10]
_PAGES = [[0, 1], [2, 3], [4], [5, 6]]
"""Their places, when a page ends at 4 MiB and has at least one."""


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[World]:
    async with world(settings) as made:
        yield made


async def pages(caller: Key, path: str, name: str, **params: Any) -> list[list[dict[str, Any]]]:
    """All pages of a list."""
    found: list[list[dict[str, Any]]] = []
    cursor: str | None = ""
    while cursor is not None:
        told = (await caller.get(path, cursor=cursor, **params)).json()
        found.append(told[name])
        cursor = told["next"]
    return found


async def test_a_page_of_messages_ends_at_4_mib_and_none_is_lost(here: World):
    conversation = await here.ann.open()
    connection = here.api.store.connection
    told = [{"role": "user", "content": f"{at}{'x' * size}"} for at, size in enumerate(_SIZES)]
    for each in told:
        await connection.redis.rpush(f"{connection.prefix}m:{conversation}", json.dumps(each))
    path = f"/v1/conversations/{conversation}/messages"
    found = await pages(here.ann, path, "messages", limit=1_000)
    assert [[int(each["content"][0]) for each in page] for page in found] == _PAGES
    assert [each for page in found for each in page] == told
    found = await pages(here.ann, path, "messages", limit=1)
    assert [len(page) for page in found] == [1] * len(_SIZES)


@pytest.mark.parametrize("count", [0, 3, 4, 5, 8])
async def test_the_last_page_says_that_it_is_the_last(here: World, count: int):
    conversation = await here.ann.open()
    for at in range(count):
        await here.ann.reply(conversation, f"text {at}")
    for limit in (1, 4, 100):
        found = await pages(here.ann, f"/v1/conversations/{conversation}/messages", "messages", limit=limit)
        texts = [f"text {at}" for at in range(count)]
        assert [[each["content"] for each in page] for page in found] == [
            texts[at : at + limit] for at in range(0, max(count, 1), limit)
        ]


async def test_a_page_of_approvals_ends_at_4_mib_and_none_is_lost(here: World):
    redis, prefix = here.api.store.connection.redis, here.api.store.connection.prefix
    at = int(time.time() * 1e6) - 10_000_000
    for number, size in enumerate(_SIZES):
        told = {
            "s": "blocked", "ap": "wanted", "apd": "x", "aps": 1, "apx": 2**51, "u": "acme", "q": "actions",
            "a": '{"v":1,"a":"GONE"}', "av": json.dumps({"note": "x" * size}),
        }  # fmt: skip
        await redis.zadd(f"{prefix}asks", {f"run_x{number}": at + number})
        await redis.hset(f"{prefix}r:run_x{number}", mapping=told)
    found = await pages(here.ann, "/v1/approvals", "approvals")
    assert [[int(each["run"][-1]) for each in page] for page in found] == _PAGES


async def test_a_turn_leaves_long_results_out_and_the_run_has_them(here: World):
    conversation = await here.ann.open()
    calls = "[ACTION:ADD]{a: 1}[/ACTION]"
    turn = (await here.ann.reply(conversation, calls)).json()["turn"]
    (long,) = await here.end(result="x" * 20_000)
    whole = (await here.ann.get(f"/v1/runs/{long}")).json()
    assert (whole["result"], whole["result_omitted"]) == ("x" * 20_000, False)
    (told,) = (await here.ann.get(f"/v1/turns/{turn}")).json()["runs"][:1]
    assert told == whole | {"result": None, "result_omitted": True, "ladder": told["ladder"]}
    (first, *_) = (await here.ann.get(f"/v1/turns/{turn}/rounds")).json()["rounds"]
    assert [(each["run"], each["result_omitted"]) for each in first["runs"]] == [(long, True)]
    (listed,) = (await here.ann.get(f"/v1/conversations/{conversation}/turns")).json()["turns"]
    assert listed["runs"][0]["result_omitted"]


async def test_a_page_of_the_dead_ends_behind_4_mib_and_none_is_lost(here: World):
    redis, prefix = here.api.store.connection.redis, here.api.store.connection.prefix
    at = int(time.time() * 1e6) - 10_000_000
    for number, size in enumerate(_SIZES):
        told = {
            "s": "dead", "u": "acme", "q": "actions", "a": '{"v":1,"a":"GONE"}',
            "r": json.dumps({"error": "x" * size}),
        }  # fmt: skip
        await redis.zadd(f"{prefix}dead", {f"run_x{number}": at + number})
        await redis.hset(f"{prefix}r:run_x{number}", mapping=told)
    found = await pages(here.ann, "/v1/dead", "dead")
    assert [[int(each["run"][-1]) for each in page] for page in found] == _PAGES
