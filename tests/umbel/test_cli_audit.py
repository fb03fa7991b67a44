"""`umbel audit`: every call that was asked for, also the refused and the repeated, every decision, every end."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydantic_core import to_json

from actions.definition import action
from actions.errors import ModelError
from actions.limits import Dedupe
from actions.registry import Registry
from orchestrator.settings import Settings
from orchestrator.store.incoming import Finish
from umbel import Umbel
from umbel.cli import main


@action("ORDER", show=("amount",), dedupe=Dedupe("1h", mode="refuse"))
async def order(amount: int, card: str = "") -> None:
    """Buy."""


@action("SECRET", permissions={"spy"})
async def secret() -> None:
    """Spy."""


@pytest.fixture
def here(settings: Settings) -> Settings:
    """Settings that name this module as the one with the actions."""
    sys.modules["audit_under_test"] = sys.modules[__name__]
    return settings.model_copy(update={"actions": ("audit_under_test",)})


@pytest.fixture
def ask(here: Settings) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["audit", *arguments], env=here.environ())

    return run


@pytest.fixture
def within(settings: Settings) -> Callable[[Callable[[Umbel], Awaitable[Any]]], Any]:
    """Do something with the store, on a loop of its own: the command has one too."""

    def run(work: Callable[[Umbel], Awaitable[Any]]) -> Any:
        async def do() -> Any:
            async with Umbel(settings, Registry([order, secret])) as umbel:
                return await work(umbel)

        return asyncio.run(do())

    return run


@pytest.fixture
def rows(ask: Callable[..., Result]) -> Callable[..., list[dict[str, Any]]]:
    """The lines, as JSON."""

    def read(*arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in ask("--jsonl", *arguments).stdout.splitlines()]

    return read


def buy(amount: int = 5, **given: Any) -> Callable[[Umbel], Awaitable[str]]:
    async def work(umbel: Umbel) -> str:
        return await umbel.submit("ORDER", {"amount": amount, "card": "hunter2"}, principal="ann", **given)

    return work


async def end(umbel: Umbel, status: str = "succeeded", result: Any = "hunter2") -> None:
    claimed = (await umbel._store.runs.claim("pump", [("actions", 50)])).runs
    ends = [Finish(run.id, run.fence, status, to_json(result).decode()) for run in claimed]
    await umbel._store.runs.finish("pump", ends)


def test_an_empty_audit_says_so(ask):
    assert ask().stdout == "The audit has no such lines.\n"
    assert json.loads(ask("--json").stdout) == []
    assert ask("--jsonl").stdout == ""


def test_a_run_has_a_line_for_its_asking_and_one_for_its_end(ask, rows, within):
    run = within(buy(tenant="acme"))
    within(end)
    asked, ended = rows(run)
    assert (asked["what"], asked["by"], asked["action"], asked["decided"], asked["tenant"]) == (
        "asked",
        "ann",
        "ORDER",
        "allowed",
        "acme",
    )
    assert asked["arguments"] == {"amount": "5", "card": "•••"}
    assert (ended["what"], ended["status"]) == ("ended", "succeeded")
    assert datetime.fromisoformat(asked["at"]) <= datetime.fromisoformat(ended["at"]) <= datetime.now(UTC)
    assert "hunter2" not in ask("--json").stdout + ask().stdout


def test_who_cancelled_stands_there(here, rows, within):
    run = within(buy())
    for _ in range(2):  # the second time there is nothing left to cancel
        CliRunner().invoke(main, ["cancel", run, "--by", "bob"], env=here.environ())
    assert [(line["what"], line.get("by"), line.get("status")) for line in rows(run)] == [
        ("asked", "ann", None),
        ("ended", None, "cancelled"),
        ("cancel", "bob", None),
    ]


def test_a_failure_tells_its_code_and_never_its_text(ask, rows, within):
    run = within(buy())
    within(lambda umbel: end(umbel, "failed", {"error": "card hunter2 refused", "code": "bad_card"}))
    assert rows(run)[-1]["code"] == "bad_card"
    assert "hunter2" not in ask("--json").stdout


def test_refused_calls_of_a_reply_have_their_lines(rows, within):
    async def post(umbel: Umbel) -> tuple[str, ...]:
        names = ("ORDER", "SECRET", "NOBODY", "ORDER")
        reply = {
            "role": "assistant",
            "tool_calls": [
                {"id": f"c{at}", "type": "function", "function": {"name": name, "arguments": arguments}}
                for at, (name, arguments) in enumerate(
                    zip(names, ('{"amount": 1}', "{}", '{"card": "hunter2"}', '{"amount": "x"}'), strict=True)
                )
            ],
        }
        posted = await umbel.post_reply(await umbel.open_conversation(principal="ann"), reply)
        return posted.runs

    runs = within(post)
    asked = {line["run"]: line for line in rows() if line["what"] == "asked"}
    assert list(asked) == list(runs)
    assert [asked[run]["decided"] for run in runs] == [
        "allowed",
        "forbidden_action",
        "unknown_action",
        "invalid_arguments",
    ]
    assert {line["by"] for line in asked.values()} == {"ann"}
    assert asked[runs[2]]["called"] == "NOBODY"
    ended = {line["run"]: line["status"] for line in rows() if line["what"] == "ended"}
    assert ended == dict.fromkeys(runs[1:], "refused")


def test_a_duplicate_has_its_lines_too(rows, within):
    first = within(buy())
    second = within(buy())
    asked = [line["run"] for line in rows() if line["what"] == "asked"]
    assert asked == [first, second]
    assert [(line["run"], line["status"], line["code"]) for line in rows() if line["what"] == "ended"] == [
        (second, "refused", "duplicate")
    ]


def test_a_request_that_is_repeated_under_its_key_is_told(rows, within):
    first, again = within(buy(key="k")), within(buy(key="k"))
    assert first == again
    assert [line["what"] for line in rows(first)] == ["asked", "asked again"]


def test_what_was_refused_at_submission_is_told_though_it_has_no_record(rows, within):
    async def refused(umbel: Umbel) -> None:
        for name, arguments in (("SECRET", {}), ("NOBODY", {"card": "hunter2"}), ("ORDER", {"amount": "x"})):
            with pytest.raises(ModelError):
                await umbel.submit(name, arguments, principal="eve")

    within(refused)
    assert [(line["by"], line["called"], line["decided"]) for line in rows()] == [
        ("eve", "SECRET", "forbidden_action"),
        ("eve", "NOBODY", "unknown_action"),
        ("eve", "ORDER", "invalid_arguments"),
    ]


def test_since_and_last_narrow_the_lines(ask, rows, within):
    runs = [within(buy(amount)) for amount in range(5)]
    assert [line["run"] for line in rows("--last", "2")] == runs[3:]
    assert [line["run"] for line in rows("--since", "1h")] == runs
    assert rows("--since", (datetime.now(UTC) + timedelta(hours=1)).isoformat()) == []
    middle = rows(runs[2])[0]["at"]
    assert [line["run"] for line in rows("--since", middle)][-2:] == runs[3:]
    told = ask("--last", "2")
    assert "3 older lines are not shown" in told.stderr
    assert len(told.stdout.splitlines()) == 2
    assert ask("--last", "2", "--all").exit_code == 2


def test_more_lines_than_a_page_are_all_read(rows, settings, within, monkeypatch):
    from umbel.cli import audit

    monkeypatch.setattr(audit, "_PAGE", 3)
    runs = [within(buy(amount)) for amount in range(7)]
    assert [line["run"] for line in rows()] == runs


def test_a_line_cannot_write_to_the_terminal(ask, within):
    async def refused(umbel: Umbel) -> None:
        with pytest.raises(ModelError):
            await umbel.submit("NO\x1b[2K\nBODY", {}, principal="eve\u202e")

    within(refused)
    text = ask().stdout
    assert len(text.splitlines()) == 1
    assert "NO\\u001b[2K\\nBODY" in text
    assert "eve\\u202e" in text


def test_an_export_is_whole_and_for_its_owner_alone(ask, within, tmp_path):
    runs = [within(buy(amount)) for amount in range(3)]
    file = tmp_path / "audit.jsonl"
    told = ask("--export", str(file))
    assert (told.exit_code, told.stdout) == (0, "")
    assert [json.loads(line)["run"] for line in file.read_text().splitlines()] == runs
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.glob(".*.jsonl.*")) == []
    assert ask("--export", str(tmp_path / "no" / "audit.jsonl")).exit_code == 2
    assert ask("--export", str(file), "--json").exit_code == 2


def test_a_run_s_lines_include_those_of_its_replay(ask, rows, within):
    run = within(buy())
    within(lambda umbel: end(umbel, "failed", {"error": "no", "code": "no"}))
    fresh = within(lambda umbel: umbel.replay(run, by="bob"))
    assert [(line["what"], line["run"], line["by"]) for line in rows(run) if line["what"] != "ended"] == [
        ("asked", run, "ann"),
        ("replay", fresh, "bob"),
    ]


def test_with_a_cap_of_zero_there_is_no_audit(here, settings):
    off = here.model_copy(update={"audit_cap": 0})

    async def work() -> None:
        async with Umbel(off, Registry([order, secret])) as umbel:
            await umbel.submit("ORDER", {"amount": 5})
            with pytest.raises(ModelError):
                await umbel.submit("NOBODY", {})
            await end(umbel)

    asyncio.run(work())
    told = CliRunner().invoke(main, ["audit"], env=off.environ())
    assert told.stdout == "The audit has no such lines.\n"


def test_the_cap_holds_nearly(here):
    few = here.model_copy(update={"audit_cap": 100})

    async def work() -> None:
        async with Umbel(few, Registry([order, secret])) as umbel:
            for amount in range(400):
                await umbel.submit("ORDER", {"amount": amount})

    asyncio.run(work())
    told = CliRunner().invoke(main, ["audit", "--jsonl"], env=few.environ())
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert 100 <= len(lines) < 350
    assert lines[-1]["arguments"]["amount"] == "399"
