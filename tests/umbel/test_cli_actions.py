"""`umbel actions` shows what there is, and what a model is offered of it in the words of its provider."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

import tools_under_test
from actions.catalogue import entry
from actions.registry import Registry
from actions.tools import FORMATS, export
from orchestrator.settings import Settings
from umbel import Umbel
from umbel.cli import actions as command

RICH = tools_under_test.RICH


@pytest.fixture
def ask(tmp_path) -> Callable[..., Result]:
    sys.modules["tools_of_mine"] = tools_under_test

    def run(*arguments: str, **env: str) -> Result:
        known = {"UMBEL_ACTIONS": "tools_of_mine", "UMBEL_HOME": str(tmp_path)}
        return CliRunner().invoke(command.actions, arguments, env=known | env)

    return run


def names(answer: Result) -> list[str]:
    return [each["name"] for each in json.loads(answer.stdout)["actions"]]


def test_all_actions_stand_in_a_table(ask):
    told = ask()
    assert told.exit_code == 0
    [line] = [line for line in told.stdout.splitlines() if line.startswith("TAKE_ORDER")]
    assert line.split("  ")[0] == "TAKE_ORDER"
    for fact in ("BUY", "trading", "trade", "is asked"):
        assert fact in line
    for note in ("for people only", "evaluates (always)", "Buy or sell shares.", "after TAKE_ORDER"):
        assert note in told.stdout


def test_json_has_the_whole(ask):
    told = json.loads(ask("--json").stdout)
    known = {each.name: entry(each) for each in RICH.actions}
    found = {each["name"]: each for each in told["actions"]}
    assert found | known == found
    assert set(found) - set(known) == {"NONE", "CONTINUE", "IGNORE"}


def test_some_may_be_named_by_any_of_their_names(ask):
    assert names(ask("--json", "BUY", "ping", "take order")) == ["TAKE_ORDER", "PING"]
    answer = ask("SELL")
    assert answer.exit_code
    assert "SELL" in str(answer.exception)


@pytest.mark.parametrize("form", FORMATS)
def test_tools_are_what_a_request_takes_and_problems_go_to_stderr(ask, form):
    known = RICH.with_()
    builtin = Registry.from_modules(["actions.builtin.conversation"]).actions
    wanted = export([*known.actions, *builtin], form)
    answer = ask("--tools", form)
    assert json.loads(answer.stdout) == wanted.tools
    assert answer.exit_code == 0
    lines = answer.stderr.splitlines()
    assert len(lines) == len(wanted.problems)
    assert all(f"umbel: {form}: {problem}" in lines for problem in wanted.problems)


def test_tools_and_their_problems_in_one_document(ask):
    told = json.loads(ask("--tools", "gemini", "--json", "LABEL").stdout)
    assert set(told) == {"format", "tools", "problems"}
    assert {problem["field"] for problem in told["problems"]} == {"labels", "more", "where", "rest"}


def test_what_is_named_and_no_tool_is_told(ask):
    answer = ask("--tools", "openai", "REFUND", "PING")
    assert [tool["function"]["name"] for tool in json.loads(answer.stdout)] == ["PING"]
    assert answer.stderr == "umbel: REFUND: no model may call it, so it is no tool\n"
    assert "REFUND" not in ask("--tools", "openai").stderr


def test_a_check_ends_with_one_if_there_is_a_problem(ask):
    assert ask("--check", "--tools", "gemini", "LABEL").exit_code == 1
    assert ask("--check", "--tools", "gemini", "PING").exit_code == 0
    every = ask("--check", "LABEL")
    assert every.exit_code == 1
    counted = dict(line.split(None, 1) for line in every.stdout.splitlines()[-5:])
    assert counted == {
        "openai": "fits", "openai-strict": "4 problems", "anthropic": "fits", "gemini": "4 problems", "mcp": "fits",
    }  # fmt: skip
    assert ask("--check", "PING").exit_code == 0
    assert json.loads(ask("--check", "--json", "PING").stdout)["problems"] == {form: [] for form in FORMATS}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (("--machine", "shop"), ["PAY", "PING"]),
        (("--machine", "shop", "--permission", "trade"), ["TAKE_ORDER", "PAY", "PING"]),
        (("--machine", "shop", "--state", "closed"), ["PAY", "LABEL"]),
        (("--machine", "shop", "--state", "closed", "PING"), []),
        (("--permission", "x", "BUY", "PING", "REFUND"), ["PING"]),
    ],
)
def test_a_state_and_permissions_leave_what_a_model_would_be_offered(ask, options, wanted):
    found = [name for name in names(ask("--json", *options)) if name not in {"NONE", "CONTINUE", "IGNORE"}]
    assert found == wanted


def test_what_contradicts_itself_is_refused(ask):
    for options, said in (
        (("--state", "OPEN"), "give --machine too"),
        (("--conversation", "conv_a", "--permission", "x"), "its own state and permissions"),
        (("--machine", "shop", "--state", "SHUT"), "it has OPEN, CLOSED"),
        (("--tools", "cohere"), "openai-strict"),
    ):
        answer = ask(*options)
        assert answer.exit_code == 2
        assert said in answer.stderr


def test_a_conversation_leaves_what_its_model_is_offered_now(ask, settings: Settings):
    async def opened() -> str:
        async with Umbel(settings, registry=RICH) as umbel:
            return await umbel.open_conversation(machine="shop", permissions=["trade"])

    conversation = asyncio.run(opened())
    env = {"UMBEL_REDIS_URL": settings.store_url, "UMBEL_NAMESPACE": settings.namespace}
    found = names(ask("--json", "--conversation", conversation, **env))
    assert found == ["TAKE_ORDER", "PAY", "PING", "NONE", "CONTINUE", "IGNORE"]
    tools = json.loads(ask("--tools", "mcp", "--conversation", conversation, **env).stdout)
    assert [tool["name"] for tool in tools] == found
    assert ask("--conversation", conversation[:-1] + "_", **env).exit_code


def test_neither_redis_nor_a_server_is_needed(tmp_path):
    code = "import sys; sys.modules['redis'] = None; from umbel.cli.actions import actions; actions()"
    env: dict[str, Any] = {"UMBEL_HOME": str(tmp_path), "UMBEL_REDIS_URL": "redis://127.0.0.1:1/0"}
    done = subprocess.run(
        [sys.executable, "-c", code, "--tools", "gemini", "--check"],
        env=env,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"functionDeclarations" in done.stdout


def test_the_formats_of_the_command_are_those_that_there_are():
    assert command._FORMATS == FORMATS
