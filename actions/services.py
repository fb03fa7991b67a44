"""What handlers may ask for: Protocols only, so that no handler imports a library for I/O.

In: objects that the assembly or a test provides. Out: the same objects under their names. A missing one is an
operator's error that says its name; a handler never finds None where it expected a service.
"""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar, cast, overload, runtime_checkable

from actions.errors import ConfigError

T = TypeVar("T")
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back over HTTP, read to its end."""

    status: int
    """The status code, for example 200."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Header values by name; names in lower case."""
    text: str = ""
    """The body as text."""

    def json(self) -> Any:
        """Return the body read as JSON; raise ValueError when it is none."""
        return _json.loads(self.text)


@runtime_checkable
class Http(Protocol):
    """HTTP to the outside."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> HttpResponse:
        """Send one request and return the answer, whatever its status; `timeout` in seconds.

        Raises OSError (also its children ConnectionError and TimeoutError) when there is no answer.
        """
        ...


@runtime_checkable
class Model(Protocol):
    """A language model."""

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request in OpenAI chat shape and return the raw reply."""
        ...


@runtime_checkable
class Secrets(Protocol):
    """Where secret values come from."""

    def get(self, name: str) -> str:
        """Return the secret of this name; raise ConfigError when there is none."""
        ...


@runtime_checkable
class Cache(Protocol):
    """Values that may be gone at any moment: what is kept here can be made again."""

    async def get(self, key: str) -> Any | None:
        """Return what was kept under the key, None when there is nothing (any more)."""
        ...

    async def set(self, key: str, value: Any, ttl: timedelta | float | str = "1h") -> None:
        """Keep a JSON value for as long as `ttl` ("10m", seconds, a timedelta), or shorter."""
        ...

    async def delete(self, key: str) -> None:
        """Forget what was kept under the key."""
        ...


class Services:
    """The services of one process by name, and the settings that handlers may read."""

    __slots__ = ("_services", "_settings")

    def __init__(
        self, services: Mapping[str, object] | None = None, *, settings: Mapping[str, str] | None = None
    ) -> None:
        self._services: dict[str, object] = dict(services or {})
        self._settings: dict[str, str] = dict(settings or {})

    def __contains__(self, name: object) -> bool:
        return name in self._services

    @overload
    def get(self, name: str) -> Any: ...
    @overload
    def get(self, name: str, default: T) -> Any | T: ...
    def get(self, name: str, default: Any = _MISSING) -> Any:
        """Return the service of this name, or the default; raise ConfigError when there is neither."""
        found = self._services.get(name, default)
        if found is _MISSING:
            raise ConfigError(
                f"there is no service {name!r}",
                where=f"services here: {_listed(self._services)}",
                fix="provide it where the services are put together",
            )
        return found

    @overload
    def setting(self, name: str) -> str: ...
    @overload
    def setting(self, name: str, default: T) -> str | T: ...
    def setting(self, name: str, default: Any = _MISSING) -> Any:
        """Return the setting of this name, or the default; raise ConfigError when there is neither."""
        found = self._settings.get(name, default)
        if found is _MISSING:
            raise ConfigError(
                f"there is no setting {name!r}",
                where=f"settings here: {_listed(self._settings)}",
                fix="provide it where the services are put together",
            )
        return found

    @property
    def http(self) -> Http:
        """HTTP to the outside."""
        return cast("Http", self.get("http"))

    @property
    def model(self) -> Model:
        """The language model."""
        return cast("Model", self.get("model"))

    @property
    def secrets(self) -> Secrets:
        """Where secret values come from."""
        return cast("Secrets", self.get("secrets"))

    @property
    def cache(self) -> Cache:
        """The cache of this process; its keys begin with a tenant and a colon, as `ActionContext.cache` makes them."""
        return cast("Cache", self.get("cache"))


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "none"
