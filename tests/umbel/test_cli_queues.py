"""`umbel queues` shows what is ready, what runs and waits, and which queues nobody serves."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actions.definition import action
from actions.registry import Registry
from orchestrator.settings import Settings
from orchestrator.store.queues import QueueStanding
from umbel import Umbel
from umbel.cli import main, queues

ROOT = Path(__file__).parents[2]


@action("BREW")
async def brew() -> None:
    """Make tea."""


@action("POUR", queue="kitchen")
async def pour() -> None:
    """Pour tea."""


@pytest.fixture
def ask(settings: Settings) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["queues", *arguments], env=settings.environ())

    return run


@pytest.fixture
def house(settings: Settings) -> None:
    """A worker serves `actions`, where one runs, one is ready and two wait; nobody serves `kitchen`."""

    async def do() -> None:
        async with Umbel(settings, Registry([brew, pour])) as umbel:
            await umbel._store.runs.tick(["actions"])
            await umbel.submit("BREW")
            await umbel._store.runs.claim("pump", [("actions", 1)])
            await umbel.submit("BREW")
            for _ in range(2):
                await umbel.submit("BREW", delay="1h")
            await umbel.submit("POUR")

    asyncio.run(do())


def test_each_queue_is_a_line_and_one_that_nobody_serves_is_named(ask, house):
    told = ask()
    assert told.exit_code == 0, told.stderr
    head, actions, kitchen, hint = told.stdout.splitlines()
    assert head.split() == ["queue", "ready", "running", "waiting", "oldest", "worker"]
    assert re.fullmatch(r"actions +1 +1 +2 delay +0\.\d s +alive", actions)
    assert re.fullmatch(r"kitchen +1 +0 +- +0\.\d s +none", kitchen)
    assert hint == "Nobody serves kitchen: umbel worker -Q kitchen"


def test_json_has_the_same(ask, house):
    actions, kitchen = json.loads(ask("--json").stdout)["queues"]
    assert (actions["queue"], actions["ready"], actions["running"]) == ("actions", 1, 1)
    assert (actions["waiting"], actions["alive"]) == ({"delay": 2}, True)
    assert (kitchen["alive"], kitchen["seen_s"]) == (False, None)


def test_a_worker_that_was_not_heard_of_for_ten_seconds_is_not_alive():
    heard = [QueueStanding("actions", seen_s=age) for age in (0.5, 9.9, 10.1)]
    assert [queues.is_alive(each) for each in heard] == [True, True, False]
    assert "none for 10.1 s" in "".join(queues.lines(heard))


def test_where_nothing_is_that_is_said(ask):
    assert "umbel worker" in ask().stdout
    assert json.loads(ask("--json").stdout) == {"queues": []}


@pytest.mark.processes
def test_watching_prints_an_object_a_line_and_ends_with_ctrl_c(settings, house):
    command = [sys.executable, "-m", "umbel", "queues", "--watch", "--every", "20ms", "--json"]
    env: Any = settings.environ() | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=settings.home.parent, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        lines = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(2)
        assert process.wait(10) == 130
        assert process.stderr.read() == ""
    assert [len(line["queues"]) for line in lines] == [2, 2, 2]
