"""What must hold before anything is started: settings, a folder and a server in, one `UmbelError` out if it does not.

Each of these would otherwise come as a traceback out of Celery, or as a wait without end.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from actions.errors import ConfigError, StoreRefused, StoreUnavailable
from actions.registry import Registry
from orchestrator.settings import PREFIX, Settings, load_settings
from umbel.home import ENV_FILE
from umbel.supervisor.wire import Address, RefusedAnswer, ask
from workers import shadow

_WAITING_HELPS: Final = frozenset({"LOADING", "MASTERDOWN", "BUSY"})


def refuse_hidden(folder: Path) -> None:
    """Refuse to start in a folder whose files hide our packages: Celery puts its working folder first.

    Raises:
        ConfigError: one does; the message names it and says what to do.
    """
    if line := shadow.complaint(folder):
        raise ConfigError(line)


def check_server(settings: Settings) -> None:
    """Ask the server once, so that what is wrong with it is said before anything is started.

    Raises:
        StoreUnavailable: nobody answers there, or not yet.
        StoreRefused: it answers and refuses: the login, or the number of the database.
    """
    url = settings.store_url
    database = urlsplit(url).path.strip("/") or "0"
    try:
        ask(Address.of(url), "SELECT", database, timeout=5.0)
    except RefusedAnswer as error:
        if error.word in _WAITING_HELPS:
            raise StoreUnavailable(
                f"Redis is not ready: {error}", where=settings.redacted_url, fix="Wait a moment"
            ) from None
        raise StoreRefused(
            f"Redis refused: {error}",
            where=settings.redacted_url,
            fix=f"Correct user, password and database in {PREFIX}REDIS_URL",
        ) from None
    except OSError as error:
        raise StoreUnavailable(
            f"Redis does not answer: {error.strerror or error}",
            where=settings.redacted_url,
            fix=f"Start it, correct {PREFIX}REDIS_URL, or unset that for an embedded server (`umbel up`)",
        ) from None


def reachable_settings(folder: Path) -> Settings:
    """The settings for something that is started in `folder` and joins a server which runs already.

    Raises:
        ConfigError: no server is named, a setting is wrong, or a file of the folder hides one of our packages.
        StoreUnavailable: the server does not answer.
        StoreRefused: it does not let us in.
    """
    refuse_hidden(folder)
    settings = load_settings()
    if settings.is_embedded:
        raise ConfigError(
            "no Redis is known",
            fix=f"Set {PREFIX}REDIS_URL; or start `umbel up`, and here first run: . {settings.home / ENV_FILE}",
        )
    check_server(settings)
    return settings


def load_registry(settings: Settings, folder: Path) -> Registry:
    """Import the modules of UMBEL_ACTIONS as a worker started in `folder` will.

    Raises:
        ConfigError: one cannot be imported or holds no action.
        DeclarationError: what is declared in them is wrong.
    """
    for name in settings.actions:
        if name.endswith(".py") or "/" in name:
            module = name.removesuffix(".py").strip("./").replace("/", ".")
            raise ConfigError(
                f"{name!r:.100} is a file, not a module", where=f"{PREFIX}ACTIONS", fix=f"Write {module:.100}"
            )
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return Registry.from_modules(settings.actions)
