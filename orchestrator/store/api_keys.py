"""API keys as they are kept: by id, a record each; the secret itself is never here, only its digest.

In: records that `orchestrator.keyring` made. Out: the same ones. Each change writes its line into the audit in the
same step.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from actions.errors import StoreRefused, UnreadableRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.store.connection import Connection

MOST_KEYS: Final = 10_000
"""How many keys there may be at the same time."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One API key, without its secret."""

    id: str
    """The part of the key that may be seen: 12 letters and digits."""
    digest: str
    """SHA-256 of the secret, hex."""
    tenant: str
    """Whose things it reaches; empty: the default tenant."""
    principal: str
    """On whose behalf runs are made with it."""
    scopes: tuple[str, ...]
    """What it may do with the API, as they were given (`orchestrator.keyring.SCOPES`)."""
    permissions: tuple[str, ...]
    """What its principal may do, as actions ask for it."""
    note: str
    """What it is for, in the words of who made it."""
    by: str
    """Who made it."""
    created_ms: int
    """When it was made, ms since the epoch."""
    expires_ms: int | None
    """From when it opens nothing any more, ms since the epoch; None: never."""
    rate: str
    """Requests that it may make ("100/1s"); empty: as `UMBEL_API_RATE` says."""

    def __repr__(self) -> str:
        """Without the digest: what is logged by mistake should be worth nothing."""
        return f"StoredKey({self.id!r}, tenant={self.tenant!r}, principal={self.principal!r})"


class ApiKeys:
    """The API keys of this installation."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def put(self, key: StoredKey, line: dict[str, Any]) -> bool:
        """Keep a new key; False if there are as many as may be. `line`: for the audit.

        Raises:
            StoreRefused: there is one with this id.
        """
        said = await self._change("put", key.id, to_json(asdict(key)).decode(), line)
        if said == "exists":
            raise StoreRefused("there is an API key with this id already", where=key.id)
        return said == "ok"

    async def get(self, key_id: str) -> StoredKey | None:
        """The key with this id."""
        (found,) = await self._connection.ask(["HGET", f"{self._connection.prefix}keys", key_id])
        return None if found is None else _read(key_id, found)

    async def among(self, key_ids: Sequence[str]) -> dict[str, StoredKey]:
        """Those of these keys that are there, by id; a record that cannot be read counts as none."""
        (texts,) = await self._connection.ask(["HMGET", f"{self._connection.prefix}keys", *key_ids])
        found: dict[str, StoredKey] = {}
        for key_id, text in zip(key_ids, texts, strict=True):
            if text is not None:
                with suppress(UnreadableRecord):
                    found[key_id] = _read(key_id, text)
        return found

    async def list(self) -> list[StoredKey]:
        """All keys, the oldest first."""
        (flat,) = await self._connection.ask(["HGETALL", f"{self._connection.prefix}keys"])
        found = [_read(key_id, text) for key_id, text in zip(flat[::2], flat[1::2], strict=True)]
        return sorted(found, key=lambda key: (key.created_ms, key.id))

    async def remove(self, key_id: str, line: dict[str, Any]) -> bool:
        """Forget a key; whether there was one. `line`: for the audit."""
        return await self._change("remove", key_id, "", line) == "ok"

    async def _change(self, what: str, key_id: str, record: str, line: dict[str, Any]) -> str:
        told = to_json(line).decode()
        return str(await self._connection.run("api_key", what, key_id, record, MOST_KEYS, told))


def _read(key_id: str, text: str) -> StoredKey:
    """The key of a record; fields that a newer version has added are left out."""
    try:
        told = from_json(text)
        known = {name: told[name] for name in StoredKey.__dataclass_fields__}
        return StoredKey(
            **known | {"scopes": tuple(told["scopes"]), "permissions": tuple(told["permissions"])}
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableRecord("the record of an API key cannot be read", where=key_id) from error
