"""`ctx.secrets`: values from environment variables that begin with `UMBEL_SECRET_`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "UMBEL_SECRET_"


class EnvironmentSecrets:
    """`actions.services.Secrets` over a mapping that was read once, at the edge."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Keep only what is marked as ours."""
        self._values = {
            name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)
        }

    def get(self, name: str) -> str:
        """Return the secret of this name; raise ConfigError, without any value, when there is none."""
        try:
            return self._values[name.upper()]
        except KeyError:
            raise ConfigError(f"there is no secret {name!r}", fix=f"Set {PREFIX}{name.upper()}") from None
