"""A worker does its work although no nudge reaches it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from workers_under_test import MODULE, eventually, start_worker

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.settings import Settings

pytestmark = pytest.mark.processes


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    from orchestrator.assembly import build

    quick = {
        "tick_ms": 200,
        "linger_ms": 100,
        "celery_prefix": f"{settings.namespace}:",
        "actions": (MODULE,),
    }
    built = build(settings.model_copy(update=quick))
    yield built
    await built.close()


async def test_an_idle_worker_starts_a_pump_by_itself_when_nudges_go_astray(house):
    store = house.store
    env = f"{store.connection.prefix}env:actions"
    with start_worker(house.settings):
        await eventually(lambda: store.runs.has_nudges(["actions", "turns"]))
        await house.conductor.call("ADD", {"a": 1, "b": 1})
        await eventually(lambda: _has_no_pump(store))
        await store.connection.redis.hset(env, "key", f"{store.connection.prefix}nowhere")
        for _ in range(2):
            end = await house.conductor.call("ADD", {"a": 1, "b": 2}, timeout_s=20)
            assert end.result == 3
            await eventually(lambda: _has_no_pump(store))
        await store.connection.redis.delete(f"{store.connection.prefix}nowhere")


async def _has_no_pump(store):
    return not await store.connection.redis.exists(f"{store.connection.prefix}live")
