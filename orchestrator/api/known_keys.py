"""API keys that were asked for a moment ago: an id in, the store's record out, at most a second old.

So a key that makes a thousand requests a second costs one read a second, and a revoked one is heard of within one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from orchestrator.store.api_keys import StoredKey
    from orchestrator.store.store import Store

KEPT_S: Final = 1.0
"""Seconds for which a record is believed."""
_MOST: Final = 2_000


class KnownKeys:
    """The records of keys in use."""

    def __init__(self, store: Store) -> None:
        """Look them up here."""
        self._store = store
        self._known: dict[str, tuple[float, StoredKey]] = {}

    async def get(self, key_id: str) -> StoredKey | None:
        """The key with this id. One that is not there is asked for each time: it may have been made just now."""
        now = time.monotonic()
        if (known := self._known.get(key_id)) is not None and now - known[0] < KEPT_S:
            return known[1]
        found = await self._store.api_keys.get(key_id)
        if found is None:
            self._known.pop(key_id, None)
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key_id] = (now, found)  # as of when it was asked for, not answered
        return found

    def forget(self, key_id: str) -> None:
        """Ask for this one anew."""
        self._known.pop(key_id, None)
