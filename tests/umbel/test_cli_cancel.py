"""`umbel cancel` ends what is named, whatever kind it is, and says what became of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actions.definition import action
from actions.registry import Registry
from orchestrator.settings import Settings
from umbel import Umbel
from umbel.cli import main


@action("LATER")
async def later() -> None:
    """Be there to be cancelled."""


REPLY = {"role": "assistant", "content": '{"action": "LATER"}'}


@pytest.fixture
def ask(settings: Settings) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["cancel", *arguments], env=settings.environ())

    return run


@pytest.fixture
def within(settings: Settings) -> Callable[[Callable[[Umbel], Awaitable[Any]]], Any]:
    """Do something with the store, on a loop of its own: the command has one too."""

    def run(work: Callable[[Umbel], Awaitable[Any]]) -> Any:
        async def do() -> Any:
            async with Umbel(settings, Registry([later])) as umbel:
                return await work(umbel)

        return asyncio.run(do())

    return run


def test_a_run_that_waits_ends_at_once_and_stays_ended(ask, within):
    run = within(lambda umbel: umbel.submit("LATER"))
    told = ask(run)
    assert (told.exit_code, told.stdout) == (0, f"{run}  cancelled\n")
    assert within(lambda umbel: umbel.wait(run)).status == "cancelled"
    assert ask(run).stdout == f"{run}  had ended before\n"


def test_a_turn_and_a_conversation_are_cancelled_with_their_runs(ask, within):
    async def post(umbel: Umbel) -> tuple[str, str, str, str]:
        first, second = [await umbel.open_conversation() for _ in range(2)]
        posted = [await umbel.post_reply(each, REPLY) for each in (first, second)]
        return posted[0].turn, second, posted[0].runs[0], posted[1].runs[0]

    turn, conversation, first, second = within(post)
    told = ask("--json", turn, conversation)
    assert told.exit_code == 0
    assert json.loads(told.stdout) == {turn: "cancelled", conversation: "cancelled"}
    assert [within(lambda umbel, run=run: umbel.wait(run)).status for run in (first, second)] == [
        "cancelled"
    ] * 2
    assert within(lambda umbel: umbel.wait_for_turn(turn)) == "cancelled"


def test_what_is_not_there_is_said_and_the_rest_is_cancelled(ask, within):
    run = within(lambda umbel: umbel.submit("LATER"))
    told = ask("run_nobody", "turn_nobody", "conv_nobody", run)
    assert told.exit_code == 1
    assert told.stdout.count("no such record") == 3
    assert f"{run}  cancelled" in told.stdout


def test_what_is_no_id_is_refused_before_anything_is_cancelled(ask, within):
    run = within(lambda umbel: umbel.submit("LATER"))
    told = ask(run, "oops", "turn_x", "bee")
    assert told.exit_code == 65
    assert told.stderr == (
        "umbel: 'oops', 'bee' are no ids. Ids begin with run_, turn_ or conv_; nothing was cancelled\n"
    )
    assert ask(run).stdout == f"{run}  cancelled\n"
