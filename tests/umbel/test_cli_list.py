"""`umbel list` shows the newest runs, those that are meant, and how to see more."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actions.definition import action
from actions.messages import Status
from actions.registry import Registry
from following_under_test import claimed, finish
from orchestrator.settings import Settings
from umbel import Umbel
from umbel.cli import list as listing
from umbel.cli import main


@action("BREW", similes=("MAKE_TEA",), show=("kind",))
async def brew(kind: str = "green", secret: str = "") -> None:
    """Make tea."""


@action("POUR", queue="kitchen")
async def pour() -> None:
    """Pour tea."""


@pytest.fixture
def ask(settings: Settings) -> Callable[..., Result]:
    sys.modules["list_under_test"] = sys.modules[__name__]
    env = settings.model_copy(update={"actions": ("list_under_test",)}).environ()

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["list", *arguments], env=env)

    return run


@pytest.fixture
def runs(settings: Settings) -> dict[str, str]:
    """One that failed, two that are ready, one of another tenant that waits."""

    async def do() -> dict[str, str]:
        async with Umbel(settings, Registry([brew, pour])) as umbel:
            failed = await umbel.submit("BREW", {"secret": "pst"}, principal="ann")
            run = await claimed(umbel._store)
            await finish(umbel._store, run, "failed", {"error": "no water", "code": "handler_failed"})
            return {
                "failed": failed,
                "ready": await umbel.submit("BREW"),
                "kitchen": await umbel.submit("POUR"),
                "later": await umbel.submit("BREW", tenant="north", delay="1h"),
            }

    return asyncio.run(do())


def shown(result: Result) -> list[str]:
    """The ids of a table, in its order."""
    assert result.exit_code == 0, result.stderr
    return [line.split()[0] for line in result.stdout.splitlines()[1:]]


def test_the_newest_run_stands_first_with_how_it_stands_and_why(ask, runs):
    told = ask("--tenant", "")
    assert shown(told) == [runs["kitchen"], runs["ready"], runs["failed"]]
    head, _, _, failed = told.stdout.splitlines()
    assert head.split() == ["run", "action", "status", "recorded", "took", "principal", "why"]
    (later,) = ask("--status", "waiting").stdout.splitlines()[1:]
    assert later.split()[1:3] == ["BREW", "waiting"]
    assert later.endswith("delay")
    assert failed.split()[1:3] == ["BREW", "failed"]
    assert failed.endswith("ann        handler_failed")
    assert "\x1b" not in told.stdout


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--status", "failed"], ["failed"]),
        (["--status", "failed", "--status", "ready", "--tenant", ""], ["kitchen", "ready", "failed"]),
        (["--action", "make_tea", "--tenant", ""], ["ready", "failed"]),
        (["--queue", "kitchen"], ["kitchen"]),
        (["--principal", "ann"], ["failed"]),
        (["--tenant", "north"], ["later"]),
        (["--conversation", "conv_nobody"], []),
        (["--before", "1h"], []),
    ],
)
def test_filters_narrow_the_list(ask, runs, options, names):
    told = ask(*options)
    assert shown(told) == [runs[name] for name in names]
    assert (told.stdout == "None.\n") is (names == [])


def test_without_a_tenant_the_runs_of_all_are_listed(ask, runs):
    assert set(shown(ask())) == set(runs.values())


def test_an_action_that_there_is_not_has_the_name_by_which_it_was_called(ask, settings):
    async def post() -> tuple[str, ...]:
        async with Umbel(settings, Registry([brew])) as umbel:
            reply = {"role": "assistant", "content": "", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "SELL\x1b[2J", "arguments": "{}"}},
            ]}  # fmt: skip
            posted = await umbel.post_reply(await umbel.open_conversation(), reply)
            return posted.runs

    (run,) = asyncio.run(post())
    (line,) = [line for line in ask("--status", "refused").stdout.splitlines() if line.startswith(run)]
    assert line.split()[1].startswith("SELL")
    assert "\x1b" not in line
    (told,) = json.loads(ask("--status", "refused", "--json").stdout)["runs"]
    assert told["action"].startswith("SELL")


def test_since_a_moment_means_then_or_later(ask, runs):
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert len(shown(ask("--since", hour_ago))) == 4


def test_what_is_left_is_hinted_at_and_the_cursor_goes_on_there(ask, runs):
    told = json.loads(ask("--limit", "2", "--json", "--tenant", "").stdout)
    assert [each["run"] for each in told["runs"]] == [runs["kitchen"], runs["ready"]]
    rest = json.loads(ask("--cursor", told["next"], "--json", "--tenant", "").stdout)
    assert [each["run"] for each in rest["runs"]] == [runs["failed"]]
    assert rest["next"] is None
    assert rest["runs"][0]["arguments"] == {"secret": "•••"}
    assert "--limit shows them, or: --cursor " in ask("--limit", "3").stderr
    assert ask("--limit", "5").stderr == ""


def test_a_cursor_that_is_none_is_an_error_in_one_line(ask):
    told = ask("--cursor", "nonsense")
    assert told.exit_code != 0
    assert told.stderr.count("\n") == 1
    assert "Traceback" not in told.stderr


def test_pages_that_hold_too_few_are_read_on(monkeypatch, settings):
    """The store looks at so many runs for one page; what is meant may stand far behind."""
    from orchestrator.listing import RunPage

    pages = [RunPage((), "a"), RunPage((1,), "b"), RunPage((2, 3), "c"), RunPage((), "")]
    asked: list[tuple[int, str]] = []

    class Conductor:
        async def list_runs(self, tenant: Any, which: Any, *, limit: int, cursor: str) -> RunPage:
            asked.append((limit, cursor))
            return pages[len(asked) - 1]

    class Opened:
        async def __aenter__(self) -> Conductor:
            return Conductor()

        async def __aexit__(self, *_: object) -> None: ...

    monkeypatch.setattr("umbel.cli.stores.conducting", lambda _: Opened())
    page = asyncio.run(listing._pages(None, {}, 3, ""))
    assert (page.runs, page.next) == ((1, 2, 3), "c")
    assert asked == [(3, ""), (3, "a"), (2, "b")]


def test_the_statuses_of_the_option_are_those_that_there_are():
    assert set(listing._STATUSES) == set(Status)
