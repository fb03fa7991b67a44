"""Actions and callers for the tests of the HTTP API's routes; workers import this file too (`UMBEL_ACTIONS`).

`world(settings)` is an API in this process with four keys: ann and bob of one tenant, eve of another, and the house's
own. What runs is played with the store's scripts (`claim`, `end`), unless a test has a worker.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from actions.approvals import Approval
from actions.chains import Chain
from actions.definition import action
from actions.errors import Fail
from actions.limits import Lock, RateLimit
from actions.registry import Registry
from actions.states import StateMachine
from api_under_test import Api, api_in_process, bearer, make_key
from orchestrator.store.incoming import Finish

if TYPE_CHECKING:
    from orchestrator.settings import Settings
    from orchestrator.store.records import Claimed

MODULE: Final = "routes_under_test"
"""The name under which workers import this file."""
SHUT: Final = {"error": "The Exchange is closed", "code": "closed"}


@action("ADD", similes=("SUM",), show=("a",))
async def add(a: int, b: int = 0) -> int:
    """Add two numbers."""
    return a + b


@action("SLEEP")
async def sleep(seconds: float) -> str:
    """Wait."""
    await asyncio.sleep(seconds)
    return "awake"


@action("TRADE", permissions={"trade"})
async def trade(amount: int) -> int:
    """Trade."""
    return amount


@action("GIVE_UP", show=("mend",))
async def give_up(mend: str = "") -> str:
    """Fail, unless somebody mends it."""
    if not mend:
        raise Fail("the shelf is empty")
    return mend


@action("PAY", approval=Approval())
async def pay(amount: int) -> int:
    """Pay somebody."""
    return amount


@action("LOCKED", lock=Lock("house:all"))
async def locked() -> None:
    """Hold what all tenants share."""


@action("LIMITED", rate_limit=RateLimit(5, per="1h", key="{principal}", name="exchange"))
async def limited() -> None:
    """Ask the exchange."""


@action("MARK", chain=Chain())
async def mark(at: int = 0) -> dict[str, int]:
    """Be a step of a chain."""
    return {"at": at}


@mark.undo
async def unmark(params, receipt, ctx):
    """Fail to take it back."""
    raise Fail("it cannot be wiped")


@action("LAST", chain=Chain())
async def last() -> None:
    """Fail as the last step."""
    raise Fail("no more")


DOOR: Final = StateMachine("door", initial="OPEN", states={"OPEN": {"ADD"}, "SHUT": {"SLEEP"}})
REGISTRY: Final = Registry(
    [add, sleep, trade, give_up, pay, locked, limited, mark, last], [DOOR]
)  # what a worker finds here by itself


@dataclass(frozen=True, slots=True)
class Key:
    """One caller."""

    client: httpx.AsyncClient
    key: str

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = bearer(self.key) | more.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **more)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.ask("GET", path, params=params)

    async def post(
        self, path: str, body: Any = None, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.ask(
            "POST", path, headers=headers, **({"json": body} if body is not None else {}), **more
        )

    async def reply(
        self, conversation: str, text: str, *, key: str | None = None, **params: Any
    ) -> httpx.Response:
        headers = {"Content-Type": "text/plain"} | ({"Idempotency-Key": key} if key else {})
        path = f"/v1/conversations/{conversation}/replies"
        return await self.ask("POST", path, content=text.encode(), headers=headers, params=params)

    async def run(self, name: str = "ADD", **arguments: Any) -> str:
        """The id of a new run."""
        made = await self.post("/v1/runs", {"action": name, "arguments": arguments})
        assert made.status_code == 202, made.text
        return made.json()["run"]

    async def open(self, **what: Any) -> str:
        """The id of a new conversation."""
        made = await self.post("/v1/conversations", what)
        assert made.status_code == 201, made.text
        return made.json()["conversation"]


@dataclass(frozen=True, slots=True)
class World:
    """An API, and who calls it."""

    api: Api
    ann: Key
    """Of the tenant acme, with the permission to trade."""
    bob: Key
    """Of the same tenant, another principal, without it."""
    eve: Key
    """Of the tenant evil, with all that ann has."""
    root: Key
    """Of the default tenant."""

    async def claim(self) -> list[Claimed]:
        """What a pump would start now."""
        return (await self.api.store.runs.claim("pump", [("actions", 500)], flying=0)).runs

    async def end(self, status: str = "succeeded", result: Any = None) -> list[str]:
        """End whatever may start now; the ids."""
        ends = [Finish(run.id, run.fence, status, json.dumps(result)) for run in await self.claim()]
        await self.api.store.runs.finish("pump", ends)
        return [end.run for end in ends]

    async def died(self, caller: Key, name: str = "GIVE_UP", **arguments: Any) -> str:
        """A run of the caller's that failed."""
        run = await caller.run(name, **arguments)
        assert await self.end("failed", SHUT) == [run]
        return run

    async def audit(self, *deeds: str) -> list[dict[str, Any]]:
        lines = [line.fields for line in await self.api.store.audit.read()]
        return [line for line in lines if line["what"] in deeds]


@asynccontextmanager
async def world(settings: Settings, registry: Registry = REGISTRY) -> AsyncIterator[World]:
    """An API in this process with four callers."""
    async with api_in_process(settings, registry) as api:

        async def key(principal: str, tenant: str, *permissions: str) -> Key:
            made = await make_key(api.store, principal=principal, tenant=tenant, permissions=permissions)
            return Key(api.client, made)

        yield World(
            api,
            await key("ann", "acme", "trade"),
            await key("bob", "acme"),
            await key("ann", "evil", "trade"),
            await key("root", ""),
        )


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    return answer.status_code, answer.json()["code"]


def alike(answer: httpx.Response) -> dict[str, Any]:
    """The body of a problem without what belongs to the request alone."""
    return {name: value for name, value in answer.json().items() if name != "request_id"}
