"""What must hold in the store at each moment of a play of waiting, read from all that stands there.

It knows the legend (orchestrator.store.keys), not the scripts. `Watch.check` raises AssertionError.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from virtual_store import Moment
from waiting_books import limits_of
from waiting_callers import PATIENCE_MS
from waiting_guards import MOST_COST, Guard

from actions.messages import TERMINAL
from orchestrator.store.incoming import LimitGuard, LockGuard

FLYING: Final = {"running", "cancelling"}
LIVE: Final = {"blocked", "ready", "waiting", *FLYING}
SLACK: Final = 2_000
"""µs by which a timer may be late: due times are rounded up to milliseconds."""
NEXT_LOOK: Final = 50_000
"""µs after which those that were let out of a parking list are followed by the next."""


class Watch:
    """The invariants, with what they remember from moment to moment."""

    def __init__(self, play: Any) -> None:
        self.play = play
        self.books = play.books
        self.queues: dict[str, list[str]] = {}

    def check(self, moment: Moment) -> None:
        """All that holds after each step."""
        self.moment = moment
        self._endings()
        self.books.check_order()
        self._lists()
        self._room()
        self._held()
        self._clock()
        self._places()
        self._order()
        for key, meter in self.books.meters.items():
            self._limit(key, meter)

    def _guards(self, run: str) -> tuple[Guard, ...]:
        return self.books.orders[run].new.guards

    def _rung(self, run: str, key: str) -> int:
        return next(at for at, guard in enumerate(self._guards(run), 1) if guard.key == key)

    def _endings(self) -> None:
        """What has ended stays as it ended."""
        for run in self.books.orders:
            record = self.moment.records.get(run)
            assert record is not None, f"{run} is gone"
            told = self.books.ended.get(run)
            assert told in {None, record["s"]}, f"{run} was {told} and is {record['s']}"
            if record["s"] in TERMINAL:
                self.books.ended[run] = record["s"]
                assert not {"w", "pk"} & set(record), f"{run} has ended and still waits: {record}"

    def _lists(self) -> None:
        """Every ready run stands on one list, once, and nothing that runs or waits does."""
        lists = [
            runs for name, runs in self.moment.lists.items() if name.startswith(("rdy:", "sus:", "alone:"))
        ]
        standing = Counter(run for runs in lists for run in runs)
        assert not [run for run, count in standing.items() if count > 1], "a run stands on a list twice"
        for run in standing:
            status = self.moment.records[run]["s"]
            assert status == "ready" or status in TERMINAL, f"{run} is {status} and on a ready list"
        for run, record in self.moment.records.items():
            assert record["s"] != "ready" or run in standing, f"{run} is ready and on no list"

    def _room(self) -> None:
        """A claim leaves nobody ready where it has room, and gives no tenant more than its share while others wait."""
        ready: dict[str, set[str]] = {}
        for name, runs in self.moment.lists.items():
            if name.startswith("rdy:"):
                ready[name] = {run for run in runs if self.moment.records[run]["s"] == "ready"}
                lane, _, tenant = name.removeprefix("rdy:").split(":")
                assert lane not in self.play.roomy or not ready[name], f"{ready[name]} could have started"
                waited = {
                    run for run in ready[name] if int(self.moment.records[run]["since"]) < self.play.now
                }
                modest = (lane, tenant) in self.play.modest
                others = {who for where, who in self.play.greedy if where == lane and who != tenant}
                assert not (waited and modest and others), (
                    f"{others} took more than their share, {waited} wait"
                )

    def _held(self) -> None:
        """A pump holds what runs, and nothing else."""
        held: dict[str, str] = {}
        for name, members in self.moment.sets.items():
            if name.startswith("held:"):
                held |= {run: name.removeprefix("held:") for run in members if "~" not in run}
        for run, record in self.moment.records.items():
            if record["s"] in FLYING:
                assert held.get(run) == record["m"], f"{run} runs and is held by {held.get(run)}"
            else:
                assert run not in held, f"{run} is {record['s']} and held by {held[run]}"

    def _clock(self) -> None:
        """Whatever waits is waited for: by the clock, in a queue, or on a parking list."""
        due, lists, parking = (
            self.moment.due,
            self.moment.of("lk") | self.moment.of("lw"),
            self.moment.of("lp"),
        )
        for run, record in self.moment.records.items():
            status = record["s"]
            if status in LIVE - FLYING and "dl" in record:
                by = min(float(record["dl"]), due.get(f"D{run}", float("inf")))
                assert f"D{run}" in due, f"nobody looks after the deadline of {run}"
                assert due[f"D{run}"] <= by, f"the deadline of {run} is looked after too late"
            if status != "waiting":
                continue
            if "w" in record:
                key = waits_for(record)
                assert run in lists.get(key, ()), f"{run} waits for {key} without a place there"
            elif "pk" in record:
                self.books.orders[run].plain = False  # it gives up its places below: equals may get before it
                assert run in parking.get(record["pk"], {}), f"{run} is parked nowhere"
            else:
                assert run in due, f"{run} waits for nothing: {record}"

    def _places(self) -> None:
        """A waiting run holds its places up to its rung; those within a lock's places run or wait further up."""
        stands = Counter[str]()
        for key, queue in (self.moment.of("lk") | self.moment.of("lw")).items():
            assert len(queue) == len(set(queue)), f"somebody stands twice before {key}: {queue}"
            stands.update(run for run in queue if "~" not in run)
            for run in queue:
                record = self.moment.records.get(run, {"s": "ghost"})
                if record["s"] == "waiting":
                    assert "w" in record, f"{run} stands before {key} and waits for something else: {record}"
                    assert self._rung(run, key) <= int(record["w"]), (
                        f"{run} has a place before {key} too early"
                    )
        for run, record in self.moment.records.items():
            if record["s"] == "waiting" and "w" in record:
                assert stands[run] == int(record["w"]), (
                    f"{run} has {stands[run]} places, it waits on {record['w']}"
                )
        for key, queue in self.moment.of("lk").items():
            for run in queue[: self._size(key)]:
                if "~" not in run:
                    record = self.moment.records[run]
                    assert record["s"] in LIVE, f"{run} has ended as {record['s']} and holds {key}: {queue}"
                    idle = record["s"] == "waiting" and waits_for(record) == key
                    assert not idle, f"{run} waits for {key}, which is free: {queue}"

    def _size(self, key: str) -> int:
        return next(
            guard.places
            for guard in self.play.guards.ladder
            if isinstance(guard, LockGuard) and guard.key == key
        )

    def _order(self) -> None:
        """Nobody gets before another in a queue."""
        queues = self.moment.of("lk") | self.moment.of("lw")
        for key, queue in queues.items():
            now = [run for run in queue if run.partition("~")[0] not in self.play.moved]
            before = [run for run in self.queues.get(key, ()) if run in now]
            assert now[: len(before)] == before, f"somebody overtook before {key}: {before}, then {now}"
        self.queues = queues

    def _limit(self, key: str, meter: Any) -> None:
        """Who has the turn at a limit has a timer no later than when it may go; so has each parking list."""
        now, timer = self.play.now, self.moment.due.get(f"G{key}", float("inf"))
        tat = self.moment.strings.get(f"tat:{key}")
        assert tat is None or abs(int(tat) - meter.tat) < SLACK, (
            f"{key} stands at {tat}, by its starts at {meter.tat}"
        )
        queue = self.moment.lists.get(f"lw:{key}", [])
        if queue:
            head, record = queue[0], self.moment.records[queue[0]]
            assert record["s"] in {"ready", "waiting"}, f"{head} is {record['s']} and has the turn at {key}"
            if record["s"] == "waiting" and waits_for(record) == key:
                free = meter.free_at(now, self._limit_of(head, key))
                late = timer - free
                assert late <= SLACK, f"{head} may pass {key} {late / 1_000} ms before its timer"
                patient = timer <= now + PATIENCE_MS * 1_000 + SLACK
                assert patient, f"{head} keeps its places for {(timer - now) / 1_000} ms, to pass {key}"
        parked = self.moment.zsets.get(f"lp:{key}", {})
        if parked and queue:  # they come after those that have a place
            assert timer < float("inf"), f"nobody looks after those that are parked at {key}"
        elif parked:
            first = min(parked, key=lambda run: (parked[run], run))
            most = (
                meter.rate.step * MOST_COST if meter.rate.burst else 0
            )  # the timer may be that of one now cancelled
            late = timer - most - max(meter.free_at(now, self._limit_of(first, key)), now + 1_000_000)
            assert late <= NEXT_LOOK, (
                f"{first} may pass {key} {late / 1_000} ms before its parking list's timer"
            )

    def _limit_of(self, run: str, key: str) -> LimitGuard:
        return next(guard for guard in limits_of(self.books.orders[run].new) if guard.key == key)


def waits_for(record: dict[str, str]) -> str:
    """The key of the guard that a waiting run was stopped by."""
    return record["y"].partition(" ")[2]
