from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions.context import ActionContext
from actions.errors import ConfigError
from actions.services import Cache, Services


class Kept:
    """A cache in memory that notes how long each value is kept."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.ttls: list[timedelta | float | str] = []

    async def get(self, key: str) -> Any | None:
        return self.values.get(key)

    async def set(self, key: str, value: Any, ttl: timedelta | float | str = "1h") -> None:
        self.values[key] = value
        self.ttls.append(ttl)

    async def delete(self, key: str) -> None:
        self.values.pop(key, None)


def context(kept: Kept, tenant: str | None) -> ActionContext:
    return ActionContext("run_a1", "X", tenant=tenant, services=Services({"cache": kept}))


async def test_a_value_is_kept_found_and_forgotten():
    cache = context(Kept(), "acme").cache
    await cache.set("quote", {"price": 0})

    assert await cache.get("quote") == {"price": 0}
    await cache.delete("quote")
    assert await cache.get("quote") is None
    assert isinstance(cache, Cache)


async def test_a_value_is_kept_for_an_hour_or_as_long_as_was_said():
    kept = Kept()
    await context(kept, None).cache.set("a", 1)
    await context(kept, None).cache.set("a", 1, "10m")

    assert kept.ttls == ["1h", "10m"]


@pytest.mark.parametrize("other", ["b", "a:x", "a%3Ax", "A", "-", "", None])
async def test_no_tenant_sees_what_is_anothers(other):
    kept = Kept()
    await context(kept, "a").cache.set("x:k", "mine")
    for key in ("x:k", "k", "x:x:k"):
        assert await context(kept, other).cache.get(key) is None


async def test_the_cache_is_the_tenants_however_it_is_asked_for():
    kept = Kept()
    await context(kept, "a").cache.set("k", "mine")

    assert await context(kept, "b").service("cache").get("k") is None
    assert await context(kept, "b").service("cache", None).get("k") is None
    assert await context(kept, "b").enhanced({}, "cache", lambda cache: {"cache": cache}) == {
        "cache": context(kept, "b").cache,
        "enhanced": True,
    }


async def test_a_tenant_called_like_none_is_not_none():
    kept = Kept()
    await context(kept, "-").cache.set("k", "mine")

    assert await context(kept, None).cache.get("k") is None


def test_a_missing_cache_is_named():
    with pytest.raises(ConfigError, match="there is no service 'cache'"):
        assert ActionContext("run_a1", "X").cache
