"""`umbel show` of a turn shows what came of its calls too: their follow-ups, and the evaluators of the turn."""

from __future__ import annotations

import asyncio
import json
import re
import sys

from click.testing import CliRunner
from pydantic_core import to_json

from actions.definition import action
from actions.messages import Payload
from actions.registry import Registry
from orchestrator.settings import Settings
from orchestrator.store.incoming import Effect, EffectKind, Finish, NewRun
from umbel import Umbel
from umbel.cli import main


@action("PAY")
async def pay() -> None:
    """Pay."""


@action("SEND")
async def send() -> None:
    """Send."""


@action("JUDGE", evaluates="always")
async def judge() -> None:
    """Judge."""


REPLY = {"role": "assistant", "content": '{"action": "PAY", "parameters": {}}'}


def follow(parent: str, depth: int) -> tuple[Effect, ...]:
    """One run that follows this one up, down to a depth."""
    child = NewRun(f"{parent}.f0", "actions", Payload("SEND").encode())
    return (Effect(EffectKind.FOLLOW, child.id, to_json(child.row()).decode()),) if depth else ()


async def paid(umbel: Umbel) -> tuple[str, str]:
    """A turn whose one call was followed up, twice over, and evaluated."""
    posted = await umbel.post_reply(await umbel.open_conversation(), REPLY)
    for depth in (2, 1, 0):
        [claimed] = (await umbel._store.runs.claim("pump", [("actions", 50)])).runs
        effects = follow(claimed.id, depth)
        await umbel._store.runs.finish(
            "pump", [Finish(claimed.id, claimed.fence, "succeeded", '"done"', effects=effects)]
        )
    return posted.turn, posted.runs[0]


def test_follow_ups_stand_below_their_run_and_evaluators_last(settings: Settings):
    sys.modules["aside_under_test"] = sys.modules[__name__]
    here = settings.model_copy(update={"actions": ("aside_under_test",)})

    async def work() -> tuple[str, str]:
        async with Umbel(here, Registry([pay, send, judge])) as umbel:
            return await paid(umbel)

    turn, run = asyncio.run(work())

    def ask(*arguments: str) -> str:
        return CliRunner().invoke(main, ["show", turn, *arguments], env=here.environ()).stdout

    judged = run.replace(".0.0", ".ev.0")
    told = json.loads(ask("--json"))
    assert [each["run"] for each in told["runs"]] == [run]
    assert [each["run"] for each in told["aside"]] == [f"{run}.f0", f"{run}.f0.f0", judged]
    shown = re.findall(r"^ +(run_\S+)  (?:PAY|SEND|JUDGE)  ", ask(), re.MULTILINE)
    assert shown == [run, f"{run}.f0", f"{run}.f0.f0", judged]
