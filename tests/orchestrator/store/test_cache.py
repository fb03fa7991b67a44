"""The cache: a tenant's own, with an end, forgiving while Redis is away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions.caching import TenantCache
from actions.errors import DeclarationError, StoreUnavailable
from orchestrator.settings import Settings
from orchestrator.store.cache import LARGEST, Cache
from orchestrator.store.connection import Connection


@pytest.fixture
def cache(world) -> Cache:
    return Cache(world.store.connection)


@pytest.mark.parametrize("value", [0, False, "", [], {}, {"a": [1, "ü", None]}, 1.5, "text"])
async def test_what_was_kept_comes_back_until_it_is_forgotten(cache, value):
    own = TenantCache(cache, "shop")
    assert await own.get("k") is None
    await own.set("k", value)
    assert await own.get("k") == value
    await own.delete("k")
    assert await own.get("k") is None


async def test_every_value_has_an_end(world, cache):
    own = TenantCache(cache, "shop")
    await own.set("hour", 1)
    await own.set("short", 1, "250ms")
    await own.set("seconds", 1, 90)
    await own.set("ages", 1, timedelta(days=400))
    lasts = {
        name: await world.redis.pttl(f"{world.prefix}cache:shop:{name}")
        for name in ("hour", "short", "seconds", "ages")
    }
    assert 3_590_000 < lasts["hour"] <= 3_600_000
    assert 0 < lasts["short"] <= 250
    assert 80_000 < lasts["seconds"] <= 90_000
    assert 29 * 86_400_000 < lasts["ages"] <= 30 * 86_400_000


async def test_a_value_kept_for_no_time_is_none(cache):
    own = TenantCache(cache, None)
    await own.set("k", 1)
    await own.set("k", 2, 0)
    assert await own.get("k") is None


async def test_tenants_never_see_each_others_values_whatever_their_keys(world, cache):
    tenants = [None, "-", "a", "a:b", "{x}", "", "t" * 500]
    keys = ["b:c", "c", "a:b:c", "{", "*", "~" + "0" * 32, "k" * 5_000, "\n\0", "ü", "\ud800", ""]
    for tenant in tenants:
        for key in keys:
            own = TenantCache(cache, tenant)
            assert await own.get(key) is None
            await own.set(key, [tenant, key.encode("utf-8", "surrogatepass").hex()])
    for tenant in tenants:
        for key in keys:
            found = await TenantCache(cache, tenant).get(key)
            assert found == [tenant, key.encode("utf-8", "surrogatepass").hex()]
    kept = await world.keys()
    assert len(kept) == len(tenants) * len(keys)
    assert all(key.startswith("cache:") and len(key) < 150 for key in kept)
    assert all(0 < ttl <= 3_600 for ttl in kept.values())


async def test_a_key_without_a_tenant_belongs_to_nobody(cache):
    await cache.set("plain", 1)
    assert await TenantCache(cache, None).get("plain") == 1
    assert await TenantCache(cache, "shop").get("plain") is None


@pytest.mark.parametrize("value", [object(), "x" * LARGEST, "\ud800", {1: object()}])
async def test_what_has_no_json_form_or_is_too_large_is_refused_and_changes_nothing(cache, value):
    own = TenantCache(cache, "shop")
    await own.set("k", "before")
    with pytest.raises(ValueError, match="what is kept under 'shop:k'"):
        await own.set("k", value)
    assert await own.get("k") == "before"


async def test_a_time_that_is_none_is_refused(cache):
    with pytest.raises(DeclarationError, match="no duration"):
        await cache.set("a:k", 1, "soon")


async def test_a_value_that_somebody_else_has_spoilt_is_as_good_as_gone(world, cache):
    await world.redis.set(f"{world.prefix}cache:shop:k", "{", px=10_000)
    assert await TenantCache(cache, "shop").get("k") is None


async def test_while_redis_is_away_nothing_is_found_and_no_handler_fails(caplog):
    away = Connection(Settings.model_validate({"redis_url": "redis://127.0.0.1:1/0"}), connections=1)
    own = TenantCache(Cache(away), "shop")
    assert await own.get("k") is None
    await own.set("k", 1)
    assert "nothing is found in the cache" in caplog.text
    assert "nothing is kept in the cache" in caplog.text
    with pytest.raises(StoreUnavailable):  # who deletes has to know that it may still be there
        await own.delete("k")
    await away.close()
