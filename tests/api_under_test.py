"""The HTTP API for the tests that need it: in this process over ASGI, or a real server on a port for what streams.

async with api_in_process(settings, registry) as api:          # quick; no sockets
    key = await make_key(api.store, scopes=("submit",), tenant="acme")
    answer = await api.client.post("/v1/runs", json={…}, headers=bearer(key))

with api_on_port(settings, registry) as url:                   # uvicorn in a thread, on any free port
    httpx.get(f"{url}/livez")
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from fastapi import FastAPI

from actions.registry import Registry
from orchestrator import keyring
from orchestrator.api.app import create_app
from orchestrator.api.serving import Served
from orchestrator.assembly import House, build

if TYPE_CHECKING:
    from orchestrator.settings import Settings
    from orchestrator.store.store import Store

BASE = "http://127.0.0.1"


@dataclass(frozen=True, slots=True)
class Api:
    """An API in this process."""

    app: FastAPI
    house: House
    client: httpx.AsyncClient
    """Without a key; pass `headers=bearer(key)`."""

    @property
    def store(self) -> Store:
        return self.house.store

    @property
    def service(self) -> Any:
        return self.app.state.service


def registry_of(*actions: Any) -> Registry:
    """The registry with these actions, or with those of the worker tests."""
    if actions:
        return Registry(actions)
    import workers_under_test

    return Registry.from_modules((workers_under_test.MODULE,))


async def make_key(store: Store, **what: Any) -> str:
    """A new key, whole; all scopes unless told otherwise (`scopes`, `tenant`, `principal`, `permissions`, …)."""
    given: dict[str, Any] = {"scopes": ("admin",), "by": "the tests"} | what
    return (await keyring.create(store, **given))[1]


def bearer(key: str) -> dict[str, str]:
    """The header that shows a key."""
    return {"Authorization": f"Bearer {key}"}


@asynccontextmanager
async def api_in_process(
    settings: Settings, registry: Registry | None = None, *, insecure: bool = False
) -> AsyncIterator[Api]:
    """The API without sockets: answers come whole, so event streams need `api_on_port`."""
    house = build(settings, registry or registry_of())
    app = create_app(house, insecure=insecure)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    try:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url=BASE) as client,
        ):
            yield Api(app, house, client)
    finally:
        await house.close()


@contextmanager
def api_on_port(
    settings: Settings, registry: Registry | None = None, *, insecure: bool = False
) -> Iterator[str]:
    """A real server in a thread of its own, on any free port; its URL. It drains when the block ends."""
    known = registry or registry_of()
    ready = threading.Event()
    server: list[tuple[asyncio.AbstractEventLoop, Served]] = []
    failed: list[BaseException] = []

    async def serve() -> None:
        house = build(settings, known)
        try:
            served = Served(create_app(house, insecure=insecure), host="127.0.0.1", port=0, grace_s=2.0)
            server.append((asyncio.get_running_loop(), served))
            await served.run(ready.set)
        finally:
            await house.close()

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 - told where the block begins
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work, name="api under test", daemon=True)
    thread.start()
    assert ready.wait(20), "the API did not start"
    if failed:
        raise failed[0]
    loop, served = server[0]
    try:
        yield f"{BASE}:{served.port}"
    finally:
        loop.call_soon_threadsafe(served.stop)
        thread.join(20)
        assert not thread.is_alive(), "the API did not end"


def codes(answers: Sequence[httpx.Response]) -> list[int]:
    """The statuses of answers."""
    return [answer.status_code for answer in answers]
