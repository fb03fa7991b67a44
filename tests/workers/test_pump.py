"""The pump's loop with a store that refuses: nobody is flooded with questions."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from actions.errors import StoreRefused
from actions.registry import Registry
from actions.services import Services
from orchestrator.guards import Caps
from orchestrator.settings import Settings
from workers.execution import Execution
from workers.means import Bounds
from workers.pump import Pump


class Refusing:
    """A store whose claims are refused, while all else goes."""

    def __init__(self) -> None:
        self.runs = self
        self.claims = 0

    async def claim_with(self, _: Any) -> Any:
        self.claims += 1
        raise StoreRefused("a script says no")

    async def reconcile(self, *_: Any) -> None:
        """Redis is there."""

    async def leave(self, *_: Any) -> None:
        """Nothing is held."""


async def test_a_pump_whose_claims_are_refused_asks_less_and_less_often() -> None:
    store: Any = Refusing()
    unused: Any = None
    execution = Execution(Registry([]), store, Services(), ThreadPoolExecutor(1), Bounds(1_000, Caps()))
    pump = Pump(Settings(), store, execution, unused, worker="one", queues=["actions"])
    pump.rename()
    task = asyncio.create_task(pump.run())
    await asyncio.sleep(1)
    pump.drain()
    await asyncio.wait_for(task, 5)
    assert 3 <= store.claims <= 10
