"""A run's life by the rules alone: a small model, without Redis and without scripts.

It says what a run's status, attempts, result and timers are after each event. Where the order of events is the
store's to choose (who of two ready runs takes the lock) it takes over the choice, if that is allowed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from actions.messages import TERMINAL
from orchestrator.store.incoming import Finish
from orchestrator.store.records import Claimed

STRIKES: Final = 3
FLYING: Final = {"running", "cancelling"}


@dataclass
class Life:
    """One run as it must stand."""

    id: str
    lane: str
    locked: bool
    on_unknown: str
    digest: str
    total: int | None = None
    """When it expires, µs."""
    begin_by: int | None = None
    """When its first attempt must have begun, µs."""
    status: str = "ready"
    until: int | None = None
    """When its wait is over, if it waits for the clock."""
    attempts: int = 0
    begun: bool = False
    """Some attempt was claimed."""
    deaths: int = 0
    level: int = 0
    strikes: int = 0
    check: str = ""
    """What its next attempt is told to check, and has not been told yet."""
    told: str = ""
    """What its present attempt was told to check."""
    pump: str = ""
    fence: str = ""
    result: str | None = None
    """Its result, or the code of the one that the store writes."""
    late: str | None = None

    @property
    def flies(self) -> bool:
        """A pump has it."""
        return self.status in FLYING

    @property
    def timer(self) -> int | None:
        """When its deadline has to be looked at, at the latest."""
        times = [self.total, None if self.begun else self.begin_by]
        return min((time for time in times if time is not None), default=None)

    def end(self, status: str, result: str) -> None:
        """A terminal status; there is none after it."""
        assert self.status not in TERMINAL
        self.status, self.result, self.until, self.fence = status, result, None, self.fence


@dataclass
class Model:
    """All runs, the one lock, and the pumps' leases."""

    runs: dict[str, Life] = field(default_factory=dict)
    queue: list[str] = field(default_factory=list)
    """Before the lock, its holder first; ghosts are `<run>~<fence>`."""
    ghosts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What a pump still runs of runs that have ended or go on elsewhere."""
    leases: dict[str, int] = field(default_factory=dict)
    fence: int = 0

    def flights(self, pump: str) -> list[Life]:
        """What a pump holds."""
        return [run for run in self.runs.values() if run.flies and run.pump == pump]

    # The lock

    def _leave(self, run: Life, *, ghost: bool = False) -> None:
        """It gives up its place; with a ghost the place stays taken."""
        if run.id not in self.queue:
            return
        at = self.queue.index(run.id)
        if ghost:
            self.queue[at] = f"{run.id}~{run.fence}"
        else:
            del self.queue[at]
            self._turn()

    def _turn(self) -> None:
        """Who is first now may go."""
        head = self.runs.get(self.queue[0]) if self.queue else None
        if head is not None and head.status == "waiting":
            head.status = "ready"

    def lay(self, pump: str, ghost: str) -> None:
        """A ghost has ended, or its pump has."""
        if ghost in self.ghosts[pump]:
            self.ghosts[pump].remove(ghost)
            if ghost in self.queue:
                self.queue.remove(ghost)
                self._turn()

    # Events

    def due(self, now: int) -> None:
        """The clock: waits end, deadlines pass; what runs looks after its deadline itself."""
        for run in self.runs.values():
            if run.status == "waiting" and run.until is not None and run.until <= now:
                run.status, run.until = "ready", None
        for run in list(self.runs.values()):
            if run.status in {"ready", "waiting"} and run.timer is not None and run.timer <= now:
                run.end("expired", "expired")
                self._leave(run)

    def claimed(self, now: int, pump: str, told: tuple[str, Sequence[Claimed]], lock: Sequence[str]) -> None:
        """A claim with room for all; `lock` is the lock's list afterwards."""
        verdict, runs = told
        flying = self.flights(pump)
        self.due(now)
        ready = {run.id for run in self.runs.values() if run.status == "ready"}
        alone = {run for run in ready if self.runs[run].level == 2}
        if alone and flying:
            assert (verdict, [run.id for run in runs]) == ("drain", []), "one that runs alone has to wait"
            return
        tried = alone & set(lock) - set(self.queue)
        for run in runs:
            assert run.id in ready, f"{run.id} was {self.runs[run.id].status} and has started"
            self._start(now, pump, run)
        left = ready - {run.id for run in runs}
        if verdict == "alone":
            assert len(runs) == 1
            assert runs[0].id in alone
            left = tried - {runs[0].id}
        assert verdict in {"ok", "alone"}
        for name in left:
            assert self.runs[name].locked, f"{name} could have started"
            assert self.queue, f"{name} could have had the lock"
            self.runs[name].status = "waiting"
        self.queue += [name for name in lock if name in left and name not in self.queue]
        assert left <= set(self.queue), f"some of {left} wait nowhere"

    def _start(self, now: int, pump: str, claimed: Claimed) -> None:
        run = self.runs[claimed.id]
        if run.locked:
            assert not self.queue or self.queue[0] == run.id, f"{run.id} has not the turn: {self.queue}"
            self.queue[:1] = [run.id]
        assert int(claimed.fence) > self.fence or claimed.fence == run.fence
        run.status, run.pump, run.fence, run.begun = "running", pump, claimed.fence, True
        run.attempts += 1
        said = (claimed.attempt, claimed.deaths, claimed.check, claimed.level)
        assert said == (run.attempts, run.deaths, run.check, str(run.level or "")), f"{claimed} of {run}"
        assert (claimed.left_ms is None) == (run.total is None)
        if run.total is not None and claimed.left_ms is not None:
            assert abs(claimed.left_ms * 1_000 - (run.total - now)) <= 1_000, f"{claimed} of {run}"
        run.told, run.check = run.check, ""

    def finished(self, now: int, pump: str, finish: Finish, *, ghost: bool, check: str) -> str:
        """One attempt's end; returns what the store has to say."""
        run = self.runs[finish.run]
        if not run.flies or run.fence != finish.fence:
            return "done" if run.fence == finish.fence else "stale"
        if ghost:
            self.ghosts[pump].add(f"{run.id}~{run.fence}")
        again = run.status == "running" and finish.verdict in {"again", "postponed"}
        if again:
            self._put_off(now, run, finish)
        else:
            cancelled = run.status == "cancelling"
            run.end("cancelled" if cancelled else finish.verdict, "cancelled" if cancelled else finish.result)
        run.check = check
        self._leave(run, ghost=ghost)
        return "ok"

    def _put_off(self, now: int, run: Life, finish: Finish) -> None:
        until = now + finish.delay_ms * 1_000
        if finish.verdict == "postponed":
            run.attempts -= 1
        elif run.total is not None and until >= run.total:
            run.end("expired", "expired")
            return
        run.status, run.until, run.level, run.strikes = "waiting", until, 0, 0

    def given_back(self, run: Life, *, died: bool, begun: bool) -> None:
        """Its pump is dead, or steps back; `begun`: its handler may have begun."""
        ghost = begun and not died and run.locked and run.lane.endswith("/t")
        if ghost:
            self.ghosts[run.pump].add(f"{run.id}~{run.fence}")
        if run.status == "cancelling":
            run.end("cancelled", "cancelled")
        elif begun and run.on_unknown == "fail":
            run.end("failed", "outcome_unknown")
        else:
            self._requeue(run, died=died, begun=begun)
        self._leave(run, ghost=ghost)
        if run.status == "ready":
            run.fence = run.pump = ""

    def _requeue(self, run: Life, *, died: bool, begun: bool) -> None:
        run.status = "ready"
        if not begun:
            run.check = run.told
        elif run.on_unknown == "check":
            run.check = run.told or "death"
        if not died:
            run.attempts -= 1
            return
        run.deaths += 1
        if run.level == 2:
            run.strikes += 1
            if run.strikes == STRIKES:
                run.end("dead", "dead")
                return
        run.level = 2 if run.level else 1

    def ticked(self, now: int) -> None:
        """Pumps whose lease is over are dead, and then the clock."""
        for pump in [pump for pump, ends in self.leases.items() if ends < now]:
            for run in self.flights(pump):
                self.given_back(run, died=True, begun=True)
            self.lay_all(pump)
            del self.leases[pump]
        self.due(now)

    def lay_all(self, pump: str, known: Iterable[str] = ()) -> None:
        """All ghosts of a pump but those."""
        for ghost in self.ghosts[pump] - set(known):
            self.lay(pump, ghost)

    def cancelled(self, run: Life) -> str:
        """Somebody does not want it any more."""
        if run.status in TERMINAL:
            return "terminal"
        if run.flies:
            run.status = "cancelling"
            return "cancelling"
        run.end("cancelled", "cancelled")
        self._leave(run)
        return "cancelled"
