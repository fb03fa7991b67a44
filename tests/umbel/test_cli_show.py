"""`umbel show` tells how a run, a turn or a conversation stands, and why it waits."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actions.definition import action
from actions.limits import RateLimit
from actions.policy import Retry
from actions.registry import Registry
from orchestrator.settings import Settings
from orchestrator.store.incoming import Finish
from umbel import Umbel
from umbel.cli import main


@action(
    "BREW",
    rate_limit=RateLimit(1, per="1h", key="{principal}"),
    lock="table:{table}",
    retry=Retry(2),
    show=("table",),
)
async def brew(table: int, secret: str = "") -> None:
    """Make tea."""


REPLY = {"role": "assistant", "content": '{"action": "BREW", "parameters": {"table": 1}}'}


@pytest.fixture
def ask(settings: Settings) -> Callable[..., Result]:
    sys.modules["show_under_test"] = sys.modules[__name__]
    env = settings.model_copy(update={"actions": ("show_under_test",)}).environ()

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["show", *arguments], env=env)

    return run


@pytest.fixture
def within(settings: Settings) -> Callable[[Callable[[Umbel], Awaitable[Any]]], Any]:
    """Do something with the store, on a loop of its own: the command has one too."""

    def run(work: Callable[[Umbel], Awaitable[Any]]) -> Any:
        async def do() -> Any:
            async with Umbel(settings, Registry([brew])) as umbel:
                return await work(umbel)

        return asyncio.run(do())

    return run


def brews(*given: tuple[int, str], secret: str = "") -> Callable[[Umbel], Awaitable[list[str]]]:
    """Submit some, and claim once."""

    async def work(umbel: Umbel) -> list[str]:
        arguments = {"secret": secret} if secret else {}
        runs = [
            await umbel.submit("BREW", {"table": table} | arguments, principal=who) for table, who in given
        ]
        await umbel._store.runs.claim("pump", [("actions", 50)])
        return list(runs)

    return work


def test_a_run_that_waits_for_a_lock_says_who_holds_it_and_what_comes_then(ask, within):
    first, second, third = within(brews((1, "ann"), (1, "ann"), (1, "bob")))
    text = ask(third).stdout
    assert re.match(rf"{third}  BREW  waiting, for \d\.\d s\n", text)
    assert re.search(rf"waits for +lock table:1 \(held by {first} for \d\.\d s\); 1 before it\n", text)
    assert re.search(r"then +limit BREW:bob \(0 of 1 used, next start now\)\n", text)
    assert "attempts       0 of 3" in text
    assert "its turn is next" in ask(second).stdout
    assert re.search(r"then +limit BREW:ann \(1 of 1 used, next start in 60.0 min\)\n", ask(second).stdout)
    running = ask(first).stdout
    assert re.search(r"holds +table:1\n", running)
    assert "waits for" not in running


def test_a_run_that_waits_at_a_limit_for_long_says_until_when(ask, within):
    _, second = within(brews((1, "ann"), (2, "ann")))
    text = ask(second).stdout
    assert re.search(
        r"limit BREW:ann \(1 of 1 used, next start in 60.0 min\); its turn is next; it waits for long", text
    )


def test_arguments_are_masked_but_for_those_that_the_action_shows(ask, within):
    (run,) = within(brews((7, "ann"), secret="pst"))
    text = ask(run).stdout
    assert re.search(r"arguments +table=7, secret=•••\n", text)
    assert "pst" not in ask(run, "--json").stdout


def test_an_ended_run_shows_its_result_whole_as_json(ask, within):
    async def end(umbel: Umbel) -> str:
        run = await umbel.submit("BREW", {"table": 1})
        claim = await umbel._store.runs.claim("pump", [("actions", 5)])
        result = json.dumps({"tea": "x" * 1_000})
        await umbel._store.runs.finish("pump", [Finish(run, claim.runs[0].fence, "succeeded", result)])
        return run

    run = within(end)
    assert re.search(r'result +\{"tea":"x+… \(--json shows all\)', ask(run).stdout)
    told = json.loads(ask(run, "--json").stdout)
    assert (told["status"], told["result"], told["ladder"]) == ("succeeded", {"tea": "x" * 1_000}, None)


def test_a_ready_run_says_which_queue_it_waits_on(ask, within):
    async def submit(umbel: Umbel) -> str:
        return await umbel.submit("BREW", {"table": 1})

    assert "a worker with room (queue actions)" in ask(within(submit)).stdout


def test_a_run_with_a_delay_says_how_long(ask, within):
    async def submit(umbel: Umbel) -> str:
        return await umbel.submit("BREW", {"table": 1}, delay="1h")

    assert "its delay, in 60.0 min" in ask(within(submit)).stdout


def test_a_turn_and_its_conversation_show_their_runs(ask, within):
    async def post(umbel: Umbel) -> tuple[str, str, str]:
        conversation = await umbel.open_conversation(principal="ann")
        posted = await umbel.post_reply(conversation, REPLY)
        await umbel.say(conversation, "and then?")
        return conversation, posted.turn, posted.runs[0]

    conversation, turn, run = within(post)
    text = ask(turn).stdout
    assert text.startswith(f"{turn}  live\n")
    assert "1, 1 of its calls have no result yet" in text
    assert f"  {run}  BREW  ready" in text
    whole = ask(conversation).stdout
    assert whole.startswith(f"{conversation}  live\n")
    assert re.search(r"queued turns +turn_", whole)
    assert text.splitlines()[0] in whole
    told = json.loads(ask(conversation, "--json").stdout)
    assert told["live_turn"]["runs"][0]["run"] == run
    assert ask(told["queued"][0]).stdout.startswith(f"{told['queued'][0]}  queued\n")


@pytest.mark.parametrize("id", ["run_nobody", "turn_nobody", "conv_nobody", "oops"])
def test_what_is_not_there_is_an_error_in_one_line(ask, id):  # noqa: A002
    told = ask(id)
    assert told.exit_code == 65
    assert (told.stdout, told.stderr.count("\n")) == ("", 1)


def test_without_the_actions_less_is_shown(settings, within):
    (run,) = within(brews((7, "ann")))
    env = settings.environ() | {"UMBEL_ACTIONS": "not.here"}
    told = CliRunner().invoke(main, ["show", run], env=env)
    assert told.exit_code == 0
    assert "the actions cannot be loaded here" in told.stderr
    assert "table" not in told.stdout.split("arguments")[1].splitlines()[0]
