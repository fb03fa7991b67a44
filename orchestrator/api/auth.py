"""Who asks, and may they: a request's bearer key in, a `Caller` out, or 401, 403 or 429.

Looked at before the body is read, and by every route that has `Needs` (see `guarding`). A key that is unknown, wrong,
revoked or expired gets one and the same answer; told apart is only what gives nothing away: no key, and no such form.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from orchestrator import keyring, rates
from orchestrator.api.problem_kinds import KINDS
from orchestrator.api.problems import Problem
from orchestrator.api.service import service_of
from orchestrator.keyring import Caller

if TYPE_CHECKING:
    from starlette.datastructures import Headers

    from orchestrator.api.service import Service

_BEARER: Final = HTTPBearer(
    auto_error=False,
    bearerFormat="umb_<id>_<secret>",
    scheme_name="key",
    description="A key made by `umbel keys create`. Its tenant, principal, scopes and permissions are the caller's.",
)
_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


class Needs:
    """A dependency: the caller, if its key has one of these scopes."""

    def __init__(self, *scopes: str) -> None:
        """Ask for any of some of `keyring.SCOPES`."""
        if not scopes or not set(scopes) <= set(keyring.SCOPES):
            raise ValueError(f"{scopes!r} are no scopes")
        self.scopes = frozenset(scopes)

    async def __call__(
        self,
        request: Request,
        _shown: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> Caller:
        """Return who was admitted before the body was read."""
        caller: Caller = request.state.caller
        return caller


Submitter = Annotated[Caller, Depends(Needs("submit"))]
"""The caller of a route that hands in work."""
Reader = Annotated[Caller, Depends(Needs("read"))]
"""The caller of a route that looks."""
Operator = Annotated[Caller, Depends(Needs("operate"))]
"""The caller of a route that decides for people."""
Stopper = Annotated[Caller, Depends(Needs("submit", "operate"))]
"""The caller of a route that ends what goes on: its own principal's, or with `operate` anybody's (see `rights`)."""
Admin = Annotated[Caller, Depends(Needs("admin"))]
"""The caller of a route that concerns the whole house."""


async def admit(request: Request, scopes: frozenset[str]) -> Caller:
    """The caller of a request that needs one of these scopes.

    Raises:
        Problem: unauthorised, forbidden or rate_limited.
    """
    service = service_of(request)
    caller = await _identified(service, request)
    if not scopes & caller.scopes:
        raise Problem("forbidden", f"This needs a key with the scope {' or '.join(sorted(scopes))}.")
    await _knock(service, caller)
    return caller


@asynccontextmanager
async def while_valid(request: Request) -> AsyncIterator[None]:
    """End what is done inside, within two seconds, when the key of the request opens nothing any more.

    Raises:
        Problem: unauthorised, if it was revoked or its time is over.
    """
    loop, bound = asyncio.get_running_loop(), asyncio.timeout(None)
    caller: Caller = request.state.caller
    try:
        async with bound:
            with service_of(request).key_watch.watching(caller.key_id, lambda: bound.reschedule(loop.time())):
                yield
    except TimeoutError:
        if not bound.expired():
            raise
        raise _unauthorised() from None


async def _identified(service: Service, request: Request) -> Caller:
    if service.anybody is not None:
        _refuse_pages(request.headers)
        return service.anybody
    key_id, secret = _given(request.headers)
    key = await service.keys.get(key_id)
    if not keyring.matches(secret, key) or key is None or keyring.is_over(key, time.time()):
        raise _unauthorised()
    return keyring.caller_of(key)


def _given(headers: Headers) -> tuple[str, str]:
    """The id and the secret that a request shows.

    Raises:
        Problem: unauthorised, if it shows no key, several, or something else.
    """
    shown = headers.getlist("authorization")
    if not shown:
        raise _unauthorised("No key was sent.")
    scheme, _, text = shown[0].partition(" ")
    found = keyring.parse(text.strip(" ")) if scheme.lower() == "bearer" and len(shown) == 1 else None
    if found is None:
        raise _unauthorised("What was sent has not the form of a key.")
    return found


def _unauthorised(why: str = "This key opens nothing: it is unknown, revoked or expired.") -> Problem:
    detail = f"{why} {KINDS['unauthorised'].meaning}"
    return Problem("unauthorised", detail, headers={"WWW-Authenticate": 'Bearer realm="umbel"'})


def _refuse_pages(headers: Headers) -> None:
    """Keep the pages that a browser on this machine has open away from an open API.

    Any page may send simple requests to the loopback interface, and one whose name is made to point there (DNS
    rebinding) may read the answers. The first show their origin, the second their own name as the host.
    """
    origin = headers.get("origin")
    if _host_of(f"//{headers.get('host', '')}") not in _LOOPBACK or (
        origin is not None and _host_of(origin) not in _LOOPBACK
    ):
        raise Problem(
            "forbidden", "An open API (--insecure) answers only to names of the loopback interface."
        )


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


async def _knock(service: Service, caller: Caller) -> None:
    """Count the request of a key that has a rate."""
    rate = rates.read(caller.rate or service.house.settings.api_rate)
    if rate is None or not caller.key_id:
        return
    wait_ms = await service.house.store.limits.knock(f"~api:{caller.key_id}", rate.n, rate.per_us)
    if wait_ms:
        raise Problem("rate_limited", headers={"Retry-After": str(-(-wait_ms // 1_000))})
