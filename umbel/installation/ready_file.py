"""The file that scripts and tests read: where everything is and which processes it is, once all of it is ready.

It holds a key and passwords: its owner alone may read it. It is there whole or not at all, it is gone when nothing runs
any more, and it is written anew when a program was started again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from actions.errors import ConfigError
from umbel.private import replace_private

if TYPE_CHECKING:
    from umbel.installation.plan import Plan

VERSION: Final = 1
"""Grows when a field means something else, or goes."""
_REDIS_PORT: Final = 6379


class ReadyFile:
    """One such file; a context manager, which takes it away at the end."""

    def __init__(self, path: Path) -> None:
        """Describe the file.

        Raises:
            ConfigError: it could not be written there.
        """
        self._path = path.absolute()
        if not self._path.parent.is_dir() or self._path.is_dir():
            raise ConfigError(
                "the ready file cannot be written there",
                where=str(path),
                fix="Name a file in a folder that exists",
            )

    def __enter__(self) -> Self:
        """Take away what a process that was killed left: who waits for the file would believe it."""
        self.remove()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def write(self, plan: Plan, pids: Mapping[str, int]) -> None:
        """Say that all of it is ready, with these processes.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            replace_private(self._path, json.dumps(document(plan, pids), indent=2) + "\n")
        except OSError as error:
            raise self._unwritable(error) from None

    def remove(self) -> None:
        """Take it away, if it is there.

        Raises:
            ConfigError: its folder does not let us.
        """
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"the ready file cannot be written: {error.strerror}",
            where=str(self._path),
            fix="Name another place with --ready-file",
        )


def document(plan: Plan, pids: Mapping[str, int]) -> dict[str, Any]:
    """What stands in the file."""
    url = plan.settings.store_url
    return {
        "version": VERSION,
        "api": plan.api_url,
        "flower": plan.flower_url,
        "redis": url,
        "key": plan.key,
        "ports": {
            "api": plan.ports.api,
            "flower": plan.ports.flower,
            "redis": urlsplit(url).port or _REDIS_PORT,
        },
        "pids": dict(pids),
        "home": str(plan.settings.home),
    }
