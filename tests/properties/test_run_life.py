"""A run's life, played by Hypothesis on a real server and held against a model after each step (life_stage, run_model).

Callers submit (twice, under keys, with delays and deadlines) and cancel; pumps claim, end, put off, go on after the
end, lose an answer, leave, die and come too late; the clock stands still unless it is moved.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from life_stage import LANES, LEASE_MS, LOCK, Stage
from run_model import Life
from virtual_store import VirtualStore

from actions.errors import IdempotencyConflict
from orchestrator.store.incoming import Effect, EffectKind, Finish, LockGuard, NewRun

EXAMPLES: Final = hypothesis_settings.default.max_examples
"""Of the profile (tests/conftest.py); a play is short, so there are twice as many."""
SOME: Final = st.integers(0, 11)
PUMP: Final = st.integers(0, 1)
VERDICTS: Final = ("again", "again", "postponed", "succeeded", "failed", "timed_out", "expired")


class RunLife(Stage):
    """What may happen to runs."""

    # Callers

    @precondition(lambda self: len(self.model.runs) < 12)
    @rule(
        threaded=st.booleans(),
        locked=st.booleans(),
        on_unknown=st.sampled_from(("retry", "fail", "check")),
        total=st.sampled_from((None, None, 3_000, 30_000)),
        queue=st.sampled_from((None, None, None, 1_000)),
        delay=st.sampled_from((0, 0, 0, 500)),
        digest=st.sampled_from(("", "d1")),
        count=st.integers(1, 3),
    )
    def submit(
        self,
        *,
        threaded: bool,
        locked: bool,
        on_unknown: Any,
        total: int | None,
        queue: int | None,
        delay: int,
        digest: str,
        count: int,
    ) -> None:
        for _ in range(count):
            new = NewRun(
                f"run_{len(self.model.runs)}", LANES[threaded], b"{}", total_ms=total, queue_ms=queue, delay_ms=delay,
                on_unknown=on_unknown, digest=digest, guards=(LockGuard(LOCK),) if locked else (), reply_to="mail",
            )  # fmt: skip
            assert self.do(self.runs.submit([new])) == 1
            life = Life(new.id, new.lane, locked, on_unknown, digest)
            life.total = None if total is None else self.now + total * 1_000
            life.begin_by = None if queue is None else self.now + queue * 1_000
            if delay:
                life.status, life.until = "waiting", self.now + delay * 1_000
            self.model.runs[life.id] = life

    @precondition(lambda self: self.model.runs)
    @rule(
        pick=SOME,
        digest=st.sampled_from(("", "d1", "d2")),
        cancel=st.sampled_from((False, False, False, True)),
    )
    def call_again(self, pick: int, digest: str, *, cancel: bool) -> None:
        """The same request once more, or another under its key; or nobody wants it any more."""
        life = self.life(pick)
        if cancel:
            assert self.do(self.runs.cancel(life.id)) == self.model.cancelled(life)
            return
        other = NewRun("run_other", "work", b"{}", reply_to="mail")
        again = NewRun(life.id, "work", b"[]", digest=digest, reply_to="mail")
        if digest and digest != life.digest:
            with pytest.raises(IdempotencyConflict):
                self.do(self.runs.submit([other, again]))
        else:
            assert self.do(self.runs.submit([again])) == 0

    # Pumps

    @precondition(lambda self: any(life.status in {"ready", "waiting"} for life in self.model.runs.values()))
    @rule(at=PUMP)
    def claim(self, at: int) -> None:
        pump = self.pumps[at]
        told = self.claim_for(pump)
        if told is None:
            self.gone(at)
        else:
            self.known[pump] |= {run.id: run.fence for run in told[1]}

    @precondition(lambda self: any(life.status == "ready" for life in self.model.runs.values()))
    @rule(at=PUMP)
    def claim_without_an_answer(self, at: int) -> None:
        """What the store says that a pump holds and the pump does not know goes back."""
        pump = self.pumps[at]
        if self.claim_for(pump) is None:
            self.gone(at)
            return
        self.do(self.runs.reconcile(pump, list(self.known[pump].items())))
        for life in self.model.flights(pump):
            if self.known[pump].get(life.id) != life.fence:
                self.model.given_back(life, died=False, begun=False)
        self.model.lay_all(pump, self.known[pump])

    def any_flight(self) -> bool:
        return any(self.flights(pump) for pump in self.pumps)

    @precondition(lambda self: self.any_flight())
    @rule(
        pick=SOME,
        verdict=st.sampled_from(VERDICTS),
        delay=st.sampled_from((0, 300, 4_000)),
        ghost=st.booleans(),
        check=st.sampled_from(("", "timeout")),
    )
    def finish(self, pick: int, verdict: str, delay: int, check: str, *, ghost: bool) -> None:
        flights = [(pump, run) for pump in self.pumps for run in self.flights(pump)]
        pump, run = flights[pick % len(flights)]
        fence = self.known[pump].pop(run)
        check = check if verdict == "again" and self.model.runs[run].on_unknown == "check" else ""
        effects = (*[Effect(EffectKind.GHOST)] * ghost, *[Effect(EffectKind.CHECK, check)] * bool(check))
        finish = Finish(run, fence, verdict, json.dumps(verdict), delay, "backoff", effects)
        expected = self.model.finished(self.now, pump, finish, ghost=ghost, check=check)
        assert self.do(self.runs.finish(pump, [finish])) == [expected]
        if ghost and expected == "ok":
            self.known[pump][f"{run}~{fence}"] = fence
        self.ended.append((pump, finish))

    @precondition(lambda self: self.ended)
    @rule(pick=SOME)
    def finish_again(self, pick: int) -> None:
        pump, finish = self.ended[pick % len(self.ended)]
        expected = self.model.finished(self.now, pump, finish, ghost=False, check="")
        assert expected in {"done", "stale"}
        assert self.do(self.runs.finish(pump, [finish])) == [expected]

    @precondition(lambda self: any("~" in run for pump in self.pumps for run in self.known[pump]))
    @rule(pick=SOME)
    def a_ghost_ends(self, pick: int) -> None:
        ghosts = [(pump, run) for pump in self.pumps for run in self.known[pump] if "~" in run]
        pump, ghost = ghosts[pick % len(ghosts)]
        run, fence = ghost, self.known[pump].pop(ghost)
        run = ghost.partition("~")[0]
        assert self.do(self.runs.finish(pump, [Finish(run, fence, "late", f'"{pick}"')])) == ["ok"]
        self.model.lay(pump, ghost)
        self.model.runs[run].late = f'"{pick}"'

    @precondition(lambda self: self.late)
    @rule(pick=SOME)
    def come_too_late(self, pick: int) -> None:
        pump, run, fence = self.late[pick % len(self.late)]
        finish = Finish(run, fence, "succeeded", '"late"')
        expected = self.model.finished(self.now, pump, finish, ghost=False, check="")
        assert self.do(self.runs.finish(pump, [finish])) == [expected]

    @precondition(lambda self: any(self.known.values()))
    @rule(at=PUMP)
    def renew(self, at: int) -> None:
        pump = self.pumps[at]
        cancelled = self.do(self.runs.renew(pump, LEASE_MS))
        if self.model.leases.get(pump, 0) < self.now:
            assert cancelled is None
            self.gone(at)
            return
        assert cancelled is not None
        self.model.leases[pump] = self.now + LEASE_MS * 1_000
        wanted = {life.id for life in self.model.flights(pump) if life.status == "cancelling"}
        assert set(cancelled) == wanted

    @precondition(lambda self: self.any_flight())
    @rule(at=PUMP)
    def leave(self, at: int) -> None:
        pump = self.pumps[at]
        self.do(self.runs.leave(pump, ["work"]))
        for life in self.model.flights(pump):
            self.model.given_back(life, died=False, begun=True)
        if not self.model.ghosts[pump]:
            self.model.leases.pop(pump, None)
        self.gone(at)

    @precondition(lambda self: self.any_flight())
    @rule(at=PUMP)
    def die_and_be_missed(self, at: int) -> None:
        self.gone(at)
        self.time(LEASE_MS + 1, ticked=True)
        self.claim(1 - at)

    @precondition(lambda self: self.any_flight())
    @rule(at=PUMP)
    def die(self, at: int) -> None:
        self.gone(at)

    # Time

    @rule(ms=st.sampled_from((1, 300, 1_000, 4_000, 11_000)), ticked=st.booleans())
    def time(self, ms: int, *, ticked: bool) -> None:
        self.do(self.stage.pass_time(ms))
        if ticked:
            self.do(self.runs.tick(["work"]))
            self.model.ticked(self.now)


@pytest.mark.slow
def test_a_run_lives_by_the_rules(settings):
    with asyncio.Runner() as runner:
        stage = VirtualStore(settings)
        try:
            run_state_machine_as_test(
                lambda: RunLife(stage, runner),
                settings=hypothesis_settings(max_examples=2 * EXAMPLES, stateful_step_count=60),
            )
            runner.run(stage.sweep())
        finally:
            runner.run(stage.store.close())
