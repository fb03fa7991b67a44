"""A cache for handlers: values that may be gone at any moment, kept apart for each tenant.

In: the cache of this process, and whose run it is. Out: the same cache, in which every key is the tenant's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from actions.templates import word

if TYPE_CHECKING:
    from actions.services import Cache


@dataclass(frozen=True, slots=True)
class TenantCache:
    """The cache as one tenant's handlers see it; itself a `Cache`."""

    cache: Cache
    """The cache of this process, whose keys begin with a tenant and a colon."""
    tenant: str | None
    """Whose values these are; None without tenants."""

    async def get(self, key: str) -> Any | None:
        """Return what was kept under the key, None when there is nothing (any more)."""
        return await self.cache.get(self._own(key))

    async def set(self, key: str, value: Any, ttl: timedelta | float | str = "1h") -> None:
        """Keep a JSON value for as long as `ttl`, or shorter."""
        await self.cache.set(self._own(key), value, ttl)

    async def delete(self, key: str) -> None:
        """Forget what was kept under the key."""
        await self.cache.delete(self._own(key))

    def _own(self, key: str) -> str:
        return f"{word(self.tenant)}:{key}"
