"""The program of an isolated run: one order in, one finish out, and the end (`python -m workers.isolated PARENT`).

Made and killed by `workers.boxes`. What handlers print goes to the worker's log. It dies with its parent: the kernel
kills it on Linux, and elsewhere the end of its standard input does.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import resource
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from actions.messages import Payload
from orchestrator.assembly import build
from orchestrator.guards import Caps
from orchestrator.settings import load_settings
from orchestrator.store.keys import ISOLATED
from workers import endings, frames
from workers.execution import Execution
from workers.flight import Flight
from workers.means import Bounds

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.store.incoming import Finish

log: Final = logging.getLogger("umbel.isolated")

BEATS_S: Final = 0.05
"""Seconds between two heartbeats that are passed on; a handler may give one in each round of a tight loop."""
_PR_SET_PDEATHSIG: Final = 1
_PARENT_IS_GONE: Final = 70


class Line:
    """The way back to the worker, which hears all that it has to know if it kills us; a `Witness` of the flight."""

    def __init__(self, fd: int) -> None:
        """Write to this pipe."""
        self._fd = fd
        self._one = threading.Lock()
        self._beaten = 0.0
        self.memory: int | None = None
        """Bytes that the handler may take, known when it begins; None: as many as there are."""

    def began(self, flight: Flight) -> None:
        """Tell that the handler begins, and bound the memory from here."""
        self.send(frames.ACTS)
        isolation = flight.action.isolation if flight.action is not None else None
        self.memory = isolation.memory if isolation is not None else None
        limit_memory(self.memory)

    def answered(self, *, effect: bool) -> None:
        """Tell what the check has said: whether there is still something to ask."""
        self.send(frames.answered(effect=effect))

    def hooked(self, arguments: str) -> None:
        """Tell what the hooks have made of the arguments."""
        self.send(frames.hooked(arguments))

    def spent(self, units: dict[str, int]) -> None:
        """Tell what the handler used so far."""
        self.send(frames.spent(units))

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; if nobody reads it any more, this process has no purpose."""
        with self._one:
            try:
                frames.send_blocking(self._fd, message)
            except OSError:
                die()

    def beat(self) -> None:
        """Pass on a sign of life, if the last one was not just now."""
        now = time.monotonic()
        if now - self._beaten >= BEATS_S:
            self._beaten = now
            self.send(frames.BEAT)


class Boxed(Execution):
    """An execution whose handler may run out of the memory that it was given."""

    def __init__(self, house: House, threads: ThreadPoolExecutor, line: Line) -> None:
        """Carry out with the parts of this house; `line` knows how much memory there is."""
        bounds = Bounds(
            house.settings.result_cap, Caps.of(house.settings), audit=house.settings.audit_cap > 0
        )
        super().__init__(house.registry, house.store, house.services, threads, bounds)
        self._line = line

    def surprised(self, flight: Flight, error: BaseException) -> Finish:
        """As ever, but here the reason for a lack of memory is known."""
        limit_memory(None)  # else there may be none to tell it with
        if isinstance(error, MemoryError) and self._line.memory is not None:
            error.__traceback__ = None
            text = f"{flight.what} took more than the {self._line.memory:,} bytes of memory that it has"
            return endings.killed(flight, text)
        return super().surprised(flight, error)


def main() -> None:
    """Say that we are ready, wait for the order, carry it out."""
    orders, answers = os.dup(0), os.dup(1)
    _give_up_stdio()
    die_with(int(sys.argv[1]))
    settings = load_settings()
    logging.basicConfig(
        level=settings.log_level.upper(), format="[%(asctime)s: %(levelname)s/%(name)s] %(message)s"
    )
    house = build(settings)
    line = Line(answers)
    line.send(frames.READY)
    order = frames.receive_blocking(orders)
    if order is None:
        return
    threading.Thread(target=_watch, args=(orders,), name="umbel-parent", daemon=True).start()
    asyncio.run(carry_out(order, house, line))


async def carry_out(order: dict[str, Any], house: House, line: Line) -> None:
    """Carry out the order, tell its end and end; its clocks run in the worker, which kills us."""
    run = frames.run_of(order)
    threads = ThreadPoolExecutor(1, thread_name_prefix="umbel-handler")
    threads.submit(bytes, 1).result()  # its stack belongs to what this process has at its start
    execution = Boxed(house, threads, line)
    payload = Payload.decode(run.payload)
    flight = Flight(run, payload, execution.action_of(payload), ISOLATED, time.monotonic(), witness=line)
    flight.wind(flight.began)
    finish = await execution.attempt(flight)
    limit_memory(None)
    line.send(frames.finish(finish))
    logging.shutdown()
    os._exit(0)  # a thread or a task of the handler's may go on: nobody waits for it


def limit_memory(more: int | None) -> None:
    """Let this process take so many bytes of address space beyond what it has; None: as many as there are."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if more is None:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        return
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        log.warning("the memory of isolated runs is not limited: this system does not tell what they have")
        return
    wanted = pages * resource.getpagesize() + more
    resource.setrlimit(
        resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most)
    )


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before that
        die()


def die() -> None:
    """End this process and all that it started."""
    with suppress(OSError):
        os.killpg(0, signal.SIGKILL)
    os._exit(_PARENT_IS_GONE)


def _watch(orders: int) -> None:
    """The other end of the pipe closes when the parent is dead, however it died."""
    with suppress(OSError):
        os.read(orders, 1)
    die()


def _give_up_stdio() -> None:
    """The pipes are ours alone: what a handler reads is nothing, and what it prints goes to the log."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)


if __name__ == "__main__":
    main()
