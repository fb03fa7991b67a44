"""`umbel limits` shows limits and changes them while everything runs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actions.definition import action
from actions.limits import RateLimit
from actions.registry import Registry
from orchestrator.settings import Settings
from umbel import Umbel
from umbel.cli import main


@action(
    "ORDER",
    rate_limit=(RateLimit(2, per="1h", key="{principal}"), RateLimit(100, per="1m", name="all", burst=10)),
)
async def order() -> None:
    """Be limited."""


@pytest.fixture
def here(settings: Settings) -> Settings:
    """Settings that name this module as the one with the actions."""
    sys.modules["limits_under_test"] = sys.modules[__name__]
    return settings.model_copy(update={"actions": ("limits_under_test",)})


@pytest.fixture
def ask(here: Settings) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["limits", *arguments], env=here.environ())

    return run


@pytest.fixture
def within(settings: Settings) -> Callable[[Callable[[Umbel], Awaitable[Any]]], Any]:
    """Do something with the store, on a loop of its own: the command has one too."""

    def run(work: Callable[[Umbel], Awaitable[Any]]) -> Any:
        async def do() -> Any:
            async with Umbel(settings, Registry([order])) as umbel:
                return await work(umbel)

        return asyncio.run(do())

    return run


async def claimed(umbel: Umbel) -> int:
    """How many runs a pump is given now."""
    return len((await umbel._store.runs.claim("pump", [("actions", 50)])).runs)


async def submit(umbel: Umbel, *principals: str) -> None:
    for principal in principals:
        await umbel.submit("ORDER", principal=principal)


def test_what_is_declared_is_shown(ask):
    told = json.loads(ask("--json").stdout)
    rows = {row["name"]: row for row in told["declared"] if row["action"] == "ORDER"}
    assert (rows["ORDER"]["n"], rows["ORDER"]["per_s"], rows["ORDER"]["key"]) == (2, 3600, "{principal}")
    assert (rows["all"]["n"], rows["all"]["burst"]) == (100, 10)
    assert (told["changed"], told["standing"]) == ([], [])
    text = ask().stdout
    assert "2 in 1h" in text
    assert "100 in 1m, 10 at once" in text


def test_how_a_limit_stands_is_shown_for_each_key(ask, within):
    within(lambda umbel: submit(umbel, "kim", "kim", "kim", "lee"))
    assert within(claimed) == 3
    told = json.loads(ask("list", "ORDER", "--json").stdout)["standing"]
    assert {row["key"]: (row["starts"], row["waiting"] + row["parked"]) for row in told} == {
        "ORDER:kim": (2, 1), "ORDER:lee": (1, 0),
    }  # fmt: skip
    assert "ORDER:kim" in ask().stdout


def test_a_changed_limit_holds_at_once_and_unset_takes_it_back(ask, within):
    within(lambda umbel: submit(umbel, "kim", "kim", "kim", "kim"))
    assert within(claimed) == 2
    told = ask("set", "ORDER", "-n", "3", "--per", "1h")
    assert (told.exit_code, told.stdout) == (0, "ORDER  3 in 1h\n")
    assert within(claimed) == 1
    assert json.loads(ask("--json").stdout)["changed"] == [
        {"name": "ORDER", "key": None, "n": 3, "per_s": 3600, "burst": None, "cost": None}
    ]
    assert ask("unset", "ORDER").stdout == "ORDER  as declared\n"
    assert within(claimed) == 0
    again = ask("unset", "ORDER")
    assert (again.exit_code, again.stdout) == (1, "ORDER  was not changed\n")


@pytest.mark.parametrize("key", ["kim", "ORDER:kim"])
def test_one_key_may_have_its_own_numbers(ask, within, key):
    assert ask("set", "ORDER", "--key", key, "-n", "1", "--per", "1h", "--json").exit_code == 0
    within(lambda umbel: submit(umbel, "kim", "kim", "lee", "lee"))
    assert within(claimed) == 3
    [row] = json.loads(ask("--json").stdout)["changed"]
    assert row["key"] == "ORDER:kim"
    assert ask("unset", "ORDER", "--key", key).exit_code == 0


def test_nobody_starts_at_a_limit_of_none(ask, within):
    ask("set", "all", "-n", "0", "--per", "1s")
    within(lambda umbel: submit(umbel, "kim"))
    assert within(claimed) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-n", "5", "--per", "soon"), "no duration"),
        (("-n", "5", "--per", "0s"), "too short"),
        (("-n", "5", "--per", "1s", "--burst", "6"), "burst of 6"),
        (("-n", "1001", "--per", "1s"), "1000 starts"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused_in_one_line(ask, arguments, said):
    told = ask("set", "ORDER", *arguments)
    assert told.exit_code == 78
    assert said in told.stderr
    assert told.stderr.count("\n") == 1


def test_a_limit_that_no_action_has_is_a_warning(ask):
    told = ask("set", "ORDERS", "-n", "5", "--per", "1s")
    assert told.exit_code == 0
    assert "no action that can be loaded here has a limit ORDERS" in told.stderr
    assert ask("set", "ORDER", "-n", "5", "--per", "1s").stderr == ""


def test_an_operator_needs_no_actions(settings):
    env = settings.environ() | {"UMBEL_ACTIONS": "not.here"}
    told = CliRunner().invoke(main, ["limits"], env=env)
    assert told.exit_code == 0
    assert "cannot be loaded here" in told.stdout
