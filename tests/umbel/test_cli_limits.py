"""`umbel limits` shows limits and changes them while everything runs."""

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


@action("CANCEL", rate_limit=RateLimit(100, per="1m", name="all", burst=10))
async def cancel() -> None:
    """Share a limit."""


@action("SELL", lock="stock:{principal}")
async def sell() -> None:
    """Be alone."""


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
            async with Umbel(settings, Registry([order, cancel, sell])) as umbel:
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
    assert (told["changed"], told["standing"], told["locks"]) == ([], [], [])
    text = ask().stdout
    assert "2 in 1h" in text
    assert "100 in 1m, 10 at once" in text


def test_how_a_limit_stands_is_shown_for_each_key(ask, within):
    within(lambda umbel: submit(umbel, "kim", "kim", "kim", "lee"))
    assert within(claimed) == 3
    told = json.loads(ask("list", "ORDER", "--json").stdout)["standing"]
    rows = {row["key"]: row for row in told}
    assert [(row["used"], row["most"], row["waiting"] + row["parked"]) for row in rows.values()] == [
        (2, 2, 1), (1, 2, 0),
    ]  # fmt: skip
    assert 3_590 < rows["ORDER:kim"]["next_start_in_s"] <= 3_600
    assert rows["ORDER:lee"]["next_start_in_s"] == 0
    text = ask("ORDER").stdout
    assert re.search(r"ORDER:kim +2 of 2 +60.0 min +- +0 and 1 for long +run_", text)
    assert re.search(r"ORDER:lee +1 of 2 +now ", text)
    assert "Locks" not in text
    assert re.search(r"all +3 of 10 +now ", ask().stdout)


def test_of_many_keys_the_busiest_are_shown_and_the_rest_is_counted(ask, within):
    async def many(umbel: Umbel) -> None:
        await submit(umbel, *(f"p{number:03}" for number in range(70)), "p069", "p069", "p069")
        assert len((await umbel._store.runs.claim("pump", [("actions", 100)])).runs) == 10
        await umbel._store.limits.cool([f"ORDER:p{number:03}" for number in range(70)], 60_000)

    within(many)
    text = ask("ORDER").stdout
    assert text.split("In use")[1].count("ORDER:p") == 50
    assert "… and 20 more (--all shows them)" in text
    assert ask("ORDER", "--all").stdout.split("In use")[1].count("ORDER:p") == 70


def test_locks_are_shown_with_who_holds_them_and_how_many_wait(ask, within):
    async def sell(umbel: Umbel) -> list[str]:
        return [await umbel.submit("SELL", principal="kim") for _ in range(3)]

    first, *_ = within(sell)
    assert within(claimed) == 1
    (row,) = json.loads(ask("--json").stdout)["locks"]
    assert (row["key"], row["places"], row["waiting"]) == ("stock:kim", 1, 2)
    assert [(each["run"], each["ghost"], each["status"]) for each in row["holders"]] == [
        (first, False, "running")
    ]
    assert re.search(rf"stock:kim +{first} +\d\.\d s +2", ask().stdout)


def test_a_changed_limit_holds_at_once_and_unset_takes_it_back(ask, within):
    within(lambda umbel: submit(umbel, "kim", "kim", "kim", "kim"))
    assert within(claimed) == 2
    told = ask("set", "ORDER", "3/1h")
    assert (told.exit_code, told.stdout) == (0, "ORDER  3 in 1h\n")
    assert within(claimed) == 1
    assert json.loads(ask("--json").stdout)["changed"] == [
        {"name": "ORDER", "key": None, "n": 3, "per_s": 3600, "burst": None, "cost": None, "known": True}
    ]
    assert ask("unset", "ORDER").stdout == "ORDER  as declared\n"
    assert within(claimed) == 0
    again = ask("unset", "ORDER")
    assert (again.exit_code, again.stdout) == (1, "ORDER  was not changed\n")


@pytest.mark.parametrize("key", ["kim", "ORDER:kim"])
def test_one_key_may_have_its_own_numbers(ask, within, key):
    assert ask("set", "ORDER", "1/1h", "--key", key, "--json").exit_code == 0
    within(lambda umbel: submit(umbel, "kim", "kim", "lee", "lee"))
    assert within(claimed) == 3
    [row] = json.loads(ask("--json").stdout)["changed"]
    assert row["key"] == "ORDER:kim"
    assert ask("unset", "ORDER", "--key", key).exit_code == 0


def test_the_audit_hears_who_changed_what(ask, within):
    assert ask("set", "ORDER", "1/1h", "--key", "kim", "--by", "ann").exit_code == 0
    assert ask("unset", "ORDER", "--key", "ORDER").exit_code == 78
    ask("unset", "ORDER", "--key", "kim", "--by", "bob")
    lines = [line.fields for line in within(lambda umbel: umbel._store.audit.read())]
    assert [(line["what"], line["limit"], line["by"], line["numbers"]) for line in lines] == [
        ("limit", "ORDER:kim", "ann", "1/3600s"),
        ("limit", "ORDER:kim", "bob", "as declared"),
    ]


def test_a_whole_key_needs_no_name(ask):
    told = ask("set", "1/h", "--key", "ORDER:kim")
    assert (told.exit_code, told.stdout) == (0, "ORDER:kim  1 in 1h\n")
    assert ask("unset", "--key", "ORDER:kim").stdout == "ORDER:kim  as declared\n"
    assert ask("unset").exit_code == 2
    assert ask("set", "5/1s").exit_code == 2


def test_nobody_starts_at_a_limit_of_none(ask, within):
    ask("set", "all", "0/1s")
    within(lambda umbel: submit(umbel, "kim"))
    assert within(claimed) == 0
    assert re.search(r"all +0 of 0 +closed +- +", ask("all").stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("all", "5/1s", "--burst", "6"), "burst of 6"),
        (("ORDER", "5/1s", "--burst", "2"), "counts starts exactly: it has no burst and no cost (--burst)"),
        (("ORDER", "5/1s", "--cost", "2"), "it has no burst and no cost (--cost)"),
        (("", "5/1s", "--force"), "cannot name a rate limit"),
        (("x" * 100, "5/1s", "--force"), "cannot name a rate limit"),
        (("ORDER", "5/1s", "--key", ""), "'' is no key"),
        (("ORDER", "1001/1s"), "1000 starts"),
        (("ORDER", "5/400d"), "too much"),
        (("ORDER", f"{2**31}/1d"), "too much"),
        (("all", "5/1s", "--cost", "6"), "a cost of 6 never fits into 5"),
        (("s*c ?[x]\n", "5/1s", "--force"), "cannot name a rate limit"),
        (("ORDER", "5/1s", "--key", "ORDER:*"), "'ORDER:*' is no key"),
        (("ORDER", "5/1s", "--key", "a b"), "is no key"),
        (
            ("ORDER", "5/1s", "--key", "ORDER"),
            "ORDER alone would be the whole limit, not one key of it (--key)",
        ),
        (("5/1s", "--key", "ORDER"), "Write ORDER:ORDER for the key of that name, or leave it out for all"),
        (("all", "5/1s", "--key", "kim"), "the limit all has one key, its name (--key). Leave it out"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused_in_one_line(ask, arguments, said):
    told = ask("set", *arguments)
    assert told.exit_code == 78
    assert said in told.stderr
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize("given", ["5/soon", "5/0s", "5", "x/1s"])
def test_what_is_no_numbers_is_wrong_usage(ask, given):
    told = ask("set", "ORDER", given)
    assert told.exit_code == 2
    assert f"NUMBERS: {given!r} does not say how many in which window. Write 50/1s" in told.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ORDRE", "there is no limit ORDRE (did you mean ORDER?): the limits here are ORDER, all"),
        ("CANCEL", "there is no limit CANCEL: the action CANCEL has the limit all"),
    ],
)
def test_a_limit_that_no_action_has_is_refused_unless_it_is_meant(ask, name, said):
    told = ask("set", name, "5/1s")
    assert told.exit_code == 78
    assert said in told.stderr
    assert "Nothing was changed" in told.stderr
    assert json.loads(ask("--json").stdout)["changed"] == []
    listed = ask(name)
    assert (listed.exit_code, listed.stdout) == (78, "")
    assert said in listed.stderr
    assert ask("set", name, "5/1s", "--force").exit_code == 0
    assert "no action here has such a limit" in ask(name).stdout


def test_an_operator_needs_no_actions(settings):
    env = settings.environ() | {"UMBEL_ACTIONS": "not.here"}
    told = CliRunner().invoke(main, ["limits"], env=env)
    assert told.exit_code == 0
    assert "cannot be loaded here" in told.stdout
    assert "the module not.here cannot be imported" in told.stdout
    told = CliRunner().invoke(main, ["limits", "set", "anything", "5/1s"], env=env)
    assert told.exit_code == 0
    assert "the name was not checked" in told.stderr
