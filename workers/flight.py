"""One attempt of one run that is being carried out here: what was claimed, its clocks, and what became of its handler.

Made by `Flights`, filled by `Execution` on the way; whoever ends it reads from it how. It decides nothing but which
of its clocks has run out first. All times are seconds of the monotonic clock, which is the event loop's.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from orchestrator.store.keys import ISOLATED, THREADS
from workers.terms import limit_of, retry_of

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any, Literal

    from pydantic import BaseModel

    from actions.context import ActionContext
    from actions.definition import Action
    from actions.messages import Payload
    from actions.policy import Retry
    from orchestrator.store.incoming import Finish
    from orchestrator.store.records import Claimed

    Stop = Literal["", "timeout", "silent", "total", "cancelled"]

_KINDS: Final = {THREADS, ISOLATED}
_EARLY: Final = 0.001
"""Seconds by which a timer may fire before its time (asyncio rounds to the clock's resolution)."""


@dataclass(slots=True, eq=False)
class Flight:
    """A run that is being carried out here: its handler, its undo (`run.undoes`) or its on_error (`run.rescue`)."""

    run: Claimed
    """What was claimed."""
    payload: Payload
    """What it is to do."""
    action: Action | None
    """The action, None if this worker does not know it (or it leads a turn)."""
    kind: str
    """What it takes of a pump: "" a place on the loop, "/t" a thread, "/i" a process."""
    began: float
    """When."""
    limit: float | None = None
    """Seconds that the attempt may take."""
    ends: float | None = None
    """When that is over; for an isolated one not before its process is ready."""
    expires: float | None = None
    """When the run's total deadline is."""
    silence: float | None = None
    """Seconds that it may pass without a heartbeat."""
    beat: float = 0.0
    """When its last sign of life came; written from its handler's thread, too."""
    task: asyncio.Task[Finish] = field(init=False)
    """Carries it out."""
    timer: asyncio.TimerHandle | None = None
    """Looks at its clocks next."""
    stopped: Stop = ""
    """Why it was stopped, if it was: the first reason counts."""
    checking: bool = False
    """Whether the action's `check` is being asked about the attempt before."""
    acted: bool = False
    """Whether its handler was begun: before that there is no effect that could be unknown."""
    spoke: bool = False
    """Whether its handler itself said how it ended, by a signal: then its effect is known."""
    answer: Literal["", "yes", "no"] = ""
    """What the action's `check` said: whether the attempt before took effect."""
    returned: bool = False
    """Whether its handler has returned; something of the action's may come after it."""
    hooked: str = ""
    """Its arguments as all its attempts are to have them, JSON; empty: as its payload has them."""
    work: Future[Any] | None = None
    """What a thread does for it."""
    params: BaseModel | None = None
    """Its arguments, validated, as they were planned: before a preprocessor changed them."""
    ctx: ActionContext | None = None
    """What its handler was given."""
    spending: dict[str, int] | None = None
    """What an isolated handler has said so far that it used; None when that stands in its finish, or in `ctx`."""
    witness: Witness | None = None
    """Hears how it goes on: its clocks run in another process, which may kill this one before it can tell its end."""

    def begins(self) -> None:
        """From now on the handler may have taken effect."""
        self.acted = True
        if self.witness is not None:
            self.witness.began(self)

    def answers(self, *, effect: bool) -> None:
        """The action's check has said whether the attempt before took effect."""
        self.answer = "yes" if effect else "no"
        if self.witness is not None:
            self.witness.answered(effect=effect)

    def keep(self, hooked: str) -> None:
        """All attempts of the run are to have these arguments, and so are its undo and its on_error."""
        self.hooked = hooked
        if self.witness is not None:
            self.witness.hooked(hooked)

    @property
    def is_aside(self) -> bool:
        """Whether it is no attempt of the handler, but takes back or makes good what one did."""
        return bool(self.run.undoes or self.run.rescue)

    @property
    def what(self) -> str:
        """What is carried out, in words for errors."""
        return "its undo" if self.run.undoes else "its on_error" if self.run.rescue else "the action"

    @property
    def retry(self) -> Retry:
        """How it is tried again."""
        return retry_of(self.run, self.action, self.payload)

    @property
    def goes_on(self) -> bool:
        """Whether its handler still runs: a thread cannot be stopped, and a coroutine may swallow its cancellation."""
        return not self.task.done() or (self.work is not None and not self.work.done())

    @property
    def may_have_acted(self) -> bool:
        """Whether its handler began: a thread that was never free for it did not call it."""
        return self.acted and (self.returned or self.work is None or not self.work.cancelled())

    @property
    def has_begun(self) -> bool:
        """Whether this attempt of the handler began, or one before it may have."""
        return self.may_have_acted or self.run.attempt > 1

    @property
    def is_uncertain(self) -> bool:
        """Whether nobody knows what effect this attempt had, or the one before it that was to be checked."""
        if self.run.check and not self.acted:
            return self.answer != "no"
        return self.may_have_acted and not self.spoke

    @property
    def is_unbegun(self) -> bool:
        """Whether its handler did certainly not begin: what a process says of that may be on its way."""
        return not self.may_have_acted and not (self.kind == ISOLATED and self.beat)

    def wind(self, now: float, *, waits: bool = False) -> bool:
        """Set the clocks of an attempt that begins; return whether it has any.

        `waits`: its handler begins later (a process has to start), so that only the total deadline runs already.
        """
        self.limit = limit_of(self.run, self.action, self.payload)
        if self.run.left_ms is not None:
            self.expires = now + self.run.left_ms / 1000
        if self.action is not None and self.action.timeouts.heartbeat is not None and not self.is_aside:
            self.silence = self.action.timeouts.heartbeat.total_seconds()
        if not waits:
            self.begin(now)
        return self.limit is not None or self.expires is not None or self.silence is not None

    def begin(self, now: float) -> None:
        """Let the clocks of the attempt itself run from now on."""
        self.beat = now
        if self.limit is not None:
            self.ends = now + self.limit

    def show_life(self) -> None:
        """A sign of life came; called from its handler's thread, too."""
        self.beat = time.monotonic()

    @property
    def look(self) -> float | None:
        """When its clocks have to be looked at next."""
        silent = self.beat + self.silence if self.silence is not None and self.beat else None
        times = [each for each in (self.ends, self.expires, silent) if each is not None]
        return min(times) if times else None

    def over(self, now: float) -> Stop:
        """Which clock has run out first, if one has."""
        now += _EARLY
        if self.expires is not None and self.expires <= now and self.expires <= (self.ends or self.expires):
            return "total"
        if self.ends is not None and self.ends <= now:
            return "timeout"
        if self.silence is not None and self.beat and self.beat + self.silence <= now:
            return "silent"
        return ""

    def remaining(self, now: float) -> float | None:
        """Seconds until it is over at the latest; None without a limit."""
        times = [each for each in (self.ends, self.expires) if each is not None]
        return max(0.0, min(times) - now) if times else None


class Witness(Protocol):
    """Who hears how a flight goes on, as it goes on; from its handler's thread, too."""

    def began(self, flight: Flight) -> None:
        """Its handler begins."""
        ...

    def answered(self, *, effect: bool) -> None:
        """The action's check has spoken."""
        ...

    def hooked(self, arguments: str) -> None:
        """The hooks have looked at the arguments, which are now these (JSON)."""
        ...

    def beat(self) -> None:
        """It has shown life."""
        ...

    def spent(self, units: dict[str, int]) -> None:
        """Its handler used so much so far, by the names of rate limits."""
        ...


class Watcher(Protocol):
    """Who is told of flights, for people."""

    def started(self, flight: Flight) -> None:
        """An attempt begins."""
        ...

    def ended(self, flight: Flight, finish: Finish, runtime_s: float) -> None:
        """It ended, after this many seconds."""
        ...


def kind_of(lane: str) -> str:
    """The kind of place that the runs of a lane take of a pump: "", "/t" or "/i"."""
    return lane[-2:] if lane[-2:] in _KINDS else ""
