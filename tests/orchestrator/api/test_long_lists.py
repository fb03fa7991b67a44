"""What waits for people is read page by page, whatever others have; deeds on many of the dead go on, too."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orchestrator.api import bulk
from orchestrator.settings import Settings
from orchestrator.store import places
from routes_under_test import SHUT, Key, World, code_of, world


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[World]:
    async with world(settings) as made:
        yield made


async def put(here: World, index: str, count: int, **fields: Any) -> list[str]:
    """Records in an index, older than all others."""
    redis, prefix = here.api.store.connection.redis, here.api.store.connection.prefix
    at, told = int(time.time() * 1e6) - 10_000_000, {"q": "actions", "a": '{"v":1,"a":"GONE"}'} | fields
    runs = [f"run_x{number:05}" for number in range(count)]
    async with redis.pipeline(transaction=False) as pipe:
        for number, run in enumerate(runs):
            pipe.zadd(f"{prefix}{index}", {run: at + number})
            pipe.hset(f"{prefix}r:{run}", mapping=told)
        await pipe.execute()
    return runs


ASKS = {"s": "blocked", "ap": "wanted", "apd": "x", "av": "{}", "aps": 1, "apx": 2**51}
STUCK = {"s": "succeeded", "undo": "failed"}


@pytest.mark.parametrize(
    ("path", "index", "fields"), [("approvals", "asks", ASKS), ("undos", "stuck", STUCK)]
)
async def test_of_another_tenants_many_a_page_looks_at_some_and_says_where_it_goes_on(
    here: World, monkeypatch: pytest.MonkeyPatch, path: str, index: str, fields: dict[str, Any]
):
    monkeypatch.setattr(places, "LOOKED", 500)
    *_, own = await put(here, index, 2_001, u="evil", **fields)
    await here.api.store.connection.redis.hset(f"{here.api.store.connection.prefix}r:{own}", "u", "acme")
    pages, cursor = [], ""
    while cursor is not None:
        told = (await here.ann.get(f"/v1/{path}", cursor=cursor)).json()
        pages.append([each["run"] for each in told[path]])
        cursor = told["next"]
    assert pages[0] == []
    assert [run for page in pages for run in page] == [own]
    (first,) = (await here.eve.get(f"/v1/{path}", limit=1)).json()[path]
    assert first["run"] == "run_x00000"


@pytest.mark.parametrize("path", ["approvals", "undos"])
async def test_pages_hold_each_once_and_a_cursor_is_of_one_list(here: World, path: str):
    index, fields = {"approvals": ("asks", ASKS), "undos": ("stuck", STUCK)}[path]
    runs = await put(here, index, 7, u="acme", **fields)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        told = (await here.ann.get(f"/v1/{path}", limit=3, cursor=cursor)).json()
        found += [each["run"] for each in told[path]]
        other = "undos" if path == "approvals" else "approvals"
        if told["next"]:
            strange = await here.ann.get(f"/v1/{other}", cursor=told["next"])
            assert code_of(strange) == (422, "invalid_cursor")
        cursor = told["next"]
    assert found == runs


# Deeds on many


async def follow(caller: Key, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """All answers of a deed on many, to the last."""
    told = [(await caller.post("/v1/dead/replay", asked)).json()]
    while told[-1]["next"]:
        told.append((await caller.post("/v1/dead/replay", asked | {"cursor": told[-1]["next"]})).json())
        assert len(told) < 50
    return told


async def test_what_cannot_be_replayed_hides_nothing_behind_it(here: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bulk, "MOST_RUNS", 40)
    gone = await put(here, "dead", 100, s="failed", u="acme", r='{"error":"x","code":"y"}')
    good = await here.died(here.ann)
    told = await follow(here.ann, {"all": True})
    assert [each["run"] for answer in told for each in answer["failed"]] == gone
    assert [each["run"] for answer in told for each in answer["done"]] == [good]
    assert [len(answer["failed"]) for answer in told] == [40, 40, 20]


@pytest.mark.parametrize("named", ["named", ""])
async def test_where_the_time_was_over_it_goes_on(here: World, monkeypatch: pytest.MonkeyPatch, named: str):
    monkeypatch.setattr(bulk, "_ENOUGH_S", 0.0)
    assert (await here.ann.post("/v1/runs", {"runs": [{"action": "GIVE_UP"}] * 45})).status_code == 202
    dead = await here.end("failed", SHUT)
    told = await follow(here.ann, {"runs": dead} if named else {"status": ["failed"]})
    assert [len(answer["done"]) for answer in told] == [20, 20, 5]
    assert {each["run"] for answer in told for each in answer["done"]} == set(dead)


async def test_a_cursor_and_a_new_key_do_not_say_which_ones(here: World):
    await here.died(here.ann)
    cursor = (await here.ann.get("/v1/dead", limit=1)).json()["next"]
    for asked in ({"new_key": True}, {"cursor": "x"}, {"cursor": "x", "new_key": True}):
        assert code_of(await here.ann.post("/v1/dead/replay", asked)) == (422, "validation")
    for strange in (cursor, "x", "A" * 1_000):
        answer = await here.ann.post("/v1/dead/replay", {"all": True, "cursor": strange})
        assert code_of(answer) == (422, "invalid_cursor")
    told = (await here.ann.post("/v1/dead/replay", {"all": True, "new_key": True})).json()
    assert len(told["done"]) == 1
