"""The one place where objects meet: settings in, everything that a process works with out.

Handlers' secrets (`UMBEL_SECRET_…`) are read from the environment here, once: they are no settings.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actions.registry import Registry
from actions.services import Services
from orchestrator.conductor import Conductor
from orchestrator.services.http import HttpxHttp
from orchestrator.services.model import ChatModel
from orchestrator.services.secrets import EnvironmentSecrets
from orchestrator.store.store import Store

if TYPE_CHECKING:
    from orchestrator.settings import Settings


@dataclass(slots=True)
class House:
    """What one process works with, on one event loop."""

    settings: Settings
    """How it was started."""
    registry: Registry
    """The actions it knows."""
    store: Store
    """The door to Redis."""
    http: HttpxHttp
    """The client behind `ctx.http`."""
    services: Services
    """What handlers may ask for."""
    conductor: Conductor
    """Opens conversations, posts replies, submits runs."""

    async def close(self) -> None:
        """Close every connection."""
        await self.http.close()
        await self.store.close()


def build(settings: Settings, registry: Registry | None = None) -> House:
    """Put everything together; nothing is opened before it is used.

    Raises:
        ConfigError: a module of `UMBEL_ACTIONS` cannot be used, or no Redis is named.
    """
    known = registry if registry is not None else Registry.from_modules(settings.actions)
    store = Store(settings)
    http = HttpxHttp(connections=settings.room)  # one for each async run that a pump has in flight
    model = ChatModel(http, settings)
    services = Services(
        {"http": http, "model": model, "secrets": EnvironmentSecrets(os.environ), "cache": store.cache},
        settings={"exchange_url": settings.exchange_url} if settings.exchange_url else {},
    )
    return House(settings, known, store, http, services, Conductor(settings, known, store))
