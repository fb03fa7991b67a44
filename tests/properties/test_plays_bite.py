"""The plays notice faults: each test puts one into the scripts and plays until somebody complains."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test
from mutations import mutated
from play_waiting import WaitingPlay
from test_chain_simulation import test_chains_keep_their_word
from test_run_life import RunLife
from test_waiting_simulation import play_seed
from virtual_store import VirtualStore

from orchestrator.settings import Settings
from orchestrator.store import connection

DISORDER: Final = """
  if text and #text % 2 == 0 then table.sort(guards, function(a, b) return a.key > b.key end) end
  return guards
"""
WAITING: Final = {
    "guards in any order": (
        "shared/guards",
        "  return guards\n",
        DISORDER,
        "too early|waits for|has not ended|nothing moves",
    ),
    "newcomers do not queue": (
        "shared/ladder",
        "behind = call('EXISTS', g.list) == 1",
        "behind = false",
        "overtaken|may pass|stands twice",
    ),
    "a limit is charged by who is stopped": (
        "shared/ladder",
        "return stand(run, guards, rung, 'limit', free)",
        "charge(g, run) return stand(run, guards, rung, 'limit', free)",
        "before its timer|by its starts",
    ),
    "a lock is passed on to nobody": (
        "shared/fifos",
        "  turn_lock(g)\n  return true",
        "  return true",
        "which is free",
    ),
}
"""Part of the scripts, what it says, what it says wrongly, and of what the play then complains."""
LIFE: Final = {
    "a late finisher counts": ("finish", "run.fence ~= fence or not is_running(run)", "not is_running(run)"),
    "what may not run twice runs twice": (
        "shared/release",
        "if begun and run.on_unknown == 'fail' then",
        "if false then",
    ),
    "a claim nobody heard of uses up an attempt": (
        "shared/release",
        "run.attempt = call('HINCRBY', run_key(id), 'n', -1)",
        "run.attempt = run.attempt",
    ),
}


CHAINS: Final = {
    "undone in the order of the steps": (
        "shared/undoing",
        "for at = #ids, 1, -1 do add_undos(ids[at], list) end",
        "for at = 1, #ids do add_undos(ids[at], list) end",
        "undone in the order",
    ),
    "a step that died is not undone": (
        "shared/release",
        "if begun and run.chain then run.uncertain",
        "if false then run.uncertain",
        "was never undone",
    ),
    "an undo can be cancelled": (
        "shared/rescue",
        "if run.of or run.rescue then",
        "if run.rescue then",
        ".*",
    ),
}
"""The same for chains."""


async def play_seeds(play: WaitingPlay, count: int) -> None:
    for seed in range(count):
        await play_seed(play, seed)


async def play_chains(settings: Settings, count: int) -> None:
    for seed in range(count):
        await test_chains_keep_their_word(settings, seed)


@pytest.mark.parametrize("fault", WAITING)
async def test_the_simulation_of_waiting_notices(fault, settings, monkeypatch):
    *passage, complaint = WAITING[fault]
    scripts = mutated(*passage)
    monkeypatch.setattr(connection, "load", lambda: scripts)
    play = WaitingPlay(settings)
    try:
        with pytest.raises(AssertionError, match=complaint):
            await play_seeds(play, 10)
    finally:
        await play.sweep()
        await play.store.close()


@pytest.mark.parametrize("fault", CHAINS)
async def test_the_simulation_of_chains_notices(fault, settings, monkeypatch):
    *passage, complaint = CHAINS[fault]
    scripts = mutated(*passage)
    monkeypatch.setattr(connection, "load", lambda: scripts)
    with pytest.raises(AssertionError, match=complaint):
        await play_chains(settings, 20)


@pytest.mark.slow
@pytest.mark.parametrize("fault", LIFE)
def test_the_play_of_a_runs_life_notices(fault, settings, monkeypatch):
    scripts = mutated(*LIFE[fault])
    monkeypatch.setattr(connection, "load", lambda: scripts)
    with asyncio.Runner() as runner:
        stage = VirtualStore(settings)
        try:
            with pytest.raises(AssertionError):
                run_state_machine_as_test(
                    lambda: RunLife(stage, runner),
                    settings=hypothesis_settings(
                        max_examples=400, stateful_step_count=60, phases=[Phase.generate]
                    ),
                )
        finally:
            runner.run(stage.sweep())
            runner.run(stage.store.close())
