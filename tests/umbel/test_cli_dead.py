"""`umbel dead`: singly or by filter, the dead are shown, replayed, edited and discarded."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actions.definition import action
from actions.registry import Registry
from orchestrator.settings import Settings
from orchestrator.store.incoming import Finish
from umbel import Umbel
from umbel.cli import main, selection


@action("ORDER", similes=("BUY",), show=("amount",))
async def order(amount: int, card: str = "") -> None:
    """Buy."""


@action("SEND")
async def send() -> None:
    """Send."""


@pytest.fixture
def here(settings: Settings) -> Settings:
    """Settings that name this module as the one with the actions."""
    sys.modules["dead_under_test"] = sys.modules[__name__]
    return settings.model_copy(update={"actions": ("dead_under_test",)})


@pytest.fixture
def ask(here: Settings) -> Callable[..., Result]:
    def run(*arguments: str, **given: Any) -> Result:
        return CliRunner().invoke(main, ["dead", *arguments], env=here.environ(), **given)

    return run


@pytest.fixture
def within(settings: Settings) -> Callable[[Callable[[Umbel], Awaitable[Any]]], Any]:
    """Do something with the store, on a loop of its own: the command has one too."""

    def run(work: Callable[[Umbel], Awaitable[Any]]) -> Any:
        async def do() -> Any:
            async with Umbel(settings, Registry([order, send])) as umbel:
                return await work(umbel)

        return asyncio.run(do())

    return run


@pytest.fixture
def died(within: Callable[..., Any]) -> Callable[..., str]:
    """A run that ended badly."""

    def die(name: str = "ORDER", status: str = "failed", error: str = "no", **given: Any) -> str:
        async def work(umbel: Umbel) -> str:
            arguments = {"amount": 5, "card": "hunter2"} if name == "ORDER" else {}
            run = await umbel.submit(name, **({"arguments": arguments} | given))
            [claimed] = (await umbel._store.runs.claim("pump", [("actions", 50)])).runs
            told = json.dumps({"error": error, "code": "broken"})
            await umbel._store.runs.finish("pump", [Finish(run, claimed.fence, status, told)])
            return run

        return str(within(work))

    return die


async def waiting(umbel: Umbel) -> list[str]:
    """What a pump is given now."""
    return [run.id for run in (await umbel._store.runs.claim("pump", [("actions", 50)])).runs]


def listed(told: Result) -> list[str]:
    return [each["run"] for each in json.loads(told.stdout)]


def test_without_dead_there_is_nothing_to_show_or_do(ask):
    assert ask("list").stdout == "None.\n"
    told = ask("replay", "--all")
    assert (told.exit_code, told.stdout) == (0, "None.\n")


def test_the_list_says_what_died_of_what_and_no_secret(ask, died):
    run = died(error="the \x1b[31mexchange is closed")
    told = ask("list")
    assert told.stdout.startswith(f"{run}  ORDER  failed  ")
    assert "broken: the \\u001b[31mexchange is closed" in told.stdout
    assert "hunter2" not in told.stdout + ask("list", "--json").stdout + ask("show", run).stdout


def test_the_list_is_narrowed_by_options(ask, died):
    one, two = died("ORDER", "failed", tenant="acme"), died("SEND", "dead", error="boom")
    assert listed(ask("list", "--json")) == [one, two]
    assert listed(ask("list", "--json", "--status", "dead")) == [two]
    assert listed(ask("list", "--json", "--status", "dead", "--status", "failed")) == [one, two]
    assert listed(ask("list", "--json", "--action", "buy")) == [one]
    assert listed(ask("list", "--json", "--error", "BOOM")) == [two]
    assert listed(ask("list", "--json", "--tenant", "acme")) == [one]
    assert listed(ask("list", "--json", "--since", "1h")) == [one, two]
    assert listed(ask("list", "--json", "--before", "1h")) == []
    assert listed(ask("list", "--json", "--since", "2099-01-01")) == []
    assert listed(ask("list", "--json", "--limit", "1")) == [one]
    assert "and more" in ask("list", "--limit", "1").stderr
    assert "and more" not in ask("list", "--limit", "2").stderr


def test_a_time_that_is_none_is_refused(ask):
    told = ask("list", "--since", "yesterday")
    assert told.exit_code == 2
    assert "is no time" in told.stderr


def test_one_is_shown_whole(ask, died):
    run = died(principal="ann", error="e" * 500)
    text = ask("show", run).stdout
    assert text.startswith(f"{run}  ORDER  failed\n")
    assert "e" * 500 in text
    assert "amount=5, card=•••" in text
    assert "ann" in text
    assert json.loads(ask("show", run, "--json").stdout)["error"]["code"] == "broken"
    missing = ask("show", "run_nobody")
    assert (missing.exit_code, missing.stderr.count("\n")) == (65, 1)


def test_those_that_are_named_are_replayed(ask, within, died):
    one, two, other = died(), died(), died()
    told = ask("replay", one, two, one, "--by", "bob")
    assert told.exit_code == 0
    made = [line.rsplit(" ", 1)[1] for line in told.stdout.splitlines()]
    assert [line.split()[0] for line in told.stdout.splitlines()] == [one, two]
    assert sorted(within(waiting)) == sorted(made)
    assert listed(ask("list", "--json")) == [other]


def test_those_that_match_are_replayed(ask, within, died):
    one, two, other = died("ORDER"), died("ORDER", "dead"), died("SEND")
    told = json.loads(ask("replay", "--action", "ORDER", "--yes", "--json").stdout)
    assert list(told) == [one, two]
    assert sorted(within(waiting)) == sorted(each["done"] for each in told.values())
    assert listed(ask("list", "--json")) == [other]


def test_one_that_cannot_be_replayed_does_not_stop_the_others(ask, within, died):
    run = died()
    told = ask("replay", "run_nobody", run, "--json")
    assert told.exit_code == 1
    outcome = json.loads(told.stdout)
    assert outcome["run_nobody"]["code"] == "unknown_record"
    assert within(waiting) == [outcome[run]["done"]]


@pytest.mark.parametrize("command", ["replay", "discard"])
def test_which_ones_has_to_be_said_and_only_once(ask, died, command):
    run = died()
    assert ask(command).exit_code == 2
    assert ask(command, run, "--all").exit_code == 2
    assert ask(command, run, "--tenant", "").exit_code == 2
    assert listed(ask("list", "--json")) == [run]


def test_a_replay_needs_the_actions(settings, died):
    run = died()
    env = settings.environ() | {"UMBEL_ACTIONS": "not.here"}
    told = CliRunner().invoke(main, ["dead", "replay", run], env=env)
    assert told.exit_code == 78
    assert "the actions cannot be loaded here" in told.stderr
    assert CliRunner().invoke(main, ["dead", "list"], env=env).stdout.startswith(f"{run}  ORDER")


def test_one_argument_or_all_are_edited(ask, within, died, tmp_path):
    one, two, three = died(), died(), died()
    file = tmp_path / "arguments.json"
    file.write_text('{"amount": 8}')
    assert ask("edit", one, "--set", "amount=6").exit_code == 0
    assert ask("edit", two, "--arguments", '{"amount": 7}').exit_code == 0
    assert ask("edit", three, "--arguments", f"@{file}", "--json").exit_code == 0
    assert ask("list").stdout.count("[edited]") == 3
    ask("replay", one, two, three)

    async def arguments(umbel: Umbel) -> list[dict[str, Any]]:
        runs = (await umbel._store.runs.claim("pump", [("actions", 50)])).runs
        return [json.loads(run.payload)["p"] for run in runs]

    found = within(arguments)
    assert sorted(found, key=lambda each: each["amount"]) == [
        {"amount": 6, "card": "hunter2"},
        {"amount": 7},
        {"amount": 8},
    ]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 2),
        (["--set", "amount"], 2),
        (["--set", "amount=six"], 2),
        (["--set", "amount=6", "--arguments", "{}"], 2),
        (["--arguments", "[1]"], 2),
        (["--arguments", "{"], 2),
        (["--arguments", "@/not/there"], 2),
        (["--arguments", "{}"], 65),
        (["--set", "amount=NaN"], 2),
        (["--set", 'amount="many"'], 65),
        (["--set", "extra=1"], 65),
    ],
)
def test_arguments_that_cannot_be_are_refused(ask, died, options, code):
    run = died()
    told = ask("edit", run, *options)
    assert told.exit_code == code
    assert "[edited]" not in ask("list").stdout


def test_arguments_come_from_standard_input_too(ask, died):
    run = died()
    assert ask("edit", run, "--arguments", "-", input='{"amount": 9}').exit_code == 0
    assert json.loads(ask("show", run, "--json").stdout)["arguments"] == {"amount": "9"}


def test_a_turn_that_no_model_could_lead_is_no_call_to_be_replayed(ask, within):
    async def work(umbel: Umbel) -> str:
        await umbel.say(await umbel.open_conversation(), "hello")
        [claimed] = (await umbel._store.runs.claim("pump", [("turns", 5)])).runs
        error = '{"error":"no model","code":"failed"}'
        await umbel._store.runs.finish("pump", [Finish(claimed.id, claimed.fence, "failed", error)])
        return claimed.id

    run = within(work)
    assert listed(ask("list", "--json")) == []
    told = ask("replay", run)
    assert (told.exit_code, told.stderr.count("\n")) == (1, 1)


def test_the_discarded_are_off_the_list(ask, died):
    one, two = died(), died("SEND")
    told = ask("discard", "--action", "SEND", "--yes")
    assert (told.exit_code, told.stdout) == (0, f"{two}  discarded\n")
    assert listed(ask("list", "--json")) == [one]
    again = ask("discard", two)
    assert (again.exit_code, again.stderr.count("\n")) == (1, 1)


def test_a_person_at_a_terminal_is_asked_before_it_is_done_to_many(ask, died, monkeypatch):
    run = died()
    monkeypatch.setattr(selection, "_is_terminal", lambda: True)
    refused = ask("discard", "--all", input="n\n")
    assert refused.exit_code == 1
    assert "Discard 1 run?" in refused.stderr
    assert listed(ask("list", "--json")) == [run]
    assert ask("discard", "--all", "--yes").exit_code == 0
    assert listed(ask("list", "--json")) == []


@pytest.mark.parametrize("command", ["replay", "discard"])
@pytest.mark.parametrize("answer", ["", "n\n", "y\n"])
def test_without_a_terminal_nothing_is_done_to_many_that_nobody_said_yes_to(
    ask, within, died, command, answer
):
    run = died()
    told = ask(command, "--all", input=answer)
    assert (told.exit_code, told.stdout) == (2, "")
    assert "give --yes" in told.stderr
    assert listed(ask("list", "--json")) == [run]
    assert within(waiting) == []


def test_a_standard_input_that_is_closed_is_no_terminal(ask, died, monkeypatch):
    died()
    for closed in (None, io.StringIO()):
        if closed is not None:
            closed.close()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", closed)
            assert not selection._is_terminal()


def test_without_umbel_actions_an_unknown_action_is_explained(settings, died):
    run = died()
    env = settings.environ() | {"UMBEL_ACTIONS": ""}
    for command in (["replay", run], ["edit", run, "--set", "amount=6"]):
        told = CliRunner().invoke(main, ["dead", *command], env=env)
        assert told.exit_code != 0
        assert "UMBEL_ACTIONS is not set here" in told.stderr


def test_what_is_edited_says_that_its_key_is_that_of_before(ask, died):
    told = ask("edit", died(), "--set", "amount=6")
    assert "with --new-key it gets a new one" in told.stdout
    both = ask("edit", "run_a1", "--set", "amount=6", "--arguments", "{}")
    assert "not both" in both.stderr


def test_a_surprise_says_where_all_of_it_stands(ask, died):
    one, two = died(error="ORDER failed with RuntimeError"), died(error="it failed with a bang")
    assert "the log of the worker that ran it has the traceback" in ask("show", one).stdout
    assert "log" not in ask("show", two).stdout


def test_many_have_a_progress_bar_and_all_are_done(here, within, monkeypatch):
    async def kill(umbel: Umbel) -> None:
        runs = [await umbel.submit("SEND") for _ in range(40)]
        claimed = (await umbel._store.runs.claim("pump", [("actions", 50)])).runs
        error = json.dumps({"error": "no", "code": "broken"})
        await umbel._store.runs.finish(
            "pump", [Finish(each.id, each.fence, "dead", error) for each in claimed]
        )
        assert len(runs) == len(claimed)

    within(kill)
    monkeypatch.setattr(selection, "_is_watched", lambda: True)
    told = CliRunner().invoke(main, ["dead", "replay", "--all", "--yes", "--json"], env=here.environ())
    assert "replay" in told.stderr
    assert len(json.loads(told.stdout)) == 40
    assert len(within(waiting)) == 40
