"""`?wait=`: a request that is answered when something has ended, or when its time is over.

In: a request and how long it may take. Out: how things stand then. Whoever waits holds no connection to Redis (see
`orchestrator.hub`). A client that goes away ends its wait at once; a key that is revoked ends it, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Query, Request
from starlette.requests import ClientDisconnect

from actions.errors import DeclarationError
from actions.policy import duration
from orchestrator.api.auth import while_valid
from orchestrator.api.bounds import allow
from orchestrator.api.problems import Problem
from orchestrator.api.service import service_of

if TYPE_CHECKING:
    from starlette.types import Receive

    from orchestrator.hub import Hub
    from orchestrator.store.records import RunView


def seconds(text: str, longest: timedelta) -> float:
    """How long to wait: a duration as people write it ("10s", "500ms"), at most `longest`; empty is 0.

    Raises:
        Problem: validation, if it is none.
    """
    if not text:
        return 0.0
    try:
        return min(duration(text), longest).total_seconds()
    except DeclarationError:
        detail = "wait: a number and a unit, such as 500ms, 10s, 1m"
        raise Problem(
            "validation", errors=[{"pointer": "", "parameter": "wait", "detail": detail, "code": "wait"}]
        ) from None


async def _wait_s(
    request: Request,
    wait: Annotated[
        str,
        Query(
            max_length=20,
            description="How long to wait for its end, such as `10s`; at most UMBEL_API_WAIT. Empty: not at all.",
            examples=["10s"],
        ),
    ] = "",
) -> float:
    return seconds(wait, service_of(request).house.settings.api_wait)


WaitS = Annotated[float, Depends(_wait_s)]
"""The request's `?wait=` in seconds; 0: it does not wait."""


async def for_run(request: Request, run: str, timeout_s: float) -> RunView | None:
    """A run as it stands when it has ended or the time is over; None: there is none.

    Raises:
        Problem: unauthorised, if the key was revoked or its time is over meanwhile.
        StoreUnavailable: Redis is away.
        ClientDisconnect: the client has gone; nobody hears the answer.
    """
    allow(request, timeout_s)
    async with while_valid(request), connected(request.receive):
        return await hub_of(request).wait_run(run, timeout_s)


async def for_turn(request: Request, turn: str, timeout_s: float) -> str | None:
    """The status of a turn when it has ended or the time is over; None: there is none.

    Raises:
        Problem: unauthorised, if the key was revoked or its time is over meanwhile.
        StoreUnavailable: Redis is away.
        ClientDisconnect: the client has gone; nobody hears the answer.
    """
    allow(request, timeout_s)
    async with while_valid(request), connected(request.receive):
        return await hub_of(request).wait_turn(turn, timeout_s)


@asynccontextmanager
async def connected(receive: Receive) -> AsyncIterator[None]:
    """End what is done inside when the client goes away; its body has to be read already.

    Raises:
        ClientDisconnect: it has gone.
    """
    bound = asyncio.timeout(None)
    try:
        async with bound:
            watching = asyncio.create_task(_until_gone(receive, bound))
            try:
                yield
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
    except TimeoutError:
        if not bound.expired():
            raise
        raise ClientDisconnect from None


async def _until_gone(receive: Receive, bound: asyncio.Timeout) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    bound.reschedule(asyncio.get_running_loop().time())


def hub_of(request: Request) -> Hub:
    """The one reader of event streams in this process."""
    hub = service_of(request).hub
    if hub is None:
        raise RuntimeError("the app has not started")
    return hub
