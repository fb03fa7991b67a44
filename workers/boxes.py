"""Isolated runs: each in a fresh process of its own, which is killed hard when its time is over or it is cancelled.

In: a flight from the lane of isolated runs. Out: its finish, told by the process (`workers.isolated`), or what follows
when that dies before it has told one. One process is kept warm, so that a run waits for no interpreter to start.
A process never outlives the one that made it, and leads a process group, which is killed as a whole: only what leaves
the group lives on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from actions.errors import Fail, Postpone
from actions.policy import Retry
from workers import endings, frames, outcome
from workers.terms import NO_RETRY

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable

    from orchestrator.settings import Settings
    from orchestrator.store.incoming import Finish
    from orchestrator.store.records import Claimed
    from workers.flight import Flight

log: Final = logging.getLogger("umbel.isolated")

START_S: Final = 60.0
"""Seconds that a process may take to be ready; it imports what the worker has imported."""
LOOK_S: Final = 0.5
"""Seconds between two looks whether a process that says nothing is still there."""
END_S: Final = 2.0
"""Seconds that a killed process may take to be gone."""
RESTARTS: Final = Retry(5, initial="1s", cap="30s")
"""How a run is put off for which no process could be started: its action has no part in that, nor have its retries."""
_MOST_PUT_OFF: Final = 1_000
_OWN: Final = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "1"}
"""One arena: glibc reserves 64 MiB of address space for each more, which a limit of memory would count."""


class Dead(Exception):
    """A process ended without telling how its run ended."""


class Box:
    """One process for one run."""

    def __init__(self, process: Process) -> None:
        """Speak with this process."""
        self._process = process

    @classmethod
    async def start(cls, settings: Settings) -> Box:
        """Start one that has the settings and the search path of this process."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "workers.isolated", str(os.getpid()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
            env=dict(os.environ) | settings.environ() | _OWN | {"PYTHONPATH": _search_path()},
        )  # fmt: skip
        return cls(process)

    @property
    def is_alive(self) -> bool:
        """Whether its end is not known."""
        return self._process.returncode is None

    async def ready(self) -> None:
        """Wait until it could begin; raise Dead if it ended before."""
        await self._hear()

    async def run(self, flight: Flight) -> Finish:
        """Let it carry out the attempt; raise Dead if it ends without a finish."""
        left = None if flight.expires is None else max(0.0, flight.expires - time.monotonic())
        order = frames.order(flight.run, None if left is None else round(left * 1000))
        with contextlib.suppress(ConnectionError):  # then there is an end to be heard
            assert self._process.stdin is not None  # noqa: S101 - for the type checker: it was opened as a pipe
            self._process.stdin.write(frames.packed(order))
            await self._process.stdin.drain()
        while (message := await self._hear())["is"] != "finish":
            flight.show_life()
            _note(flight, message)
        flight.spending = None  # its finish has it
        return frames.finish_of(message)

    async def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - same
        reading = asyncio.ensure_future(frames.receive(self._process.stdout))
        try:
            while not reading.done():
                was_alive = self.is_alive  # what it said before its end has been read by the next look
                await asyncio.wait({reading}, timeout=LOOK_S)
                if not was_alive and not reading.done():
                    break  # something that it started, and that left its group, keeps the pipe open
            if reading.done():
                return reading.result()
        except (EOFError, ConnectionError, ValueError, LookupError):
            pass
        finally:
            reading.cancel()
        self.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await self._process.wait()
        raise Dead(_spoken(self._process.returncode))

    def kill(self) -> None:
        """End it and all that it started, now."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


class Boxes:
    """The processes of one pump's isolated runs."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; the first process is started for the first run."""
        self._settings = settings
        self._spare: asyncio.Task[Box] | None = None
        self._put_off: dict[str, int] = {}

    async def attempt(self, flight: Flight, begins: Callable[[Flight], None]) -> Finish:
        """Carry out one attempt; `begins` is told when its process is ready and its clocks start."""
        box: Box | None = None
        try:
            try:
                async with asyncio.timeout(START_S):
                    box = await self._take()
            except (Dead, OSError) as error:  # TimeoutError is an OSError
                log.error("no process for %s: %s", flight.run.id, str(error) or "it was not ready in time")
                return self._later(flight.run)
            self._put_off.pop(flight.run.id, None)
            self._warm()
            flight.checking = bool(flight.run.check)
            begins(flight)
            return await box.run(flight)
        except Dead as error:
            log.warning("%s (attempt %d): its process %s", flight.run.id, flight.run.attempt, error)
            return endings.judged(flight, endings.killed(flight, f"{flight.what}'s process {error}"))
        finally:
            if box is not None:
                box.kill()  # it has told its end, or is not to tell it any more

    def _later(self, run: Claimed) -> Finish:
        """It has not begun, so it waits without using up an attempt; how often is counted in each worker process."""
        times = self._put_off.pop(run.id, 0) + 1
        reason = "no process could be started for it"
        if not RESTARTS.left(times):
            return outcome.raised(run, Fail(reason), NO_RETRY)
        if len(self._put_off) >= _MOST_PUT_OFF:
            del self._put_off[next(iter(self._put_off))]
        self._put_off[run.id] = times
        return outcome.raised(run, Postpone(RESTARTS.delay(times), reason), NO_RETRY)

    def close(self) -> None:
        """End the spare process."""
        if self._spare is not None and self._spare.done() and not self._spare.cancelled():
            if self._spare.exception() is None:
                self._spare.result().kill()
        elif self._spare is not None:
            self._spare.cancel()
        self._spare = None

    async def _take(self) -> Box:
        """The spare process if it is there and lives, else a new one."""
        spare, self._spare = self._spare, None
        if spare is not None:
            try:
                box = await spare
            except (Dead, OSError):
                log.warning("the spare process for isolated runs did not start")
            else:
                if box.is_alive:
                    return box
        return await self._start()

    def _warm(self) -> None:
        """Have one process ready for the next run."""
        if self._spare is None:
            self._spare = asyncio.get_running_loop().create_task(self._start())
            self._spare.add_done_callback(_seen)

    async def _start(self) -> Box:
        box = await Box.start(self._settings)
        try:
            await box.ready()
        except BaseException:
            box.kill()
            raise
        return box


def _search_path() -> str:
    """Where this process finds its modules; Celery has put the working folder first."""
    return os.pathsep.join(os.path.abspath(folder or ".") for folder in sys.path)  # noqa: PTH100 - as text


def _seen(task: asyncio.Task[Box]) -> None:
    """A spare that did not start is told of when it is missed; asyncio need not complain as well."""
    if not task.cancelled():
        task.exception()


def _note(flight: Flight, message: dict[str, Any]) -> None:
    """What a process says on the way: after it is killed it is too late to ask."""
    match message["is"]:
        case "acts":
            flight.acted, flight.checking = True, False
        case "answered":
            flight.answer = "yes" if message["effect"] else "no"
            flight.checking = bool(message["effect"])
        case "hooked":
            flight.hooked = message["arguments"]
        case "spent":
            flight.spending = message["units"]


def _spoken(code: int | None) -> str:
    if code is None:
        return "does not end"
    if code >= 0:
        return f"ended by itself with {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    return f"was ended by {name}"
