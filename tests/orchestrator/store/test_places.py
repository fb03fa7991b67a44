"""An index is read place by place: whatever comes, goes or has the same time, each member is told once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from orchestrator.settings import Settings
from orchestrator.store.places import PAGE, Place, pages
from orchestrator.store.store import Store


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    store = Store(settings)
    yield store
    await store.close()


async def put(store: Store, *places: Place) -> None:
    pairs = [part for place in places for part in place]
    await store.connection.ask(["ZADD", f"{store.connection.prefix}index", *pairs])


async def told(store: Store, **more: int | Place | None) -> list[Place]:
    return [place async for page in pages(store.connection, "index", **more) for place in page]


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 7])
@pytest.mark.parametrize("alike", [1, 3, 10_000])
async def test_each_is_told_once_in_order(store: Store, count: int, alike: int):
    there = sorted((1_700_000_000_000_000 + at // alike, f"run_{at:05}") for at in range(count))
    if there:
        await put(store, *there)
    assert await told(store) == there
    for at in (0, count // 2, count - 1):
        if 0 <= at < count:
            assert await told(store, after=there[at]) == there[at + 1 :]


async def test_bounds_hold_wherever_it_begins(store: Store):
    there = [(at, f"m{at}") for at in range(10)]
    await put(store, *there)
    assert await told(store, low=3, high=6) == there[3:7]
    assert await told(store, low=3, high=6, after=(0, "m0")) == there[3:7]
    assert await told(store, low=3, high=6, after=(4, "m4")) == there[5:7]
    assert await told(store, after=(99, "x")) == []


async def test_what_goes_meanwhile_hides_nobody(store: Store):
    there = [(at, f"m{at:04}") for at in range(3 * PAGE)]
    for at in range(0, len(there), 500):
        await put(store, *there[at : at + 500])
    found: list[Place] = []
    async for page in pages(store.connection, "index"):
        found += page
        await store.connection.ask(["ZREM", f"{store.connection.prefix}index", *(name for _, name in page)])
    assert found == there
