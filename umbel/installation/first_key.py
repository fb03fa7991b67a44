"""The first key of the API: what the home folder keeps and what the store knows in, a key that opens everything out.

It is kept in the home folder for its owner alone, and made anew when the store does not know it (another Redis, a key
that was revoked), or when the actions ask for a permission that it lacks.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

from orchestrator import keyring
from orchestrator.store.store import Store
from umbel import home

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.settings import Settings
    from orchestrator.store.api_keys import StoredKey

PRINCIPAL: Final = "local"
"""On whose behalf runs are made with it."""


def first_key(settings: Settings, registry: Registry, *, by: str) -> str:
    """The key that is kept in the home folder, after a look at whether it opens everything; else a new one.

    Raises:
        ConfigError: the home folder cannot be written.
        StoreUnavailable, StoreRefused: the server does not know what to say.
    """
    return asyncio.run(_found_or_made(settings, registry, by))


async def _found_or_made(settings: Settings, registry: Registry, by: str) -> str:
    wanted = frozenset(permission for action in registry.actions for permission in action.permissions)
    store = Store(settings)
    try:
        kept = _kept(settings)
        known = await _known(store, kept)
        if known is not None and _opens_all(known, wanted):
            return kept
        _, text = await keyring.create(
            store,
            principal=PRINCIPAL,
            scopes=keyring.SCOPES,
            permissions=wanted,
            note="the first key, made by `umbel up`",
            by=by,
        )
        home.keep_api_key(settings, text)
        if known is not None:  # nobody has it any more
            await keyring.revoke(store, known.id, by=by)
        return text
    finally:
        await store.close()


def _kept(settings: Settings) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (settings.home / home.API_KEY_FILE).read_text(encoding="ascii").strip()
    return ""


async def _known(store: Store, text: str) -> StoredKey | None:
    """The record of this key, if the store has it."""
    halves = keyring.parse(text)
    if halves is None:
        return None
    record = await store.api_keys.get(halves[0])
    return record if keyring.matches(halves[1], record) else None


def _opens_all(key: StoredKey, wanted: frozenset[str]) -> bool:
    return (
        not keyring.is_over(key, time.time())
        and keyring.granted(key.scopes) >= frozenset(keyring.SCOPES)
        and wanted <= set(key.permissions)
        and (key.tenant, key.principal, key.rate) == ("", PRINCIPAL, "")
    )
