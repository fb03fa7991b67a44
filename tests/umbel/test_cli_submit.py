"""`umbel submit` makes a durable run of a call, and waits for it when told to."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from actions.definition import action
from actions.registry import Registry
from following_under_test import aside, claimed, finish
from orchestrator.settings import Settings
from umbel import Umbel
from umbel.cli import main
from workers_under_test import eventually


@action("BREW", similes=("MAKE_TEA",), show=("kind", "cups", "note"))
async def brew(kind: str, cups: int = 1, note: str | None = None) -> str:
    """Make tea."""
    return kind


@action("POUR", permissions={"kitchen"})
async def pour() -> None:
    """Pour tea."""


@pytest.fixture
def ask(settings: Settings) -> Callable[..., Result]:
    sys.modules["submit_under_test"] = sys.modules[__name__]
    env = settings.model_copy(update={"actions": ("submit_under_test",)}).environ()

    def run(*arguments: str, **more: Any) -> Result:
        return CliRunner().invoke(main, ["submit", *arguments], env=env, **more)

    return run


def read(settings: Settings, run: str) -> Any:
    async def do() -> Any:
        async with Umbel(settings, Registry([brew, pour])) as umbel:
            return await umbel.read(run)

    return asyncio.run(do())


def test_a_call_becomes_a_run_and_its_id_is_told(ask, settings):
    told = ask("MAKE_TEA", 'kind="oolong"', "cups=2", "--principal", "ann", "--tenant", "north", "--json")
    assert told.exit_code == 0, told.stderr
    run = json.loads(told.stdout)["run"]
    found = read(settings, run)
    assert (found.action, found.status, found.principal, found.tenant) == ("BREW", "ready", "ann", "north")


@pytest.mark.parametrize("name", ["kind", "note"])
def test_a_bare_word_is_a_text_where_the_parameter_takes_one(ask, settings, name):
    told = ask("BREW", 'kind="black"', f"{name}=green", "cups=2", "--json")
    assert told.exit_code == 0, told.stderr
    found = read(settings, json.loads(told.stdout)["run"])
    assert found.arguments == {"kind": "black", "cups": "2", name: "green"}


@pytest.mark.parametrize("given", ["-", "file", '{"kind": "green"}'])
def test_arguments_come_whole_from_the_line_a_file_or_stdin(ask, tmp_path, given):
    (tmp_path / "call.json").write_text('{"kind": "green"}')
    chosen = f"@{tmp_path / 'call.json'}" if given == "file" else given
    told = ask("BREW", "--arguments", chosen, input='{"kind": "green"}')
    assert told.exit_code == 0, told.stderr


def test_the_same_key_and_request_are_one_run(ask):
    first, second = (ask("BREW", 'kind="green"', "--key", "k1", "--json").stdout for _ in range(2))
    assert first == second
    other = ask("BREW", 'kind="black"', "--key", "k1")
    assert (other.exit_code, other.stderr.count("\n")) == (65, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["FLY"], 65, "there is no action 'FLY'"),
        (["BREW"], 65, "kind: is missing"),
        (["BREW", "cups=two"], 2, "cups: this is no JSON"),
        (["BREW", "sort=green"], 2, "sort: this is no JSON"),
        (["BREW", 'kind="green'], 2, "a text needs its quotes"),
        (["BREW", "kind=\udcff"], 2, "JSON"),
        (["FLY", "kind=green"], 65, "there is no action 'FLY'"),
        (["BREW", "kind"], 2, "NAME=JSON is wanted"),
        (["BREW", "--arguments", "[1]"], 2, "a JSON object is wanted"),
        (["BREW", "--arguments", "{}", "kind=1"], 2, "not both"),
        (["BREW", 'kind="x"', "--within", "1s"], 2, "--wait"),
        (["BREW", 'kind="x"', "--wait", "--within", "soon"], 2, "soon"),
        (["BREW", 'kind="x"', "--delay", "soon"], 78, "delay"),
        (["BREW", 'kind="x"', "--key", ""], 78, "key"),
        (["BREW", 'kind="x"', "--tenant", "a b"], 65, "tenant"),
        (["BREW", "--arguments", "@/nowhere/at/all"], 2, "/nowhere/at/all"),
        (["BREW", 'kind="\udcff"'], 2, "JSON"),
        (["POUR"], 65, "--permission"),
    ],
)
def test_a_slip_is_told_in_words_and_nothing_is_submitted(ask, settings, arguments, code, words):
    told = ask(*arguments)
    assert told.exit_code == code, told.stderr
    assert words in told.stderr
    assert "Traceback" not in told.stderr
    assert told.stdout == ""
    if code != 2:
        assert told.stderr.count("\n") == 1


def test_without_actions_of_ones_own_the_setting_is_named(settings):
    told = CliRunner().invoke(main, ["submit", "BREW"], env=settings.environ())
    assert told.exit_code == 65
    assert "UMBEL_ACTIONS is not set here" in told.stderr


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("wrong_under_test", "line 3: A: retry has to be a Retry, not 3: write Retry(3)"),
        (
            "wrong_under_test.py",
            "'wrong_under_test.py' is a file, not a module (UMBEL_ACTIONS). Write wrong_under_test",
        ),
        ("./shop/wares.py", "Write shop.wares"),
    ],
)
def test_what_is_wrong_with_the_actions_ends_with_what_to_do_about_that(
    settings, tmp_path, monkeypatch, named, said
):
    (tmp_path / "wrong_under_test.py").write_text(
        'from umbel import action\n\n@action("A", retry=3)\nasync def a() -> None:\n    """Do it."""\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    told = CliRunner().invoke(main, ["submit", "A"], env=settings.environ() | {"UMBEL_ACTIONS": named})
    assert told.exit_code == 78
    assert told.stderr.endswith(f"{said}\n")


def test_what_the_caller_may_do_is_said_on_the_command_line(ask):
    assert ask("POUR", "--permission", "kitchen").exit_code == 0


@pytest.mark.parametrize(("status", "code"), [("succeeded", 0), ("failed", 1)])
def test_waiting_ends_with_the_run_and_as_it_ended(ask, settings, status, code):
    result = "green" if status == "succeeded" else {"error": "no water", "code": "handler_failed"}

    async def work(store):
        run = await claimed(store)
        await finish(store, run, status, result)

    with aside(settings, work):
        told = ask("BREW", 'kind="green"', "--wait")
    assert told.exit_code == code, told.stderr
    head, last = told.stdout.splitlines()
    assert head.split()[1:] == ["BREW", status]
    assert last.split(maxsplit=1) == ["result", json.dumps(result, separators=(",", ":"))]


def test_what_happens_meanwhile_is_told_on_stderr_and_the_end_is_one_document(ask, settings, monkeypatch):
    lines: list[str] = []
    echo = click.echo

    def heard(message: str = "", *, err: bool = False, **more: Any) -> None:
        echo(message, err=err, **more)
        lines.extend([message] if err else [])

    async def work(store):  # each step when the one before was told, so that nothing is left out
        await eventually(lambda: len(lines) > 0)
        run = await claimed(store)
        await eventually(lambda: len(lines) > 1)
        await finish(store, run, "succeeded", "green")

    monkeypatch.setattr(click, "echo", heard)

    with aside(settings, work):
        told = ask("BREW", 'kind="green"', "--wait", "--json")
    found = json.loads(told.stdout)
    assert (found["status"], found["result"], found["arguments"]) == (
        "succeeded",
        "green",
        {"kind": "green"},
    )
    first, second = told.stderr.splitlines()  # it ends once, on stdout
    assert first.split() == [found["run"], "BREW", "ready"]
    assert second.split()[1:] == [found["run"], "BREW", "running", "on"]


def test_when_the_time_is_over_the_run_goes_on(ask, settings):
    told = ask("BREW", 'kind="green"', "--wait", "--within", "100ms", "--json")
    assert told.exit_code == 75
    found = json.loads(told.stdout)
    assert found["status"] is None
    assert read(settings, found["run"]).status == "ready"
