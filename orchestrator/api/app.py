"""The app: a house in, a FastAPI application out, with every layer in its place.

The house's owner closes it; the app opens nothing before it starts (its lifespan), and then the hub alone. Routes are
taken over as they are, so `app.routes` is the list of all that there is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from orchestrator.api import openapi, pages, probes, problems
from orchestrator.api.bounds import Bounds
from orchestrator.api.edge import Edge
from orchestrator.api.routes import ROUTERS
from orchestrator.api.service import Service
from orchestrator.hub import Hub

if TYPE_CHECKING:
    from orchestrator.assembly import House

_SENT: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-Request-Id",
    "traceparent",
)
_SEEN: Final = ("Location", "Retry-After", "X-Request-Id", "Idempotency-Replayed")


def create_app(house: House, *, insecure: bool = False) -> FastAPI:
    """The HTTP API of this house.

    Args:
        house: what it serves; it has to be made on the loop on which the app runs, and be closed after it.
        insecure: open to everybody, without keys. Whoever listens has to see to it that only this machine can ask.
    """
    service = Service(house, insecure=insecure)
    app = FastAPI(
        title="Umbel",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.readiness = probes.Readiness(service)
    for router in (probes.router, pages.router, *ROUTERS):
        app.routes.extend(router.routes)
    problems.install(app)
    openapi.install(app)
    _layer(app, service)
    return app


def _layer(app: FastAPI, service: Service) -> None:
    """Put the layers around the routes; the last one is the outermost."""
    app.add_middleware(Bounds, service=service)
    if origins := service.house.settings.api_cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=list(_SENT),
            expose_headers=list(_SEEN),
            max_age=600,
        )
    app.add_middleware(Edge, service=service)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    cap = service.house.settings.api_streams
    service.hub = Hub(service.house.store, streams=cap, waits=cap)
    try:
        yield
    finally:
        await service.key_watch.close()
        await service.hub.close()
