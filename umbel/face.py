"""Umbel in a program of your own: one object that hands work in and reads results.

In: settings (the environment's, if none are given). Out: the conductor's methods, on connections that are closed at
the end. It needs a Redis: the one of `UMBEL_REDIS_URL`, or the one that `umbel up` runs for this home folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import SecretStr

from actions.errors import ConfigError
from orchestrator.assembly import build
from orchestrator.conductor import Conductor
from orchestrator.settings import Settings, load_settings
from umbel.supervisor import EmbeddedRedis

if TYPE_CHECKING:
    from actions.registry import Registry


class Umbel(Conductor):
    """`async with Umbel() as umbel:` - open conversations, post replies, submit runs, wait for results."""

    def __init__(self, settings: Settings | None = None, registry: Registry | None = None) -> None:
        """Put the parts together; nothing is opened before the first call.

        Args:
            settings: how to reach Redis and which actions there are; the environment's, if None.
            registry: the actions themselves, instead of the modules that the settings name.

        Raises:
            ConfigError: a setting is wrong, or there is no Redis.
        """
        self._house = build(with_server(settings or load_settings()), registry)
        super().__init__(self._house.settings, self._house.registry, self._house.store)

    async def __aenter__(self) -> Self:
        """Nothing to wait for."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._house.close()


def with_server(settings: Settings) -> Settings:
    """The settings with the URL of the embedded server filled in, if they name none.

    Raises:
        ConfigError: no server runs for this home folder.
    """
    if not settings.is_embedded:
        return settings
    url = EmbeddedRedis(settings.home).find()
    if url is None:
        raise ConfigError(
            "no Redis is running here",
            where=f"home folder {settings.home}",
            fix="Start `umbel up` in another terminal, or set UMBEL_REDIS_URL to a Redis of yours",
        )
    return settings.model_copy(update={"redis_url": SecretStr(url)})
