"""What all requests of one process share: the house, whose keys are known, the hub, figures, and whether it drains."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from fastapi import Request

from orchestrator.api.key_watch import KeyWatch
from orchestrator.api.known_keys import KnownKeys
from orchestrator.api.metrics import Metrics, Scraper
from orchestrator.keyring import SCOPES, Caller, granted

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.hub import Hub


class Service:
    """One process of the HTTP API, on one event loop."""

    def __init__(self, house: House, *, insecure: bool = False) -> None:
        """Serve this house; `insecure`: to everybody, without keys."""
        self.house = house
        """Settings, actions, store and conductor."""
        self.keys = KnownKeys(house.store)
        """API keys, as they were a second ago at most."""
        self.key_watch = KeyWatch(house.store, self.keys)
        """Tells waits and streams that their key opens nothing any more."""
        self.metrics = Metrics()
        """What this process counts, for `/metrics`."""
        self.scraper = Scraper(house.store)
        """What the store says, for `/metrics`."""
        self.hub: Hub | None = None
        """The one reader of event streams; made when the app starts."""
        self.anybody = _anybody(house) if insecure else None
        """On whose behalf everybody's requests are made when the API is open; None: it is not."""
        self.in_flight = 0
        """Requests that are being answered, streams among them."""
        self._drains = False
        self._quiet = asyncio.Event()

    @property
    def draining(self) -> bool:
        """Whether the process is being stopped: it takes no more work, and ends what it has."""
        return self._drains

    def drain(self) -> None:
        """Take no more work: streams end now, waits answer with what stands; heard by `/readyz`."""
        self._drains = True
        if self.hub is not None:
            self.hub.drain()

    def enter(self) -> None:
        """A request has come."""
        self.in_flight += 1
        self._quiet.clear()

    def leave(self) -> None:
        """A request has been answered."""
        self.in_flight -= 1
        if not self.in_flight:
            self._quiet.set()

    async def quiet(self) -> None:
        """Wait until no request is being answered."""
        while self.in_flight:
            await self._quiet.wait()


def service_of(request: Request) -> Service:
    """The service that answers this request."""
    return cast("Service", request.app.state.service)


def _anybody(house: House) -> Caller:
    """On an open API everybody is the local user, who may do all that the actions ask for."""
    asked = frozenset(each for action in house.registry.actions for each in action.permissions)
    return Caller("", "", "local", granted(SCOPES), asked)
