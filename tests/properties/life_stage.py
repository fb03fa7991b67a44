"""Where a run's life is played: the store and the model (run_model) side by side, and what is compared.

The rules of the play are in test_run_life.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from run_model import Life, Model
from virtual_store import VirtualStore

from actions.messages import TERMINAL
from orchestrator.store.incoming import Finish
from orchestrator.store.records import Claimed

T = TypeVar("T")

LANES: Final = ("work", "work/t")
LEASE_MS: Final = 10_000
LOCK: Final = "order:1"


class Stage(RuleBasedStateMachine):
    """The store and the model, side by side, and what two pumps know of themselves."""

    def __init__(self, stage: VirtualStore, runner: asyncio.Runner) -> None:
        super().__init__()
        self.stage, self.runner = stage, runner
        self.runs = stage.store.runs
        self.model = Model()
        self.pumps = ["pump_1", "pump_2"]
        self.known: dict[str, dict[str, str]] = {pump: {} for pump in self.pumps}
        """What each pump knows that it holds: runs, and ghosts, with their fences."""
        self.late: list[tuple[str, str, str]] = []
        """Attempts of pumps that are gone: pump, run, fence."""
        self.ended: list[tuple[str, Finish]] = []
        """Finishes that were told, to be told again."""
        self.named = 2
        self.mail = Counter[str]()

    @initialize()
    def begin(self) -> None:
        self.do(self.stage.sweep())

    def do(self, call: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(call)

    @property
    def now(self) -> int:
        return self.stage.now

    def life(self, pick: int) -> Life:
        """One of the runs."""
        return list(self.model.runs.values())[pick % len(self.model.runs)]

    def flights(self, pump: str) -> list[str]:
        """The runs that a pump knows it holds."""
        return [run for run in self.known[pump] if "~" not in run]

    def claim_for(self, pump: str) -> tuple[str, list[Claimed]] | None:
        """A claim, entered into the model; None: the pump's lease was over."""
        self.do(self.stage.pass_time(0.01))
        flying = len(self.flights(pump))
        over = self.model.leases.get(pump, 0) < self.now
        lanes = [(lane, 20) for lane in LANES]
        claim = self.do(self.runs.claim(pump, lanes, lease_ms=LEASE_MS, flying=flying, worker="one"))
        if flying and over:
            assert claim.verdict == "lost"
            return None
        self.model.leases[pump] = self.now + LEASE_MS * 1_000
        lock = self.do(self.stage.look()).lists.get(f"lk:{LOCK}", [])
        self.model.claimed(self.now, pump, (claim.verdict, claim.runs), lock)
        self.do(self.stage.redis.delete(*(f"{self.stage.prefix}alonetok:{lane}" for lane in LANES)))
        return claim.verdict, claim.runs

    def gone(self, at: int) -> None:
        """Its place is taken by a new one; what it was doing may still be told."""
        pump = self.pumps[at]
        self.late += [(pump, run, self.known[pump][run]) for run in self.flights(pump)]
        del self.known[pump]
        self.named += 1
        self.pumps[at] = f"pump_{self.named}"
        self.known[self.pumps[at]] = {}

    # What is compared

    @invariant()
    def store_and_model_agree(self) -> None:
        moment = self.do(self.stage.look())
        assert set(moment.records) == set(self.model.runs)
        due = dict(moment.due)
        for life in self.model.runs.values():
            self._compare(life, moment.records[life.id], due)
        assert not [name for name in due if not name.startswith("D")], f"timers of nobody: {due}"
        for name in due:
            assert self.model.runs[name[1:]].flies, f"{name} has ended or has no deadline, and a timer"
        queue = [run for run in moment.lists.get(f"lk:{LOCK}", []) if "~" in run or self._waits(run)]
        assert queue == self.model.queue
        held = {name[5:]: members for name, members in moment.sets.items() if name.startswith("held:")}
        flying = {pump: {life.id for life in self.model.flights(pump)} for pump in self.model.leases}
        wanted = {
            pump: flying.get(pump, set()) | self.model.ghosts[pump] for pump in [*flying, *self.model.ghosts]
        }
        assert held == {pump: members for pump, members in wanted.items() if members}
        assert set(moment.zsets.get("live", ())) == set(self.model.leases)
        self._told(moment.lists.get("z:mail", []))

    def _waits(self, run: str) -> bool:
        return self.model.runs[run].status not in TERMINAL

    def _compare(self, life: Life, record: dict[str, str], due: dict[str, float]) -> None:
        result = record.get("r")
        if result is not None and result.startswith("{"):
            result = json.loads(result)["code"]
        told = (record["s"], int(record.get("n", 0)), result, int(record.get("d", 0)), record.get("late"))
        assert told == (life.status, life.attempts, life.result, life.deaths, life.late), (
            f"{record} of {life}"
        )
        if life.status in TERMINAL:
            return
        assert life.flies or record.get("chk", "") == life.check, f"{record} of {life}"
        assert (int(record.get("sus", 0)), int(record.get("k", 0))) == (life.level, life.strikes)
        assert (record.get("m", ""), record.get("f", "")) == (life.pump, life.fence)
        assert due.pop(life.id, None) == life.until
        assert life.until is None or record.get("until") == str(life.until), (
            f"it does not say until when: {record}"
        )
        timer = due.pop(f"D{life.id}", None)
        if life.timer is not None and not life.flies:
            assert timer is not None, f"nobody looks after the deadline of {life}"
            assert timer <= life.timer

    def _told(self, lines: list[str]) -> None:
        """Each end is told once."""
        for line in lines:
            run, status, _ = line.split(" ", 2)
            assert self.model.runs[run].status == status
            self.mail[run] += 1
        assert self.mail == Counter(life.id for life in self.model.runs.values() if life.status in TERMINAL)
        self.do(self.stage.redis.delete(f"{self.stage.prefix}z:mail"))
