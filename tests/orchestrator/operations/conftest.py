"""A store on the test's real server, and hands that do the work in this process: a pump without Celery.

Locks, limits, order, waits and clocks are the store's own here; only handlers are called in the simplest way there is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic_core import from_json, to_json

from actions.chains import Chain
from actions.definition import Action, action
from actions.errors import Fail
from actions.messages import Payload
from actions.policy import Retry
from actions.registry import Registry
from orchestrator.references import filled, needed, value_of
from orchestrator.settings import Settings
from orchestrator.store.incoming import Finish
from orchestrator.store.records import Claimed
from orchestrator.waiting import until
from umbel import Umbel


@action("ECHO", similes=("SAY_AGAIN",))
async def echo(value: Any) -> Any:
    """Give back what was given."""
    return value


@action("PING")
async def ping() -> str:
    """Answer."""
    return "pong"


@action("WAIT_A_WHILE")
async def wait_a_while(seconds: float, value: int = 0) -> int:
    """Take time."""
    await asyncio.sleep(seconds)
    return value


@action("BREAK")
async def break_() -> None:
    """Fail each time."""
    raise ValueError("no luck")


@action("REFUSE_IT")
async def refuse_it(why: str) -> None:
    """Fail for good."""
    raise Fail(why)


@action("STUBBORN_ONE", retry=Retry(5, initial="1ms", cap="1ms"))
async def stubborn_one() -> None:
    """Fail, but be tried five more times by declaration."""
    raise ValueError("no luck")


@action("PAY", permissions={"pay"})
async def pay(amount: int) -> int:
    """Need a permission."""
    return amount


@action("MAKE")
async def make(name: str, size: int = 1) -> dict[str, Any]:
    """Make something that can be taken back."""
    return {"name": name, "size": size + 1, f"made_{name}": True}


@make.undo
async def unmake(params: Any, receipt: Any, ctx: Any) -> None:
    """Take it back."""


@action("LOOKED", depends_on="MAKE")
async def looked() -> str:
    """Needs a MAKE before."""
    return "looked"


@action("STOCK", chain=Chain("stock:{shelf}"))
async def stock(shelf: str, size: int = 0) -> dict[str, Any]:
    """Only in a chain, which locks the shelf."""
    return {"shelf": shelf, "size": size}


ACTIONS = [echo, ping, make, looked, stock, wait_a_while, break_, refuse_it, stubborn_one, pay]


class Hands:
    """One pump that claims everything and calls handlers; remembers when each attempt started and how many ran."""

    def __init__(self, umbel: Umbel) -> None:
        self._store = umbel._house.store
        self._registry = umbel._house.registry
        self.started: list[tuple[float, str, dict[str, Any]]] = []
        self.most = 0
        self.undone: list[tuple[str, Any]] = []
        """Which actions were undone, in order, each with what it had returned."""
        self.cannot_undo: set[str] = set()
        self._flying: dict[str, asyncio.Task[None]] = {}
        self._left = False

    def times(self, name: str) -> list[float]:
        """When attempts of an action started, in order."""
        return [at for at, action, _ in self.started if action == name]

    async def has_started(self, attempts: int) -> None:
        """Wait until so many attempts have started."""

        async def probe() -> tuple[str, bool | None]:
            return f"at {len(self.started)}", len(self.started) >= attempts or None

        await until(f"attempt {attempts}", probe, 10)

    async def serve(self) -> None:
        while True:
            claim = await self._store.runs.claim("hands", [("actions", 200)], nap_ms=20)
            for run in claim.runs:
                self._flying[run.id] = asyncio.create_task(self._carry_out(run))
            self.most = max(self.most, len(self._flying))
            for run_id in await self._store.runs.renew("hands", 10_000) or []:
                if task := self._flying.get(run_id):
                    task.cancel()
            await asyncio.sleep(0.002)

    async def stop(self, serving: asyncio.Task[None]) -> None:
        """Leave at once: what is in flight is dropped."""
        self._left = True
        tasks = [serving, *self._flying.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_out(self, run: Claimed) -> None:
        payload = Payload.decode(run.payload)
        known = self._registry.resolve(payload.action)
        if run.undoes:
            await self._undo(run, known, payload)
            return
        payload.arguments = await self._gathered(known, payload)
        self.started.append((time.monotonic(), payload.action, payload.arguments))
        retry = payload.retry_policy(known.retry) or Retry(0)
        limit = None if payload.timeout_ms is None else payload.timeout_ms / 1000
        delay = 0
        try:
            value = await asyncio.wait_for(known.handler(**payload.arguments), limit)
            verdict, told = "succeeded", value
        except asyncio.CancelledError:
            verdict, told = "cancelled", {"error": "cancelled", "code": "cancelled"}
        except TimeoutError:
            verdict, told = "timed_out", {"error": "took too long", "code": "timed_out"}
        except Fail as error:
            verdict, told = "failed", {"error": str(error), "code": "handler_failed"}
        except ValueError as error:
            verdict, told = "failed", {"error": str(error), "code": "handler_failed"}
            if retry.left(run.attempt):
                verdict, delay = "again", round(retry.limits(run.attempt)[1].total_seconds() * 1000)
        finish = Finish(run.id, run.fence, verdict, to_json(told).decode(), delay, "backoff" if delay else "")
        if self._left:
            return
        del self._flying[run.id]
        await self._store.runs.finish("hands", [finish])

    async def _gathered(self, known: Action, payload: Payload) -> dict[str, Any]:
        """The arguments, with what comes from the results of other runs."""
        names = needed(payload)
        views = await self._store.runs.read_all(names) if names else []
        return filled(known, payload, {view.id: value_of(view) for view in views if view})

    async def _undo(self, run: Claimed, known: Action, payload: Payload) -> None:
        """Note that what a run did is taken back; an action that cannot be undone fails to be."""
        view = await self._store.runs.read(run.undoes)
        assert view is not None
        self.undone.append((payload.action, from_json(view.result or "null")))
        verdict = "failed" if known.name in self.cannot_undo else "succeeded"
        del self._flying[run.id]
        await self._store.runs.finish("hands", [Finish(run.id, run.fence, verdict, "null")])


@pytest.fixture
async def umbel(settings: Settings) -> AsyncIterator[Umbel]:
    async with Umbel(settings, Registry(ACTIONS)) as opened:
        yield opened


@pytest.fixture
async def hands(umbel: Umbel) -> AsyncIterator[Hands]:
    """Somebody who does the work while the test runs."""
    working = Hands(umbel)
    task = asyncio.create_task(working.serve())
    yield working
    await working.stop(task)
