"""The store and the actions for commands that look into a running house: the environment in, both out.

A command that only reads or changes records needs no actions: where they cannot be loaded, it says why and does less.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.conductor import Conductor
    from orchestrator.store.store import Store


@asynccontextmanager
async def opened() -> AsyncIterator[Store]:
    """The store that the settings name, or that `umbel up` runs for this home folder."""
    from orchestrator.settings import load_settings
    from orchestrator.store.store import Store
    from umbel.face import with_server

    store = Store(with_server(load_settings()))
    try:
        yield store
    finally:
        await store.close()


def registry_or_why() -> tuple[Registry, str]:
    """The actions, and ""; or none, and why they cannot be loaded here."""
    from actions.errors import UmbelError
    from actions.registry import Registry
    from orchestrator.settings import load_settings
    from umbel import preflight

    try:
        return preflight.load_registry(load_settings(), Path.cwd()), ""
    except UmbelError as error:  # an operator's machine need not have them
        return Registry(()), " ".join(str(error).split())


@asynccontextmanager
async def conducting(registry: Registry | None = None) -> AsyncIterator[Conductor]:
    """The conductor on this store: with these actions, or with none for what only looks at records."""
    from actions.registry import Registry
    from orchestrator.conductor import Conductor
    from orchestrator.settings import load_settings

    async with opened() as store:
        yield Conductor(load_settings(), Registry(()) if registry is None else registry, store)


def unset_actions() -> str:
    """What explains here that an action is unknown: nothing was said about where yours are; "" if it was."""
    from orchestrator.settings import load_settings

    if load_settings().actions:
        return ""
    return (
        " (UMBEL_ACTIONS is not set here: set it to the modules with your actions, as where the workers run)"
    )


def registry_or_refuse() -> Registry:
    """The actions, for a command that cannot do without them.

    Raises:
        ConfigError: they cannot be loaded here.
    """
    from actions.errors import ConfigError

    registry, why = registry_or_why()
    if why:
        raise ConfigError(f"the actions cannot be loaded here: {why}")  # it says itself what to do
    return registry
