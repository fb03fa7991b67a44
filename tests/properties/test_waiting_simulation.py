"""What always holds for those that wait: limits kept, locks exclusive, nobody overtaken, nobody forgotten.

Seeded plays on a real server under a clock of their own: play_waiting and what it is made of makes the moves,
waiting_books knows what is allowed, waiting_watch reads what the store holds after each step.
UMBEL_TEST_SEEDS=200 plays more of them, UMBEL_TEST_SEED=7 just that one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pytest
from waiting_watch import Watch

from actions.messages import TERMINAL

if TYPE_CHECKING:
    from play_waiting import WaitingPlay
    from virtual_store import Moment

STEPS: Final = 300
BEATS: Final = 3_000
ONE: Final = os.environ.get("UMBEL_TEST_SEED")
SEEDS: Final = [int(ONE)] if ONE else range(int(os.environ.get("UMBEL_TEST_SEEDS", "8")))
STAYS: Final = {"fence", "audit"}
"""Keys that the legend lets stay for ever, when operators have taken back what they said of limits."""


async def play_seed(play: WaitingPlay, seed: int, steps: int = STEPS) -> None:
    """One play from its beginning to its end."""
    await play.sweep()
    play.start(seed)
    watch = Watch(play)
    try:
        for _ in range(steps):
            await play.step()
            watch.check(await play.look())
        await play.settle_limits()
        await play_to_the_end(play, watch)
    except AssertionError as error:
        log = ", ".join(play.log[-12:])
        error.add_note(f"UMBEL_TEST_SEED={seed}, after {len(play.log)} steps: … {log}")
        raise


async def play_to_the_end(play: WaitingPlay, watch: Watch) -> None:
    """Nobody dies any more and nothing comes: everything ends, and nothing of it is left."""
    moment = await play.look()
    for _ in range(BEATS):
        moves = await play.wind_up()
        moment = await play.look()
        watch.check(moment)
        left = waiting(moment)
        if not left:
            break
        assert moves, f"nothing moves any more, and these have not ended: {left}"
    assert not waiting(moment), "it has no end"
    await nothing_is_left(play)


def waiting(moment: Moment) -> dict[str, Any]:
    return {
        run: {name: record.get(name) for name in ("s", "w", "y", "g")}
        for run, record in moment.records.items()
        if record["s"] not in TERMINAL
    }


async def nothing_is_left(play: WaitingPlay) -> None:
    """No queue, no place, no timer; and after some days only what the legend says stays."""
    for pump in play.pumps:
        await play.store.runs.leave(pump.name, ["work"])
    moment = await play.look()
    queues = {kind: moment.of(kind) for kind in ("lk", "lw", "lp", "gh", "held", "rdy", "sus", "alone")}
    assert not {kind: found for kind, found in queues.items() if found}
    for _ in range(3):
        await play.pass_time(play.longest_ms)
        await play.store.runs.tick([])
    moment = await play.look()
    left = moment.endless - STAYS
    assert not left, f"these keys have no end: {left}"
    assert not moment.records


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_whoever_waits_gets_its_turn_and_nobody_more_than_the_limits_allow(waiting_play, seed):
    await play_seed(waiting_play, seed)
