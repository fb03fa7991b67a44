"""Flights of a pump without a store, for the tests of what happens between a claim and its finish."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actions.messages import Payload
from actions.services import Services
from orchestrator.guards import Caps
from orchestrator.store.records import Claimed
from workers.execution import Execution
from workers.flights import Flights
from workers.means import Bounds
from workers_under_test import eventually

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.store.incoming import Finish


class World:
    """Flights of a pump without a store."""

    def __init__(self, registry: Registry, threads: int = 1, store: Any = None) -> None:
        bounds = Bounds(10_000, Caps())
        unused: Any = None
        self.registry = registry
        self.execution = Execution(registry, store, Services(), ThreadPoolExecutor(threads), bounds)
        self.flights = Flights(self.execution, unused, None)

    def start(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        rides: dict[str, Any] | None = None,
        **told: Any,
    ) -> Claimed:
        """Let a run be claimed; `rides` are further fields of its payload, `told` of the claim."""
        found = self.registry.resolve(name)
        payload = Payload(found.name, arguments or {}, **(rides or {}))
        run = Claimed(
            id=told.pop("id", "run_a1"), lane="actions" if found.is_async else "actions/t",
            payload=payload.encode().decode(), attempt=1, conversation="", turn="",
            tenant="", state="", state_revision=0, level="", machine="", principal="", fence="7",
        )  # fmt: skip
        run = replace(run, **told)
        self.flights.start(run)
        return run

    async def ends(self, count: int = 1) -> list[Finish]:
        """The next ends, once there are so many."""
        found: list[Finish] = []

        def enough() -> bool:
            found.extend(self.flights.take_ended())
            return len(found) >= count

        await eventually(enough)
        return found

    async def end(self, name: str, arguments: dict[str, Any] | None = None, **told: Any) -> Finish:
        """The end of one attempt."""
        self.start(name, arguments, **told)
        (finish,) = await self.ends()
        return finish
