"""The worker's parent process: ticks the store, offers the nudge, submits calls from outside, cancels for Flower.

One thread with a loop of its own beside Celery's consumer. Redis going away stops none of it; what was accepted
meanwhile waits here and is submitted when it is back.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol

from actions.errors import InvalidArguments, ModelError, OperatorError, StoreUnavailable, UnreadableRecord
from actions.messages import Payload
from orchestrator.assembly import build
from orchestrator.digests import digest
from orchestrator.store.keys import base_queue
from workers.nudge import celery_key, nudge_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from celery import Celery

    from actions.registry import Registry
    from orchestrator.assembly import House
    from orchestrator.settings import Settings
    from orchestrator.store.records import RunView

log: Final = logging.getLogger("umbel.steward")

_PLAIN: Final = re.compile(r"[A-Za-z0-9]{1,64}")
_OTHERS_ARE_UP: Final = 10
"""Ticks after which workers that were started together have all ticked."""
_PATIENCE: Final = 2.0
"""Seconds that remote control waits for Redis."""
_OFFER_EVERY: Final = 600
"""Ticks after which the nudge is offered again (it has an end of its own in the store)."""


_FLAWS: Final = 5
"""Arguments that are named in a line of the log."""
_NAME: Final = 60
"""Characters of the name of one."""
_OWN_WORDS: Final = re.compile(r"^is (?:missing|unknown)| is wanted$")
"""What our own words about an argument look like; a validator's of the user's may hold the value."""


class Pumps(Protocol):
    """The pumps of this worker."""

    @property
    def pumping(self) -> bool:
        """Whether there is one."""
        ...

    def start(self, queue: str) -> None:
        """Start one, without a nudge."""
        ...


class Steward:
    """Beside Celery's consumer in the parent."""

    def __init__(self, app: Celery, settings: Settings, registry: Registry) -> None:
        """Prepare; nothing runs before `start` or the first call."""
        self._app = app
        self._settings = settings
        self._registry = registry
        self._loop = asyncio.new_event_loop()
        self._house: House | None = None
        self._queues: tuple[str, ...] = ()
        self._pumps: Pumps | None = None
        self._unheard: set[str] = set()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def start(self, queues: Sequence[str], pumps: Pumps) -> None:
        """Tick for these queues from now on, and see to it that `pumps` take their work."""
        self._queues = tuple(queues)
        self._pumps = pumps
        self._run(self._tick_for_ever())

    def accept(self, action: str, arguments: Mapping[str, Any], task_id: str) -> None:
        """Submit a call from outside; its run's id is made of the Celery task's id."""
        self._run(self._submit(action, dict(arguments), task_id))

    def cancel(self, run: str) -> None:
        """Cancel a run (Flower's revoke)."""
        self._run(self._cancel(run))

    def active(self, worker: str) -> list[dict[str, Any]]:
        """The runs that this worker carries out, in the form of Celery's `inspect active`; empty if Redis is slow."""
        try:
            views = self._run(self._open_house.store.runs.held_by(worker)).result(timeout=_PATIENCE)
        except (OperatorError, TimeoutError) as error:
            log.warning("the active runs are not known: %s", str(error) or type(error).__name__)
            return []
        return [self._described(view, worker) for view in views]

    def _described(self, view: RunView, worker: str) -> dict[str, Any]:
        try:
            payload = Payload.decode(view.payload)
        except UnreadableRecord:
            payload = Payload("unreadable")
        known = payload.action in self._registry
        masked = self._registry.resolve(payload.action).masked(payload.arguments) if known else {}
        name = f"{payload.action}.undo" if view.undo_of else payload.action
        return {
            "id": view.id,
            "name": name,
            "args": [],
            "kwargs": masked,
            "type": name,
            "hostname": worker,
            "time_start": view.since_us / 1e6,
            "acknowledged": True,
            "delivery_info": {"routing_key": base_queue(view.lane)},
            "worker_pid": None,
        }

    def _run(self, work: Any) -> Future[Any]:
        with self._starting:
            if self._thread is None:
                self._house = build(self._settings, self._registry)
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="umbel-steward", daemon=True
                )
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _tick_for_ever(self) -> None:
        """Tick; at the start, and when Redis was away, at once and without regard to other hosts."""
        gate, ticks = 0, 0
        while True:
            try:
                if ticks % _OFFER_EVERY == 0 or not await self._open_house.store.runs.has_nudges(
                    self._queues
                ):
                    await self._offer()
                await self._open_house.store.runs.tick(self._queues, gate_ms=gate)
                await self._look_for_unheard_work()
                if ticks == _OTHERS_ARE_UP:
                    await self._warn_of_unserved()
                gate, ticks = int(self._settings.tick_ms * 0.9), ticks + 1
            except StoreUnavailable as error:
                log.log(logging.WARNING if gate else logging.DEBUG, "%s", error)
                gate, ticks = 0, 0
            except OperatorError as error:
                log.error("%s", error)
            except Exception:
                log.exception("the tick failed")
            await asyncio.sleep(self._settings.tick_ms / 1000)

    @property
    def _open_house(self) -> House:
        if self._house is None:
            raise RuntimeError("the steward was not started")
        return self._house

    async def _look_for_unheard_work(self) -> None:
        """Start a pump here if a queue had work at two ticks, and all the while no process of this worker pumped."""
        if self._pumps is None or self._pumps.pumping:
            self._unheard = set()
            return
        waiting = set(await self._open_house.store.runs.queues_with_work(self._queues))
        if unheard := self._unheard & waiting:
            self._pumps.start(min(unheard))
        self._unheard = waiting

    async def _warn_of_unserved(self) -> None:
        """Say it if an action's runs would wait for ever: no worker, here or elsewhere, has ticked for its queue."""
        served = set(await self._open_house.store.runs.served_queues())
        for action in self._registry.actions:
            if action.queue not in served:
                log.warning(
                    "no worker serves the queue %s of the action %s: its runs wait. Start one with -Q %s",
                    action.queue, action.name, action.queue,
                )  # fmt: skip

    async def _offer(self) -> None:
        for queue in self._queues:
            key = celery_key(self._app, queue)
            await self._open_house.store.runs.offer_nudge(queue, key, nudge_message(self._app, queue))

    async def _submit(self, action: str, arguments: dict[str, Any], task_id: str) -> None:
        """Whoever can write to the broker is trusted: a call from there has the permissions its action asks for."""
        run = _run_id(self._settings.cell, task_id)
        pause = 0.1
        while True:
            try:
                permissions = tuple(self._registry.resolve(action).permissions)
                await self._open_house.conductor.submit(action, arguments, run=run, permissions=permissions)
            except StoreUnavailable:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
            except (ModelError, OperatorError) as error:
                log.error(
                    "the call %.80r of %s from outside was refused: %s%s; `umbel audit` tells more",
                    task_id, action, error.code, _where(error),
                )  # fmt: skip
                return
            else:
                return

    async def _cancel(self, run: str) -> None:
        try:
            verdict = await self._open_house.conductor.cancel(run)
            log.info("cancel of %s: %s", run, verdict)
        except OperatorError as error:
            log.error("%s was not cancelled: %s", run, error)


def _where(error: ModelError | OperatorError) -> str:
    """Which arguments are wrong, and what is wanted; their values, which the error's text may repeat, are left out."""
    flaws = error.flaws if isinstance(error, InvalidArguments) else ()
    told = (
        (ascii(".".join(map(str, way))[:_NAME]).strip("'"), text.partition(", got ")[0])
        for way, text in flaws
    )
    found = [f"{name}: {text}" if _OWN_WORDS.search(text) else name for name, text in told]
    return f" ({'; '.join(found[:_FLAWS])})" if found else ""


def _run_id(cell: str, task_id: str) -> str:
    """The run's id: the Celery task's id without dashes, or a digest of one that is no UUID."""
    plain = task_id.replace("-", "")
    return f"run_{cell}{plain if _PLAIN.fullmatch(plain) else digest(task_id)}"
