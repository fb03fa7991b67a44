"""Keeps a pump's lease, from a thread and a loop of its own: a handler that blocks the pump's loop must not lose it.

Every 3 s, and at once when a token says that a run is to be cancelled, it renews; it tells the pump what to cancel
and when the lease is lost. It also watches the pump's loop: one that has stood still for `stuck_ms` will not come
back, so the process says where it stands and exits, its parent forks another, and its runs become suspects.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Final, Self, TextIO

from actions.errors import OperatorError
from orchestrator.store.store import Store

if TYPE_CHECKING:
    from orchestrator.settings import Settings
    from workers.pump import Pump

log: Final = logging.getLogger("umbel.keeper")

SILENCE_S: Final = 8.0
"""Seconds that one round of the keeper may take beyond its interval while Redis does not answer."""
EX_SOFTWARE: Final = 70
"""What such a process ends with (sysexits.h)."""
SLOW_S: Final = 5.0
"""Seconds that the loop may stand still before the log says so."""


class Keeper:
    """Guards one pump while it runs; a context manager around `Pump.run`."""

    def __init__(self, settings: Settings, pump: Pump, loop: asyncio.AbstractEventLoop) -> None:
        """Guard this pump, whose loop is `loop`."""
        self._settings = settings
        self._pump = pump
        self._loop = loop
        self._over = threading.Event()
        self._asked: float | None = None
        self._looked = 0.0
        self._stuck_s = settings.stuck_ms / 1000
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start guarding."""
        self._over.clear()
        self._asked, self._looked = None, time.monotonic()
        self._set_fuse()
        self._thread = threading.Thread(target=self._guard, name="umbel-keeper", daemon=True)
        self._thread.start()
        return self

    def _set_fuse(self) -> None:
        """A handler that keeps the interpreter's lock stops this thread too; the timer behind this is not Python's."""
        round_s = 2 * self._settings.renew_ms / 1000 + SILENCE_S
        faulthandler.dump_traceback_later(self._stuck_s + round_s, exit=True, file=_real_stderr())

    def __exit__(self, *_: object) -> None:
        """Stop guarding, without waiting: the thread is asleep on Redis and ends by itself."""
        self._over.set()
        faulthandler.cancel_dump_traceback_later()

    def _guard(self) -> None:
        try:
            asyncio.run(self._keep())
        except BaseException:
            log.critical("the keeper broke; without it no lease is kept: the process ends", exc_info=True)
            os._exit(EX_SOFTWARE)

    async def _keep(self) -> None:
        store = Store(self._settings, connections=2)
        interval = self._settings.renew_ms / 1000
        over = self._over
        try:
            while not over.is_set() and self._thread is threading.current_thread():
                try:
                    await store.runs.next_control(self._pump.name, interval)
                    if not over.is_set():
                        await self._renew(store)
                except OperatorError as error:
                    log.debug("the lease is not renewed: %s", error)
                    await asyncio.sleep(0.5)
                self._watch()
        finally:
            await store.close()

    async def _renew(self, store: Store) -> None:
        name = self._pump.name
        cancelled = await store.runs.renew(name, self._settings.lease_ms)
        if cancelled is None:
            self._tell(self._lost, name)
        elif cancelled:
            self._tell(self._pump.cancel, cancelled)

    def _tell(self, what: object, *arguments: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *arguments)  # type: ignore[arg-type]

    def _lost(self, name: str) -> None:
        if self._pump.name == name and self._pump.busy:
            self._pump.lose()

    def _watch(self) -> None:
        """Ask the pump's loop for a sign of life, and judge how long the last question has had no answer.

        Judged is only the time in which this thread looked regularly: if it stood still itself (the process was
        stopped, the machine slept), it asks anew.
        """
        if self._over.is_set():
            return
        self._set_fuse()
        now = time.monotonic()
        answered = self._asked is None or self._pump.beat >= self._asked
        asleep = now - self._looked > self._settings.renew_ms / 1000 + SLOW_S
        self._looked = now
        if answered or asleep or self._asked is None:
            self._asked = now
            self._tell(self._pump.show_life)
            return
        still = now - self._asked
        if still > self._stuck_s:
            log.critical(
                "the loop of %s stands still for %.0f s: a handler blocks it", self._pump.name, still
            )
            try:
                faulthandler.dump_traceback(file=_real_stderr(), all_threads=True)
            finally:
                os._exit(EX_SOFTWARE)
        if still > SLOW_S:
            log.warning("the loop of %s stands still for %.1f s: a handler blocks it", self._pump.name, still)


def _real_stderr() -> TextIO:
    """The process's own stderr: Celery puts a logger in its place, which has no file descriptor."""
    return sys.__stderr__ or sys.stderr
