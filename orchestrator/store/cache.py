"""Values that handlers keep for a while, and that may be gone at any moment.

In: a key that begins with a tenant and a colon (`actions.caching`), and a JSON value. Out: the value again, or None.
Each has an end, so that an idle Redis returns to its base size. While Redis is away nothing is found and nothing is
kept: no run fails because of what can be made again.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import PydanticSerializationError, from_json, to_json

from actions.errors import StoreUnavailable
from actions.messages import mended
from actions.policy import duration
from actions.templates import MISSING, word

if TYPE_CHECKING:
    from orchestrator.store.connection import Connection
    from orchestrator.store.line import Command

LARGEST: Final = 1024 * 1024
"""Bytes of one value as JSON."""
LONGEST: Final = timedelta(days=30)
"""So long at most is a value kept, whatever its handler asks for."""
STANDARD: Final = "1h"
"""How long, if nobody says it."""

_log: Final = logging.getLogger("umbel.cache")


class Cache:
    """`actions.services.Cache` over one Redis; keys `cache:<tenant>:<key>`, for one event loop."""

    def __init__(self, connection: Connection) -> None:
        """Keep values behind this connection."""
        self._connection = connection

    async def get(self, key: str) -> Any | None:
        """Return what was kept under the key, None when there is nothing (any more).

        Raises:
            StoreRefused: Redis said no.
        """
        try:
            (text,) = await self._connection.ask(["GET", self._place(key)])
            return None if text is None else from_json(text)
        except StoreUnavailable as error:
            _log.warning("nothing is found in the cache: %s", error)
        except ValueError:
            _log.warning("a value in the cache is no JSON and is passed over")
        return None

    async def set(self, key: str, value: Any, ttl: timedelta | float | str = STANDARD) -> None:
        """Keep a value for as long as `ttl`, 30 days at most; nothing is kept for no time.

        Raises:
            ValueError: the value has no JSON form, or one of more than a mebibyte; nothing is changed.
            DeclarationError: `ttl` is no duration.
            StoreRefused: Redis said no.
        """
        lasts_ms = round(min(duration(ttl), LONGEST) / timedelta(milliseconds=1))
        text = _encoded(key, value)
        place = self._place(key)
        command: Command = ["SET", place, text, "PX", lasts_ms] if lasts_ms else ["DEL", place]
        try:
            await self._connection.ask(command)
        except StoreUnavailable as error:
            _log.warning("nothing is kept in the cache: %s", error)

    async def delete(self, key: str) -> None:
        """Forget what was kept under the key.

        Raises:
            StoreUnavailable: Redis did not answer, so it may still be there.
            StoreRefused: Redis said no.
        """
        await self._connection.ask(["DEL", self._place(key)])

    def _place(self, key: str) -> str:
        """The key in Redis: quoted or digested, so that no text reaches into another tenant or becomes long."""
        tenant, colon, own = key.partition(":")
        if not colon:
            tenant, own = MISSING, key
        return f"{self._connection.prefix}cache:{tenant}:{word(own)}"


def _encoded(key: str, value: Any) -> bytes:
    """A value as JSON of a bearable size; its error shows nothing of it."""
    try:
        text = to_json(value, inf_nan_mode="null")
    except (PydanticSerializationError, UnicodeEncodeError):
        raise ValueError(f"what is kept under {mended(key)!r:.80} has no JSON form") from None
    if len(text) > LARGEST:
        raise ValueError(
            f"what is kept under {mended(key)!r:.80} has {len(text):,} bytes as JSON; at most {LARGEST:,} are kept"
        )
    return text
