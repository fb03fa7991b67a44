"""`/livez`, `/readyz` and `/metrics`: what those ask who look after the process. Open, and nothing of a tenant in them.

`/livez` needs nothing but the loop. `/readyz` asks all that a submit needs, at most twice a second whoever asks; it
names what is missing, and no address. Without Redis all three answer. Balancers that look with HEAD may.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from actions.errors import UmbelError
from orchestrator import turns
from orchestrator.api.guarding import Router
from orchestrator.api.problems import RETRY_AFTER_S, Problem
from orchestrator.api.service import Service, service_of
from orchestrator.store.queues import ALIVE_S

if TYPE_CHECKING:
    from orchestrator.store.health import Facts

router = Router(tags=["the process"])

_TRUSTED_S: Final = 0.5
"""Seconds for which an answer of `/readyz` is given again."""
_TIMEOUT_S: Final = 2.0
"""Seconds that its questions may take, all at the same time."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be so before requests are sent here."""

    name: str
    """What was looked at; stable."""
    ok: bool
    """Whether it is as it has to be."""
    detail: str = ""
    """If not: what is wrong, and what to do."""


Question = Callable[[], Awaitable[list[Check]]]


class CheckTold(BaseModel):
    """One thing that was looked at."""

    name: str = Field(
        description="What: not_draining, redis_writable, noeviction, append_only, scripts, or worker:<queue>."
    )
    ok: bool = Field(description="Whether it is as it has to be.")
    detail: str | None = Field(
        default=None, description="If not, and no other for the same reason: what is wrong."
    )


class Ready(BaseModel):
    """Everything is there."""

    ready: bool = Field(description="Whether requests are to be sent here.")
    checks: list[CheckTold] = Field(description="What was looked at.")


class Readiness:
    """Looks whether everything is there, not more often than is worth it."""

    def __init__(self, service: Service) -> None:
        """Look for this service."""
        self._service = service
        self._at = 0.0
        self._checks: list[Check] = []
        self._looking = asyncio.Lock()

    async def checks(self) -> list[Check]:
        """All checks, in the order in which one needs the other."""
        drains = self._service.draining
        own = Check("not_draining", not drains, "the process is being stopped" if drains else "")
        async with self._looking:
            if time.monotonic() - self._at > _TRUSTED_S:
                self._checks = await self._look()
                self._at = time.monotonic()
            return [own, *self._checks]

    async def _look(self) -> list[Check]:
        found = await asyncio.gather(*(self._answer(names, ask) for names, ask in self._questions()))
        return [check for some in found for check in some]

    async def _answer(self, names: Iterable[str], ask: Question) -> list[Check]:
        """What came of a question; that nothing came counts against all that it is about."""
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await ask()
        except (UmbelError, TimeoutError) as error:
            why = error.code if isinstance(error, UmbelError) else "no answer in time"
            return [Check(name, ok=False, detail=f"the store does not say: {why}") for name in names]

    def _questions(self) -> list[tuple[tuple[str, ...], Question]]:
        return [
            (("redis_writable",), self._writable),
            (("noeviction", "append_only"), self._keeps),
            (("scripts",), self._scripts),
            (tuple(f"worker:{queue}" for queue in self._queues()), self._workers),
        ]

    async def _writable(self) -> list[Check]:
        await self._service.house.store.health.write()
        return [Check("redis_writable", ok=True)]

    async def _keeps(self) -> list[Check]:
        return _kept(await self._service.house.store.health.facts())

    async def _scripts(self) -> list[Check]:
        await self._service.house.store.health.load_scripts()
        return [Check("scripts", ok=True)]

    async def _workers(self) -> list[Check]:
        seen = await self._service.house.store.queues.seen()
        gone = f"no worker has served it for {ALIVE_S:g} s; start one: umbel worker --queues {{}}"
        return [
            Check(f"worker:{queue}", ok, "" if ok else gone.format(queue))
            for queue in self._queues()
            for ok in [seen.get(queue, ALIVE_S) < ALIVE_S]
        ]

    def _queues(self) -> list[str]:
        return sorted({action.queue for action in self._service.house.registry.actions} | {turns.QUEUE})


def _kept(facts: Facts) -> list[Check]:
    """Whether the server keeps what was accepted; a server that does not say (None) is given the benefit."""
    policy = facts.policy in {None, "noeviction"}
    writes = facts.append_only is not False and facts.append_only_works is not False
    return [
        Check("noeviction", policy, "" if policy else f"maxmemory-policy is {facts.policy}; set noeviction"),
        Check(
            "append_only",
            writes,
            "" if writes else "AOF is off or failing; set appendonly yes, look at its disk",
        ),
    ]


@router.head("/livez", include_in_schema=False)
@router.get("/livez", summary="Whether the process answers at all", response_class=PlainTextResponse)
async def livez() -> PlainTextResponse:
    """Answer, whatever else works: a process that does not is to be started anew."""
    return PlainTextResponse("ok\n")


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    summary="Whether requests are to be sent here",
    response_model=Ready,
    responses={503: {"$ref": "#/components/responses/Problem503"}},
)
async def readyz(request: Request) -> JSONResponse:
    """Look at all that a submit needs: 503 if anything is missing."""
    checks: list[Check] = await request.app.state.readiness.checks()
    if all(check.ok for check in checks):
        return JSONResponse({"ready": True, "checks": [_told(check) for check in checks]})
    why: dict[str, list[str]] = {}
    for check in checks:
        if not check.ok:
            why.setdefault(check.detail, []).append(check.name)
    told = {"checks": [_told(check, alone=len(why.get(check.detail, ())) <= 1) for check in checks]}
    raise Problem(
        "not_ready",
        "; ".join(f"{', '.join(names)}: {text}" for text, names in why.items()),
        headers={"Retry-After": str(RETRY_AFTER_S)},
        more={"ready": False, **told},
    )


@router.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Tell what this process counted, and what stands in the store."""
    service = service_of(request)
    text = await service.scraper.text(service.metrics.registry)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _told(check: Check, *, alone: bool = True) -> dict[str, Any]:
    """A check as it is told; what is wrong with several at once stands in the answer's own `detail`."""
    told: dict[str, Any] = {"name": check.name, "ok": check.ok}
    return told | ({"detail": check.detail} if check.detail and alone else {})
