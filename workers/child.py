"""What a worker process keeps for its life: one event loop, one house, one pump, one keeper.

Made when the first nudge arrives, used again for each further one, so that a nudge costs no connections. The parent
holds the other end of a pipe: when that end closes (SIGTERM reached the parent, or the parent is dead), we drain.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from orchestrator.accepting import Accepting
from orchestrator.assembly import build
from orchestrator.guards import Caps
from workers.boxes import Boxes
from workers.events import RunEvents
from workers.execution import Execution
from workers.keeper import Keeper
from workers.means import Bounds
from workers.points import armed
from workers.pump import Pump

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celery import Celery

    from actions.registry import Registry
    from orchestrator.settings import Settings

log: Final = logging.getLogger("umbel.child")


class Lifeline:
    """A pipe made before the fork: its end tells the children that their worker is stopping."""

    def __init__(self) -> None:
        """Open it; to be called in the parent, before its pool forks."""
        self._read, self._write = os.pipe()
        os.set_inheritable(self._read, True)  # noqa: FBT003 - its signature
        self._open = True

    def cut(self) -> None:
        """In the parent: tell the children. In a child: give up the copy of the parent's end."""
        if self._open:
            self._open = False
            os.close(self._write)

    @property
    def fd(self) -> int:
        """The reading end."""
        return self._read

    def is_cut(self) -> bool:
        """Whether the worker is stopping; asked before the first claim of a nudge that was fetched early."""
        readable, _, _ = select.select([self._read], [], [], 0)
        return bool(readable)


class Child:
    """One worker process."""

    def __init__(
        self,
        app: Celery,
        settings: Settings,
        registry: Registry,
        *,
        worker: str,
        queues: Sequence[str],
        lifeline: Lifeline | None,
    ) -> None:
        """Open what is kept; to be called in the process that runs the pump."""
        house = build(settings, registry)  # first: what fails here has opened nothing yet
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._lifeline = lifeline
        threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="umbel-handler")
        bounds = Bounds(
            settings.result_cap,
            Caps.of(settings),
            audit=settings.audit_cap > 0,
            accepting=Accepting.of(settings),
        )
        points = armed(os.environ)
        execution = Execution(registry, house.store, house.services, threads, bounds, points)
        self._events = RunEvents(app, worker) if settings.events else None
        self._boxes = Boxes(settings)
        self._pump = Pump(
            settings,
            house.store,
            execution,
            self._boxes,
            worker=worker,
            queues=queues,
            isolated={action.queue for action in registry.actions if action.isolation is not None},
            events=self._events,
            points=points,
        )
        self._keeper = Keeper(settings, self._pump, self._loop)
        if lifeline is not None:
            self._loop.add_reader(lifeline.fd, self._stopping)

    def close(self) -> None:
        """Send the events that are left; connections end with the process, and so do processes of isolated runs."""
        self._boxes.close()
        if self._events is not None:
            self._events.close()

    def pump(self) -> None:
        """Serve a nudge: work until idle."""
        if self._lifeline is not None and self._lifeline.is_cut():
            return
        asyncio.set_event_loop(self._loop)
        self._pump.rename()
        with self._keeper:
            self._loop.run_until_complete(self._pump.run())

    def _stopping(self) -> None:
        if self._lifeline is not None:
            self._loop.remove_reader(self._lifeline.fd)
        self._pump.drain()
