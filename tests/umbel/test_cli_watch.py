"""`umbel watch` tells what happens to a run, a turn or a conversation, and ends when that has ended."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actions.definition import action
from actions.registry import Registry
from following_under_test import aside, claimed, finish
from orchestrator.settings import Settings
from umbel import Umbel
from umbel.cli import main
from workers_under_test import eventually

ROOT = Path(__file__).parents[2]
REPLY = {"role": "assistant", "content": '{"action": "BREW", "parameters": {"kind": "green"}}'}


@action("BREW")
async def brew(kind: str = "green") -> None:
    """Make tea."""


@pytest.fixture
def ask(settings: Settings) -> Callable[..., Result]:
    sys.modules["watch_under_test"] = sys.modules[__name__]
    env = settings.model_copy(update={"actions": ("watch_under_test",)}).environ()

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["watch", *arguments], env=env)

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


async def reading(store) -> None:
    """Come back once somebody reads event streams: the command alone does, and after its first look."""

    async def some() -> bool:
        (clients,) = await store.connection.ask(["CLIENT", "LIST"])
        return any("cmd=xread" in line for line in clients.splitlines())

    await eventually(some)


def test_a_run_that_has_ended_is_told_at_once_and_ends_the_watching(ask, within, settings):
    async def work(umbel):
        run = await umbel.submit("BREW")
        await finish(umbel._store, await claimed(umbel._store), "failed", {"error": "no", "code": "x"})
        return run

    run = within(work)
    told = ask(run)
    assert (told.exit_code, told.stdout) == (1, f"{run}  BREW  failed\n")
    (line,) = ask(run, "--json").stdout.splitlines()
    assert json.loads(line)["standing"]["status"] == "failed"


def test_a_run_without_conversation_is_followed_to_its_end(ask, within, settings):
    run = within(lambda umbel: umbel.submit("BREW"))

    async def work(store):
        await reading(store)
        await finish(store, await claimed(store), "succeeded", "done")

    with aside(settings, work):
        told = ask(run)
    assert told.exit_code == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[-1] == f"{run}  BREW  succeeded"
    assert re.fullmatch(rf"\d\d:\d\d:\d\d\.\d\d\d  {run}  BREW  succeeded", lines[-2])
    assert len(lines) == len(set(lines))


def test_a_turn_is_told_with_its_runs_and_ends_with_it(ask, within, settings):
    async def post(umbel):
        return await umbel.post_reply(await umbel.open_conversation(), REPLY)

    posted = within(post)

    async def work(store):
        await reading(store)
        await finish(store, await claimed(store), "succeeded", "tea")

    with aside(settings, work):
        told = ask(posted.turn, "--json")
    assert told.exit_code == 0, told.stderr
    found = [json.loads(line) for line in told.stdout.splitlines()]
    assert found[0]["standing"]["runs"][0]["status"] == "ready"
    changes = [
        (each.get("run"), each.get("turn"), each["status"]) for each in found if each["what"] == "change"
    ]
    assert changes[-2:] == [(posted.runs[0], None, "succeeded"), (None, posted.turn, "done")]
    assert found[-1]["standing"]["status"] == "done"


@pytest.mark.parametrize("id", ["run_nobody", "turn_nobody", "conv_nobody", "oops"])
def test_what_is_not_there_is_an_error_in_one_line(ask, id):  # noqa: A002
    told = ask(id)
    assert told.exit_code == 65
    assert (told.stdout, told.stderr.count("\n")) == ("", 1)


@pytest.mark.processes
def test_ctrl_c_ends_the_watching_and_nothing_else(within, settings):
    conversation = within(lambda umbel: umbel.open_conversation())
    command = [sys.executable, "-m", "umbel", "watch", conversation]
    env: Any = settings.environ() | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=settings.home.parent, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == f"{conversation}  idle\n"
            process.send_signal(2)
            assert process.wait(10) == 130
            assert process.stderr.read() == ""
        finally:
            process.kill()
    assert within(lambda umbel: umbel.read(conversation)).status == "idle"
