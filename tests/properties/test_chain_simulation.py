"""What always holds of chains, whatever steps, people, deaths and the clock do: seeded plays on a real server.

UMBEL_TEST_SEEDS=200 plays more of them, UMBEL_TEST_SEED=7 just that one.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

import pytest

from orchestrator.settings import Settings

if TYPE_CHECKING:
    from play_chains import Chain, ChainPlay

    from orchestrator.store.records import RunView

ONE: Final = os.environ.get("UMBEL_TEST_SEED")
SEEDS: Final = [int(ONE)] if ONE else range(int(os.environ.get("UMBEL_TEST_SEEDS", "6")))
STEPS: Final = 350
BASE: Final = {"fence", "audit", "live", "queues", "hot:actions", "slp:actions"}


@pytest.mark.parametrize("seed", SEEDS)
async def test_chains_keep_their_word(settings: Settings, seed: int) -> None:
    from play_chains import ChainPlay

    play = ChainPlay(settings, seed)
    try:
        for _ in range(STEPS):
            await play.step_on()
        await play.to_the_end()
        for chain in play.chains.values():
            await judge(play, chain)
        endless = [
            key async for key in play.redis.scan_iter(f"{play.prefix}*") if await play.redis.ttl(key) == -1
        ]
        assert {key.removeprefix(play.prefix) for key in endless} <= BASE
    finally:
        await play.close()


async def judge(play: ChainPlay, chain: Chain) -> None:
    """All that holds of one chain when everything is over."""
    ids = [run.id for run in chain.steps]
    views = await play.store.runs.read_all(ids)
    messages = await play.store.conversations.messages(chain.conversation)
    tools = [message for message in messages if message["role"] == "tool"]
    assert [message["tool_call_id"] for message in tools] == [f"call{at}" for at in range(len(ids))]
    did = [run for what, run in chain.log if what == "did"]
    undid = [run for what, run in chain.log if what == "undid"]
    assert len(set(undid)) == len(undid), f"{chain.turn}: undone twice: {undid}"
    first_undo = next((at for at, (what, _) in enumerate(chain.log) if what == "undid"), len(chain.log))
    assert not [run for what, run in chain.log[first_undo:] if what == "did"], f"{chain.turn}: {chain.log}"
    steps = [ids.index(".".join(run.split(".")[:3])) for run in undid]
    assert steps == sorted(steps, reverse=True), f"{chain.turn}: undone in the order {undid}"
    owed = {run for run in did if play.undoes[run]}
    owed |= {view.id for view in views if view.id in play.uncertain and play.undoes[view.id] == "2"}
    if failed(views):
        assert owed <= set(undid), f"{chain.turn}: {owed - set(undid)} was never undone"
    elif chain.cancelled:  # perhaps too late, perhaps while its last step waited for what follows it up
        assert not undid or owed <= set(undid), f"{chain.turn}: only {undid} was undone of {owed}"
    else:
        assert not undid, f"{chain.turn}: undone for nothing: {undid}"
    tried_again = any(
        "tried again" in message["content"] for message in messages if message["role"] == "user"
    )
    for view, message in zip(views, tools, strict=True):
        assert message["content"] == (view.told or view.result) or tried_again
        if view.undo is not None:
            assert view.undo == "undone", f"{view.id} is {view.undo}"
        if view.undo == "undone" and view.status == "succeeded":
            assert json.loads(view.now or view.told)["code"] == "undone"


def failed(views: list[RunView]) -> bool:
    """Whether a step, or what follows one up, came to no good end (being interrupted is none)."""
    for view in views:
        told = json.loads(view.result or "null")
        if view.status != "succeeded":
            if told.get("code") != "interrupted":
                return True
        elif isinstance(told, dict) and any(
            each["status"] != "succeeded" for each in told.get("follow_ups", ())
        ):
            return True
    return False
